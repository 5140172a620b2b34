"""Implements `rayocr.run` and `rayocr.start`: a whole run, as on the command line, in a child process."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
import warnings
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from rayocr.api.process import ChildRun, RunProgress, error_of, overrides_of, place_of
from rayocr.api.results import Results, results_of
from rayocr.errors import InternalError, RayocrError, UsageError
from rayocr.in_thread import in_thread

OnProgress = Callable[[RunProgress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedDocument:
    """A document that the run has finished. `outcome` is complete, partial or rejected. For the last two, `reason` is a class of
    rayocr.errors, and `message` describes the failure."""

    document_id: str
    name: str
    outcome: str
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The result of a run.

    `exit_code` is that of the command line: 0 all documents of the source are complete; 1 some are partial or rejected, in this
    run or an earlier one, or files of the source are not readable; 3 an external cause stopped the run, and the same call
    resumes it; 130 cancelled. `error` is the cause of 3 and 130, else None.

    `documents` counts the finished documents of the destination by outcome, and `failures` the partial and rejected ones by
    reason; both include earlier runs, and are empty if the destination could not be read, which `error` then reports. `dismissed`
    counts documents whose failure was dismissed, which `documents` and `failures` do not include. The other figures are of this
    run: `run_documents` by outcome, `pages` by outcome, `engines` (pages by engine), `cost_usd` and `elapsed_s`. `dest` and
    `state` are folders' paths or URIs. `messages` are the messages of the command line."""

    run_id: str
    dest: str
    exit_code: int
    state: str
    documents: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    dismissed: int = 0
    run_documents: dict[str, int] = field(default_factory=dict)
    pages: dict[str, int] = field(default_factory=dict)
    engines: dict[str, int] = field(default_factory=dict)
    cost_usd: float = 0.0
    elapsed_s: float = 0.0
    error: RayocrError | None = None
    messages: tuple[str, ...] = ()
    _overrides: tuple[str, ...] = field(default=(), repr=False)

    def results(self) -> Results:
        """Returns every document of the destination, including those of earlier runs. Raises UsageError, with the cause as its
        hint, if the run stopped before it created the destination, and OutsideError."""
        try:
            return results_of(self._overrides, self.dest, self.state)
        except UsageError as error:
            if self.error is None:
                raise
            raise UsageError(str(error), hint=f"The run stopped before it wrote results: {self.error}") from self.error

    def raise_for_error(self) -> None:
        """Raises `error`, if an error stopped the run."""
        if self.error is not None:
            raise self.error

    def _repr_html_(self) -> str:
        rows = {
            "Documents": ", ".join(f"{count:,} {outcome}" for outcome, count in self.documents.items()),
            "Failures": ", ".join(f"{count:,} {reason}" for reason, count in self.failures.items()) or "none",
            "Pages": ", ".join(f"{count:,} {engine}" for engine, count in self.engines.items()),
            "Cost": f"${self.cost_usd:.4f}",
            "Time": f"{self.elapsed_s:.0f} s",
            "Output": self.dest,
        }
        if self.error is not None:
            rows["Stopped"] = " ".join(filter(None, (str(self.error), self.error.hint)))
        cells = (f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in rows.items())
        return f"<table>{''.join(cells)}</table>"


