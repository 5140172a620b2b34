"""The structured configuration: one small class a component, units in the names, ranges checked once.

Hydra fills these from conf/, the environment and the command line (`cli.py` calls `OmegaConf.to_object` once). They are left
unfrozen because Hydra refuses overrides on frozen schemas; nobody changes them afterwards. Secrets are not here: see `Secrets`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from rayocr.errors import UsageError


class Mode(StrEnum):
    run = "run"
    status = "status"
    cancel = "cancel"
    estimate = "estimate"
    report = "report"
    submit = "submit"
    retry = "retry"
    watch = "watch"
    login = "login"


def _at_least(minimum: float, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not math.isfinite(value):
            raise UsageError(f"{name} is {value}, and must be a number; null means no limit where there can be none.")
        if value is not None and value < minimum:
            raise UsageError(f"{name} is {value}, and must be at least {minimum}.")


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{name} is {value!r}; choose one of {', '.join(choices)}.")


@dataclass
class GeminiConfig:
    model: str = "gemini-3.1-flash-lite"  # the cheapest that takes a temperature; prices in conf/
    # The ladder: who is asked when the one before refuses a page, cuts it off or loops. Empty: `model` alone.
    models: list[str] = field(default_factory=list)
    prompt: str = "transcribe"  # a file of conf/prompts/, without .md; or a path to one of your own
    target_language: str = "English"  # for the prompt `translate`
    vertexai: bool = False  # Vertex AI instead of the Developer API: Google's credentials and a project instead of a key
    project: str | None = None  # of Vertex AI; null: GOOGLE_CLOUD_PROJECT
    location: str = "global"  # of Vertex AI; GOOGLE_CLOUD_LOCATION sets it too
    base_url: str | None = None  # null: Google's; GOOGLE_GEMINI_BASE_URL sets it too
    page_format: str = "pdf"  # pdf: cut out in a millisecond, text layer and all; jpeg, webp, png: rendered at dpi
    dpi: int = 200  # of rendered pages
    media_resolution: str = "default"  # low, medium or high: tokens a page (280, 560, 1120 on Gemini 3); a PDF page is 560
    thinking: str = "auto"  # auto: the least that the model takes; off, minimal, low, medium, high; default: the model's own
    safety: str = "off"  # off, block_none, block_only_high, …: pages are somebody else's words; default: Google's thresholds
    request_timeout_s: float = 120.0  # the SDK has none of its own on the async client
    max_output_tokens: int = 16384  # a dense page is 2-4 thousand; thinking counts as output
    temperature: float | None = 0.0  # null for models that refuse it
    input_usd_per_million: float = 0.0  # USD per 1M input tokens; above 0 (one of the two) it wins over conf/prices.yaml
    output_usd_per_million: float = 0.0  # likewise, output

    def __post_init__(self) -> None:
        _at_least(1, **{"engine.gemini.max_output_tokens": self.max_output_tokens})
        _at_least(0.1, **{"engine.gemini.request_timeout_s": self.request_timeout_s})
        _at_least(0, **{"engine.gemini.input_usd_per_million": self.input_usd_per_million})
        _at_least(0, **{"engine.gemini.output_usd_per_million": self.output_usd_per_million})
        _at_least(50, **{"engine.gemini.dpi": self.dpi})
        thinking = ("auto", "off", "minimal", "low", "medium", "high", "default")
        safety = ("default", "off", "block_none", "block_only_high", "block_medium_and_above", "block_low_and_above")
        _one_of("engine.gemini.page_format", self.page_format, ("pdf", "jpeg", "webp", "png"))
        _one_of("engine.gemini.media_resolution", self.media_resolution, ("default", "low", "medium", "high"))
        _one_of("engine.gemini.thinking", self.thinking, thinking)
        _one_of("engine.gemini.safety", self.safety, safety)

    @property
    def ladder(self) -> tuple[str, ...]:
        """The models, in the order in which they are asked; each once."""
        return tuple(dict.fromkeys(self.models or [self.model]))


@dataclass
class OpenAIConfig:
    """Any server that speaks OpenAI's chat completions with images: vLLM, SGLang, LM Studio, Ollama, llama.cpp, OpenAI."""

    base_url: str = "http://127.0.0.1:8000/v1"  # vLLM's; OPENAI_BASE_URL sets it too
    model: str = ""  # as the server calls it; empty: the only one that the server lists
    prompt: str = "transcribe"  # a file of conf/prompts/, without .md; or a path to one of your own
    target_language: str = "English"  # for the prompt `translate`
    image_format: str = "png"  # png, jpeg or webp; olmOCR and dots.ocr were trained on png
    dpi: int = 150  # A4 is 1240 x 1754: what these models were trained at; more is scaled down by most of them
    request_timeout_s: float = 300.0  # a queue of your own GPU can be long
    max_tokens: int = 8192  # of the answer; the server refuses more than its context
    temperature: float | None = 0.0  # null: not sent
    extra_body: dict[str, Any] = field(default_factory=dict)  # goes into every request as it is, for example repetition_penalty
    input_usd_per_million: float = 0.0  # USD per 1M tokens; a server of your own costs nothing a token
    output_usd_per_million: float = 0.0  # likewise, output

    def __post_init__(self) -> None:
        _at_least(1, **{"engine.openai.max_tokens": self.max_tokens})
        _at_least(0.1, **{"engine.openai.request_timeout_s": self.request_timeout_s})
        _at_least(50, **{"engine.openai.dpi": self.dpi})
        _one_of("engine.openai.image_format", self.image_format, ("png", "jpeg", "webp"))


