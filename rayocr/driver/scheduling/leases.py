"""Manages the leases of the documents in the window: acquires them, renews all of them together, and reports lost ones.

While the lock service is unavailable no document starts, because `acquire` waits until it is available again. Documents in
progress continue, and their pages are recorded. The commit of a document asks the service whether this run still has the lease.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.cluster.base import LedgerPort
from rayocr.driver.plan import Plan
from rayocr.errors import Draining, LocksUnavailable, OutsideError, RayocrError
from rayocr.locks.base import Holder, Lease, Locks
from rayocr.locks.destination import DestinationLock, DestinationLocks
from rayocr.observe.logs import log_event
from rayocr.retry import RetryPolicy

log = logging.getLogger(__name__)

T = TypeVar("T")

_PROBE_S = 1.0  # interval of checks whether the lock service is available again


class Leases:
    """The leases that this run holds: acquires, renews and releases them.

    `on_availability(unavailable)` is called when the lock service becomes unavailable and when it is available again.
    `patience_s`: how long to wait for the service; None: without limit.
    """

    def __init__(
        self,
        locks: Locks,
        *,
        ttl_s: float,
        draining: asyncio.Event,
        on_availability: Callable[[bool], None] = lambda unavailable: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._locks = locks
        self._ttl_s = ttl_s
        self._draining = draining
        self._on_lost: Callable[[str], None] = lambda document_id: None
        self._on_availability = on_availability
        self._sleep = sleep
        self._patience_s = patience_s
        self._clock = clock
        self._unavailable_since = 0.0
        self._unavailable = ""  # the service's error message
        self._failure: OutsideError | None = None
        self._held: dict[str, Lease] = {}
        self._acquiring: set[asyncio.Future[Lease | None]] = set()
        self.lost = 0
        self._renewing: asyncio.Task[None] | None = None
        self._probing: asyncio.Task[None] | None = None
        self._there = asyncio.Event()
        self._there.set()

    @property
    def retry_s(self) -> float:
        """Returns how long to wait before retrying a document that another run holds."""
        return min(self._ttl_s / 3, 5.0)

    def start(self, on_lost: Callable[[str], None]) -> None:
        """Starts renewing. `on_lost(document_id)` is called on the event loop: the document must be stopped and must not be
        committed."""
        self._on_lost = on_lost
        self._renewing = asyncio.get_running_loop().create_task(self._renew_forever())

    async def acquire(self, key: str) -> Lease | None:
        """Acquires a lease; returns None if another run holds it. Waits while the lock service is unavailable. Raises
        Draining."""
        return await self.patiently(lambda: self._acquire(key))

    async def _acquire(self, key: str) -> Lease | None:
        """Acquires a lease on a thread. If the caller is cancelled, the thread continues, and `close` releases its lease."""
        acquiring = asyncio.ensure_future(asyncio.to_thread(self._locks.acquire, key))
        self._acquiring.add(acquiring)
        acquiring.add_done_callback(self._keep)
        return await asyncio.shield(acquiring)

    def _keep(self, acquired: asyncio.Future[Lease | None]) -> None:
        self._acquiring.discard(acquired)
        if not acquired.cancelled() and acquired.exception() is None and (lease := acquired.result()) is not None:
            self._held[lease.key] = lease

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Returns the call's result, retried while the lock service is unavailable. Raises Draining."""
        while True:
            try:
                return await call()
            except LocksUnavailable as error:
                self._note_unavailable(error)
            await self._until_there()

    async def release(self, lease: Lease) -> None:
        if self._held.get(lease.key) == lease:
            del self._held[lease.key]
        if not self._there.is_set():
            return  # the lease expires by itself; hundreds of calls that time out would exceed a shutdown's grace period
        try:
            await asyncio.to_thread(self._locks.release, lease)
        except LocksUnavailable as error:  # the lease expires by itself
            log_event(log, "lease_release_failed", "A lease could not be released.", document_id=lease.key, error=str(error))

    async def holders(self, keys: Sequence[str]) -> dict[str, Holder]:
        """Returns the owners of the keys that are held. Waits while the lock service is unavailable. Raises Draining."""
        return await self.patiently(lambda: asyncio.to_thread(self._locks.holders, keys))

    def holds(self, lease: Lease) -> bool:
        return self._held.get(lease.key) == lease

    async def close(self) -> None:
        for task in (self._renewing, self._probing):
            if task is not None:
                task.cancel()
        if self._acquiring:
            await asyncio.wait(self._acquiring)
        for lease in list(self._held.values()):
            await self.release(lease)
        await asyncio.to_thread(self._locks.close)

    async def _until_there(self) -> None:
        waits = [asyncio.create_task(self._there.wait()), asyncio.create_task(self._draining.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._draining.is_set():
            raise Draining
        if self._failure is not None:
            raise self._failure

    def _check_patience(self) -> None:
        """Raises an error in all waiting callers if the lock service is unavailable for too long."""
        unavailable_for_s = self._clock() - self._unavailable_since
        if self._patience_s is not None and unavailable_for_s > self._patience_s:
            self._failure = OutsideError(
                f"The lock service has been unavailable for {unavailable_for_s:.0f} s (locks.patience_s): {self._unavailable}",
                hint="Repair it, then start the same command again to resume.",
            )
            self._there.set()

    def _note_unavailable(self, error: LocksUnavailable) -> None:
        if not self._there.is_set():
            return
        self._there.clear()
        self._unavailable_since, self._unavailable = self._clock(), str(error)
        log_event(log, "locks_unavailable", "The lock service is unavailable.", level=logging.WARNING, error=str(error))
        self._on_availability(True)
        self._probing = asyncio.get_running_loop().create_task(self._probe())

    async def _probe(self) -> None:
        """Checks the service once for all waiting callers."""
        while True:
            await self._sleep(_PROBE_S)
            try:
                await asyncio.to_thread(self._locks.check)
                await self._renew()  # renew immediately, since the leases that were not renewed meanwhile are about to expire
            except LocksUnavailable as error:
                self._unavailable = str(error)
                self._check_patience()
                continue
            except RayocrError:
                # The service is available again but refuses access; waiting callers retry their own calls and get the reason.
                pass
            except Exception as error:  # a bug of the service's client; without this task all callers would wait forever
                self._note_client_error(error)
                continue
            break
        log_event(log, "locks_recovered", "The lock service is available again.")
        self._there.set()
        self._on_availability(False)

    async def _renew_forever(self) -> None:
        while True:
            await self._sleep(self._ttl_s / 3)
            try:
                await self._renew()
            except LocksUnavailable as error:
                self._note_unavailable(error)
            except Exception as error:  # the loop continues, since leases that are not renewed are lost
                self._note_client_error(error)

    def _note_client_error(self, error: Exception) -> None:
        log_event(log, "locks_failed", "The client of the lock service failed.", level=logging.ERROR, error=repr(error))

    async def _renew(self) -> None:
        """Renews all leases, and reports the lost ones. Raises LocksUnavailable."""
        leases = list(self._held.values())
        if not leases:
            return
        try:
            lost = await asyncio.to_thread(self._locks.renew, leases)
        except LocksUnavailable:
            raise
        except RayocrError as error:  # for example a changed key; the next acquire or commit raises this error and ends the run
            log_event(log, "lease_renewal_refused", "Leases cannot be renewed.", level=logging.ERROR, error=str(error))
            return
        self.lost += len(lost)
        for lease in lost:
            if self.holds(lease):
                del self._held[lease.key]
                log_event(log, "lease_lost", "A lease was lost.", level=logging.WARNING, document_id=lease.key)
                self._on_lost(lease.key)


def open_run_locks(
    config: RayocrConfig, plan: Plan, keys: Secrets, *, run_id: str, owner: str
) -> tuple[Locks, DestinationLock | None]:
    """Returns the locks of a run: leases of documents, and a lock on the whole destination if its storage cannot distinguish two
    runs. Raises LocksUnavailable without waiting, and LockError when another run has the destination."""
    from rayocr.locks.factory import open_locks

    locks = open_locks(config.locks, plan.state.uri, owner=owner, redis_url=keys.redis_url)
    locks.check()
    if config.locks.backend == "redis" or plan.state.has_atomic_create:
        return locks, None
    policy = RetryPolicy.from_config(config.retry)
    destination = DestinationLock(plan.state, run_id=run_id, owner=owner, ttl_s=config.locks.ttl_s, policy=policy)
    destination.acquire()
    destination.keep()
    return DestinationLocks(locks, destination), destination


def run_key(run_id: str) -> str:
    """Returns the key of the lease that a run holds for its lifetime. It differs from every document_id."""
    return f"run:{run_id}"


async def compact_ledger(ledger: LedgerPort, leases: Leases, run_id: str) -> None:
    """Registers this run as alive, and compacts the segments that dead runs left in the ledger. Never raises, since a run does
    not depend on it."""
    try:
        await leases.acquire(run_key(run_id))
        others = await ledger.other_runs()
        if others:
            alive = await leases.holders([run_key(other) for other in others])
            await ledger.compact([other for other in others if run_key(other) in alive])
    except Draining:
        return
    except Exception as error:
        log_event(log, "compaction_failed", "Old segments could not be compacted.", level=logging.WARNING, error=repr(error))
