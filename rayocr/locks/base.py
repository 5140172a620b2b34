"""The lock port: one lease per document, so that runs that share a destination never process the same document.

Invariants: at most one owner holds an unexpired lease of a key; fencing tokens of a key only grow. Calls block briefly.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Held by `owner` (unique to a run) until its time limit. `fencing_token` is above that of every earlier lease of the key."""

    key: str
    owner: str
    fencing_token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lease; only mode=status uses it. `age_s`: seconds since the lease was acquired, by the lock service's clock."""

    key: str
    owner: str
    host: str
    pid: int
    age_s: float
    fencing_token: int


class Locks(ABC):
    @abstractmethod
    def acquire(self, key: str) -> Lease | None:
        """Returns None if another owner holds the lease. Raises LocksUnavailable."""

    @abstractmethod
    def renew(self, leases: Sequence[Lease]) -> list[Lease]:
        """Extends all leases in one round trip; returns the lost ones. Raises LocksUnavailable."""

    @abstractmethod
    def release(self, lease: Lease) -> None:
        """Idempotent. Does nothing if the lease has another owner by now."""

    @abstractmethod
    def holders(self, keys: Iterable[str] | None = None) -> dict[str, Holder]:
        """Returns the holders of these keys, or of all keys. Read-only. Raises LocksUnavailable."""

    def check(self) -> None:
        """Acquires, renews and releases a test lease, since a service may answer but refuse writes.
        Raises LocksUnavailable, CredentialsError, UsageError."""
        lease = self.acquire(f"probe:{secrets.token_hex(8)}")
        if lease is not None:
            self.renew([lease])
            self.release(lease)

    @abstractmethod
    def close(self) -> None: ...
