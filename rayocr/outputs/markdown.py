"""Writes one Markdown file per document, with page breaks as comments: `<!-- page 3 -->`.

Options add YAML front matter and join paragraphs and tables that continue across a page break; the comment is then inside them.
The output holds at most one page back, until the next page is known.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, ClassVar, cast

from rayocr.config import OutputConfig
from rayocr.ledger.runs import format_runs
from rayocr.messages import DocumentContext, PageOutcome, PageRecord
from rayocr.outputs.base import Output, failure_notice
from rayocr.outputs.normal.joining import join

if TYPE_CHECKING:
    from rayocr.pdf.document import PdfFile

_IN_MEMORY_BYTES = 4 << 20


class MarkdownOutput(Output):
    name: ClassVar[str] = "markdown"
    suffix: ClassVar[str] = ".md"
    flowing: ClassVar[bool] = True

    def __init__(
        self, file: BinaryIO, context: DocumentContext, *, config: OutputConfig | None = None, source: PdfFile | None = None
    ) -> None:
        super().__init__(file, context, config=config, source=source)
        self._settings = self.config.markdown
        self._dest = self.file
        self._held = ""  # the end of the previous page, which may continue on the next one
        self._matter = _FrontMatter(context) if self._settings.front_matter else None
        if self._matter is not None:  # the front matter is at the start of the file, but its values are known only at the end
            self.file = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))  # noqa: SIM115 - see close

    def page(self, record: PageRecord) -> None:
        if self._matter is not None:
            self._matter.add(record)
        mark = f"<!-- page {record.page_number} -->"
        notice = failure_notice(record)
        text = f"> **{notice}**" if notice else record.text.strip()
        doubt = f"<!-- doubtful: {', '.join(record.doubts)} -->" if record.doubts else ""
        if self._settings.join and self._held and text and not notice:
            joined = join(self._held, f"{mark} {doubt}".rstrip(), text)
            if joined is not None:
                below = joined.below.strip("\n")
                self._held = f"{joined.above}\n\n{below}" if below else joined.above
                return
        self._write_held()
        self.write(("\n" if record.page_number > 1 else "") + f"{mark}\n" + (f"{doubt}\n" if doubt else ""))
        self._held = "" if notice else text
        if notice:
            self.write(f"\n{text}\n")
        if not self._settings.join:
            self._write_held()

    def finish(self) -> None:
        self._write_held()
        if self._matter is not None:
            body, self.file = self.file, self._dest
            with body:
                self.write(self._matter.text())
                body.seek(0)
                shutil.copyfileobj(body, self.file)

    def close(self) -> None:
        if self._matter is not None and self.file is not self._dest:
            self.file.close()

    def _write_held(self) -> None:
        if self._held:
            self.write(f"\n{self._held}\n")
        self._held = ""


class _FrontMatter:
    """Writes YAML with JSON strings, which are valid YAML and need no other quoting rules."""

    def __init__(self, context: DocumentContext) -> None:
        self._context = context
        self._engines: Counter[str] = Counter()
        self._models: set[str] = set()
        self._outcomes: dict[PageOutcome, list[int]] = {}
        self._doubts: dict[str, list[int]] = {}

    def add(self, record: PageRecord) -> None:
        if record.engine:
            self._engines[record.engine] += 1
        if record.model:
            self._models.add(record.model)
        if record.outcome in (PageOutcome.FAILED, PageOutcome.BLANK):
            self._outcomes.setdefault(record.outcome, []).append(record.page_number)
        for doubt in record.doubts:
            self._doubts.setdefault(doubt, []).append(record.page_number)

    def text(self) -> str:
        document = self._context.document
        lines = [
            "---",
            f"title: {_quoted(self._context.title or document.name.rpartition('/')[2])}",
            f"source: {_quoted(document.source_uri)}",
            f"source_version: {_quoted(document.version)}",
            f"document_id: {_quoted(document.document_id)}",
            f"pages: {self._context.page_count}",
            "engines:" if self._engines else "engines: {}",
            *(f"  {engine}: {count}" for engine, count in sorted(self._engines.items())),
            f"models: [{', '.join(map(_quoted, sorted(self._models)))}]",
            *(f"{outcome.value}_pages: {_quoted(format_runs(pages))}" for outcome, pages in sorted(self._outcomes.items())),
            *(f"{doubt}_pages: {_quoted(format_runs(pages))}" for doubt, pages in sorted(self._doubts.items())),
            f"run: {_quoted(self._context.run_id)}",
            f"date: {_quoted(datetime.now(UTC).isoformat(timespec='seconds'))}",
            "---",
        ]
        return "\n".join(lines) + "\n\n"


def _quoted(text: str) -> str:
    """Replaces lone surrogates, which YAML cannot contain."""
    return json.dumps(text.encode("utf-8", "replace").decode("utf-8"), ensure_ascii=False)
