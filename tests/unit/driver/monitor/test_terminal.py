"""A run's display in a terminal with 80 columns."""

from __future__ import annotations

import asyncio
import contextlib
import io

import pytest

from rayocr.driver.monitor.terminal import ConsoleTerminal, progress_line
from rayocr.driver.scheduling.progress import Progress
from rayocr.messages import DiscoveryTotals, DocumentOutcome
from rayocr.observe.console import plain_console


def busy() -> Progress:
    progress = Progress(totals=DiscoveryTotals(found=12_800), documents_started=1_200, pages_known=12_000, pages_done=10_312)
    progress.first_page_at, progress.listing_done, progress.cost_usd = progress.started - 100, True, 12.34
    return progress


def shown(progress: Progress, monkeypatch: pytest.MonkeyPatch, *, width: int = 80) -> str:
    """The last line that was drawn."""
    drawn = asyncio.Event()
    written = io.StringIO()
    terminal = ConsoleTerminal("live")
    terminal._out = plain_console(file=written, force_terminal=True, width=width, color_system=None, soft_wrap=True)

    async def at_once(seconds: float) -> None:
        drawn.set()
        await asyncio.Event().wait()

    async def show() -> None:
        with monkeypatch.context() as patched:
            patched.setattr("rayocr.driver.monitor.terminal.asyncio.sleep", at_once)
            task = asyncio.create_task(terminal.show(progress))
            await drawn.wait()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(show())
    lines = [line for line in written.getvalue().replace("\x1b[2K", "\r").split("\r") if " page" in line]
    return lines[-1].split("\n")[0]


def test_eta_and_cost_are_visible_in_80_columns_beside_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    line = shown(busy(), monkeypatch)
    assert len(line) <= 80
    assert "10,312/~128,000 pages · ETA " in line
    assert "$12.34" in line
    assert "╸" in line


def test_documents_and_failures_are_visible_in_60_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = busy()
    progress.documents[DocumentOutcome.COMPLETE], progress.documents[DocumentOutcome.PARTIAL] = 1_030, 12
    line = shown(progress, monkeypatch, width=60)
    assert len(line) <= 60
    assert "10,312/~128,000 pages" in line
    assert "1,042/12,800 docs · 12 failed" in line


def test_the_line_leaves_out_the_least_important_parts_first() -> None:
    progress = Progress(totals=DiscoveryTotals(found=5), listing_done=True, clock=lambda: 0.0, documents_started=5, pages_known=9)
    progress.pages_done = 4
    progress.documents[DocumentOutcome.PARTIAL] = 1
    assert progress_line(progress, width=80) == "4/9 pages · ETA – · $0.00 · 0.0 pages/s · 1/5 documents · 1 with failures"
    assert progress_line(progress, width=60) == "4/9 pages · ETA – · $0.00 · 1/5 docs · 1 failed"
    assert progress_line(progress, width=44) == "4/9 pages · ETA – · 1/5 docs · 1 failed"
    assert progress_line(progress, width=34) == "4/9 pages · 1/5 docs · 1 failed"


def test_a_run_that_has_read_every_page_writes_outputs() -> None:
    progress = Progress(totals=DiscoveryTotals(found=2), listing_done=True, clock=lambda: 0.0, documents_started=2, pages_known=9)
    progress.pages_done = 9
    assert "9/9 pages · writing outputs · " in progress_line(progress)
    progress.listing_done = False
    assert "ETA" in progress_line(progress)


def test_a_run_that_stops_says_for_how_long_at_most() -> None:
    now = [100.0]
    progress = Progress(totals=DiscoveryTotals(found=2), listing_done=True, clock=lambda: now[0], stops_at=120.0)
    assert progress_line(progress) == "stopping, at most 20 s left · 2 documents found"
    progress.documents_started, progress.pages_known, progress.pages_done = 2, 9, 4
    now[0] = 106.0
    assert progress_line(progress).startswith("stopping, at most 14 s left · 4/9 pages · $0.00")
    assert progress_line(progress, countdown=False).startswith("stopping · 4/9 pages")


def test_a_run_whose_total_is_unknown_is_shown_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "waiting for the first page, 0 s" in shown(Progress(), monkeypatch)


@pytest.mark.parametrize(("term", "live"), [("xterm-256color", True), ("dumb", False)])
def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch, term: str, live: bool) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, for rich
    assert ConsoleTerminal("auto").live is live


def test_blocking_work_is_named_before_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    with ConsoleTerminal("plain").busy("Writing the report …"):
        assert capsys.readouterr().out == "Writing the report …\n"
    with ConsoleTerminal("none").busy("Writing the report …"):
        assert capsys.readouterr().out == ""


def test_blocking_work_shows_its_progress_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    with ConsoleTerminal("plain").busy("Writing the report …", clock=lambda: now[0]) as tell:
        for page in range(1, 8):
            now[0] += 1
            tell(f"page {page} of 7")
    assert capsys.readouterr().out == "Writing the report …\npage 3 of 7\npage 6 of 7\n"


async def test_until_the_first_page_a_line_comes_every_few_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            progress.pages_recorded = progress.pages_done = 1
        if len(slept) == 5:
            raise asyncio.CancelledError

    monkeypatch.setattr("rayocr.driver.monitor.terminal.asyncio.sleep", sleep)
    with contextlib.suppress(asyncio.CancelledError):
        await ConsoleTerminal("plain").show(progress)
    said = capsys.readouterr().out
    assert max(slept[:3]) < 3
    assert "Waiting for the first page … 2 s" in said
    assert "Waiting for the first page … 5 s" in said
    assert "8 s" not in said


def test_the_counts_of_a_watch_agree_with_their_nouns() -> None:
    progress = Progress(watching=True)
    progress.documents[DocumentOutcome.COMPLETE] = progress.pages_done = 1
    assert progress_line(progress) == "watching · 1 document done · 1 page · $0.00"
    progress.documents[DocumentOutcome.COMPLETE] = progress.pages_done = 2
    assert progress_line(progress) == "watching · 2 documents done · 2 pages · $0.00"


def test_an_immediate_end_shows_the_cursor_again() -> None:
    """The process ends without leaving the `with` block of the live line."""
    written = io.StringIO()
    terminal = ConsoleTerminal("live")
    terminal._out = plain_console(file=written, force_terminal=True, width=80, soft_wrap=True)

    async def show() -> None:
        task = asyncio.create_task(terminal.show(busy()))
        await asyncio.sleep(0)
        terminal.close()
        closed = written.getvalue()
        task.cancel()
        assert closed.rfind("\x1b[?25h") > closed.rfind("\x1b[?25l") >= 0

    asyncio.run(show())
