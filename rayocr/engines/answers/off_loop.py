"""Processes long answers on a thread, with a deadline, so that no answer of a server blocks the event loop of a worker.

The regular expressions involved take linear time (tests/unit/test_linear_time.py), so a thread releases the loop within
milliseconds. The deadline covers unforeseen cases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from rayocr.errors import MalformedAnswer

MAX_ANSWER_CHARS = 500_000  # longer answers are rejected; a newspaper page has 60,000 characters
_ON_THE_LOOP_CHARS = 20_000  # shorter answers take about a millisecond, and a thread costs a tenth of one
_DEADLINE_S = 60.0

P = ParamSpec("P")
T = TypeVar("T")


async def off_loop(chars: int, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs the function; returns its result or raises its error. Raises MalformedAnswer after a minute. `chars`: length of the
    answer."""
    if chars <= _ON_THE_LOOP_CHARS:
        return function(*args, **kwargs)
    try:
        async with asyncio.timeout(_DEADLINE_S):
            return await asyncio.to_thread(partial(function, *args, **kwargs))
    except TimeoutError as error:
        raise MalformedAnswer(f"An answer of {chars:,} characters could not be processed within {_DEADLINE_S:g} s.") from error
