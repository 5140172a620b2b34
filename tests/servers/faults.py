"""Scripted server faults, selected by properties of the request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Fault:
    """For the next `times` requests whose "METHOD /path?query" contains `match`, after `skip` of them: a status with an error in
    Google's format, `reset` (the connection breaks; `late`: after the request was processed), `cut` (half of the body is sent),
    `corrupt` (one byte is changed), `stall_s` (no answer for this long).
    """

    match: str
    times: int = 1
    skip: int = 0
    status: int = 0
    reason: str = "backendError"
    message: str = "scripted"
    retry_after: str = ""
    reset: bool = False
    late: bool = False
    cut: bool = False
    corrupt: bool = False
    stall_s: float = 0.0
    act: Callable[[], None] | None = None  # called before the request is processed


def fault_for(request: str, faults: list[Fault]) -> Fault | None:
    """The fault that applies now. The call counts toward its limit."""
    for fault in faults:
        if fault.match in request and fault.times > 0:
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
    return None
