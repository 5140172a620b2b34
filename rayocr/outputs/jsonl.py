"""Writes one JSON line per document in Dolma's format: id, text, source, added, created, metadata, attributes.

`attributes.pdf_page_numbers` is a list of [start, end, page_number]: the span of each page in characters (Unicode code points)
of `text`, end excluded; `page_outcomes` of [page_number, outcome, engine]; `page_doubts` of [page_number, [doubt, …],
agreement] for the pages with doubts. The text is escaped and written page by page, so memory does not grow with the document.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from rayocr.config import OutputConfig
from rayocr.messages import DocumentContext, PageRecord
from rayocr.outputs.base import Output

if TYPE_CHECKING:
    from rayocr.pdf.document import PdfFile

_BETWEEN_PAGES = "\n\n"


class JsonlOutput(Output):
    name: ClassVar[str] = "jsonl"
    suffix: ClassVar[str] = ".jsonl"
    flowing: ClassVar[bool] = True

    def __init__(
        self, file: BinaryIO, context: DocumentContext, *, config: OutputConfig | None = None, source: PdfFile | None = None
    ) -> None:
        super().__init__(file, context, config=config, source=source)
        self._spans: list[tuple[int, int, int]] = []
        self._outcomes: list[tuple[int, str, str]] = []
        self._doubts: list[tuple[int, list[str], float | None]] = []
        self._position = 0

    def begin(self) -> None:
        self.write(f'{{"id": {json.dumps(self.context.document.document_id)}, "text": "')

    def page(self, record: PageRecord) -> None:
        text = record.text.strip().encode("utf-8", "replace").decode("utf-8")
        if text and self._position:
            self._put(_BETWEEN_PAGES)
        start = self._position
        self._put(text)
        self._spans.append((start, self._position, record.page_number))
        self._outcomes.append((record.page_number, record.outcome.value, record.engine))
        if record.doubts:
            self._doubts.append((record.page_number, list(record.doubts), record.agreement))

    def finish(self) -> None:
        document = self.context.document
        now = datetime.now(UTC).isoformat(timespec="seconds")
        rest = {
            "source": "rayocr",
            "added": now,
            "created": now,
            "metadata": {
                "source_uri": document.source_uri,
                "source_name": document.name,
                "source_version": document.version,
                "title": self.context.title,
                "page_count": self.context.page_count,
                "run_id": self.context.run_id,
            },
            "attributes": {
                "pdf_page_numbers": self._spans,
                "page_outcomes": self._outcomes,
                "page_doubts": self._doubts,
            },
        }
        self.write('", ' + json.dumps(rest)[1:] + "\n")

    def _put(self, text: str) -> None:
        self.write(json.dumps(text, ensure_ascii=False)[1:-1])
        self._position += len(text)
