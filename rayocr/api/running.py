"""`rayocr.run` and `rayocr.start`: a whole run, as on the command line, in a child process."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from rayocr.api.process import ChildRun, RunProgress, error_of, overrides_of
from rayocr.api.results import Results, open_results
from rayocr.errors import RayocrError

OnProgress = Callable[[RunProgress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedDocument:
    """A document that the run has finished. `outcome` is complete, partial or rejected."""

    document_id: str
    name: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run did. `exit_code` is that of the command line: 0 all complete, 1 some documents partial or rejected, 3 stopped by
    an external cause, 130 cancelled; `error` is the cause. `dest` is a folder's path or a URI. `documents` and `pages` count by
    outcome, `failures` by reason."""

    run_id: str
    dest: str
    exit_code: int
    documents: dict[str, int] = field(default_factory=dict)
    pages: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    engines: dict[str, int] = field(default_factory=dict)
    cost_usd: float = 0.0
    elapsed_s: float = 0.0
    error: RayocrError | None = None
    messages: tuple[str, ...] = ()

    def results(self) -> Results:
        """Every document of the destination, those of earlier runs too."""
        return open_results(self.dest)

    def _repr_html_(self) -> str:
        rows = {
            "Documents": ", ".join(f"{count:,} {outcome}" for outcome, count in self.documents.items()),
            "Pages": ", ".join(f"{count:,} {engine}" for engine, count in self.engines.items()),
            "Failures": ", ".join(f"{count:,} {reason}" for reason, count in self.failures.items()) or "none",
            "Cost": f"${self.cost_usd:.4f}",
            "Time": f"{self.elapsed_s:.0f} s",
            "Output": self.dest,
        }
        if self.error is not None:
            rows["Stopped"] = str(self.error)
        cells = (f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in rows.items())
        return f"<table>{''.join(cells)}</table>"


class RunHandle:
    """A run in progress. Iterate over it, with `for` or `async for`, for documents as they finish; `result()` waits for the end.
    A context manager; leaving it early cancels the run, which can be resumed."""

    def __init__(self, child: ChildRun, on_progress: OnProgress | None) -> None:
        self._child = child
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._facts: dict[str, Any] = {}
        self._messages: list[str] = []
        self._result: RunResult | None = None

    def __iter__(self) -> Iterator[FinishedDocument]:
        while (found := self._next()) is not None:
            yield found

    async def __aiter__(self) -> AsyncIterator[FinishedDocument]:
        while (found := await asyncio.to_thread(self._next)) is not None:
            yield found

    def result(self) -> RunResult:
        """Blocks until the run has ended. Raises UsageError for wrong options, InternalError when the process crashed."""
        while self._next() is not None:
            pass
        assert self._result is not None
        return self._result

    def cancel(self) -> None:
        """Asks the run to drain: pages in flight finish. The same call later resumes. Safe from any thread."""
        self._child.cancel()

    def __enter__(self) -> RunHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._result is None:
            self.cancel()
            with contextlib.suppress(*([RayocrError] if exc[0] is not None else [])):  # the exception of the block is raised
                self.result()
        self._child.close()

    def _next(self) -> FinishedDocument | None:
        """The next finished document, or None at the end of the run."""
        with self._lock:
            if self._result is not None:
                return None
            while (event := self._child.next_event()) is not None:
                kind = event.pop("event")
                if kind == "document":
                    return FinishedDocument(**event)
                if kind == "progress":
                    if self._on_progress is not None:
                        self._on_progress(RunProgress(**event))
                elif kind in ("message", "warning"):
                    self._messages.append(event["text"])
                elif kind == "end":
                    self._result = self._ended(event)
                else:
                    self._facts.update(event)
            self._child.close()
            result = self._result
            if result is not None and result.exit_code == 2 and result.error is not None:
                raise result.error
            return None

    def _ended(self, event: dict[str, Any]) -> RunResult:
        record = self._facts.get("record", {})
        return RunResult(
            run_id=self._facts.get("run_id", ""),
            dest=self._facts.get("dest", ""),
            exit_code=event["exit_code"],
            documents=record.get("documents", {}),
            pages=record.get("pages", {}),
            failures=record.get("reasons", {}),
            engines=record.get("engines", {}),
            cost_usd=record.get("cost_usd") or 0.0,
            elapsed_s=record.get("elapsed_s", 0.0),
            error=error_of(event),
            messages=tuple(self._messages),
        )


def start(source: str | Path, dest: str | Path, *, on_progress: OnProgress | None = None, **options: Any) -> RunHandle:
    """Starts a run and returns at once. `options` are those of the command line; without `cluster=` it uses no Ray.

    `on_progress` is called twice a second from the thread that iterates or waits. In a notebook, progress is shown by default.
    """
    settings: dict[str, object] = {"cluster": "inprocess", "gateway.enabled": False, **options, "source": source, "dest": dest}
    return RunHandle(ChildRun(overrides_of(settings)), on_progress or _in_notebook())


def run(source: str | Path, dest: str | Path, *, on_progress: OnProgress | None = None, **options: Any) -> RunResult:
    """Reads every document of `source` that is not finished and writes outputs to `dest`. Blocks. Resumes an earlier run.

    Options, progress and errors are those of `start` and `RunHandle.result`.

    >>> result = run("samples", dest, engine="textlayer", include=["letter.pdf"])
    >>> result.exit_code, result.documents["complete"]
    (0, 1)
    """
    with start(source, dest, on_progress=on_progress, **options) as handle:
        return handle.result()


async def arun(source: str | Path, dest: str | Path, *, on_progress: OnProgress | None = None, **options: Any) -> RunResult:
    """As `run`, without blocking the event loop. Cancelling the task cancels the run."""
    handle = start(source, dest, on_progress=on_progress, **options)
    try:
        return await asyncio.to_thread(handle.result)
    except asyncio.CancelledError:
        handle.cancel()
        raise


def _in_notebook() -> OnProgress | None:
    """A display that is updated in place, inside IPython's kernel; None elsewhere."""
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
