"""Locks a whole destination for one run, if the storage has no atomic writes (Google Drive) and there is no Redis.

Each run writes a small lock file beside the state. A thread of the run renews it at a third of the time limit. A run reads the
lock files at its start. A file that was renewed within the limit, by the storage's clock, belongs to a run that may be alive. A
lock of a dead process of this machine expires immediately, so a restart after SIGKILL does not wait. If two runs start at the
same instant, both stop. If both miss the other's lock at first, they find it at the next renewal, and the run that started later
stops.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rayocr.errors import LockError, ObjectNotFound, OutsideError, PreconditionFailed, RayocrError, RecordCorrupt, StorageError
from rayocr.locks.base import Holder, Lease, Locks
from rayocr.process import ProcessIdentity, current_process
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Entry, Storage
from rayocr.untrusted_json import FiniteFloat, parse_as

DESTINATION_LOCKS_PREFIX = ".rayocr/claims/"
_WAYS_OUT = (
    "Wait for it, or let runs share the destination: locks=redis with REDIS_URL, or state=gs://BUCKET/PREFIX (docs/storage.md)."
)


@dataclass(slots=True)
class _Other:
    """The lock of another run. `since`: the time when the run began, by the storage's clock; None if the file does not contain it
    yet."""

    owner: str
    name: str
    age_s: float
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _LockFile:
    """The fields of a lock file that other runs need."""

    owner: str
    since: FiniteFloat | None
    host: str
    pid: int
    started: str


class DestinationLock:
    """The lock of this run on a destination. Thread-safe. `lost`: true if this run found a run that began earlier, if another run
    considered this run dead, or if the storage was unavailable for longer than the limit."""

    def __init__(
        self,
        state: Storage,
        *,
        run_id: str,
        owner: str,
        ttl_s: float,
        policy: RetryPolicy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._name = f"{DESTINATION_LOCKS_PREFIX}{run_id}.json"
        self._owner = owner
        self._ttl_s = ttl_s
        self._policy = policy
        self._clock = clock
        self._entry: Entry | None = None
        self._since: float | None = None
        self._renewed_at = 0.0
        self._ended = threading.Event()
        self.lost = False

    def acquire(self) -> None:
        """Acquires the lock. Raises LockError if another run holds the destination, and StorageError."""
        self._renewed_at = self._clock()
        self._entry = call(lambda: self._state.write(self._name, self._content(), if_absent=True), policy=self._policy)
        self._since = self._entry.modified_at
        try:
            other = next(self._others(self._since), None)
        except BaseException:
            self.release()
            raise
        if other is not None:
            self.release()
            seen = f"{other.owner}, last renewed {other.age_s:.0f} s ago"
            raise LockError(
                f"Another run is at work on {self._state.uri} ({seen}), and Google Drive allows only one run at a time."
                f" If it was killed, its lock expires after {self._ttl_s:g} s.",
                hint=_WAYS_OUT,
            )

    def keep(self) -> None:
        """Renews the lock in a thread until it is released."""
        threading.Thread(target=self._renew_forever, name="destination-lock", daemon=True).start()

    def renew(self) -> None:
        """Renews the lock, or sets `lost`. Never raises. Also checks again for other runs, since a listing may show a file
        late."""
        entry, started = self._entry, self._clock()
        if entry is None:
            return
        try:
            self._entry = entry = self._state.write(self._name, self._content(), if_version=entry.version)
            self._renewed_at = started
            mine = (self._since or 0.0, self._name)
            self.lost = any(
                (other.since, other.name) < mine for other in self._others(entry.modified_at) if other.since is not None
            )
        except PreconditionFailed:
            self.lost = not self._is_ours()
        except RayocrError:  # storage is unavailable; retry at the next renewal
            self.lost = self._clock() - self._renewed_at > self._ttl_s

    def release(self) -> None:
        """Releases the lock. Idempotent. Does nothing if another owner has changed the lock file."""
        self._ended.set()
        entry, self._entry = self._entry, None
        if entry is not None:
            try:
                self._state.delete(self._name, if_version=entry.version)
            except StorageError:
                pass  # the lock expires after its time limit

    def _is_ours(self) -> bool:
        """Returns whether this run still has the lock. After a renewal whose answer was lost, the version differs, but the lock
        is valid."""
        try:
            self._entry = self._state.stat(self._name)
        except ObjectNotFound:
            return False
        except StorageError:
            return self._clock() - self._renewed_at <= self._ttl_s
        self._renewed_at = self._clock()
        return True

    def _renew_forever(self) -> None:
        self.renew()  # this writes the start time
        while not self.lost and not self._ended.wait(self._ttl_s / 3):
            self.renew()

    def _content(self) -> bytes:
        me = current_process()
        fields = {"owner": self._owner, "since": self._since, "host": me.host, "pid": me.pid, "started": me.started}
        return json.dumps(fields).encode()

    def _others(self, now: float) -> Iterator[_Other]:
        """Yields the locks of runs that may be alive; removes the others. `now`: by the storage's clock."""
        for entry in call(lambda: list(self._state.list(DESTINATION_LOCKS_PREFIX)), policy=self._policy):
            if entry.name == self._name:
                continue
            other = _Other(owner="unknown", name=entry.name, age_s=max(0.0, now - entry.modified_at))
            is_dead = False
            try:
                data = call(lambda name=entry.name: self._state.read(name), policy=self._policy)  # type: ignore[misc]
                fields = parse_as(_LockFile, data, name=entry.name)
                other.owner, other.since = fields.owner, fields.since
                is_dead = ProcessIdentity(host=fields.host, pid=fields.pid, started=fields.started).is_dead()
            except ObjectNotFound:
                continue
            except RecordCorrupt:
                pass  # an incomplete lock file: its writer crashed
            if other.age_s <= self._ttl_s and not is_dead:
                yield other
                continue
            try:
                self._state.delete(entry.name)
            except StorageError:
                pass


class DestinationLocks(Locks):
    """Locks documents within one machine, as long as this run holds the destination."""

    def __init__(self, locks: Locks, lock: DestinationLock) -> None:
        self._locks = locks
        self._lock = lock

    def acquire(self, key: str) -> Lease | None:
        if self._lock.lost:
            raise OutsideError(
                "Lost the lock on the destination: Google Drive was unavailable for too long, or another run took it over.",
                hint="Start the same command again: it resumes where it stopped.",
            )
        return self._locks.acquire(key)

    def renew(self, leases: Sequence[Lease]) -> list[Lease]:
        return list(leases) if self._lock.lost else self._locks.renew(leases)

    def release(self, lease: Lease) -> None:
        self._locks.release(lease)

    def holders(self, keys: Iterable[str] | None = None) -> dict[str, Holder]:
        return self._locks.holders(keys)

    def close(self) -> None:
        self._locks.close()
        self._lock.release()
