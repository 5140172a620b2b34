"""Every error that rayocr raises on purpose. The class decides what happens next, never the message text.

RayocrError
├── UsageError                    exit 2: the user's options or configuration
├── OutsideError                  exit 3: the run stops, resumable, for a reason outside of rayocr
│   ├── CredentialsError          a key or token is missing, wrong or lacks a permission
│   ├── UnknownModel              the engine's server does not have the model
│   ├── ServerUnreachable         nobody answers at the engine's address
│   ├── DayQuotaExhausted         the quota of the day is used up; carries when it resumes
│   ├── BudgetExhausted           `budget.usd` is spent
│   ├── SharedLimitsUnavailable   the Redis behind `limits.shared=redis` is away, and stays away
│   └── ClusterUnavailable        no Ray to be had at the address, or it went away
├── Interrupted                   exit 130: SIGINT or SIGTERM, resumable
├── StorageError
│   ├── ObjectNotFound            no object of that name (or not of that version)
│   ├── PreconditionFailed        if_absent or if_version did not hold: somebody else was first
│   ├── VersionChanged            the source was replaced between listing and reading
│   ├── UnsafeName                a name that would leave the destination
│   ├── StorageDenied             exit 3: no permission
│   ├── StorageFull               exit 3: no space or no quota left
│   └── StorageUnavailable        transient: 429, 5xx, resets, time-outs
├── LockError
│   ├── LeaseLost                 the lease expired or has a new owner: nothing may be committed
│   └── LocksUnavailable          the lock server is away: take nothing new
├── DocumentError                 the whole document is rejected
│   ├── NotAPdf
│   ├── CorruptPdf
│   ├── EncryptedPdf
│   ├── EmptyPdf                  no pages
│   ├── DocumentTooLarge          bytes or pages over the limit
│   ├── UnreadableSource          the source cannot be read (permission, vanished)
│   ├── UnusableName              no name at the destination is free for its outputs, or none that it takes
│   ├── InternalError             exit 3: a defect of rayocr; the log has its traceback
│   └── Quarantined               it crashed or hung its process twice
├── EngineError                   one page, one engine
│   ├── EngineUnavailable         exit 2: the engine cannot work here (no binary, no model)
│   ├── EngineTransient           asking again can help
│   │   ├── EngineTimeout
│   │   ├── EngineOverloaded      5xx
│   │   ├── EngineRateLimited     429; carries the server's delay
│   │   └── EngineConnectionLost
│   ├── EngineRejected            the request itself is wrong (4xx): never sent again
│   ├── PageUnrenderable          the page cannot be rendered or cut out
│   └── BadAnswer                 an answer came and did not pass the checks
│       ├── Refused               RECITATION, SAFETY, PROHIBITED_CONTENT, BLOCKLIST, SPII …
│       ├── Truncated             MAX_TOKENS
│       ├── RepetitionLoop
│       ├── EmptyAnswer           no text on an inked page
│       ├── TextOnBlankPage
│       ├── LowConfidence         a local engine is not sure of what it read
│       └── MalformedAnswer       a 200 that is not an answer, or one that ended in an unknown way
├── TypesettingFailed             a page that the typesetter cannot set: it is set more simply
├── ContentLost                   a document's bytes went away with their node: fetch it again
└── RecordCorrupt                 a segment or manifest on storage is damaged

Errors cross process boundaries: every class is rebuilt from `args` alone and keeps the rest in `__dict__`, so all arguments
but the message are optional keywords.
"""

from __future__ import annotations

from rayocr.masking import masked


class RayocrError(Exception):
    """Root of the tree. `str(error)` is one sentence for the user; `hint` says what to do next. Neither ever holds a secret:
    messages of SDKs that are quoted in it may have had one."""

    exit_code: int = 1
    transient: bool = False
    default_hint: str | None = None

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        super().__init__(masked(message))
        self.hint = masked(hint) if hint else type(self).default_hint

    @property
    def reason(self) -> str:
        """The class name: what dead letters, manifests and metrics group by."""
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


