"""A page that is being read again: a browser that cancels the request, or is closed, ends the process that reads."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from fastapi import HTTPException

from rayocr.api.reading import Cancellable
from rayocr.in_thread import in_thread
from rayocr.view import app


class Child:
    def __init__(self) -> None:
        self.killed = threading.Event()

    def kill(self) -> None:
        self.killed.set()


async def test_a_browser_that_has_left_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_POLL_S", 0.001)
    reading, child, asked = Cancellable(), Child(), []

    async def is_disconnected() -> bool:
        asked.append(None)
        return len(asked) > 2

    def read() -> str:
        reading.started(child)  # type: ignore[arg-type]
        child.killed.wait()
        return "a reading that nobody waits for"

    request = SimpleNamespace(is_disconnected=is_disconnected)
    with pytest.raises(HTTPException) as raised:
        await app._while_wanted(request, in_thread(read, on_cancel=reading.cancel))  # type: ignore[arg-type]
    assert raised.value.status_code == 499
    assert child.killed.is_set()


async def test_a_reading_that_ends_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_POLL_S", 0.001)

    async def is_disconnected() -> bool:
        return False

    request = SimpleNamespace(is_disconnected=is_disconnected)
    assert await app._while_wanted(request, in_thread(lambda: "text", on_cancel=lambda: None)) == "text"  # type: ignore[arg-type]


def test_a_process_that_starts_after_the_cancel_is_ended_too() -> None:
    reading, child = Cancellable(), Child()
    reading.cancel()
    reading.started(child)  # type: ignore[arg-type]
    assert child.killed.is_set()
