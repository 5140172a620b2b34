from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from rayocr.actors.page_worker.pdf_thread import PdfThread


@pytest.fixture
def pdf() -> Iterator[PdfThread]:
    thread = PdfThread(timeout_s=600, memory_bytes=1 << 40)
    yield thread
    thread.close()


async def test_calls_run_one_after_the_other_on_one_thread_in_their_order(pdf: PdfThread) -> None:
    seen: list[int] = []
    threads: set[int] = set()

    def call(number: int) -> int:
        seen.append(number)
        threads.add(threading.get_ident())
        return number * 2

    assert await asyncio.gather(*(pdf.run(call, number) for number in range(200))) == [2 * n for n in range(200)]
    assert seen == list(range(200))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_what_a_call_raises_reaches_its_caller_alone(pdf: PdfThread) -> None:

    def fail() -> None:
        raise ValueError("broken page")

    results = await asyncio.gather(pdf.run(fail), pdf.run(len, "abc"), return_exceptions=True)
    assert isinstance(results[0], ValueError)
    assert results[1] == 3


async def test_a_posted_call_runs_in_its_turn_and_its_error_is_lost(pdf: PdfThread) -> None:
    closed: list[str] = []
    pdf.post(lambda: 1 / 0)
    pdf.post(closed.append, "page")
    assert await pdf.run(lambda: list(closed)) == ["page"]


async def test_a_cancelled_call_does_not_affect_the_next_one(pdf: PdfThread) -> None:
    release = threading.Event()
    waiting = asyncio.create_task(pdf.run(release.wait))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    release.set()
    assert await pdf.run(len, "ab") == 2


async def test_two_threads_in_one_process_share_the_guard(pdf: PdfThread) -> None:
    other = PdfThread(timeout_s=600, memory_bytes=1 << 40)
    assert await asyncio.gather(pdf.run(len, "a"), other.run(len, "ab"), pdf.run(len, "abc")) == [1, 2, 3]
    other.close()


_HANG = """
import asyncio, time
from rayocr.actors.page_worker import pdf_thread
from rayocr.pdf.guard import _limits
pdf_thread._GUARD_S = 0.05
async def rested(pdf):
    while pdf._guarded:
        await asyncio.sleep(0)
async def main():
    pdf = pdf_thread.PdfThread(timeout_s=0.2, memory_bytes=200_000_000)
    {first}
    await pdf.run(time.sleep, 3600)
asyncio.run(main())
"""


@pytest.mark.parametrize("first", ["pass", "await pdf.run(len, 'abc')", "await pdf.run(len, 'abc'); await rested(pdf)"])
def test_a_call_that_hangs_ends_the_process(first: str) -> None:
    done = subprocess.run([sys.executable, "-c", _HANG.format(first=first)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "A PDF took longer than" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the memory limit needs /proc")
def test_a_call_that_takes_too_much_memory_ends_the_process() -> None:
    greedy = _HANG.format(first="await pdf.run(len, 'abc')").replace("timeout_s=0.2", "timeout_s=600")
    greedy = greedy.replace("time.sleep, 3600", "lambda: (b'x' * 400_000_000, time.sleep(3600))")
    done = subprocess.run([sys.executable, "-c", greedy], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "more memory" in done.stderr


def test_a_thread_that_has_nothing_to_do_does_not_end_the_process() -> None:
    idle = _HANG.format(first="await pdf.run(len, 'abc'); await rested(pdf); print(len(_limits.open)); return")
    done = subprocess.run([sys.executable, "-c", idle], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
