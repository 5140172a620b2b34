"""Options for quotas, timeouts, budgets and retries."""

from __future__ import annotations

from dataclasses import dataclass, field

from rayocr.config.ranges import at_least, at_most
from rayocr.errors import UsageError


@dataclass
class ModelLimitsConfig:
    """The quota of one model; null: no limit."""

    rpm: float | None = None  # requests per minute
    tpm: float | None = None  # input tokens per minute
    rpd: int | None = None  # requests per day, from midnight to midnight in California
    max_in_flight: int | None = None  # requests in flight at one time
    enqueued_tokens: int | None = None  # input tokens of all batches that have not ended

    def __post_init__(self) -> None:
        at_least(0.001, **{"limits.rpm": self.rpm, "limits.tpm": self.tpm})
        at_least(1, **{"limits.rpd": self.rpd, "limits.max_in_flight": self.max_in_flight})
        at_least(1, **{"limits.models enqueued_tokens": self.enqueued_tokens})


@dataclass
class LimitsConfig:
    rpm: float | None = None  # requests per minute to one model, over all workers; null: the value in `models`, if any
    tpm: float | None = None  # input tokens per minute of one model, over all workers; null: the value in `models`, if any
    rpd: int | None = None  # requests per day to one model, over all workers; null: the value in `models`, if any
    max_in_flight: int | None = None  # requests in flight to one model, over all workers; null: the value in `models`, if any
    usd_per_10min: float | None = None  # Google's limit on spending in any ten minutes, over all models; null: none
    usd_per_month: float | None = None  # Google's limit on spending in a calendar month, over all models and runs; null: none
    cautious_in_flight: int | None = None  # the limit if neither rpm nor max_in_flight is known; limits=default sets 16
    # The limits of a preset, by model or the beginning of its name: rpm, tpm, rpd, max_in_flight, enqueued_tokens. The
    # options limits.rpm, tpm, rpd and max_in_flight override the first four, and batch.enqueued_tokens the last one.
    models: dict[str, ModelLimitsConfig] = field(default_factory=dict)
    headroom: float = 0.01  # unused share of rpm and tpm; allows a difference of 0.6 s between the fastest and slowest request
    # Input tokens of a page with its prompt (a PDF page takes 560), until actual use is known.
    expected_input_tokens: int = 1000
    expected_output_tokens: int = 1000  # output tokens of a page, until actual use is known; a dense page is 2-4 thousand
    shared: str = "none"  # redis: all clusters with the same REDIS_URL and shared_name share one quota
    shared_name: str = "default"  # name of the shared quota; use one per project
    shared_ttl_s: float = 6.0  # a cluster that has not reported for this long counts as having no requests in flight
    shared_patience_s: float = 300.0  # if Redis is unavailable for longer, the run ends and can be resumed
    # If a model does not answer for longer, the run ends and can be resumed. null, and mode=watch: wait without limit.
    patience_s: float | None = 900.0
    day_quota_tries: int = 2  # refusals for the daily quota after which rayocr still waits, before it parks the model
    # Time for one step of computing on a page, such as rendering it or reading it with a local engine. Waiting for the quota or
    # for a server does not count. If a step takes longer, the worker ends, since PDFium cannot be interrupted. One drawing of a
    # page may take a quarter of it in CPU time; then only the page fails.
    page_timeout_s: float = 180.0
    # Time for writing a document's outputs, without waiting for storage. If it takes longer, the worker ends, and the next worker
    # skips the slow steps.
    assemble_timeout_s: float = 600.0
    assemble_page_s: float = 2.0  # added to assemble_timeout_s for each page of the document; a page takes 40 ms
    fetch_timeout_s: float = 900.0  # time for downloading a document
    validate_timeout_s: float = 60.0  # time for opening a document; some files make PDFium loop
    # Bytes of memory for opening a document or reading a page. A process that exceeds it ends. A color scan of 20,000 x 20,000
    # takes 1.2 GB.
    page_memory: int = 2 << 30
    max_document_bytes: int = 2 << 30  # a larger document is rejected unread
    max_document_pages: int = 100_000  # a document with more pages is rejected unread

    def __post_init__(self) -> None:
        ModelLimitsConfig(rpm=self.rpm, tpm=self.tpm, rpd=self.rpd, max_in_flight=self.max_in_flight)
        at_least(0.01, **{"limits.usd_per_10min": self.usd_per_10min, "limits.usd_per_month": self.usd_per_month})
        at_least(1, **{"limits.max_document_pages": self.max_document_pages, "limits.shared_ttl_s": self.shared_ttl_s})
        at_most(10_000_000, **{"limits.max_document_pages": self.max_document_pages})  # manifests cannot hold more
        at_least(1, **{"limits.cautious_in_flight": self.cautious_in_flight})
        at_least(0, **{"limits.shared_patience_s": self.shared_patience_s, "limits.day_quota_tries": self.day_quota_tries})
        at_least(0, **{"limits.patience_s": self.patience_s})
        at_least(1, **{"limits.expected_input_tokens": self.expected_input_tokens})
        at_least(0, **{"limits.expected_output_tokens": self.expected_output_tokens})
        at_least(1, **{"limits.page_timeout_s": self.page_timeout_s, "limits.validate_timeout_s": self.validate_timeout_s})
        at_least(1, **{"limits.assemble_timeout_s": self.assemble_timeout_s})
        at_least(0, **{"limits.assemble_page_s": self.assemble_page_s})
        at_least(64 << 20, **{"limits.page_memory": self.page_memory})
        at_least(1, **{"limits.fetch_timeout_s": self.fetch_timeout_s, "limits.max_document_bytes": self.max_document_bytes})
        if not 0 <= self.headroom < 1:
            raise UsageError(f"limits.headroom is {self.headroom}, and must be from 0 to below 1.")
        if self.shared not in ("none", "redis"):
            raise UsageError(f"limits.shared={self.shared} is unknown.", hint="Choose none or redis.")

    def of(self, model: str) -> ModelLimitsConfig:
        """Returns the limits of this model: those of the preset's row with the longest name that begins the model's name. Limits
        that are set for all models override them."""
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
            enqueued_tokens=row.enqueued_tokens,
        )