class RunHandle:
    """A run in progress. Iterate over it, with `for` or `async for`, for documents as they finish; `result()` and `await
    aresult()` wait for the end. A context manager, with `with` or `async with`: leaving it early cancels the run, which can be
    resumed. A handle that is dropped before the end cancels its run, too, with a RuntimeWarning."""

    def __init__(
        self, child: ChildRun, on_progress: OnProgress | None, overrides: Sequence[str] = (), *, dest: str = "", state: str = ""
    ) -> None:
        """`dest` and `state`: locations to return if the run ends before it reports its own."""
        self._places = {"dest": dest, "state": state}
        self._child = child
        self._on_progress = on_progress
        self._overrides = tuple(overrides)
        self._lock = threading.Lock()
        self._facts: dict[str, Any] = {}
        self._messages: list[str] = []
        self._result: RunResult | None = None
        self._dropped = weakref.finalize(self, _cancel_dropped, child)

    def __iter__(self) -> Iterator[FinishedDocument]:
        while (found := self._next()) is not None:
            yield found

    async def __aiter__(self) -> AsyncIterator[FinishedDocument]:
        while (found := await in_thread(self._next)) is not None:
            yield found

    def result(self) -> RunResult:
        """Waits for the end of the run and returns its result. Raises UsageError for wrong options, InternalError when the
        process crashed."""
        while self._next() is not None:
            pass
        assert self._result is not None
        return self._result

    async def aresult(self) -> RunResult:
        """Does the same as `result` without blocking the event loop. Cancelling it does not cancel the run."""
        return await in_thread(self.result)

    def cancel(self) -> None:
        """Asks the run to drain: pages in flight finish. The same call resumes it later. May be called from any thread."""
        self._child.cancel()

    def __enter__(self) -> RunHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._result is None:
            self.cancel()
            with contextlib.suppress(*([RayocrError] if exc[0] is not None else [])):  # the exception of the block is raised
                self.result()
        self._close()

    async def __aenter__(self) -> RunHandle:
        return self

    async def __aexit__(self, *exc: object) -> None:
        if exc[0] is not None:
            self.cancel()  # even if this task is cancelled again while it waits
        await in_thread(lambda: self.__exit__(*exc))

    def _close(self) -> None:
        self._dropped.detach()
        self._child.close()

    def _next(self) -> FinishedDocument | None:
        """Returns the next finished document, or None at the end of the run."""
        with self._lock:
            return self._read_on() if self._result is None else None

    def _read_on(self) -> FinishedDocument | None:
        while (event := self._next_event()) is not None:
            kind = event.pop("event")
            if kind == "document":
                return FinishedDocument(**event)
            if kind == "progress":
                self._report_progress(RunProgress(**event))
            elif kind in ("message", "warning"):
                self._messages.append(event["text"])
            elif kind == "end":
                self._result = self._ended(event)
            else:
                self._facts[kind] = event
        self._close()
        result = self._result
        if result is not None and result.exit_code == 2 and result.error is not None:
            raise result.error
        return None

    def _report_progress(self, progress: RunProgress) -> None:
        """Calls on_progress. If it raises, the run drains and the handle is closed before its exception reaches the caller."""
        if self._on_progress is None:
            return
        try:
            self._on_progress(progress)
        except BaseException:
            self._on_progress = None
            self.cancel()
            with contextlib.suppress(RayocrError):
                while self._read_on() is not None:
                    pass
            raise

    def _next_event(self) -> dict[str, Any] | None:
        try:
            return self._child.next_event()
        except InternalError:  # the process has ended
            self._close()
            raise

    def _ended(self, event: dict[str, Any]) -> RunResult:
        started, counts = self._places | self._facts.get("started", {}), self._facts.get("counts", {})
        record = self._facts.get("record", {}).get("record", {})
        return RunResult(
            run_id=started.get("run_id", ""),
            dest=started.get("dest", ""),
            state=started.get("state", ""),
            exit_code=event["exit_code"],
            documents=counts.get("documents", {}),
            failures=counts.get("failures", {}),
            dismissed=counts.get("dismissed", 0),
            run_documents=record.get("documents", {}),
            pages=record.get("pages", {}),
            engines=record.get("engines", {}),
            cost_usd=record.get("cost_usd") or 0.0,
            elapsed_s=record.get("elapsed_s", 0.0),
            error=error_of(event),
            messages=tuple(self._messages),
            _overrides=self._overrides,
        )


def _cancel_dropped(child: ChildRun) -> None:
    warnings.warn(
        "A run of rayocr.start is cancelled because nothing refers to its handle any more. Use it in a `with` block, or call"
        " result().",
        RuntimeWarning,
        stacklevel=2,
    )
    child.cancel()


