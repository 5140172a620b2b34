"""The documents of a scenario. They are small and show the document and page number on every page, so that mixed-up pages are
detected."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

from reportlab.pdfgen.canvas import Canvas

_SAYS = re.compile(r"This is page number (\d+) of the document (\d{4}), which")
# Number of documents out of ten, by number of pages: mostly letters, some reports.
_SIZES = ((6, (1, 3)), (3, (4, 10)), (1, (11, 30)))


@dataclass(frozen=True, slots=True)
class PageName:
    """A page, identified by its printed text."""

    document: int
    page_number: int

    @classmethod
    def said_by(cls, text: str) -> PageName | None:
        """Returns the page that the text names, or None if it names no page or several."""
        said = _SAYS.findall(" ".join(text.split()))
        return cls(int(said[0][1]), int(said[0][0])) if len(said) == 1 else None


@dataclass(frozen=True, slots=True)
class Corpus:
    folder: Path
    page_counts: tuple[int, ...]  # pages of each document

    @classmethod
    def make(cls, folder: Path, documents: int, chance: random.Random) -> Corpus:
        ranges = chance.choices([pages for _, pages in _SIZES], weights=[weight for weight, _ in _SIZES], k=documents)
        corpus = cls(folder, tuple(chance.randint(*pages) for pages in ranges))
        for document in range(documents):
            corpus._write(document)
        return corpus

    def add_hostile(self) -> None:
        """Adds PDFs that must be rejected without affecting other documents."""
        folder = self.folder / "hostile"
        folder.mkdir(parents=True)
        pages = b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 99999>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R>>endobj\n"
        (folder / "count.pdf").write_bytes(
            b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n" + pages + b"trailer<</Root 1 0 R>>\n%%EOF"
        )
        (folder / "deep.pdf").write_bytes(b"%PDF-1.7\n1 0 obj" + b"[" * 200_000 + b"\ntrailer<</Root 1 0 R>>\n%%EOF")
        (folder / "noise.pdf").write_bytes(b"%PDF-1.7\n" + random.Random(7).randbytes(50_000))

    @property
    def page_total(self) -> int:
        return sum(self.page_counts)

    def stem(self, document: int) -> str:
        """Path below source and destination, without the suffix."""
        return f"{document // 100:02}/{document:04}"

    def pages(self, document: int) -> set[PageName]:
        return {PageName(document, number) for number in range(1, self.page_counts[document] + 1)}

    def _write(self, document: int) -> None:
        path = self.folder / f"{self.stem(document)}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        canvas = Canvas(str(path), pageCompression=1, invariant=1)
        for number in range(1, self.page_counts[document] + 1):
            canvas.drawString(72, 720, f"This is page number {number} of the document {document:04}, which was made for")
            canvas.drawString(72, 700, "a run in which processes are killed, paused and removed at any moment.")
            canvas.showPage()
        canvas.save()
