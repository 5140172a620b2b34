"""One document's pages on their way from the ledger to all of its outputs: in one style, and with the running headers as asked
for.

Called by assemble. Holds the few pages that have to wait for the next ones (rayocr/outputs/normal/running.py), and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rayocr.config import MarkdownConfig
from rayocr.engines.registry import asks_a_server
from rayocr.messages import PageRecord
from rayocr.outputs.base import Output
from rayocr.outputs.normal.page import as_written, normal
from rayocr.outputs.normal.running import Running


class PagePipeline:
    """Outputs that show the page as it was get every page at once and whole; `flowing` ones get them as the settings say."""

    def __init__(self, settings: MarkdownConfig, writers: Sequence[Output]) -> None:
        self._normalize = settings.normalize
        flowing = [writer for writer in writers if writer.flowing]
        paged = [writer for writer in writers if not writer.flowing]
        self._streams = [(Running("keep"), paged), (Running(settings.headers), flowing)]

    def add(self, record: PageRecord) -> None:
        """Pages come in order, each once."""
        if record.text:
            text = normal(record.text, of_a_model=asks_a_server(record.engine)) if self._normalize else as_written(record.text)
            record = replace(record, text=text)
        for running, writers in self._streams:
            if writers:
                for ready in running.add(record):
                    _write(ready, writers)

    def finish(self) -> None:
        for running, writers in self._streams:
            for ready in running.finish():
                _write(ready, writers)


def _write(record: PageRecord, writers: Sequence[Output]) -> None:
    for writer in writers:
        writer.page(record)
