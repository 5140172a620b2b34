"""Keeps the leases of the documents in the window: acquires, renews all of them together, and tells when one is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from rayocr.errors import LocksUnavailable
from rayocr.locks.base import Lease, Locks
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)


class LeaseKeeper:
    """`on_lost(document_id)` is called on the event loop: the document's work has to stop and must not be committed."""

    def __init__(self, locks: Locks, *, ttl_s: float, on_lost: Callable[[str], None]) -> None:
        self._locks = locks
        self._ttl_s = ttl_s
        self._on_lost = on_lost
        self._held: dict[str, Lease] = {}
        self._renewing: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._renewing = asyncio.get_running_loop().create_task(self._renew_forever())

    async def acquire(self, document_id: str) -> Lease | None:
        lease = await asyncio.to_thread(self._locks.acquire, document_id)
        if lease is not None:
            self._held[document_id] = lease
        return lease

    async def release(self, lease: Lease) -> None:
        if self._held.get(lease.key) == lease:
            del self._held[lease.key]
        try:
            await asyncio.to_thread(self._locks.release, lease)
        except LocksUnavailable as error:  # it ends with its time limit
            log_event(log, "lease_release_failed", "A lease could not be given back.", document_id=lease.key, error=str(error))

    def holds(self, lease: Lease) -> bool:
        return self._held.get(lease.key) == lease

    async def close(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
        for lease in list(self._held.values()):
            await self.release(lease)
        await asyncio.to_thread(self._locks.close)

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(self._ttl_s / 3)
            leases = list(self._held.values())
            if not leases:
                continue
            try:
                lost = await asyncio.to_thread(self._locks.renew, leases)
            except LocksUnavailable as error:
                log_event(log, "lease_renewal_failed", "Leases could not be renewed.", level=logging.WARNING, error=str(error))
                continue
            for lease in lost:
                if self.holds(lease):
                    del self._held[lease.key]
                    log_event(log, "lease_lost", "A lease was lost.", level=logging.WARNING, document_id=lease.key)
                    self._on_lost(lease.key)
