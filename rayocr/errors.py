"""Defines every error that rayocr raises on purpose. The class decides what happens next, never the message text.

RayocrError
├── UsageError                    exit 2: wrong options or configuration
├── OutsideError                  exit 3: an external cause stops the run, which can be resumed
│   ├── CredentialsError          a key or token is missing, invalid or lacks a permission
│   ├── UnknownModel              the engine's server does not have the model
│   ├── ServerUnreachable         the engine's address does not answer
│   ├── ModelUnavailable          the model's server answers nothing for `limits.patience_s`
│   ├── QuotaDenied               the project has no quota or no credit for the model
│   ├── DayQuotaExhausted         the daily quota is exhausted; carries its reset time
│   ├── BudgetExhausted           `budget.usd` is spent
│   ├── SharedLimitsUnavailable   the Redis server of `limits.shared=redis` stays unavailable
│   └── ClusterUnavailable        no Ray cluster at the address, or the cluster was lost
├── Interrupted                   exit 130: SIGINT or SIGTERM, resumable
├── StorageError
│   ├── ObjectNotFound            no object with that name (or version)
│   ├── PreconditionFailed        if_absent or if_version failed: another writer was first
│   ├── VersionChanged            the source was replaced between listing and reading
│   ├── UnsafeName                a name that points outside the destination
│   ├── ObjectTooLarge            more bytes than its reader takes, counted as they come out of a compressed object
│   ├── ObjectUnreadable          this object can never be read (its encoding, its key); others can
│   ├── StorageDenied             exit 3: no permission
│   ├── StorageFull               exit 3: no space or quota left
│   └── StorageUnavailable        transient: 429, 5xx, connection resets, timeouts
│       └── PartMissing           fewer bytes arrived than expected
├── LockError
│   ├── LeaseLost                 the lease expired or has a new owner; nothing may be committed
│   └── LocksUnavailable          the lock service is unavailable; start nothing new
├── DocumentError                 the whole document is rejected
│   ├── NotAPdf
│   ├── CorruptPdf
│   ├── EncryptedPdf
│   ├── EmptyPdf                  no pages
│   ├── DocumentTooLarge          more bytes or pages than the limit
│   ├── UnreadableSource          the source cannot be read (permission denied, deleted)
│   ├── UnusableName              no usable output name at the destination
│   ├── InternalError             exit 3: a bug in rayocr; the traceback is in the log
│   └── Quarantined               it crashed or blocked its process twice
├── EngineError                   one page, one engine
│   ├── EngineUnavailable         exit 2: the engine is not usable here (program or model missing)
│   │   └── LanguagePackMissing   no installed pack reads the script of the page
│   ├── EngineTransient           a retry can succeed
│   │   ├── EngineTimeout
│   │   ├── EngineOverloaded      5xx
│   │   ├── BatchIncomplete       a batch job ended without the page, or its results are gone
│   │   ├── BatchGone             a file or a job of a batch is no longer at the server
│   │   ├── EngineShed            a request in flex that the server drops for others
│   │   ├── EngineRateLimited     429; carries the delay that the server asks for
│   │   └── EngineConnectionLost
│   ├── EngineRejected            the request itself is invalid (4xx); never retried
│   ├── PageUnrenderable          the page cannot be rendered or extracted
│   │   └── PictureUndecodable    the page shows nothing because a picture on it cannot be decoded
│   └── BadAnswer                 the server answered, but the answer failed the checks
│       ├── Refused               RECITATION, SAFETY, PROHIBITED_CONTENT, BLOCKLIST, SPII …
│       ├── Truncated             MAX_TOKENS
│       ├── RepetitionLoop
│       ├── EmptyAnswer           no text for a page with ink
│       ├── TextOnBlankPage
│       ├── LowConfidence         the confidence of a local engine is too low
│       ├── Unreadable            a local engine read next to nothing of the page
│       └── MalformedAnswer       a 200 without a usable answer, or an unknown finish reason
├── TypesettingFailed             the typesetter failed on a page, which is then set in a simpler way
├── ActorFailed                   exit 3: a process of the run died; its unfinished work is done again
│   ├── ActorUnreachable          it does not answer: it, its node or the network may be down
│   ├── NodeLost                  it died with its whole node, which says nothing about the work it had
│   └── WorkerDied                a page worker died while it had a shard
├── ContentLost                   a document's bytes were lost with their node; fetch it again
├── TableError                    rows for Supabase; never ends a run
│   ├── TableAway                 no answer, or one that says later
│   ├── TableMisfit               the key, the table or a column is not as configured
│   └── RowsRefused               the table does not accept one of these rows
└── RecordCorrupt                 an object of the state is damaged

Errors cross process boundaries. Every class can be rebuilt from `args` and keeps the rest in `__dict__`, so all arguments
except the message are optional keywords.
"""

