"""The handle of a run: interrupted, dropped, left early, and in an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from rayocr.api.process import RunProgress
from rayocr.api.running import RunHandle, RunResult, arun, run
from rayocr.errors import InternalError, StorageFull, UsageError
from rayocr.in_thread import in_thread


class Child:
    """`events` are returned, or raised, one by one."""

    def __init__(self, *events: Any) -> None:
        self.events = list(events)
        self.cancelled = self.closed = False

    def next_event(self) -> dict[str, Any] | None:
        event = self.events.pop(0)
        if isinstance(event, BaseException):
            raise event
        assert event is None or isinstance(event, dict)
        return event

    def cancel(self) -> None:
        self.cancelled = True

    def close(self) -> None:
        self.closed = True


def test_an_interrupt_while_the_caller_waits_drains_the_run_and_is_raised() -> None:
    child = Child(KeyboardInterrupt(), {"event": "message", "text": "Stopping …"}, {"event": "end", "exit_code": 130}, None)
    with pytest.raises(KeyboardInterrupt), RunHandle(child, None) as handle:  # type: ignore[arg-type]
        handle.result()
    assert child.cancelled and child.closed
    assert handle.result().exit_code == 130


def test_a_child_that_ends_after_an_interrupt_does_not_hide_it() -> None:
    child = Child(KeyboardInterrupt(), InternalError("ended with code -2"))
    with pytest.raises(KeyboardInterrupt), RunHandle(child, None) as handle:  # type: ignore[arg-type]
        handle.result()
    assert child.closed


def test_a_handle_that_is_dropped_cancels_its_run_and_says_so() -> None:
    child = Child({"event": "document", "document_id": "d", "name": "a.pdf", "outcome": "complete"})
    with pytest.warns(RuntimeWarning, match="rayocr.start is cancelled because nothing refers to its handle"):
        for _ in RunHandle(child, None):  # type: ignore[arg-type]
            break
        gc.collect()
    assert child.cancelled


@pytest.mark.parametrize("end", [{"event": "end", "exit_code": 0}, InternalError("ended with code -9")])
def test_a_handle_whose_run_has_ended_is_dropped_without_a_word(end: Any) -> None:
    child = Child(end, None)
    handle = RunHandle(child, None)  # type: ignore[arg-type]
    with contextlib.suppress(InternalError), warnings.catch_warnings():
        warnings.simplefilter("error")
        handle.result()
    del handle
    gc.collect()
    assert not child.cancelled


async def test_an_async_with_block_that_is_left_early_waits_for_the_drain() -> None:
    child = Child(
        {"event": "document", "document_id": "d", "name": "a.pdf", "outcome": "complete"},
        {"event": "end", "exit_code": 130},
        None,
    )
    async with RunHandle(child, None) as handle:  # type: ignore[arg-type]
        async for document in handle:
            assert document.name == "a.pdf"
            break
    assert child.cancelled and child.closed
    assert (await handle.aresult()).exit_code == 130


async def test_an_exception_in_an_async_with_block_is_raised_after_the_drain() -> None:
    child = Child({"event": "end", "exit_code": 130}, None)
    with pytest.raises(ValueError, match="of the block"):
        async with RunHandle(child, None):  # type: ignore[arg-type]
            raise ValueError("of the block")
    assert child.cancelled and child.closed


async def test_an_async_function_gets_the_progress_in_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = dict.fromkeys((field.name for field in fields(RunProgress)), 1)
    child = Child({"event": "progress", **figures}, {"event": "end", "exit_code": 0}, None)
    monkeypatch.setattr("rayocr.api.running.ChildRun", lambda overrides: child)
    seen: list[tuple[int, asyncio.AbstractEventLoop]] = []

    async def on_progress(progress: RunProgress) -> None:
        seen.append((progress.pages_done, asyncio.get_running_loop()))

    assert (await arun("in", "out", on_progress=on_progress)).exit_code == 0
    assert seen == [(1, asyncio.get_running_loop())]


async def test_a_function_that_fails_on_progress_cancels_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = dict.fromkeys((field.name for field in fields(RunProgress)), 1)
    child = Child({"event": "progress", **figures}, {"event": "end", "exit_code": 130}, None)
    monkeypatch.setattr("rayocr.api.running.ChildRun", lambda overrides: child)

    def on_progress(progress: RunProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await arun("in", "out", on_progress=on_progress)
    assert child.cancelled and child.closed


async def test_more_calls_wait_at_once_than_the_loops_executor_has_threads() -> None:
    """Calls that wait for a run leave the executor of the loop to the caller's program."""
    together = threading.Barrier(60)
    await asyncio.gather(*(in_thread(together.wait) for _ in range(60)))


def test_an_error_of_the_run_can_be_raised() -> None:
    result = RunResult(run_id="r", dest="out", state="out", exit_code=3, error=StorageFull("No space."))
    with pytest.raises(StorageFull):
        result.raise_for_error()
    RunResult(run_id="r", dest="out", state="out", exit_code=1).raise_for_error()


def test_a_function_that_fails_on_progress_drains_the_run_before_its_error_is_raised() -> None:
    """Later progress does not call it again, and no handle is left for the collector to cancel."""
    figures = {"event": "progress", **dict.fromkeys((field.name for field in fields(RunProgress)), 1)}
    child = Child(dict(figures), dict(figures), {"event": "end", "exit_code": 130}, None)
    calls = []

    def on_progress(progress: RunProgress) -> None:
        calls.append(progress)
        raise ZeroDivisionError

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        handle = RunHandle(child, on_progress)  # type: ignore[arg-type]
        with pytest.raises(ZeroDivisionError):
            handle.result()
        assert child.cancelled and child.closed and len(calls) == 1
        assert handle.result().exit_code == 130
        del handle
        gc.collect()


def test_a_run_that_ends_before_it_starts_has_the_places_of_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    child = Child({"event": "end", "exit_code": 3, "error": "StorageDenied", "message": "Denied."}, None)
    monkeypatch.setattr("rayocr.api.running.ChildRun", lambda overrides: child)
    result = run(tmp_path, tmp_path / "out")
    assert (result.dest, result.state, result.documents) == (str(tmp_path / "out"), str(tmp_path / "out"), {})
    with pytest.raises(UsageError, match="out"):
        result.results()
