"""Defines the lock port: one lease per document, so that runs that share a destination never process the same document at the
same time. Invariants: at most one owner holds an unexpired lease of a key, and fencing tokens of a key only grow. Calls block
briefly.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease that `owner`, which is unique to a run, holds until its time limit. `fencing_token` is higher than that of every
    earlier lease of the key."""

    key: str
    owner: str
    fencing_token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The holder of a lease; only mode=status uses it. `age_s`: seconds since the lease was acquired, by the lock service's
    clock."""

    key: str
    owner: str
    host: str
    pid: int
    age_s: float
    fencing_token: int


class Locks(ABC):
    @abstractmethod
    def acquire(self, key: str) -> Lease | None:
        """Acquires a lease; returns None if another owner holds it. Raises LocksUnavailable."""

    @abstractmethod
    def renew(self, leases: Sequence[Lease]) -> list[Lease]:
        """Extends all leases in one round trip; returns the lost ones. Raises LocksUnavailable."""

    @abstractmethod
    def release(self, lease: Lease) -> None:
        """Releases a lease. Idempotent. Does nothing if the lease has another owner by now."""

    @abstractmethod
    def holders(self, keys: Iterable[str] | None = None) -> dict[str, Holder]:
        """Returns the holders of these keys, or of all keys. Read-only. Raises LocksUnavailable."""

    def check(self) -> None:
        """Checks the service by acquiring, renewing and releasing a test lease, since it may answer but refuse writes. Raises
        LocksUnavailable, CredentialsError, UsageError."""
        lease = self.acquire(f"probe:{secrets.token_hex(8)}")
        if lease is not None:
            self.renew([lease])
            self.release(lease)

    @abstractmethod
    def close(self) -> None: ...