@dataclass
class BudgetConfig:
    """Budgets. rayocr sends no request that is expected to exceed one of them; null: no limit. Days and months begin at midnight
    in California and count all runs on this state, or with limits.shared=redis all runs that share the quota."""

    usd: float | None = None  # USD for this run
    usd_per_day: float | None = None  # USD per day, over all runs
    usd_per_month: float | None = None  # USD per month, over all runs

    def __post_init__(self) -> None:
        at_least(0, **{"budget.usd": self.usd})
        at_least(0, **{"budget.usd_per_day": self.usd_per_day, "budget.usd_per_month": self.usd_per_month})

    @property
    def given(self) -> str | None:
        """Returns the name of a budget that is set, or None."""
        names = {"usd": self.usd, "usd_per_day": self.usd_per_day, "usd_per_month": self.usd_per_month}
        return next((f"budget.{name}" for name, value in names.items() if value is not None), None)


@dataclass
class RetryConfig:
    max_attempts: int = 3  # attempts of a call to storage, for transient errors
    engine_attempts: int = 8  # attempts of a page with one model, for 429, 5xx and connection resets
    base_s: float = 1.0  # first delay, doubled each time, with full jitter
    cap_s: float = 60.0  # maximum delay, unless the server asks for a longer one
    # mode=retry, dismiss: only documents that failed for this reason, a class of errors: RepetitionLoop, Refused, Quarantined. If
    # you set several filters, among them document= (a name, a glob or an id), all must match.
    reason: str | None = None
    engine: str | None = None  # mode=retry, dismiss: only documents with a page on which this engine failed
    since: str | None = None  # mode=retry, dismiss: only documents that failed since then, a date or time in UTC
    rejected: bool = False  # mode=retry: also rejected documents, which were damaged, quarantined or denied

    def __post_init__(self) -> None:
        at_least(1, **{"retry.max_attempts": self.max_attempts, "retry.engine_attempts": self.engine_attempts})
        at_least(0, **{"retry.base_s": self.base_s, "retry.cap_s": self.cap_s})
