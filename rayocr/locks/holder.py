"""Who holds a lease: what status shows. Nothing is decided by it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """`age_s`: since the lease was acquired, by the clock of the lock service."""

    key: str
    owner: str
    host: str
    pid: int
    age_s: float
    fencing_token: int
