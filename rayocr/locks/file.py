"""Keeps leases as files beside the state, for the processes of one machine.

One flock on one file serializes all operations. This file holds the fencing counter, so tokens grow without a file for every key.
A lease is a small JSON file. The lease of a dead process (same host, and the process id is unused or belongs to a process that
started later) expires immediately, so a restart after SIGKILL does not wait for the TTL. The TTL runs on the machine's monotonic
clock, so changes of the time of day neither expire nor prolong leases. Between machines that share a mount, only the TTL counts,
by the time of day, and only if the mount supports flock. Use Redis in this case.
"""

# ruff: noqa: PTH108

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rayocr.errors import LocksUnavailable, RecordCorrupt
from rayocr.locks.base import Holder, Lease, Locks
from rayocr.process import ProcessIdentity, current_process, host_identity
from rayocr.untrusted_json import FiniteFloat, parse_as

_COUNTER = "fence"
_LEASE_BYTES = 512  # bytes of a lease file, padded with spaces, so that a renewal rewrites one block and keeps the size
_DIGITS = 20  # a fixed width, so that one short write replaces the whole counter


@dataclass(frozen=True, slots=True, kw_only=True)
class _Now:
    """The current time. `wall`: seconds since the epoch. `monotonic`: seconds that are the same for all processes of this
    host."""

    wall: float
    monotonic: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """The content of a lease file."""

    key: str
    owner: str
    fencing_token: int
    host: str
    pid: int
    started: str
    acquired_at: FiniteFloat
    expires_at: FiniteFloat
    monotonic_expires_at: FiniteFloat | None = None  # valid only on its host

    def is_expired(self, now: _Now) -> bool:
        if self.monotonic_expires_at is not None and self.host == host_identity():
            return self.monotonic_expires_at <= now.monotonic
        return self.expires_at <= now.wall

    def is_free(self, now: _Now) -> bool:
        return self.is_expired(now) or ProcessIdentity(host=self.host, pid=self.pid, started=self.started).is_dead()

    def is_of(self, lease: Lease) -> bool:
        return (self.key, self.owner, self.fencing_token) == (lease.key, lease.owner, lease.fencing_token)


class FileLocks(Locks):
    """Stores leases as files. Thread-safe. `clock`: monotonic seconds, the same for all processes of a host. `wall_clock`:
    seconds since the epoch."""

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        owner: str,
        ttl_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = Path(folder)
        self._owner = owner
        self._ttl_s = ttl_s
        self._clock = clock
        self._wall_clock = wall_clock
        self._mutex = threading.Lock()  # flock does not exclude threads that share a descriptor
        self._fd = -1
        self._pid = -1

    def acquire(self, key: str) -> Lease | None:
        with self._locked() as counter:
            now = self._now()
            held = self._read(key)
            if held is not None and not held.is_free(now):
                return None
            lease = Lease(key=key, owner=self._owner, fencing_token=self._next_token(counter, now.wall))
            self._write(lease, acquired_at=now.wall, now=now)
            return lease

    def renew(self, leases: Sequence[Lease]) -> list[Lease]:
        lost = []
        with self._locked():
            now = self._now()
            for lease in leases:
                held = self._read(lease.key)
                if held is None or not held.is_of(lease) or held.is_expired(now):
                    lost.append(lease)
                else:
                    self._write(lease, acquired_at=held.acquired_at, now=now)
        return lost

    def release(self, lease: Lease) -> None:
        with self._locked():
            held = self._read(lease.key)
            if held is not None and held.is_of(lease):
                os.unlink(self._path(lease.key))

    def holders(self, keys: Iterable[str] | None = None) -> dict[str, Holder]:
        with self._locked_for_reading() if keys is None else self._locked():
            now = self._now()
            all_held = (self._read(key) for key in keys) if keys is not None else self._read_all()
            found = [held for held in all_held if held is not None and not held.is_free(now)]
        return {
            held.key: Holder(
                key=held.key,
                owner=held.owner,
                host=held.host,
                pid=held.pid,
                age_s=max(0.0, now.wall - held.acquired_at),
                fencing_token=held.fencing_token,
            )
            for held in found
        }

    def close(self) -> None:
        with self._mutex:
            if self._fd >= 0 and self._pid == os.getpid():
                os.close(self._fd)
            self._fd = -1

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Serializes all operations of all processes. Yields the counter's descriptor."""
        with self._mutex, self._translated():
            if self._fd < 0 or self._pid != os.getpid():  # a forked child would share the flock of its parent
                path = self._folder / _COUNTER
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
                self._pid = os.getpid()
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            try:
                yield self._fd
            finally:
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    @contextmanager
    def _locked_for_reading(self) -> Iterator[None]:
        """Locks for read-only callers, which may lack write permission, without creating a file. Without a counter file there are
        no leases."""
        with self._mutex, self._translated():
            try:
                fd = os.open(self._folder / _COUNTER, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                yield
                return
            try:
                fcntl.flock(fd, fcntl.LOCK_SH)
                yield
            finally:
                os.close(fd)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LocksUnavailable(
                f"Cannot store leases in {self._folder}: {error.strerror or error}.",
                hint="Make the folder writable, on a file system that supports flock, or use locks=redis.",
            ) from error

    def _next_token(self, counter: int, now: float) -> int:
        """Returns a token that is larger than every earlier one and at least the current time, so that tokens grow even after the
        folder was deleted."""
        text = os.pread(counter, _DIGITS, 0)
        last = int(text) if text.isdigit() else 0
        token = max(last + 1, int(now * 1000))
        os.pwrite(counter, b"%0*d" % (_DIGITS, token), 0)
        return token

    def _path(self, key: str) -> str:
        return f"{self._folder}/{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}.json"

    def _read(self, key: str) -> _Held | None:
        held = _read_lease(self._path(key))
        return held if held is not None and held.key == key else None

    def _read_all(self) -> list[_Held | None]:
        return [_read_lease(str(path)) for path in self._folder.glob("*.json")]

    def _now(self) -> _Now:
        return _Now(wall=self._wall_clock(), monotonic=self._clock())

    def _write(self, lease: Lease, *, acquired_at: float, now: _Now) -> None:
        me = current_process()
        held = _Held(
            key=lease.key,
            owner=lease.owner,
            fencing_token=lease.fencing_token,
            host=me.host,
            pid=me.pid,
            started=me.started,
            acquired_at=acquired_at,
            expires_at=now.wall + self._ttl_s,
            monotonic_expires_at=now.monotonic + self._ttl_s,
        )
        # The file is written in place with one write. The flock keeps readers out, and a rename over a file makes ext4 flush it
        # (180 µs).
        content = json.dumps(asdict(held)).encode().ljust(_LEASE_BYTES)
        fd = os.open(self._path(lease.key), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(fd, content, 0)
            if os.fstat(fd).st_size > len(content):
                os.ftruncate(fd, len(content))
        finally:
            os.close(fd)


def _read_lease(path: str) -> _Held | None:
    """Returns the lease; None if the file is missing or incomplete. The writer of an incomplete file crashed before it got the
    lease."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with open(fd, "rb") as file:
            return parse_as(_Held, file.read(_LEASE_BYTES * 16), name=path)
    except (FileNotFoundError, RecordCorrupt):
        return None
