"""Defines the complete configuration, which `compose` builds from conf/, the environment and the command line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rayocr.config.engines import BatchConfig, DoubtConfig, EngineConfig, RenderConfig
from rayocr.config.limits import BudgetConfig, LimitsConfig, RetryConfig
from rayocr.config.mode import Mode
from rayocr.config.observe import GatewayConfig, LogsConfig, SupabaseConfig
from rayocr.config.outputs import OutputConfig, ReportConfig
from rayocr.config.places import DedupConfig, LedgerConfig, LocksConfig, LoginConfig, StorageConfig
from rayocr.config.ranges import at_least, one_of
from rayocr.config.review import CorrectConfig, RereadConfig
from rayocr.config.work import ExitConfig, ShutdownConfig, SubmitConfig, WatchConfig, WindowConfig, WorkersConfig
from rayocr.errors import UsageError

INPROCESS = "inprocess"  # the value of cluster= for a run without Ray


_RAY_ADDRESS = re.compile(r"(ray://)?[^/\s]+:\d{1,5}")
# Default lanes by objective.
_LANES: dict[str, list[str]] = {"cost": ["batch", "flex"], "speed": [], "deadline": ["batch", "flex", "standard"]}


@dataclass
class RayocrConfig:
    mode: Mode = Mode.run
    source: str | None = None  # a folder, a file, gs://BUCKET/PREFIX or gdrive://FOLDER_ID; null: the bundled samples
    dest: str = (
        "output"  # where outputs go, in the same sub-folders as the source: a folder, gs://BUCKET/PREFIX or gdrive://FOLDER_ID
    )
    state: str | None = None  # where the state for resuming is kept; null: .rayocr/ in the destination
    # What to optimize for: cost (batch and flex at half price), speed (standard), or deadline (every page in the cheapest lane
    # that still meets it); engine.lanes limits the choice, or adds local engines. null: engine.gemini.tier and engine.batch
    # decide
    objective: str | None = None
    deadline: str | None = None  # for objective=deadline: 6h, 90m, or a time such as 2026-11-27T06:00 (UTC)
    # Choose from markdown, clean_pdf, searchable_pdf, jsonl, parquet.
    outputs: list[str] = field(default_factory=lambda: ["markdown", "clean_pdf"])
    # Globs on names below the source; empty: all documents. `*` also matches `/`. `[xy]` matches one of these characters, or
    # the brackets literally; `[[]` matches a bracket only. The full name of a document selects that document.
    include: list[str] = field(default_factory=list)
    # Globs of documents that are not read, in the form of include=; takes precedence over include=. rayocr names patterns that
    # match nothing.
    exclude: list[str] = field(default_factory=list)
    document: str | None = None  # for mode=cancel, retry, dismiss, correct and reread: a name below the source, or an id
    min_bytes: int = 0  # smaller documents are skipped
    max_bytes: int | None = None  # larger documents are skipped; limits.max_document_bytes rejects them with a dead letter
    # listing; or newest, oldest, smallest, largest, name: with these, rayocr lists the whole source before it reads a document
    order: str = "listing"
    limit: int | None = None  # number of documents that this run reads; null: all
    poll_interval_s: float = 30.0  # mode=watch: seconds between two listings of the source
    overwrite: bool = False  # read finished documents again
    # true: dest= may be the source or lie inside it; *.clean.pdf and *.searchable.pdf there count as outputs and are not read
    allow_dest_in_source: bool = False
    follow_links: bool = False  # folders: follow symbolic links that lead out of the source, the destination or the state, too
    # auto: attach to a running Ray, otherwise start a local one; local; an address; inprocess: no Ray, everything in one process;
    # not set: as auto, but a few small local documents are read without Ray
    cluster: str = "auto"
    cpus: int | None = None  # CPUs of a local Ray; null: all CPUs of the machine
    progress: str = "auto"  # auto: a live line on a terminal, plain lines elsewhere; live; plain; none; json: only the result
    engine: EngineConfig = field(default_factory=EngineConfig)
    workers: WorkersConfig = field(default_factory=WorkersConfig)
    window: WindowConfig = field(default_factory=WindowConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    render: RenderConfig = field(default_factory=RenderConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    gateway: GatewayConfig = field(default_factory=GatewayConfig)
    submit: SubmitConfig = field(default_factory=SubmitConfig)
    login: LoginConfig = field(default_factory=LoginConfig)
    ledger: LedgerConfig = field(default_factory=LedgerConfig)
    batch: BatchConfig = field(default_factory=BatchConfig)
    dedup: DedupConfig = field(default_factory=DedupConfig)
    doubt: DoubtConfig = field(default_factory=DoubtConfig)
    locks: LocksConfig = field(default_factory=LocksConfig)
    retry: RetryConfig = field(default_factory=RetryConfig)
    shutdown: ShutdownConfig = field(default_factory=ShutdownConfig)
    exit: ExitConfig = field(default_factory=ExitConfig)
    logs: LogsConfig = field(default_factory=LogsConfig)
    report: ReportConfig = field(default_factory=ReportConfig)
    correct: CorrectConfig = field(default_factory=CorrectConfig)
    reread: RereadConfig = field(default_factory=RereadConfig)
    watch: WatchConfig = field(default_factory=WatchConfig)
    supabase: SupabaseConfig = field(default_factory=SupabaseConfig)

    def __post_init__(self) -> None:
        self._apply_objective()
        at_least(1, limit=self.limit, cpus=self.cpus)
        at_least(0, min_bytes=self.min_bytes, max_bytes=self.max_bytes)
        at_least(0.01, poll_interval_s=self.poll_interval_s)
        one_of("order", self.order, ("listing", "newest", "oldest", "smallest", "largest", "name"))
        one_of("progress", self.progress, ("auto", "live", "plain", "none", "json"))
        self._check_cluster()
        for place in (self.storage.source, self.storage.dest, self.storage.state):
            place.follow_links = place.follow_links or self.follow_links
        if not self.outputs:
            raise UsageError("outputs is empty.", hint="Name at least one, for example outputs=[markdown].")

    def _check_cluster(self) -> None:
        if self.cluster in ("auto", "local", INPROCESS) or self.mode is Mode.submit or _RAY_ADDRESS.fullmatch(self.cluster):
            return
        if self.cluster.startswith(("http://", "https://")):
            raise UsageError(
                f"cluster={self.cluster} is a dashboard, which `rayocr submit` takes.", hint="Name the cluster as HOST:PORT."
            )
        raise UsageError(
            f"cluster={self.cluster} is not an address.", hint=f"Use auto, local, {INPROCESS}, HOST:PORT or ray://HOST:PORT."
        )

    def _apply_objective(self) -> None:
        if self.objective is None:
            if self.deadline is not None:
                raise UsageError("deadline= is set without objective=deadline.", hint="Set objective=deadline, too.")
            if self.engine.lanes:
                raise UsageError("engine.lanes= is set without an objective.", hint="Set objective=cost or objective=deadline.")
            return
        one_of("objective", self.objective, tuple(_LANES))
        if (self.objective == "deadline") != (self.deadline is not None):
            raise UsageError("objective=deadline and deadline= go together.", hint="For example: objective=deadline deadline=6h")
        if self.engine.batch or self.engine.gemini.tier != "standard":
            raise UsageError(
                f"objective={self.objective} chooses the service tier.", hint="Leave engine.batch= and engine.gemini.tier= out."
            )
        self.engine.lanes = self.engine.lanes or list(_LANES[self.objective])

    @property
    def batch_limits(self) -> BatchConfig:
        """Returns `batch`, with the enqueued tokens of the preset unless they are set. The first model of the ladder reads nearly
        all pages. Vertex AI has no such limit."""
        gemini = self.engine.gemini
        known = None if gemini.vertexai else self.limits.of(gemini.ladder[0]).enqueued_tokens
        return replace(self.batch, enqueued_tokens=self.batch.enqueued_tokens or known)

    def fingerprint(self, prompts: Mapping[str, str] | None = None) -> str:
        """Returns 16 hex digits, a hash of every setting that can change a page's text. The manifest records it."""
        engine = asdict(self.engine)
        used = {name.rstrip("?") for name in self.engine.chain}
        for name in ("gemini", "openai"):
            # These settings do not change the text.
            del engine[name]["input_usd_per_million"], engine[name]["output_usd_per_million"]
        for option in ("tier", "flex_tries", "flex_timeout_s"):  # these do not change the text either
            del engine["gemini"][option]
        relevant: dict[str, Any] = {
            "chain": self.engine.chain,
            "engines": {name: engine[name] for name in sorted(used) if name in engine},
            "render": asdict(self.render),
            "prompts": dict(prompts or {}),  # by engine
        }
        if self.engine.uses_local_lane:  # without this, the text of a page that a local engine read is not copied
            relevant["local_confidence"] = self.engine.local_confidence
        canonical = json.dumps(relevant, sort_keys=True, default=str)
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]