@dataclass
class RapidOcrConfig:
    dpi: int = 200  # 150 to 300 read equally well; 200 keeps small print and costs 20-60 ms to render

    def __post_init__(self) -> None:
        _at_least(50, **{"engine.rapidocr.dpi": self.dpi})


@dataclass
class TesseractConfig:
    languages: list[str] = field(default_factory=lambda: ["auto"])  # tesseract's pack names; auto looks at the script
    dpi: int = 300  # what its models were trained at

    def __post_init__(self) -> None:
        _at_least(50, **{"engine.tesseract.dpi": self.dpi})


@dataclass
class EngineConfig:
    name: str = "auto"  # of the group that was chosen; for what is shown
    # The engines a page goes down until an answer passes; a trailing ? means: only where it is installed.
    chain: list[str] = field(default_factory=list)
    batch: bool = False  # gemini's Batch API: half the price, answers within a day; see batch.*
    probe: bool = True  # ask servers about key and model before the first page; false for proxies that know no such question
    gemini: GeminiConfig = field(default_factory=GeminiConfig)
    openai: OpenAIConfig = field(default_factory=OpenAIConfig)
    rapidocr: RapidOcrConfig = field(default_factory=RapidOcrConfig)
    tesseract: TesseractConfig = field(default_factory=TesseractConfig)


@dataclass
class WorkersConfig:
    min: int = 1  # workers kept while there is work
    idle_timeout_s: float = 60.0  # a worker above the minimum goes when it has had nothing to do for so long
    # Null: one a CPU of the cluster for engines that compute; for engines that wait 4, or one a node where there are more.
    max: int | None = None
    documents: int | None = None  # processes that fetch and assemble; null: one a CPU, two at least
    # Whether workers ask for nodes that offer rayocr_wait or rayocr_compute (custom resources of Ray); null: if some node does.
    groups: bool | None = None
    # A waiting worker's pages at one time; null: what the requests a minute come to when an answer takes 10 s, 64 to 1,024.
    pages_in_flight: int | None = None
    target_shard_s: float = 2.0  # shards are cut to take about this long: long against a Ray call, short against a kill
    max_shard_pages: int = 64  # of a shard, however quick its pages are
    max_pages: int | None = 20_000  # a worker's, after which a new process takes its place, against leaks; null: none

    def __post_init__(self) -> None:
        _at_least(1, **{"workers.min": self.min, "workers.max": self.max, "workers.documents": self.documents})
        _at_least(1, **{"workers.pages_in_flight": self.pages_in_flight, "workers.max_shard_pages": self.max_shard_pages})
        _at_least(1, **{"workers.max_pages": self.max_pages})
        _at_least(0, **{"workers.idle_timeout_s": self.idle_timeout_s})
        if self.max is not None and self.max < self.min:
            raise UsageError(f"workers.max is {self.max}, below workers.min, which is {self.min}.")


@dataclass
class WindowConfig:
    pages: int = 4096  # admitted and not yet finished
    documents: int = 256  # likewise; hides the ledger's flush interval from folders of one-page documents
    bytes: int = 1 << 30  # of documents in the object store; one document is always admitted, whatever its size

    def __post_init__(self) -> None:
        _at_least(1, **{"window.pages": self.pages, "window.documents": self.documents, "window.bytes": self.bytes})


