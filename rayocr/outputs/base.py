"""Defines the output port. An output turns a document's pages into one file. Adapters are beside this file and named in
`outputs=`.

Pages arrive one at a time and are written to the file immediately, so no output holds a whole document in memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from rayocr.config import OutputConfig
from rayocr.messages import DocumentContext, PageOutcome, PageRecord

if TYPE_CHECKING:
    from rayocr.pdf.document import PdfFile


class Output(ABC):
    """Writes one file of one document. Callers call `begin`, `page` for each page in order, `finish`, and always `close`.
    `limit`, set before the first page, ends the process if the conversion of a page's text takes too much time or memory.
    `suffix` is appended to the document's output name. Outputs that set `needs_source` get `source`; outputs that set
    `needs_boxes` get the boxes of the records."""

    name: ClassVar[str]
    suffix: ClassVar[str]
    needs_source: ClassVar[bool] = False
    works_without_source: ClassVar[bool] = False  # whether the output uses the source if it is available, but works without it
    needs_boxes: ClassVar[bool] = False  # whether the output uses the positions of lines, if the engine reports them
    flowing: ClassVar[bool] = False  # whether running headers are marked or removed on request

    def __init__(
        self, file: BinaryIO, context: DocumentContext, *, config: OutputConfig | None = None, source: PdfFile | None = None
    ) -> None:
        self.file = file
        self.context = context
        self.config = config or OutputConfig()
        self.source = source
        self.limit: Callable[[], AbstractContextManager[None]] = nullcontext

    @classmethod  # noqa: B027 - most need none
    def check(cls) -> None:
        """Raises UsageError if a package that this output needs is not installed. Called before a run starts."""

    def begin(self) -> None:  # noqa: B027 - many formats have nothing to say before the first page
        """Writes what comes before the pages."""

    @abstractmethod
    def page(self, record: PageRecord) -> None:
        """Writes one page. Called once for each page of the document, with any outcome."""

    def finish(self) -> None:  # noqa: B027
        """Writes what comes after the pages."""

    def close(self) -> None:  # noqa: B027
        """Releases temporary files and other resources. Idempotent."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Returns sentences for the manifest about content that this file could not show exactly. Call it after `finish`."""
        return ()

    def write(self, text: str) -> None:
        self.file.write(text.encode("utf-8", "replace"))  # a lone surrogate cannot be encoded


def failure_notice(record: PageRecord) -> str | None:
    """Returns the visible sentence that replaces a page that no engine could read; None for other pages."""
    if record.outcome is not PageOutcome.FAILED:
        return None
    reason = record.attempts[-1].reason if record.attempts else "unknown"
    return f"Page {record.page_number} could not be read ({reason})."
