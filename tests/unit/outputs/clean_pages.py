"""Makes clean PDFs from texts, for tests and for the benchmark with many random pages."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import pypdfium2
from rapidfuzz.distance import Levenshtein

from rayocr.config import CleanPdfConfig, OutputConfig
from rayocr.messages import Attempt, Document, DocumentContext, PageOutcome, PageRecord
from rayocr.outputs.clean_pdf import CleanPdfOutput
from rayocr.pdf.document import PdfFile


def document_context(pages: int, *, title: str | None = "A title", name: str = "sub/a.pdf") -> DocumentContext:
    document = Document(
        document_id="ab", source_uri=f"file:///in/{name}", name=name, output_name=name[:-4], version="1", size_bytes=1
    )
    return DocumentContext(document=document, page_count=pages, title=title, fencing_token=1)


def clean_pdf(
    texts: Sequence[str],
    *,
    config: CleanPdfConfig | None = None,
    source: PdfFile | None = None,
    failed: Mapping[int, str] | None = None,
) -> tuple[bytes, tuple[str, ...]]:
    """Returns the file and its notes. `failed`: reasons by page number."""
    file = io.BytesIO()
    output = CleanPdfOutput(
        file, document_context(len(texts)), config=OutputConfig(clean_pdf=config or CleanPdfConfig(timeout_s=600)), source=source
    )
    try:
        output.begin()
        for number, text in enumerate(texts, start=1):
            reason = (failed or {}).get(number)
            output.page(
                PageRecord(
                    document_id="ab",
                    page_number=number,
                    outcome=PageOutcome.FAILED if reason else PageOutcome.DONE if text else PageOutcome.BLANK,
                    text=text,
                    attempts=(Attempt(engine="gemini", reason=reason),) if reason else (),
                )
            )
        output.finish()
    finally:
        output.close()
    return file.getvalue(), output.notes


def pages_of(data: bytes) -> list[str]:
    """Returns the text that PDFium reads on each page, with single spaces."""
    with pypdfium2.PdfDocument(data) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def lines_of(data: bytes) -> list[list[str]]:
    """Returns the lines that PDFium reads on each page."""
    with pypdfium2.PdfDocument(data) as document:
        return [[line.strip() for line in page.get_textpage().get_text_range().splitlines()] for page in document]


def sizes_of(data: bytes) -> list[tuple[float, float]]:
    with pypdfium2.PdfDocument(data) as document:
        return [page.get_size() for page in document]


def character_error_rate(expected: str, found: str) -> float:
    return Levenshtein.distance(expected, found) / max(1, len(expected))
