"""Defines every error that rayocr raises on purpose. The class determines the reaction, never the message text.

RayocrError
├── UsageError                    exit 2: wrong options or configuration
├── OutsideError                  exit 3: an external cause stops the run, which can be resumed
│   ├── CredentialsError          a key or token is missing, invalid or lacks a permission
│   ├── UnknownModel              the engine's server does not have the model
│   ├── ServerUnreachable         the engine's address does not answer
│   ├── ModelUnavailable          the model's server does not answer for `limits.patience_s`
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
│   ├── ObjectTooLarge            more bytes than its reader accepts, counted after decompression
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
│   │   ├── BatchIncomplete       a batch job ended without the page, or its results were deleted
│   │   ├── BatchGone             a file or a job of a batch is no longer at the server
│   │   ├── BatchWithdrawn        a batch job was cancelled before it answered the page
│   │   ├── EngineShed            a request in flex that the server drops for others
│   │   ├── EngineRateLimited     429; carries the delay that the server requests
│   │   └── EngineConnectionLost
│   ├── NoTextLayer               the page has no reliable text layer, and no other engine was tried
│   ├── EngineRejected            the request itself is invalid (4xx); never retried
│   ├── PageUnrenderable          the page cannot be rendered or extracted
│   │   ├── PictureUndecodable    the page looks blank because a picture on it cannot be decoded
│   │   └── PageQuarantined       the page ended its worker process twice
│   ├── PageTooSlow               drawing the page takes too much CPU time
│   └── BadAnswer                 the server answered, but the answer failed the checks
│       ├── Refused               RECITATION, SAFETY, PROHIBITED_CONTENT, BLOCKLIST, SPII …
│       ├── Truncated             MAX_TOKENS
│       ├── RepetitionLoop
│       ├── EmptyAnswer           no text for a page with ink
│       ├── TextOnBlankPage
│       ├── LowConfidence         the confidence of a local engine is too low
│       ├── Unreadable            a local engine read almost no text of the page
│       └── MalformedAnswer       a 200 without a usable answer, or an unknown finish reason
├── TypesettingFailed             the typesetter failed on a page, which is then set in a simpler way
├── ActorFailed                   exit 3: a process of the run died; its unfinished work is done again
│   ├── ActorUnreachable          the actor does not answer: its process, its node or the network may be down
│   ├── NodeLost                  the actor died with its whole node, so its work is not the cause
│   └── WorkerFailed              a page worker died while it had a shard
├── ContentLost                   a document's bytes were lost with their node; fetch it again
├── TableError                    rows for Supabase; never ends a run
│   ├── TableUnavailable          no answer, or an answer that requests a later retry
│   ├── TableMisconfigured        the key, the table or a column is not as configured
│   └── RowsRefused               the table does not accept one of these rows
└── RecordCorrupt                 an object of the state is damaged

Errors cross process boundaries. Every class can be rebuilt from `args` and keeps the rest in `__dict__`, so all arguments
except the message are optional keywords.
"""

from __future__ import annotations

from rayocr.errors.actors import ActorFailed, ActorUnreachable, ContentLost, NodeLost, WorkerFailed
from rayocr.errors.base import RayocrError
from rayocr.errors.documents import (
    CorruptPdf,
    DocumentError,
    DocumentTooLarge,
    EmptyPdf,
    EncryptedPdf,
    InternalError,
    NotAPdf,
    Quarantined,
    TypesettingFailed,
    UnreadableSource,
    UnusableName,
)
from rayocr.errors.engines import (
    BadAnswer,
    BatchGone,
    BatchIncomplete,
    BatchWithdrawn,
    EmptyAnswer,
    EngineConnectionLost,
    EngineError,
    EngineOverloaded,
    EngineRateLimited,
    EngineRejected,
    EngineShed,
    EngineTimeout,
    EngineTransient,
    EngineUnavailable,
    LanguagePackMissing,
    LowConfidence,
    MalformedAnswer,
    NoTextLayer,
    PageQuarantined,
    PageTooSlow,
    PageUnrenderable,
    PictureUndecodable,
    Refused,
    RepetitionLoop,
    TextOnBlankPage,
    Truncated,
    Unreadable,
)
from rayocr.errors.run import (
    BudgetExhausted,
    ClusterUnavailable,
    CredentialsError,
    DayQuotaExhausted,
    Draining,
    Interrupted,
    ModelUnavailable,
    OutsideError,
    QuotaDenied,
    ServerUnreachable,
    SharedLimitsUnavailable,
    UnknownModel,
    UsageError,
)
from rayocr.errors.storage import (
    LeaseLost,
    LockError,
    LocksUnavailable,
    ObjectNotFound,
    ObjectTooLarge,
    ObjectUnreadable,
    PartMissing,
    PreconditionFailed,
    RecordCorrupt,
    StorageDenied,
    StorageError,
    StorageFull,
    StorageUnavailable,
    UnsafeName,
    VersionChanged,
)
from rayocr.errors.table import RowsRefused, TableError, TableMisconfigured, TableUnavailable

__all__ = [
    "ActorFailed",
    "ActorUnreachable",
    "BadAnswer",
    "BatchGone",
    "BatchIncomplete",
    "BatchWithdrawn",
    "BudgetExhausted",
    "ClusterUnavailable",
    "ContentLost",
    "CorruptPdf",
    "CredentialsError",
    "DayQuotaExhausted",
    "DocumentError",
    "DocumentTooLarge",
    "Draining",
    "EmptyAnswer",
    "EmptyPdf",
    "EncryptedPdf",
    "EngineConnectionLost",
    "EngineError",
    "EngineOverloaded",
    "EngineRateLimited",
    "EngineRejected",
    "EngineShed",
    "EngineTimeout",
    "EngineTransient",
    "EngineUnavailable",
    "InternalError",
    "Interrupted",
    "LanguagePackMissing",
    "LeaseLost",
    "LockError",
    "LocksUnavailable",
    "LowConfidence",
    "MalformedAnswer",
    "ModelUnavailable",
    "NoTextLayer",
    "NodeLost",
    "NotAPdf",
    "ObjectNotFound",
    "ObjectTooLarge",
    "ObjectUnreadable",
    "OutsideError",
    "PageQuarantined",
    "PageTooSlow",
    "PageUnrenderable",
    "PartMissing",
    "PictureUndecodable",
    "PreconditionFailed",
    "Quarantined",
    "QuotaDenied",
    "RayocrError",
    "RecordCorrupt",
    "Refused",
    "RepetitionLoop",
    "RowsRefused",
    "ServerUnreachable",
    "SharedLimitsUnavailable",
    "StorageDenied",
    "StorageError",
    "StorageFull",
    "StorageUnavailable",
    "TableError",
    "TableMisconfigured",
    "TableUnavailable",
    "TextOnBlankPage",
    "Truncated",
    "TypesettingFailed",
    "UnknownModel",
    "Unreadable",
    "UnreadableSource",
    "UnsafeName",
    "UnusableName",
    "UsageError",
    "VersionChanged",
    "WorkerFailed",
]