from __future__ import annotations

from typing import Any

from rayocr.masking import masked


class RayocrError(Exception):
    """Root of the tree. `str(error)` is one sentence for the user; `hint` says what to do next. Both are masked, since messages
    of SDKs that they quote may contain a secret."""

    exit_code: int = 1
    transient: bool = False
    default_hint: str | None = None

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        super().__init__(masked(message))
        self.hint = masked(hint) if hint else type(self).default_hint

    @property
    def reason(self) -> str:
        """The class name, by which dead letters, manifests and metrics are grouped."""
        return next(c.__name__ for c in type(self).__mro__ if c.__module__ == __name__)


class UsageError(RayocrError):
    exit_code = 2


class OutsideError(RayocrError):
    exit_code = 3


class CredentialsError(OutsideError):
    pass


class UnknownModel(OutsideError):
    pass


class ServerUnreachable(OutsideError):
    pass


class ModelUnavailable(OutsideError):
    default_hint = (
        "Start the same command again to resume. To read the remaining pages with the next engine of the chain,"
        " give engine.on_outage=fallback."
    )


class QuotaDenied(OutsideError):
    default_hint = (
        "Check the project's billing, tier and spend cap at https://aistudio.google.com/usage, then start the same command"
        " again to resume."
    )


class DayQuotaExhausted(OutsideError):
    """`resumes_at`: start of the next quota day, in seconds since 1970."""

    def __init__(self, message: str = "", *, hint: str | None = None, resumes_at: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.resumes_at = resumes_at


class BudgetExhausted(OutsideError):
    """`resumes_at`: start of the next day or month, in seconds since 1970; None for the budget of a run."""

    default_hint = "To resume, start the same command again with a budget.usd= for the rest."

    def __init__(self, message: str = "", *, hint: str | None = None, resumes_at: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.resumes_at = resumes_at


class SharedLimitsUnavailable(OutsideError):
    default_hint = (
        "Start the same command again when Redis is available, or use limits.shared=none if no other run uses the quota."
    )


class ClusterUnavailable(OutsideError):
    pass


class Interrupted(RayocrError):
    exit_code = 130
    default_hint = "Start the same command again to resume."


class StorageError(RayocrError):
    exit_code = 3


class ObjectNotFound(StorageError):
    pass


class PreconditionFailed(StorageError):
    pass


class VersionChanged(StorageError):
    pass


class UnsafeName(StorageError):
    pass


class ObjectTooLarge(StorageError):
    pass


class ObjectUnreadable(StorageError):
    pass


class StorageDenied(StorageError):
    pass


class StorageFull(StorageError):
    default_hint = "Free some space or choose another dest=, then start the same command again to resume."


class StorageUnavailable(StorageError):
    """`retry_after_s`: the delay in seconds that the server asks for, if any."""

    transient = True

    def __init__(self, message: str = "", *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class PartMissing(StorageUnavailable):
    """Fewer bytes arrived than expected: the file may have been replaced by a shorter one."""


class LockError(RayocrError):
    exit_code = 3


class LeaseLost(LockError):
    pass


class LocksUnavailable(LockError):
    transient = True


class DocumentError(RayocrError):
    pass


class NotAPdf(DocumentError):
    default_hint = "The file does not start like a PDF. Check where it comes from."


class CorruptPdf(DocumentError):
    default_hint = "Download or scan the file again, or repair it (for example with qpdf), then run mode=retry."


class EncryptedPdf(DocumentError):
    default_hint = "Save a copy without the password beside it; rayocr reads the copy as a new document."


class EmptyPdf(DocumentError):
    pass


class DocumentTooLarge(DocumentError):
    default_hint = "Split the document, or raise limits.max_document_bytes or limits.max_document_pages."


class UnreadableSource(DocumentError):
    """`gone`: the document was removed from the source. `denied`: its storage refuses to have it read."""

    default_hint = "Check the file's permissions."

    def __init__(self, message: str = "", *, hint: str | None = None, gone: bool = False, denied: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.gone = gone
        self.denied = denied


class UnusableName(DocumentError):
    default_hint = "Rename the document at its source; rayocr then reads it as a new document."


class Quarantined(DocumentError):
    default_hint = "The document crashed its reader process twice. Repair or convert it, then run mode=retry."


class InternalError(DocumentError):
    exit_code = 3


class EngineError(RayocrError):
    pass


class EngineUnavailable(EngineError):
    exit_code = 2


class LanguagePackMissing(EngineUnavailable):
    """The script of the page is known, and Tesseract has no pack for it. The message names the package to install."""


class EngineTransient(EngineError):
    """`retry_after_s`: the delay in seconds that the server asks for, if any."""

    transient = True

    def __init__(self, message: str = "", *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class EngineTimeout(EngineTransient):
    """`probably`: a PageText with what the answer probably cost, which the server may bill all the same; None if not known."""

    probably: Any = None


class EngineOverloaded(EngineTransient):
    pass


class BatchIncomplete(EngineTransient):
    """`probably`: as in EngineTimeout; the job is paid for."""

    probably: Any = None


class BatchGone(EngineTransient):
    pass


class EngineShed(EngineTransient):
    pass


class EngineRateLimited(EngineTransient):
    """`per_day`: the daily quota is exhausted, so waiting a minute does not help. `denied`: the project has no quota or no
    credit, so waiting does not help at all. `quota_id`: the server's name of the quota."""

    def __init__(
        self,
        message: str = "",
        *,
        hint: str | None = None,
        retry_after_s: float | None = None,
        per_day: bool = False,
        denied: bool = False,
        quota_id: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, retry_after_s=retry_after_s)
        self.per_day = per_day
        self.denied = denied
        self.quota_id = quota_id


class EngineConnectionLost(EngineTransient):
    pass


class EngineRejected(EngineError):
    pass


class PageUnrenderable(EngineError):
    pass


class PictureUndecodable(PageUnrenderable):
    pass


class BadAnswer(EngineError):
    """`finish`: the finish reason that the engine reported, if any."""

    def __init__(self, message: str = "", *, hint: str | None = None, finish: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.finish = finish


class Refused(BadAnswer):
    pass


class Truncated(BadAnswer):
    pass


class RepetitionLoop(BadAnswer):
    pass


class EmptyAnswer(BadAnswer):
    pass


class TextOnBlankPage(BadAnswer):
    pass


class LowConfidence(BadAnswer):
    """The text is kept with a doubt on record if no other engine does better."""


class Unreadable(BadAnswer):
    """So little of the page was read that the text is not worth keeping: most often a script that the engine does not know."""


class MalformedAnswer(BadAnswer):
    pass


class TypesettingFailed(RayocrError):
    pass


class ActorFailed(RayocrError):
    exit_code = 3
    default_hint = "Start the same command again: it resumes where it stopped."


class ActorUnreachable(ActorFailed):
    pass


class NodeLost(ActorFailed):
    pass


class WorkerDied(ActorFailed):
    """`alone`: the shard was the only one that the worker had. `node_lost`: the worker died with its whole node."""

    def __init__(self, message: str = "", *, hint: str | None = None, alone: bool = False, node_lost: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.alone = alone
        self.node_lost = node_lost


class ContentLost(RayocrError):
    pass


class TableError(RayocrError):
    pass


class TableAway(TableError):
    """Trying again can help."""


class TableMisfit(TableError):
    """No row is accepted until someone corrects the configuration."""


class RowsRefused(TableError):
    """Trying again cannot help."""


class RecordCorrupt(RayocrError):
    pass


class Draining(Exception):
    """The run or the worker is draining: no new request is sent, and unfinished work is left for the next run. Not a failure."""