@dataclass
class ModelLimitsConfig:
    """The quota of one model; null: no limit."""

    rpm: float | None = None  # requests a minute
    tpm: float | None = None  # input tokens a minute
    rpd: int | None = None  # requests a day, from midnight to midnight in California
    max_in_flight: int | None = None  # requests under way at one time

    def __post_init__(self) -> None:
        _at_least(0.001, **{"limits.rpm": self.rpm, "limits.tpm": self.tpm})
        _at_least(1, **{"limits.rpd": self.rpd, "limits.max_in_flight": self.max_in_flight})


@dataclass
class LimitsConfig:
    rpm: float | None = None  # requests a minute to one model, over all workers; null: what `models` says, else no limit
    tpm: float | None = None  # input tokens a minute, likewise
    rpd: int | None = None  # requests a day, likewise
    max_in_flight: int | None = None  # requests under way to one model, likewise
    cautious_in_flight: int | None = None  # requests under way where neither rpm nor max_in_flight is known; null: no limit
    # Of a preset, by model or the beginning of its name. The four above win.
    models: dict[str, ModelLimitsConfig] = field(default_factory=dict)
    headroom: float = (
        0.01  # of rpm and tpm left alone: room for 0.6 s of difference between the fastest and slowest way to the server
    )
    expected_input_tokens: int = 1000  # of a page with its prompt (a PDF page is 560), until real use is known
    expected_output_tokens: int = 1000  # likewise; a dense page is 2-4 thousand
    shared: str = "none"  # redis: all clusters that name the same REDIS_URL and shared_name draw on one quota
    shared_name: str = "default"  # of the quota: one a project
    shared_ttl_s: float = 6.0  # a cluster that has not been heard of for so long has no requests under way
    shared_patience_s: float = 300.0  # Redis away for longer ends the run, resumable
    day_quota_tries: int = 2  # refusals for the day that are waited out as the server says, before the model is parked
    page_timeout_s: float = 180.0  # a page that computes longer ends its worker (PDFium cannot be interrupted)
    fetch_timeout_s: float = 900.0  # download of one document
    validate_timeout_s: float = 60.0  # opening a document, for files that make PDFium spin
    # Opening a document, or reading a page, may take this; more ends the process. A colour scan of 20,000 x 20,000 takes 1.2 GB.
    page_memory: int = 2 << 30  # bytes
    max_document_bytes: int = 2 << 30  # a larger document is rejected unread
    max_document_pages: int = 100_000  # likewise

    def __post_init__(self) -> None:
        ModelLimitsConfig(rpm=self.rpm, tpm=self.tpm, rpd=self.rpd, max_in_flight=self.max_in_flight)
        _at_least(1, **{"limits.max_document_pages": self.max_document_pages, "limits.shared_ttl_s": self.shared_ttl_s})
        _at_least(1, **{"limits.cautious_in_flight": self.cautious_in_flight})
        _at_least(0, **{"limits.shared_patience_s": self.shared_patience_s, "limits.day_quota_tries": self.day_quota_tries})
        _at_least(1, **{"limits.expected_input_tokens": self.expected_input_tokens})
        _at_least(0, **{"limits.expected_output_tokens": self.expected_output_tokens})
        _at_least(1, **{"limits.page_timeout_s": self.page_timeout_s, "limits.validate_timeout_s": self.validate_timeout_s})
        _at_least(64 << 20, **{"limits.page_memory": self.page_memory})
        _at_least(1, **{"limits.fetch_timeout_s": self.fetch_timeout_s, "limits.max_document_bytes": self.max_document_bytes})
        if not 0 <= self.headroom < 1:
            raise UsageError(f"limits.headroom is {self.headroom}, and must be from 0 to below 1.")
        if self.shared not in ("none", "redis"):
            raise UsageError(f"limits.shared is {self.shared!r}; choose none or redis.")

    def of(self, model: str) -> ModelLimitsConfig:
        """The limits of this model: of the preset's row with its name or the longest one that it begins with, each replaced
        by the figure that was given for all models."""
        names = [name for name in self.models if model.removeprefix("models/").startswith(name)]
        row = self.models[max(names, key=len)] if names else ModelLimitsConfig()
        rpm = row.rpm if self.rpm is None else self.rpm
        max_in_flight = row.max_in_flight if self.max_in_flight is None else self.max_in_flight
        if rpm is None and max_in_flight is None:
            max_in_flight = self.cautious_in_flight
        return ModelLimitsConfig(
            rpm=rpm,
            tpm=row.tpm if self.tpm is None else self.tpm,
            rpd=row.rpd if self.rpd is None else self.rpd,
            max_in_flight=max_in_flight,
        )


