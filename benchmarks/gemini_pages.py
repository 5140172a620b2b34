"""Documents for the Gemini benchmark: scanned pages of about 80 KB with a line of text each, or born-digital pages full of text.

The simulator answers with this text, so that every page is different and a mix-up is visible.
"""

from __future__ import annotations

import io
import random
import re
from pathlib import Path

import pypdfium2
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

_PROJECT = Path(__file__).parents[1]
_SCAN = _PROJECT / "samples" / "scan.pdf"
_PAGES_A_DOCUMENT = 100


def make_documents(folder: Path, pages: int, *, page_bytes: int = 80_000, pages_a_document: int = _PAGES_A_DOCUMENT) -> Path:
    """Creates this many pages below the folder, in documents of at most `pages_a_document`."""
    folder.mkdir(parents=True)
    picture = ImageReader(io.BytesIO(_jpeg(page_bytes)))
    for first in range(1, pages + 1, pages_a_document):
        canvas = Canvas(str(folder / f"{first:06}.pdf"), pagesize=(595, 842), pageCompression=1, invariant=1)
        for number in range(first, min(first + pages_a_document, pages + 1)):
            canvas.drawImage(picture, 0, 0, width=595, height=842)
            canvas.drawString(72, 820, f"Page {number} of the benchmark, unlike any other.")
            canvas.showPage()
        canvas.save()
    return folder


def make_text_documents(folder: Path, pages: int, *, lines: int = 45) -> Path:
    """Creates documents like `make_documents`, with born-digital pages of about 3,000 characters: each line has ten
    consecutive words of this project's documents, and numbers."""
    folder.mkdir(parents=True)
    rl_config.useA85 = 0  # compressed as other programs do it, without ASCII85 around it
    words = re.findall(r"[A-Za-z]{2,14}", (_PROJECT / "docs" / "architecture.md").read_text("utf-8"))
    for first in range(1, pages + 1, _PAGES_A_DOCUMENT):
        canvas = Canvas(str(folder / f"{first:06}.pdf"), pagesize=(595, 842), pageCompression=1, invariant=1)
        for number in range(first, min(first + _PAGES_A_DOCUMENT, pages + 1)):
            canvas.setFont("Helvetica", 9)
            chance = random.Random(number)
            for line in range(lines):
                at = chance.randrange(len(words) - 10)
                some = " ".join(words[at : at + 10])
                canvas.drawString(60, 800 - 16 * line, f"{number}.{line} {some} {chance.randrange(10_000)}.")
            canvas.showPage()
        canvas.save()
    return folder


def _jpeg(size_bytes: int) -> bytes:
    """Returns the sample scan, at the resolution that results in about this size."""
    with pypdfium2.PdfDocument(_SCAN) as document:
        dpi, data = 20, b""
        while len(data) < size_bytes:
            dpi += 10
            encoded = io.BytesIO()
            document[0].render(scale=dpi / 72).to_pil().convert("L").save(encoded, "JPEG", quality=75)
            data = encoded.getvalue()
    return data
