"""Passes one document's pages from the ledger to all of its outputs: normalized, and with running headers handled as configured.

Called by assemble. Holds only the few pages that wait for the next ones (rayocr/outputs/normal/running.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from rayocr.config import LimitsConfig, MarkdownConfig
from rayocr.engines.registry import asks_a_server
from rayocr.messages import PageRecord
from rayocr.outputs.base import Output
from rayocr.outputs.normal.page import as_written, normal
from rayocr.outputs.normal.running import Running
from rayocr.pdf.guard import Allowance, bounded

LONG_CHARS = 20_000  # shorter pages take milliseconds, and setting a limit takes 0.1 ms


class PagePipeline:
    """Passes pages to outputs. Outputs that show single pages get every page immediately and unchanged. `flowing` outputs get
    pages with running headers handled as configured."""

    def __init__(
        self, settings: MarkdownConfig, writers: Sequence[Output], *, limits: LimitsConfig | None = None, page_count: int = 0
    ) -> None:
        """`limits` and `page_count` determine the time and memory that the whole document may take."""
        self._normalize = settings.normalize
        self._limits = limits
        self._writers = writers
        self._step: Callable[[], AbstractContextManager[None]] = nullcontext
        if limits is not None:
            seconds = limits.assemble_timeout_s + page_count * limits.assemble_page_s
            self._step = Allowance(seconds=seconds, memory_bytes=limits.page_memory).step
        if limits is not None:
            for writer in writers:
                writer.limit = self._limit
        flowing = [writer for writer in writers if writer.flowing]
        paged = [writer for writer in writers if not writer.flowing]
        self._streams = [(Running("keep"), paged), (Running(settings.headers), flowing)]

    def add(self, record: PageRecord) -> None:
        """Adds a page. Call it once for each page, in order."""
        with self._step():
            self._add(record)

    def _add(self, record: PageRecord) -> None:
        if record.text:
            with self._limit() if len(record.text) >= LONG_CHARS else nullcontext():
                text = (
                    normal(record.text, of_a_model=asks_a_server(record.engine)) if self._normalize else as_written(record.text)
                )
            record = replace(record, text=text)
        for running, writers in self._streams:
            if writers:
                for ready in running.add(record):
                    _write(ready, writers)

    def _limit(self) -> AbstractContextManager[None]:
        """Ends the process if a page's text takes too long or too much memory. Another process then assembles the document."""
        if self._limits is None:
            return nullcontext()
        return bounded(seconds=self._limits.page_timeout_s, memory_bytes=self._limits.page_memory)

    def finish(self) -> None:
        """Writes the pages that are still waiting, and completes the files."""
        with self._step():
            for running, writers in self._streams:
                for ready in running.finish():
                    _write(ready, writers)
        for writer in self._writers:
            with self._step():
                writer.finish()


def _write(record: PageRecord, writers: Sequence[Output]) -> None:
    for writer in writers:
        writer.page(record)