@dataclass
class BudgetConfig:
    usd: float | None = None  # for this run; no request leaves that is expected to exceed it; null: no limit

    def __post_init__(self) -> None:
        _at_least(0, **{"budget.usd": self.usd})


@dataclass(unsafe_hash=True)
class AccessConfig:
    """Who reads and writes a bucket or a Drive, and where."""

    credentials: str | None = None  # a JSON file (service account, authorized user), there on every node; null: the node's own
    anonymous: bool = False  # public buckets
    user_project: str | None = None  # pays for buckets whose readers pay
    endpoint: str | None = None  # another server than Google's, for example an emulator
    subject: str | None = None  # of Drive: the person for whom a service account with domain-wide delegation acts
    timeout_s: float = 120.0  # without a byte from the server, after which a request is given up and tried again

    def __post_init__(self) -> None:
        _at_least(0.1, **{"storage.*.timeout_s": self.timeout_s})


@dataclass
class StorageConfig:
    source: AccessConfig = field(default_factory=AccessConfig)
    dest: AccessConfig = field(default_factory=AccessConfig)
    state: AccessConfig = field(default_factory=AccessConfig)  # not given: as dest, unless state= is of another kind (gs, gdrive)
    # Requests a second of all processes that fetch and assemble, to each backend; null: no limit. Drive allows 200 a project.
    requests_per_s: float | None = None

    def __post_init__(self) -> None:
        _at_least(0.01, **{"storage.requests_per_s": self.requests_per_s})


@dataclass
class RenderConfig:
    max_pixels: int = 20_000_000  # A4 at 400 dpi is 15.5 million; a page may claim 9.9e12

    def __post_init__(self) -> None:
        _at_least(10_000, **{"render.max_pixels": self.max_pixels})


@dataclass
class LedgerConfig:
    flush_interval_s: float = 1.0  # at most one segment in this time: what a crash of the ledger can cost
    flush_bytes: int = 1 << 20  # or as soon as this much text waits
    memory_bytes: int = 256 << 20  # text of unfinished documents above this goes to local disk

    def __post_init__(self) -> None:
        _at_least(0.0, **{"ledger.flush_interval_s": self.flush_interval_s})
        _at_least(1, **{"ledger.flush_bytes": self.flush_bytes, "ledger.memory_bytes": self.memory_bytes})


@dataclass
class BatchConfig:
    max_pages: int = 10_000  # of one job; the window bounds it too
    max_bytes: int = 500_000_000  # of a job's file; Google takes 2 GB
    linger_s: float = 20.0  # a job leaves when no page has come for so long
    poll_interval_s: float = 30.0  # jobs take minutes to hours
    keep_days: float = 3.0  # jobs of earlier runs are looked at for so long; Google keeps results for two days

    def __post_init__(self) -> None:
        _at_least(1, **{"batch.max_pages": self.max_pages, "batch.max_bytes": self.max_bytes})
        _at_least(0.01, **{"batch.linger_s": self.linger_s, "batch.poll_interval_s": self.poll_interval_s})
        _at_least(0, **{"batch.keep_days": self.keep_days})


@dataclass
class DedupConfig:
    pages: bool = True  # identical pages (the same bytes once cut out) are sent to a server once, and counted
    documents: bool = False  # files of the same bytes are read once; what they came to is kept beside the state for the others
    memory_bytes: int = 64 << 20  # of their texts: about 20,000 pages

    def __post_init__(self) -> None:
        _at_least(1, **{"dedup.memory_bytes": self.memory_bytes})


