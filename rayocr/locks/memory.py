"""Implements leases in memory for tests. Several owners share a `LeaseTable`, and the test sets the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rayocr.errors import LocksUnavailable
from rayocr.locks.base import Holder, Lease, Locks
from rayocr.process import current_process


@dataclass(slots=True)
class _Held:
    lease: Lease
    acquired_at: float
    expires_at: float


@dataclass(slots=True)
class LeaseTable:
    """The lock server's state. `available = False` makes every call raise LocksUnavailable."""

    held: dict[str, _Held] = field(default_factory=dict)
    last_token: int = 0
    available: bool = True
    mutex: threading.Lock = field(default_factory=threading.Lock)


class MemoryLocks(Locks):
    def __init__(
        self, table: LeaseTable | None = None, *, owner: str, ttl_s: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._table = table if table is not None else LeaseTable()
        self._owner = owner
        self._ttl_s = ttl_s
        self._clock = clock

    def acquire(self, key: str) -> Lease | None:
        self._check()
        now = self._clock()
        with self._table.mutex:
            held = self._table.held.get(key)
            if held is not None and held.expires_at > now:
                return None
            self._table.last_token += 1
            lease = Lease(key=key, owner=self._owner, fencing_token=self._table.last_token)
            self._table.held[key] = _Held(lease, now, now + self._ttl_s)
            return lease

    def renew(self, leases: Sequence[Lease]) -> list[Lease]:
        self._check()
        now = self._clock()
        lost = []
        with self._table.mutex:
            for lease in leases:
                held = self._table.held.get(lease.key)
                if held is None or held.lease != lease or held.expires_at <= now:
                    lost.append(lease)
                else:
                    held.expires_at = now + self._ttl_s
        return lost

    def release(self, lease: Lease) -> None:
        self._check()
        with self._table.mutex:
            held = self._table.held.get(lease.key)
            if held is not None and held.lease == lease:
                del self._table.held[lease.key]

    def holders(self, keys: Iterable[str] | None = None) -> dict[str, Holder]:
        self._check()
        now, me = self._clock(), current_process()
        found = ((key, self._table.held.get(key)) for key in (list(self._table.held) if keys is None else keys))
        return {
            key: Holder(
                key=key,
                owner=held.lease.owner,
                host=me.host,
                pid=me.pid,
                age_s=now - held.acquired_at,
                fencing_token=held.lease.fencing_token,
            )
            for key, held in found
            if held is not None and held.expires_at > now
        }

    def close(self) -> None:
        pass

    def _check(self) -> None:
        if not self._table.available:
            raise LocksUnavailable("The lock table is switched off.")
