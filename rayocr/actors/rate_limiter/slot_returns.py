"""Builds the reports with which a worker's slot client returns slots to the RateLimiter."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from rayocr.errors import EngineOverloaded, EngineRateLimited, EngineTransient
from rayocr.messages import SlotReturn, Throttle, ThrottleKind


@dataclass(slots=True)
class Returning:
    """Slots to return with the next call: a SlotReturn that is still being counted."""

    slots: int = 0
    answered: int = 0
    free: int = 0
    unsent: int = 0
    failed: int = 0
    lost: int = 0
    replied: int = 0
    unusable: int = 0
    refused: int = 0
    refused_first: int = 0
    empty_first: int = 0
    refused_documents: set[str] = field(default_factory=set)
    words: str = ""
    possibly_billed: int = 0
    input_tokens: int = 0
    cost_usd: float = 0.0
    reserved_tokens: float | None = None
    expected_tokens: float = 0.0
    throttle: Throttle | None = None

    def as_return(self) -> SlotReturn:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return SlotReturn(**values | {"refused_documents": frozenset(self.refused_documents)})


def throttle_of(error: EngineTransient, *, age_s: float) -> Throttle:
    kind = ThrottleKind.UNAVAILABLE
    if isinstance(error, EngineOverloaded):
        kind = ThrottleKind.OVERLOADED
    elif isinstance(error, EngineRateLimited):
        kind = ThrottleKind.DENIED if error.denied else ThrottleKind.DAY if error.per_day else ThrottleKind.MINUTE
    return Throttle(kind=kind, retry_after_s=error.retry_after_s, age_s=age_s, words=str(error))


_BY_GRAVITY = (
    ThrottleKind.UNAVAILABLE,
    ThrottleKind.OVERLOADED,
    ThrottleKind.MINUTE,
    ThrottleKind.DAY,
    ThrottleKind.DENIED,
    ThrottleKind.GONE,
)


def graver(one: Throttle | None, other: Throttle | None) -> Throttle | None:
    """Returns the throttle for failures that are reported together: the most severe kind, then the longest delay."""
    known = [throttle for throttle in (one, other) if throttle is not None]
    return max(known, key=lambda throttle: (_BY_GRAVITY.index(throttle.kind), throttle.retry_after_s or 0.0), default=None)
