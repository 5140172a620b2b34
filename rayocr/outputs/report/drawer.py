"""Draws the page pictures of a report in a child process that it can end at any time. A slow page costs a few seconds of CPU
once: the state records it, and later reports omit its picture."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from rayocr.errors import EngineError, RayocrError
from rayocr.ledger.manifest import Manifest
from rayocr.outputs.report.failed_pictures import FailedPictures
from rayocr.outputs.report.pages import Drawing, draw_opened, open_for_pages, single_process

PICTURE_CPU_S = 4.0  # CPU time of the child per page, which does not depend on the load of the machine
_LOST_PER_DOCUMENT = 2  # number of pages that may end the child; the other pages of the document are then left out
_LOST_PER_REPORT = 4  # the same for the whole report: at most 16 s for slow pages
_TOTAL_CPU_S = 60.0  # CPU time of a child for all pages; a report of 66 pages usually takes less than 20 s
_POLL_S = 0.2
_CRASHED = "The page crashed the process that drew it."
_TOO_MUCH = "Left out, because the other pictures of this report took too long."
_LEFT_OUT = "Left out, because other pages took too long or crashed the process that drew them. A later report may show it."


class PageDrawer:
    """Draws the pages of one document at a time. After a page has ended the process, a new one draws the other pages.

    `on_page`: called with the number of pages that were begun so far, repeatedly while a page is drawn. Leaving the context ends
    the process immediately."""

    def __init__(
        self,
        failed: FailedPictures | None = None,
        *,
        on_page: Callable[[int], None] = lambda begun: None,
        cpu_s: float = PICTURE_CPU_S,
        total_cpu_s: float = _TOTAL_CPU_S,
    ) -> None:
        self._failed = failed or FailedPictures()
        self._on_page = on_page
        self._limits = (cpu_s, total_cpu_s)
        self._child: _Child | None = None
        self._lost = 0
        self._finished = 0  # number of pages of earlier documents

    def __enter__(self) -> PageDrawer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._end_child()

    def pictures(
        self, manifest: Manifest, numbers: Sequence[int], drawing: Drawing
    ) -> tuple[Mapping[int, bytes], Mapping[int, str]]:
        """Returns JPEGs by page number, and the reasons for the pages without a picture. An unreadable document does not raise an
        error."""
        missing = {number: why for number in numbers if (why := self._failed.reason(manifest.document_id, number))}
        drawn: dict[int, bytes] = {}
        left = [number for number in numbers if number not in missing]
        lost = 0
        while left:
            if lost >= _LOST_PER_DOCUMENT or self._lost >= _LOST_PER_REPORT:
                missing |= dict.fromkeys(left, _LEFT_OUT)
                break
            child = self._child = self._child or _Child(*self._limits)
            before = self._finished + len(numbers) - len(left)
            try:
                results = child.draw(manifest, left, drawing, partial(self._tell, before, left))
            except RayocrError as error:
                missing |= dict.fromkeys(left, str(error))
                break
            except BrokenProcessPool:
                self._end_child()
                self._lost += 1
                lost += 1
                culprits = left if child.page is None else [child.page]  # None: the document could not even be opened
                for number in culprits:
                    missing[number] = child.end or _CRASHED
                    self._failed.add(manifest.document_id, number, missing[number])
                left = [number for number in left if number not in culprits]
                continue
            drawn |= {number: result for number, result in results if isinstance(result, bytes)}
            missing |= {number: result for number, result in results if isinstance(result, str)}
            break
        self._finished += len(numbers)
        return drawn, missing

    def _tell(self, before: int, left: Sequence[int], page: int) -> None:
        self._on_page(before + left.index(page) + 1)

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None


class _Child:
    """A child process that draws pages. It sends the number of each page when it begins it, and the reason if it ends itself.
    `page`: the page that it was drawing last."""

    def __init__(self, cpu_s: float, total_cpu_s: float) -> None:
        self._events, sender = multiprocessing.get_context("spawn").Pipe(duplex=False)
        self._sender = sender  # kept open, since the process receives it with its first task
        self._pool: ProcessPoolExecutor = single_process(_begin, sender, cpu_s, total_cpu_s)
        self.page: int | None = None
        self.end = ""

    def draw(
        self, manifest: Manifest, numbers: Sequence[int], drawing: Drawing, on_page: Callable[[int], None]
    ) -> list[tuple[int, bytes | str]]:
        """Returns a JPEG for each page, or the reason why it cannot be drawn. Raises RayocrError if the document cannot be read,
        and BrokenProcessPool if the process ended."""
        self.page = None
        future: Future[list[tuple[int, bytes | str]]] = self._pool.submit(
            _draw, manifest.source_uri, manifest.name, manifest.version, tuple(numbers), drawing
        )
        while not wait([future], timeout=_POLL_S).done:
            self._receive(on_page)
        self._receive(on_page)
        return future.result()

    def _receive(self, on_page: Callable[[int], None]) -> None:
        while self._events.poll():
            event: Any = self._events.recv()
            if isinstance(event, str):
                self.end = event
            else:
                self.page = event
                on_page(event)
        if self.page is not None:
            on_page(self.page)  # repeated, so that a slow page is shown too

    def kill(self) -> None:
        # PDFium cannot be interrupted, and a shutdown would wait for the page. Executors have kill_workers() since Python 3.14.
        for process in list((getattr(self._pool, "_processes", None) or {}).values()):
            process.kill()
        self._pool.shutdown(cancel_futures=True)  # waits, since the semaphores would outlive a process that exits at once
        self._events.close()
        self._sender.close()


# -- in the child process ---------------------------------------------------------------------------------------------------


class _Timer:
    """Ends this process when a page takes more CPU time than allowed."""

    def __init__(self, events: Connection, cpu_s: float, total_cpu_s: float) -> None:
        self._events = events
        self._cpu_s = cpu_s
        self.total_cpu_s = total_cpu_s
        self._ends_at: float | None = None  # by process_time; None while no page is drawn
        self.send = events.send
        threading.Thread(target=self._watch, name="picture-time", daemon=True).start()

    def start(self) -> None:
        self._ends_at = time.process_time() + self._cpu_s

    def stop(self) -> None:
        self._ends_at = None

    def _watch(self) -> None:
        while True:
            time.sleep(_POLL_S / 4)
            ends_at = self._ends_at
            if ends_at is not None and time.process_time() > ends_at:
                self._events.send(f"The page takes more than {self._cpu_s:g} s to draw.")
                os._exit(1)


_timer: _Timer | None = None


def _begin(events: Connection, cpu_s: float, total_cpu_s: float) -> None:
    global _timer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of the terminal; the parent ends this one
    _timer = _Timer(events, cpu_s, total_cpu_s)


def _draw(source_uri: str, name: str, version: str, numbers: Sequence[int], drawing: Drawing) -> list[tuple[int, bytes | str]]:
    results: list[tuple[int, bytes | str]] = []
    timer = _timer
    try:
        with open_for_pages(source_uri, name, version, drawing) as file:
            for number in numbers:
                if timer is not None and time.process_time() > timer.total_cpu_s:
                    results.append((number, _TOO_MUCH))
                    continue
                if timer is not None:
                    timer.send(number)
                    timer.start()
                try:
                    results.append((number, draw_opened(file, number, drawing.dpi)))
                except EngineError as error:
                    results.append((number, str(error)))
    finally:
        if timer is not None:
            timer.stop()
    return results
