"""Defines the errors of storage, locks and the state."""

from __future__ import annotations

from rayocr.errors.base import RayocrError


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
    """The storage is temporarily unavailable. `retry_after_s`: the delay in seconds that the server requests, if any."""

    transient = True

    def __init__(self, message: str = "", *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class PartMissing(StorageUnavailable):
    """Fewer bytes arrived than expected. A shorter file may have replaced the original."""


class LockError(RayocrError):
    exit_code = 3


class LeaseLost(LockError):
    pass


class LocksUnavailable(LockError):
    transient = True


class RecordCorrupt(RayocrError):
    pass
