"""Fonts that declare letters without height, or with much more than they draw."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.forms.test_drawn_boxes import read
from tests.unit.pdf.textlayer.drawings import texts_of

DECLARED = {
    "flat": (100, -50, "0 -50 1000 100"),
    "zero": (0, 0, "0 0 0 0"),
    "tall": (3000, -2000, "-500 -2000 2000 3000"),
    "upside down": (-900, 200, "0 200 1000 -900"),
}


def page(kind: str, lines: list[str], entries: str = "", matrix: str = "1 0 0 1 72 {y}") -> bytes:
    ascent, descent, box = DECLARED[kind]
    widths = " ".join(["500"] * 95)
    extra = {
        40: f"<< /Type /Font /Subtype /TrueType /BaseFont /Arial /FirstChar 32 /LastChar 126 /Widths [{widths}] "
        "/Encoding /WinAnsiEncoding /FontDescriptor 41 0 R >>".encode(),
        41: f"<< /Type /FontDescriptor /FontName /Arial /Flags 32 /FontBBox [{box}] /ItalicAngle 0 /Ascent {ascent} "
        f"/Descent {descent} /CapHeight 700 /StemV 80 >>".encode(),
    }
    content = "".join(f"BT /F2 11 Tf {matrix.format(y=700 - 14 * n)} Tm ({line}) Tj ET " for n, line in enumerate(lines))
    data = pdfs.pages_of((entries,), content=content.encode(), extra=extra)
    return pdfs.reindexed(data.replace(b"<< /F1", b"<< /F2 40 0 R /F1"))


LINES = ["The sum was 12.50, or 1,204.75", "in all. Nobody asked for it."]


@pytest.mark.parametrize("kind", DECLARED)
def test_numbers_have_no_spaces_and_lines_are_whole(kind: str) -> None:
    assert texts_of(page(kind, LINES)) == LINES
    assert read(page(kind, LINES)) == " ".join(LINES)


@pytest.mark.parametrize("kind", DECLARED)
def test_text_of_a_rotated_page_is_whole(kind: str) -> None:
    assert texts_of(page(kind, LINES[:1], "/Rotate 90", "0 1 -1 0 300 72")) == LINES[:1]
