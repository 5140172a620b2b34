"""A stalled run reports the start of the stall once, and clears the report when it resumes."""

from __future__ import annotations

from rayocr.config import WindowConfig
from rayocr.driver.monitor.stall import StallWatch, at_time
from rayocr.driver.monitor.terminal import progress_line
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.window import Window


class Fixture:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.warnings: list[str] = []
        self.progress = Progress(in_progress=3)
        self.window = Window(WindowConfig())
        self.jumped = 0.0  # of the time of day
        self.watch = StallWatch(
            self.progress,
            self.window,
            warn=self.warnings.append,
            stall_s=300,
            clock=lambda: self.now - 900,
            wall_clock=lambda: self.now + self.jumped,
        )

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.watch.check()


def test_no_progress_is_reported_once_with_its_time() -> None:
    f = Fixture()
    f.after(299)
    assert not f.warnings
    f.after(1)
    f.after(100)
    assert [warning.partition(":")[0] for warning in f.warnings] == ["No progress since " + at_time(1_000).partition(":")[0]]
    assert f"no progress since {at_time(1_000)}" in progress_line(f.progress)


def test_a_page_ends_the_stall() -> None:
    f = Fixture()
    f.after(400)
    f.progress.pages_done += 1
    f.after(5)
    assert f.progress.stalled_since is None
    assert "no progress" not in progress_line(f.progress)
    f.after(299)
    assert len(f.warnings) == 1


def test_a_clock_jump_is_not_a_stall() -> None:
    f = Fixture()
    f.jumped = 10_000.0
    f.after(10)
    assert not f.warnings
    f.jumped = -10_000.0
    f.after(300)
    assert f.warnings
    assert f.progress.stalled_since == 1_000 - 10_000


async def test_a_pause_is_not_a_stall() -> None:
    f = Fixture()
    await f.window.pause(True)
    f.after(1_000)
    await f.window.pause(False)
    f.after(299)
    assert not f.warnings


def test_a_run_without_documents_in_progress_does_not_stall() -> None:
    f = Fixture()
    f.progress.in_progress = 0
    f.after(1_000)
    assert not f.warnings