@dataclass
class WatchConfig:
    """Of mode=watch, besides poll_interval_s."""

    settle_s: float = 10.0  # a file in a folder is taken when nothing was written to it for so long; buckets need no such wait
    # Where a feed or a subscription tells what is new, everything is listed all the same after so long: nothing is forgotten.
    relist_s: float = 900.0
    subscription: str | None = None  # projects/…/subscriptions/…: notifications of the source's bucket, pulled from Pub/Sub
    endpoint: str | None = None  # of Pub/Sub; PUBSUB_EMULATOR_HOST sets it too

    def __post_init__(self) -> None:
        _at_least(0, **{"watch.settle_s": self.settle_s})
        _at_least(0.01, **{"watch.relist_s": self.relist_s})
        if self.subscription is not None and not re.fullmatch(r"projects/[^/\s]+/subscriptions/[^/\s]+", self.subscription):
            raise UsageError(f"watch.subscription is {self.subscription!r}, and is written projects/PROJECT/subscriptions/NAME.")


@dataclass
class DoubtConfig:
    """A second look at what servers said: does it agree with the page's own text, or with lines that are read here?"""

    text_layer: bool = True  # every page that has a text layer is compared with it; 1 to 3 ms
    # Of the other pages, a few lines are read here and looked for in the answer; 0.2 s each, so 1 ms a page. 1: all, 0: none.
    sample: float = 0.005
    floor: float = 0.6  # share of words that must agree; below it the page is `suspect`

    def __post_init__(self) -> None:
        for name, value in (("sample", self.sample), ("floor", self.floor)):
            if not 0 <= value <= 1:
                raise UsageError(f"doubt.{name} is {value}, and must be from 0 to 1.")


@dataclass
class CleanPdfConfig:
    pdf_a: bool = (
        False  # PDF/A-2u, for archives: characters without a font become U+FFFD there as everywhere, and no link is kept alive
    )
    tags: bool = True  # structure for screen readers; without it 10 to 20 % faster
    page_image: bool = False  # pages that could not be read carry the picture of the source's page
    page_image_dpi: int = 100  # enough to read by eye; A4 is about 150 KB
    system_fonts: bool = True  # stand in for scripts that the fonts of the wheels lack; false: the same file on every machine
    timeout_s: float = 60.0  # for eight pages, which take half a second; then they are set more simply

    def __post_init__(self) -> None:
        _at_least(20, **{"output.clean_pdf.page_image_dpi": self.page_image_dpi})
        _at_least(1, **{"output.clean_pdf.timeout_s": self.timeout_s})


@dataclass
class MarkdownConfig:
    """Of the Markdown file; `normalize` of all outputs, `headers` also of JSONL and Parquet, whose text is the same."""

    normalize: bool = True  # one style, nothing of the model's own around a page; false: as the engine wrote it
    headers: str = "keep"  # running headers, footers and page numbers: keep, mark (as comments) or remove
    join: bool = False  # paragraphs and tables that go on over a page break in one piece; the break's comment stands inside
    front_matter: bool = False  # title, source, pages, engines, run and date as YAML at the beginning

    def __post_init__(self) -> None:
        _one_of("output.markdown.headers", self.headers, ("keep", "mark", "remove"))


@dataclass
class OutputConfig:
    markdown: MarkdownConfig = field(default_factory=MarkdownConfig)
    clean_pdf: CleanPdfConfig = field(default_factory=CleanPdfConfig)


@dataclass
class LocksConfig:
    backend: str = "file"  # file: processes of one machine; redis: any number of clusters
    ttl_s: float = 60.0  # a dead cluster's documents are free after this; renewed at a third of it
    prefix: str = "rayocr:"  # of Redis keys

    def __post_init__(self) -> None:
        _at_least(1, **{"locks.ttl_s": self.ttl_s})
        if self.backend not in ("file", "redis"):
            raise UsageError(f"locks.backend is {self.backend!r}; choose file or redis.")


@dataclass
class RetryConfig:
    max_attempts: int = 3  # tries in all of a call to storage, for errors that waiting can cure
    engine_attempts: int = 8  # of a page with one model: 429, 5xx and resets cost nothing, and a page given up for them does
    base_s: float = 1.0  # first back-off, doubled each time, with full jitter
    cap_s: float = 60.0  # no back-off is longer, unless the server asks for it
    # Of mode=retry: which dead letters are taken up again, besides document= (a name, a glob or an id). All of them must fit.
    reason: str | None = None  # a class of errors: RepetitionLoop, Refused, Quarantined
    engine: str | None = None  # that did not deliver
    since: str | None = None  # a date or time, UTC: letters written since then
    rejected: bool = False  # also documents of which nothing could be read: encrypted, damaged, quarantined

    def __post_init__(self) -> None:
        _at_least(1, **{"retry.max_attempts": self.max_attempts, "retry.engine_attempts": self.engine_attempts})
        _at_least(0, **{"retry.base_s": self.base_s, "retry.cap_s": self.cap_s})


