"""Shows a run: a live line on a terminal, plain lines in other outputs, and a table at the end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from rich.progress import BarColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as RichProgress
from rich.table import Column, Table
from rich.text import Text

from rayocr.driver.monitor.stall import at_time
from rayocr.driver.scheduling.progress import Progress
from rayocr.masking import for_terminal, masked
from rayocr.messages import DocumentOutcome
from rayocr.observe.console import plain_console
from rayocr.observe.json_fields import SCHEMA_VERSION

_PLAIN_INTERVAL_S = 10.0
_LIVE_INTERVAL_S = 0.25
_START_INTERVAL_S = 2.5  # seconds until the first page
_BAR_COLUMNS = 12
_BAR_FROM_COLUMNS = 80  # width of a terminal from which the line leaves room for a bar
_START_LINES = 24  # about one minute; after that a slow server is the reason, and the usual lines name it


class ConsoleTerminal:
    """Writes messages, progress and tables to standard output, or with `stderr` to standard error (see `logs.stdout`)."""

    def __init__(self, mode: str, *, stderr: bool = False) -> None:
        self.json = mode == "json"  # standard output contains only results as JSON
        self._out = plain_console(soft_wrap=True, stderr=stderr or self.json)
        if not self._out.is_terminal:
            self._out.width = 160  # width of a log; 80 would break paths
        self.live = mode == "live" or (mode == "auto" and self._out.is_terminal and not self._out.is_dumb_terminal)
        self.silent = mode in ("none", "json")
        self._shown: RichProgress | None = None

    def say(self, text: str) -> None:
        if not self.silent:
            self._print(Text(for_terminal(text)))

    def say_address(self, text: str, address: str) -> None:
        """Prints the address unchanged, including its token, only to the terminal."""
        if not self.silent:
            self._print(Text(f"{text} {address}"))

    def warn(self, text: str) -> None:
        self._print(Text(for_terminal(text), style="yellow"))

    def table(self, table: Table, *, always: bool = False) -> None:
        """Prints a table. `always`: also with progress=none, since the table is the result of the command."""
        if self.silent and not always:
            return
        for column in table.columns:
            column._cells = [Text(for_terminal(cell)) if isinstance(cell, str) else cell for cell in column.cells]
        self._print(table)

    def data(self, values: Mapping[str, Any]) -> None:
        """Prints one JSON object on standard output. Raises OSError, except if the reader of a pipe has ended."""
        with contextlib.suppress(BrokenPipeError):
            values = {"schema_version": SCHEMA_VERSION} | dict(values)
            print(masked(json.dumps(values, indent=1, default=str)), flush=True)

    def close(self) -> None:
        """Removes the live line and shows the cursor again, before the process ends at once."""
        with contextlib.suppress(OSError, ValueError):
            if self._shown is not None:
                self._shown.stop()
            self._out.show_cursor()

    def _print(self, what: Text | Table) -> None:
        # A reader that closed the pipe (head, a closed terminal) must not end a paid run.
        with contextlib.suppress(BrokenPipeError, OSError, ValueError):
            self._out.print(what)

    @contextlib.asynccontextmanager
    async def waiting(self, text: str) -> AsyncIterator[None]:
        """Shows the reason for waiting: a spinner on a terminal, in other outputs a line now and every few seconds."""
        if self.silent:
            yield
        elif self.live:
            with self._out.status(Text(for_terminal(text))):
                yield
        else:
            repeating = asyncio.create_task(self._repeat(text))
            try:
                yield
            finally:
                repeating.cancel()

    @contextlib.contextmanager
    def busy(self, text: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[str], None]]:
        """Shows the purpose of a blocking call: a spinner on a terminal, one line in other outputs. Yields a function that shows
        its progress: at once in the spinner, in other outputs a line every few seconds."""
        if self.live and not self.silent:
            with self._out.status(Text(for_terminal(text))) as status:
                yield lambda progress: status.update(Text(for_terminal(progress)))
            return
        self.say(text)
        said_at = clock()

        def say(progress: str) -> None:
            nonlocal said_at
            if clock() - said_at >= _START_INTERVAL_S:
                said_at = clock()
                self.say(progress)

        yield say

    async def _repeat(self, text: str) -> None:
        self.say(text)
        for count in itertools.count(1):
            await asyncio.sleep(_START_INTERVAL_S)
            self.say(f"{text} {duration(count * _START_INTERVAL_S)}")

    async def show(self, progress: Progress) -> None:
        """Shows the progress until cancelled."""
        if self.silent:
            await asyncio.Event().wait()
        elif self.live:
            await self._show_live(progress)
        else:
            await self._show_lines(progress)

    async def _show_live(self, progress: Progress) -> None:
        narrow = self._out.width < _BAR_FROM_COLUMNS
        shown = RichProgress(
            SpinnerColumn(),
            *([] if narrow else [BarColumn(bar_width=_BAR_COLUMNS)]),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
            console=self._out,
            transient=True,
            expand=True,
        )
        self._shown = shown
        with shown:
            task = shown.add_task("")
            while True:
                total = max(progress.pages_total, progress.pages_read) or None  # None: an indeterminate progress bar
                line = progress_line(progress, width=self._out.width - 2 - (0 if narrow else _BAR_COLUMNS + 1))
                shown.update(task, description=line, total=total, completed=progress.pages_read)
                await asyncio.sleep(_LIVE_INTERVAL_S)

    async def _show_lines(self, progress: Progress) -> None:
        last = ""
        for count in itertools.count(1):
            if progress.pages_read or progress.documents_done or progress.watching or count > _START_LINES:
                break
            await asyncio.sleep(_START_INTERVAL_S)
            if not progress.pages_read:
                self.say(f"{_first_wait(progress)} … {duration(count * _START_INTERVAL_S)}")
        while True:
            await asyncio.sleep(_PLAIN_INTERVAL_S)
            line = progress_line(progress, countdown=False)
            if line != last:
                self.say(line)
                last = line


def progress_line(progress: Progress, *, countdown: bool = True, width: int | None = None) -> str:
    """Returns documents, pages, rate, ETA and cost in one line. `countdown`: also shows seconds that change constantly. `width`:
    the line is shortened to this number of columns by leaving out the rate, the cost and the ETA, in this order."""
    if progress.watching and not progress.in_progress:
        return _watching_line(progress, countdown=countdown)
    for left_out in range(4):
        line = " · ".join(_parts(progress, countdown=countdown, left_out=left_out))
        if width is None or len(line) <= width:
            break
    return line


def _parts(progress: Progress, *, countdown: bool, left_out: int) -> list[str]:
    """Returns the parts of the line, the most important ones first. `left_out`: the number of optional parts to leave out."""
    more = "" if progress.listing_done else "+"
    estimated = "~" if progress.documents_started < progress.documents_total else ""
    pages = f"{progress.pages_read:,}/{estimated}{progress.pages_total:,} pages"
    stopping = _stopping(progress, countdown=countdown)
    if not progress.pages_read and not progress.documents_done:
        known = [pages] if progress.pages_total else []
        found = f"{progress.documents_total:,}{more} document{'' if progress.documents_total == 1 else 's'} found"
        wait = _first_wait(progress)
        parts = [*(stopping or [f"{wait[0].lower()}{wait[1:]}, {duration(progress.elapsed_s)}"]), *known, found]
    else:
        eta = "writing outputs" if _reads_no_more(progress) else f"ETA {duration(progress.eta_s)}"
        documents = "documents" if not left_out else "docs"
        parts = [
            *stopping,
            pages,
            *([eta] if left_out < 3 and not stopping else []),
            *([progress.spent_words] if left_out < 2 else []),
            *([f"{progress.recent_pages_per_s:.1f} pages/s"] if left_out < 1 else []),
            f"{progress.documents_done:,}/{progress.documents_total:,}{more} {documents}",
        ]
    failed = progress.documents[DocumentOutcome.PARTIAL] + progress.documents[DocumentOutcome.REJECTED]
    if failed:
        parts.append(f"{failed:,} with failures" if not left_out else f"{failed:,} failed")
    if progress.held_elsewhere and (progress.pages_read or progress.documents_done):
        parts.append(f"{progress.held_elsewhere:,} held by another run")
    if progress.stalled_since is not None:
        parts.append(f"no progress since {at_time(progress.stalled_since)}")
    return [*parts, *_waits(progress)]


def _stopping(progress: Progress, *, countdown: bool) -> list[str]:
    if progress.stops_at is None:
        return []
    left_s = max(0.0, progress.stops_at - progress.clock())
    return [f"stopping, at most {duration(left_s)} left" if countdown else "stopping"]


def _reads_no_more(progress: Progress) -> bool:
    """Returns whether every page was read, so that only outputs are left."""
    return (
        progress.listing_done
        and progress.documents_started >= progress.documents_total > progress.documents_done
        and progress.pages_read >= progress.pages_total
    )


def _first_wait(progress: Progress) -> str:
    if progress.stops_at is not None:
        return "Stopping"
    if progress.held_elsewhere and progress.held_elsewhere >= progress.documents_total - progress.elsewhere:
        return "Waiting for another run, which is reading the documents"
    return "Waiting for the first page"


def _watching_line(progress: Progress, *, countdown: bool) -> str:
    parts = [
        "watching",
        f"{counted(progress.documents_done, 'document')} done",
        counted(progress.pages_read, "page"),
        progress.spent_words,
    ]
    if progress.settling:
        parts.append(f"{progress.settling:,} still being written")
    parts += _waits(progress)
    if countdown and progress.next_poll_at is not None and not progress.waiting_for:
        parts.append(f"next poll in {max(0.0, progress.next_poll_at - progress.clock()):.0f} s")
    return " · ".join(parts)


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _waits(progress: Progress) -> list[str]:
    parts = []
    if progress.locks_unavailable:
        parts.append("waiting for the lock service")
    models = progress.limiter.models if progress.limiter else ()
    held = [model.model for model in models if model.held_since is not None and not model.gone]
    waiting_for = [*held, *([progress.waiting_for] if progress.waiting_for else [])]
    if waiting_for:
        parts.append(f"waiting for {', '.join(waiting_for)}")
    if progress.watching and progress.deferred:
        parts.append(f"{progress.deferred:,} waiting for a retry")
    return parts


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def printable(text: str) -> str:
    """Escapes line breaks and undecodable bytes in names for the terminal."""
    cleaned = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return cleaned.encode(sys.stdout.encoding or "utf-8", "backslashreplace").decode(sys.stdout.encoding or "utf-8")
