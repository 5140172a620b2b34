"""The output port: what turns a document's pages into one file. Adapters live beside this file and are named in `outputs=`.

Pages come one after the other and go straight into the file, so that no output holds a whole document in memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from rayocr.config import OutputConfig
from rayocr.messages import DocumentContext, PageOutcome, PageRecord

if TYPE_CHECKING:
    from rayocr.pdf.document import PdfFile


class Output(ABC):
    """One file of one document: `begin`, each page in order, `finish`, and `close` however it went. `suffix` goes behind the
    document's output stem. `source` is there for those that set `needs_source`, and the boxes of records for those that set
    `needs_boxes`."""

    name: ClassVar[str]
    suffix: ClassVar[str]
    needs_source: ClassVar[bool] = False
    works_without_source: ClassVar[bool] = False  # it needs the source, and can do without it if it must
    needs_boxes: ClassVar[bool] = False  # where lines lie, as far as engines say
    flowing: ClassVar[bool] = False  # a text for reading on: running headers are marked or left out, where that is asked for

    def __init__(
        self, file: BinaryIO, context: DocumentContext, *, config: OutputConfig | None = None, source: PdfFile | None = None
    ) -> None:
        self.file = file
        self.context = context
        self.config = config or OutputConfig()
        self.source = source

    @classmethod  # noqa: B027 - most need none
    def check(cls) -> None:
        """Raises UsageError where a package is missing that this output needs. Called before a run starts."""

    def begin(self) -> None:  # noqa: B027 - many formats have nothing to say before the first page
        """Write what comes before the pages."""

    @abstractmethod
    def page(self, record: PageRecord) -> None:
        """Write one page; called once for each page of the document, whatever its outcome."""

    def finish(self) -> None:  # noqa: B027
        """Write what comes after the pages."""

    def close(self) -> None:  # noqa: B027
        """Let go of temporary files and the like. Idempotent."""

    @property
    def notes(self) -> tuple[str, ...]:
        """After `finish`: sentences for the manifest on what this file could not show as it was."""
        return ()

    def write(self, text: str) -> None:
        self.file.write(text.encode("utf-8", "replace"))  # a lone surrogate is not text


def failure_notice(record: PageRecord) -> str | None:
    """The visible sentence that stands for a page that nobody could read; None for other pages."""
    if record.outcome is not PageOutcome.FAILED:
        return None
    reason = record.attempts[-1].reason if record.attempts else "unknown"
    return f"Page {record.page_number} could not be read ({reason})."