@dataclass
class ShutdownConfig:
    grace_s: float = 20.0  # from SIGTERM to exit; pages still in flight then are given up and read again later

    def __post_init__(self) -> None:
        _at_least(0, **{"shutdown.grace_s": self.grace_s})


@dataclass
class LogsConfig:
    dir: str = "logs"  # JSON lines in json/, dead letters in dead_letter/

    retention_days: int = 14  # older files are swept at the start of a run
    pages: bool = True  # a line of 400 bytes for every page; false: only for those that failed or are asked for again

    def __post_init__(self) -> None:
        _at_least(1, **{"logs.retention_days": self.retention_days})


@dataclass
class SupabaseConfig:
    """Errors and dead letters as rows of a table; on when SUPABASE_URL and SUPABASE_API_KEY are in the environment."""

    enabled: bool = True  # false: nothing is sent, whatever the environment says
    table: str = "Activity_Error_Log"  # its SQL: docs/supabase.md
    # Our field -> your column, for a table with other names; null leaves a field out. Those not named keep theirs.
    columns: dict[str, str | None] = field(default_factory=dict)
    batch: int = 200  # rows a request
    interval_s: float = 2.0  # between two looks at what waits
    timeout_s: float = 10.0  # of a request
    spool_bytes: int = 64 << 20  # rows that wait while it is away, in <logs.dir>/supabase; above it the oldest go

    def __post_init__(self) -> None:
        _at_least(1, **{"supabase.batch": self.batch, "supabase.spool_bytes": self.spool_bytes})
        _at_least(0.01, **{"supabase.interval_s": self.interval_s, "supabase.timeout_s": self.timeout_s})


@dataclass
class GatewayConfig:
    """The HTTP face of a run: its page, metrics, status, control."""

    enabled: bool = True  # false: no port is opened
    host: str = "127.0.0.1"  # others need RAYOCR_API_TOKEN in the environment
    port: int = 8080  # or the next free one of twenty; 0: any
    push_audience: str | None = None  # of the OIDC tokens that Pub/Sub sends to /gcs-event; null: RAYOCR_API_TOKEN guards it
    push_account: str | None = None  # the service account that they must be of; null: any of Google's for the audience

    def __post_init__(self) -> None:
        _at_least(0, **{"gateway.port": self.port})


@dataclass
class ReportConfig:
    """Of mode=report, and of what a run leaves behind at its end."""

    # A run that ends by itself writes its report when the source has at most so many documents; 0: never. The report reads the
    # manifests of the destination, one request each where it is far away: of more documents, mode=report makes it when asked.
    at_end: int = 500
    run: str = "last"  # a run's id, last, or all: every document of the destination
    file: str | None = None  # a local file; null: report.html in the destination
    documents: int = 1000  # listed; those with failures and doubts first
    pages: int = 60  # doubtful and failed ones whose picture is shown beside the text; about 60 KB each
    sample: int = 6  # pages of all, taken at random, likewise
    dpi: int = 80  # of the pictures: enough to compare with the text

    def __post_init__(self) -> None:
        _at_least(1, **{"report.documents": self.documents})
        _at_least(0, **{"report.pages": self.pages, "report.sample": self.sample, "report.at_end": self.at_end})
        _at_least(20, **{"report.dpi": self.dpi})


@dataclass
class SubmitConfig:
    """Of mode=submit: the same command as a job of a Ray cluster, `cluster=http://HOST:8265`."""

    mode: Mode = Mode.run  # what the job does
    working_dir: str | None = None  # a folder sent along, e.g. "." for a checkout; null: rayocr is in the cluster's image
    job_id: str | None = None  # null: rayocr-<time>; one that exists already is followed and not submitted again
    follow: bool = True  # show its log, and end with its exit code; false: submit and end
    cpus: float = 0.0  # kept free for the driver itself, which mostly waits
    stop_wait_s: int = 120  # that a job which is stopped has to finish its pages in flight, before Ray kills it

    def __post_init__(self) -> None:
        _at_least(0, **{"submit.cpus": self.cpus, "submit.stop_wait_s": self.stop_wait_s})


