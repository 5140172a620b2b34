"""Fonts that are narrow for their size: PDFium omits the second of two equal letters or digits."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import layer_of, to_unicode

SENTENCE = b"BT /F1 10 Tf 72 600 Td (The wardens of the northern district reported three bridges.) Tj ET "


def page(text: str, size: int) -> bytes:
    """A page with this text in a font whose letters have the width 0.05 and different shapes."""
    codes = range(32, 127)
    shape = b"50 0 0 0 40 70 d1 5 0 m %d %d l 40 %d l 30 0 l f"
    glyphs = {100 + n: pdfs.stream(shape % (5 + n % 13, 20 + n % 50, 70 - n % 29)) for n in codes}
    glyphs[100 + 32] = pdfs.stream(b"50 0 0 0 0 0 d1")
    names = " ".join(f"/g{n}" for n in codes)
    font = (
        "<< /Type /Font /Subtype /Type3 /ToUnicode 6 0 R /FontBBox [0 0 50 70] /FontMatrix [.001 0 0 .001 0 0] "
        f"/CharProcs << {' '.join(f'/g{n} {100 + n} 0 R' for n in codes)} >> /Encoding << /Differences [32 {names}] >> "
        f"/FirstChar 32 /LastChar 126 /Widths [{'50 ' * 95}] >>"
    ).encode()
    content = f"BT /F2 {size} Tf 72 700 Td ({text}) Tj ET ".encode() + SENTENCE
    extra = {6: to_unicode({chr(n): chr(n) for n in codes}), 8: font} | glyphs
    return pdfs.reindexed(pdfs.pages_of(content=content, extra=extra).replace(b"<< /F1", b"<< /F2 8 0 R /F1"))


@pytest.mark.parametrize("text", ["Total 11 and more", "Total 100", "(22)", "will of all"])
def test_a_text_with_an_omitted_letter_is_read_by_ocr(text: str) -> None:
    layer = layer_of(page(text, 120))
    assert layer.verdict.kind == "partial"
    assert text.split()[0] not in layer.text


@pytest.mark.parametrize("text", ["Total 12 and 131", "paid 1 12", "(12) (1)"])
def test_a_text_without_equal_neighbors_is_complete(text: str) -> None:
    layer = layer_of(page(text, 120))
    assert layer.verdict.trusted
    assert text in layer.text