class DayQuotaExhausted(OutsideError):
    """`resumes_at`: when the quota's next day begins, in seconds since 1970."""

    def __init__(self, message: str = "", *, hint: str | None = None, resumes_at: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.resumes_at = resumes_at


class BudgetExhausted(OutsideError):
    default_hint = "Start the same command again with budget.usd= for what is left: it goes on where it stopped."


class SharedLimitsUnavailable(OutsideError):
    default_hint = "Start the same command again when Redis is back, or use limits.shared=none if nobody else draws on the quota."


class ClusterUnavailable(OutsideError):
    pass


class Interrupted(RayocrError):
    exit_code = 130
    default_hint = "Start the same command again: it goes on where it stopped."


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


class StorageDenied(StorageError):
    pass


class StorageFull(StorageError):
    default_hint = "Free some space, or choose another dest=, then start the same command again: it goes on where it stopped."


class StorageUnavailable(StorageError):
    """`retry_after_s`: the server's own delay in seconds, where it named one."""

    transient = True

    def __init__(self, message: str = "", *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class LockError(RayocrError):
    exit_code = 3


class LeaseLost(LockError):
    pass


class LocksUnavailable(LockError):
    transient = True


class DocumentError(RayocrError):
    pass


class NotAPdf(DocumentError):
    default_hint = "Check where the file comes from; it does not start like a PDF."


class CorruptPdf(DocumentError):
    default_hint = "Fetch or scan the file again, or repair it (for example with qpdf), then mode=retry."


class EncryptedPdf(DocumentError):
    default_hint = "Save a copy without the password beside it; the copy is taken up as a new document."


class EmptyPdf(DocumentError):
    pass


class DocumentTooLarge(DocumentError):
    default_hint = "Split the document, or raise limits.max_document_bytes or limits.max_document_pages."


class UnreadableSource(DocumentError):
    """`gone`: it was removed from the source."""

    default_hint = "Check the file's permissions."

    def __init__(self, message: str = "", *, hint: str | None = None, gone: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.gone = gone


class UnusableName(DocumentError):
    default_hint = "Rename the document at its source; it is then taken up as a new one."


class Quarantined(DocumentError):
    default_hint = "The document ended its reader process twice. Repair or convert it, then mode=retry."


class InternalError(DocumentError):
    exit_code = 3


class EngineError(RayocrError):
    pass


class EngineUnavailable(EngineError):
    exit_code = 2


class EngineTransient(EngineError):
    """`retry_after_s`: the server's own delay in seconds, where it named one."""

    transient = True

    def __init__(self, message: str = "", *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class EngineTimeout(EngineTransient):
    pass


class EngineOverloaded(EngineTransient):
    pass


class EngineRateLimited(EngineTransient):
    """`per_day`: the quota of the day is used up, and waiting a minute cures nothing. `quota_id`: the server's name for it."""

    def __init__(
        self,
        message: str = "",
        *,
        hint: str | None = None,
        retry_after_s: float | None = None,
        per_day: bool = False,
        quota_id: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, retry_after_s=retry_after_s)
        self.per_day = per_day
        self.quota_id = quota_id


class EngineConnectionLost(EngineTransient):
    pass


class EngineRejected(EngineError):
    pass


class PageUnrenderable(EngineError):
    pass


class BadAnswer(EngineError):
    """`finish`: the engine's own word for how the answer ended, where it gave one."""

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
    pass


class MalformedAnswer(BadAnswer):
    pass


class TypesettingFailed(RayocrError):
    pass


class ContentLost(RayocrError):
    pass


class RecordCorrupt(RayocrError):
    pass


class Draining(Exception):
    """The run or the worker is draining: no new request is sent, and unfinished work is left for the next run. Not a failure."""