@dataclass
class LoginConfig:
    """Of mode=login: a person signs in to Google Drive, once."""

    service: str = "drive"  # what to sign in to; `mode=login drive` says it too
    client: str | None = None  # the OAuth client, as the Google Cloud console gives it (JSON); null: GOOGLE_DRIVE_CREDENTIALS
    token: str | None = None  # where the sign-in is kept; null: ~/.config/rayocr/drive-token.json
    browser: str = "auto"  # auto: open one where there is one; none: only print the address
    port: int = 0  # of this machine, to which Google sends the browser back; 0: any
    timeout_s: float = 600.0  # that the person has

    def __post_init__(self) -> None:
        _one_of("login.service", self.service, ("drive",))
        _one_of("login.browser", self.browser, ("auto", "none"))
        _at_least(0, **{"login.port": self.port})
        _at_least(1, **{"login.timeout_s": self.timeout_s})


@dataclass
class RayocrConfig:
    mode: Mode = Mode.run
    source: str | None = None  # null: the samples that come with rayocr
    dest: str = "output"  # where outputs go, in the folders of the source: a folder, gs://BUCKET/PREFIX, gdrive://FOLDER_ID
    state: str | None = None  # null: .rayocr/ in the destination
    outputs: list[str] = field(default_factory=lambda: ["markdown", "clean_pdf"])  # jsonl, parquet, searchable_pdf
    include: list[str] = field(default_factory=list)  # globs on names below the source; empty: all
    exclude: list[str] = field(default_factory=list)  # globs likewise; wins over include
    document: str | None = None  # of mode=cancel and mode=retry: its name below the source, or its id
    min_bytes: int = 0  # smaller documents are passed by
    max_bytes: int | None = None  # larger ones likewise; limits.max_document_bytes rejects them, with a dead letter
    order: str = "listing"  # newest, oldest, smallest, largest, name: all is listed before the first is read
    limit: int | None = None  # documents taken up by this run
    poll_interval_s: float = 30.0  # of mode=watch: between two looks at the source
    overwrite: bool = False  # read finished documents again
    allow_dest_in_source: bool = False  # then *.clean.pdf and *.searchable.pdf there are taken for outputs and not read
    cluster: str = "auto"  # auto: a Ray that runs, else a local one; local; or an address
    cpus: int | None = None  # of a local Ray; null: all of the machine
    progress: str = "auto"  # auto: live on a terminal, lines elsewhere; live; plain; none
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
    logs: LogsConfig = field(default_factory=LogsConfig)
    report: ReportConfig = field(default_factory=ReportConfig)
    watch: WatchConfig = field(default_factory=WatchConfig)
    supabase: SupabaseConfig = field(default_factory=SupabaseConfig)

    def __post_init__(self) -> None:
        _at_least(1, limit=self.limit, cpus=self.cpus)
        _at_least(0, min_bytes=self.min_bytes, max_bytes=self.max_bytes)
        _at_least(0.01, poll_interval_s=self.poll_interval_s)
        _one_of("order", self.order, ("listing", "newest", "oldest", "smallest", "largest", "name"))
        if self.progress not in ("auto", "live", "plain", "none"):
            raise UsageError(f"progress is {self.progress!r}; choose auto, live, plain or none.")
        if not self.outputs:
            raise UsageError("outputs is empty; name at least one, for example outputs=[markdown].")

    def fingerprint(self, prompts: Mapping[str, str] | None = None) -> str:
        """16 hex digits over every setting that can change a page's text: what a manifest says it was made with."""
        engine = asdict(self.engine)
        used = {name.rstrip("?") for name in self.engine.chain}
        for name in ("gemini", "openai"):
            del engine[name]["input_usd_per_million"], engine[name]["output_usd_per_million"]  # they do not change the text
        relevant: dict[str, Any] = {
            "chain": self.engine.chain,
            "engines": {name: engine[name] for name in sorted(used) if name in engine},
            "render": asdict(self.render),
            "prompts": dict(prompts or {}),  # by engine
        }
        canonical = json.dumps(relevant, sort_keys=True, default=str)
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class Secrets:
    """Keys from the environment; carried to workers by value, and masked wherever they are printed."""

    gemini_api_key: str | None = None
    openai_api_key: str | None = None  # servers of one's own need none
    redis_url: str | None = None  # can carry a password
    api_token: str | None = None  # of the HTTP face
    supabase_url: str | None = None
    supabase_api_key: str | None = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{f.name}={'***' if getattr(self, f.name) else None}" for f in fields(self))
        return f"Secrets({shown})"
