"""Defines the result of `rayocr.read`: a document and its pages."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rayocr.messages import Document, DocumentContext, PageOutcome, PageRecord

_HEADING = re.compile("#{1,6} ")


class PdfBytes(bytes):
    """The bytes of a PDF. A notebook shows their size, not the bytes."""

    def __repr__(self) -> str:
        return f"<PDF, {len(self):,} bytes>"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPage:
    """A page. `number` is 1-based. `text` is Markdown. `outcome` is done, blank, fallback or failed. `reason` is the class of
    rayocr.errors that explains why a page failed. `doubts`: low_confidence, suspect, …"""

    number: int
    text: str
    outcome: str
    engine: str = ""
    reason: str = ""
    message: str = ""
    doubts: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        from rayocr.outputs.page_html import html_of

        facts = " · ".join(filter(None, (self.outcome, self.engine, self.reason, *self.doubts)))
        return f"<section><p><b>Page {self.number}</b> <small>{escape(facts)}</small></p>{html_of(self.text)}</section>"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReadDocument:
    """A document that was read. `outcome` is complete or partial. `cost_usd` is None if the price of a model is unknown."""

    name: str
    outcome: str
    pages: Sequence[ReadPage]
    title: str | None = None
    cost_usd: float | None = 0.0
    models: tuple[str, ...] = ()

    def __repr__(self) -> str:
        pages = "1 page" if len(self.pages) == 1 else f"{len(self.pages):,} pages"
        return f"<ReadDocument {self.name!r}: {self.outcome}, {pages}>"

    @property
    def markdown(self) -> str:
        """The Markdown of all pages; each begins with `<!-- page 3 -->`."""
        return "".join(f"<!-- page {page.number} -->\n\n{page.text}\n\n" for page in self.pages)

    @property
    def text(self) -> str:
        """The text of all pages, without page marks."""
        return "\n\n".join(page.text for page in self.pages if page.text)

    @property
    def failed(self) -> list[ReadPage]:
        """The pages that could not be read, each with its reason."""
        return [page for page in self.pages if page.outcome == PageOutcome.FAILED]

    @property
    def _heading(self) -> str | None:
        """Returns the first heading as plain text."""
        for page in self.pages:
            for line in page.text.splitlines():
                if _HEADING.match(line):
                    return re.sub(r"[*_`\\]", "", line.strip("# \t")) or None
        return None

    def to_pdf(self, path: str | Path | None = None) -> PdfBytes:
        """Returns a PDF with the text typeset, one page for each page of the source. Its title is that of the source, otherwise
        the first heading, otherwise the name. Writes it to `path`, if given. Blocks for about 30 ms per page."""
        from rayocr.outputs.clean_pdf import CleanPdfOutput
        from rayocr.outputs.page_pipeline import PagePipeline

        document = Document(document_id="0" * 32, source_uri=self.name, name=self.name, output_name="", version="", size_bytes=0)
        context = DocumentContext(
            document=document, page_count=len(self.pages), title=self.title or self._heading, fencing_token=0
        )
        made = io.BytesIO()
        writer = CleanPdfOutput(made, context)
        try:
            writer.begin()
            pipeline = PagePipeline(writer.config.markdown, [writer])
            for page in self.pages:
                pipeline.add(
                    PageRecord(
                        document_id=document.document_id,
                        page_number=page.number,
                        outcome=PageOutcome(page.outcome),
                        text=page.text,
                        engine=page.engine,
                    )
                )
            pipeline.finish()
        finally:
            writer.close()
        if path is not None:
            Path(path).write_bytes(made.getvalue())
        return PdfBytes(made.getvalue())

    def _repr_html_(self) -> str:
        head = f"<h3>{escape(self.name)}</h3><p>{len(self.pages)} pages, {escape(self.outcome)}</p>"
        return head + "".join(page._repr_html_() for page in self.pages[:20])
