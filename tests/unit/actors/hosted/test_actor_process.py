"""What all actor processes do."""

from __future__ import annotations

import ctypes
import threading

import pytest

from rayocr.actors.hosted import actor_process


def test_free_memory_is_returned_to_the_system_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    enough = threading.Semaphore(0)
    calls, asleep = list[int](), threading.Event()

    class Library:
        @staticmethod
        def malloc_trim(pad: int) -> int:
            assert pad == 0
            enough.release()
            calls.append(pad)
            if len(calls) == 3:
                asleep.wait()  # ends with the test
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library)
    thread = actor_process.return_free_memory(every_s=0.001)
    assert thread is not None and thread.daemon
    assert all(enough.acquire(timeout=60) for _ in range(3))


def test_a_system_that_cannot_return_memory_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert actor_process.return_free_memory() is None
