"""Tracks the slots that workers hold, with the tokens and the money reserved for each. Pure; callers pass the time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class _Lease:
    until: float
    slots: int
    input_tokens: float  # reserved per slot
    cost_usd: float  # reserved per slot


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """The reservations of slots that were returned."""

    slots: int = 0
    input_tokens: float = 0.0
    cost_usd: float = 0.0


class HeldSlots:
    """Slots by worker, oldest first. A slot expires `ttl_s` after its lease."""

    def __init__(self, *, ttl_s: float) -> None:
        self._ttl_s = ttl_s
        self._leases: dict[str, deque[_Lease]] = {}
        self.in_flight = 0

    def add(self, worker: str, slots: int, *, now: float, input_tokens: float, cost_usd: float) -> None:
        leases = self._leases.setdefault(worker, deque())
        leases.append(_Lease(now + self._ttl_s, slots, input_tokens, cost_usd))
        self.in_flight += slots

    def give_back(self, worker: str, slots: int) -> SetAside:
        """Takes back at most `slots` slots, since a worker can return more than are recorded after a restart of the limiter."""
        leases = self._leases.get(worker)
        returned, tokens, cost = 0, 0.0, 0.0
        while leases and returned < slots:
            lease = leases[0]
            count = min(lease.slots, slots - returned)
            lease.slots -= count
            returned += count
            tokens += count * lease.input_tokens
            cost += count * lease.cost_usd
            if not lease.slots:
                leases.popleft()
        if leases is not None and not leases:
            del self._leases[worker]
        self.in_flight -= returned
        return SetAside(slots=returned, input_tokens=tokens, cost_usd=cost)

    def forget(self, worker: str) -> SetAside:
        return self.give_back(worker, self.in_flight)

    def expire(self, now: float) -> list[SetAside]:
        """Returns the slots of workers that neither returned them nor were reported dead."""
        expired = []
        for worker, leases in list(self._leases.items()):
            late = sum(lease.slots for lease in leases if lease.until <= now)
            if late:
                expired.append(self.give_back(worker, late))
        return expired