def start(source: str | Path, dest: str | Path, *, on_progress: OnProgress | None = None, **options: Any) -> RunHandle:
    """Starts a run and returns immediately. `options` are those of the command line; without `cluster=` it uses no Ray.

    `on_progress` is called twice a second from the thread that iterates or waits. If it raises, the run drains as after
    `cancel`, and then the exception is raised. In a notebook, progress is shown by default.
    """
    if on_progress is not None and (not callable(on_progress) or _is_async(on_progress)):
        raise UsageError(
            "on_progress= of rayocr.run and rayocr.start takes a function that is not async.",
            hint="Await rayocr.arun, which takes both, or pass a function that hands the progress to your event loop.",
        )
    places = {"source": place_of("source", source), "dest": place_of("dest", dest)}
    given = overrides_of(options)
    overrides = [
        *overrides_of({"cluster": "inprocess", "gateway.enabled": False}),
        *given,
        *overrides_of(places),
    ]
    state = place_of("state", options["state"]) if options.get("state") is not None else places["dest"]
    return RunHandle(ChildRun(overrides), on_progress or _in_notebook(), given, dest=places["dest"], state=state)


def run(source: str | Path, dest: str | Path, *, on_progress: OnProgress | None = None, **options: Any) -> RunResult:
    """Reads every document of `source` that is not finished and writes outputs to `dest`. Blocks. Resumes an earlier run.

    Options, progress and errors are those of `start` and `RunHandle.result`; only `start` accepts mode="watch". An external cause
    that stops the run is not raised but returned: see `RunResult`.

    >>> result = run("samples", dest, engine="textlayer", include=["letter.pdf"])
    >>> result.exit_code, result.documents["complete"]
    (0, 1)
    """
    _check_ends(options)
    with start(source, dest, on_progress=on_progress, **options) as handle:
        return handle.result()


async def arun(
    source: str | Path,
    dest: str | Path,
    *,
    on_progress: OnProgress | Callable[[RunProgress], Awaitable[None]] | None = None,
    **options: Any,
) -> RunResult:
    """Does the same as `run` without blocking the event loop. Cancelling the task cancels the run.

    `on_progress` is called from another thread; an async function runs in the event loop."""
    _check_ends(options)
    if on_progress is not None and callable(on_progress) and _is_async(on_progress):
        on_progress = _in_loop(on_progress, asyncio.get_running_loop())
    async with start(source, dest, on_progress=on_progress, **options) as handle:  # type: ignore[arg-type]
        return await handle.aresult()


def _check_ends(options: Mapping[str, Any]) -> None:
    """Raises UsageError for a watch, which would keep its caller waiting until it is interrupted."""
    if options.get("mode") == "watch":
        raise UsageError(
            'rayocr.run accepts no mode="watch", because a watch does not end by itself.',
            hint='Iterate over rayocr.start(…, mode="watch"), and call its cancel(). On the command line: rayocr watch IN OUT',
        )


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _in_loop(function: Any, loop: asyncio.AbstractEventLoop) -> OnProgress:
    """Calls the async function in the loop and waits for it, so that its errors are raised like those of other functions."""

    def call(progress: RunProgress) -> None:
        asyncio.run_coroutine_threadsafe(function(progress), loop).result()

    return call


def _in_notebook() -> OnProgress | None:
    """Returns a display that is updated in place, inside IPython's kernel; None elsewhere."""
    import sys

    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or "IPKernelApp" not in getattr(shell, "config", {}):
        return None
    from IPython.display import HTML, display

    handle = display(HTML("starting …"), display_id=True)

    def show(progress: RunProgress) -> None:
        share = progress.pages_done / progress.pages_total if progress.pages_total else 0.0
        words = f"{progress.documents_done:,}/{progress.documents_total:,} documents · {progress.pages_done:,} pages"
        handle.update(HTML(f"<progress value='{share:.3f}'></progress> {words} · ${progress.cost_usd:.4f}"))

    return show
