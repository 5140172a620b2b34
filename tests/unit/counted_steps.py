"""Counts the work of a call instead of its time, so that a test does not depend on the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class _TooMany(BaseException):
    """Not an Exception: code that handles every error must not handle this one."""


def steps_of(call: Callable[[], object], *, at_most: int = 10**7) -> int:
    """Lines and calls of Python, and calls of C functions, that `call` executes in this thread. Fails after `at_most` steps."""
    steps = 0

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal steps
        steps += event in ("call", "line", "c_call")
        if steps == at_most + 1:
            raise _TooMany
        return count

    def count_c(frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":  # the others are traced
            count(frame, event, argument)

    traced, profiled = sys.gettrace(), sys.getprofile()
    sys.setprofile(count_c)
    sys.settrace(count)
    try:
        call()
    except _TooMany:
        pass
    finally:
        sys.settrace(traced)
        sys.setprofile(profiled)
    assert steps <= at_most, f"more than {at_most:,} steps"
    return steps
