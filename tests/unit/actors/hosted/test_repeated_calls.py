"""Calls that Ray executes twice because the first reply was lost."""

from __future__ import annotations

import asyncio

import pytest

from rayocr.actors.hosted.repeated_calls import Replies


class Calls:
    """`current` is the identity of the call that is being executed."""

    def __init__(self) -> None:
        self.current = "a"
        self.executed = 0

    async def take(self) -> int:
        self.executed += 1
        await asyncio.sleep(0)
        return self.executed

    async def fail(self) -> int:
        self.executed += 1
        raise ValueError(self.executed)


async def test_a_repeated_call_gets_the_first_reply_and_the_next_call_a_new_one() -> None:
    calls = Calls()
    replies = Replies(lambda: calls.current)
    assert await replies.once("w", calls.take) == await replies.once("w", calls.take) == 1
    calls.current = "b"
    assert await replies.once("w", calls.take) == 2


async def test_a_call_that_is_repeated_while_it_is_still_executed_is_not_executed_again() -> None:
    calls = Calls()
    replies = Replies(lambda: calls.current)
    assert await asyncio.gather(replies.once("w", calls.take), replies.once("w", calls.take)) == [1, 1]


async def test_callers_do_not_get_each_others_replies() -> None:
    calls = Calls()
    replies = Replies(lambda: calls.current)
    assert [await replies.once("w", calls.take), await replies.once("x", calls.take)] == [1, 2]


async def test_a_repeated_call_raises_the_first_error() -> None:
    calls = Calls()
    replies = Replies(lambda: calls.current)
    for _ in range(2):
        with pytest.raises(ValueError, match="1"):
            await replies.once("w", calls.fail)
    assert calls.executed == 1


def test_a_call_that_does_not_wait_is_executed_once_too() -> None:
    calls = Calls()
    replies = Replies(lambda: calls.current)
    taken = iter(range(9))
    assert [replies.once_sync("w", lambda: next(taken)) for _ in range(2)] == [0, 0]
    calls.current = "b"
    assert replies.once_sync("w", lambda: next(taken)) == 1
