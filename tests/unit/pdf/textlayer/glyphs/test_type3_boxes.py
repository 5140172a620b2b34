"""Fonts of drawn glyphs (Type 3) often declare a bounding box that has nothing to do with their letters."""

from __future__ import annotations

import pytest

from rayocr.engines.textlayer import TextLayerEngine
from rayocr.pdf.document import PdfFile
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import to_unicode

LETTERS = "ABCDEFGHIJKLMNOP"


def page_with_heading(font_box: str) -> bytes:
    """A heading in a Type 3 font, and text below it."""
    names = " ".join(f"/{letter}" for letter in LETTERS)
    procedures = " ".join(f"/{letter} 7 0 R" for letter in LETTERS)
    font = (
        f"<< /Type /Font /Subtype /Type3 /FontBBox {font_box} /FontMatrix [0.001 0 0 0.001 0 0] /CharProcs << {procedures} >> "
        f"/Encoding << /Type /Encoding /Differences [65 {names}] >> /FirstChar 65 /LastChar 80 /Widths [{'700 ' * 16}] "
        "/ToUnicode 6 0 R /Resources << >> >>"
    )
    text = b"".join(
        b"BT /F1 11 Tf 72 %d Td (All of these words fill the line of the page %d) Tj ET " % (690 - 14 * n, n) for n in range(12)
    )
    content = b"BT /F2 24 Tf 72 720 Td (ABCDEFGH) Tj ET " + text
    glyph = pdfs.stream(b"700 0 0 0 600 700 d1 100 0 400 700 re f")
    extra = {5: font.encode(), 6: to_unicode({letter: letter for letter in LETTERS}), 7: glyph}
    return pdfs.reindexed(pdfs.pages_of(content=content, extra=extra).replace(b"<< /F1", b"<< /F2 5 0 R /F1"))


@pytest.mark.parametrize(
    "font_box", ["[0 -200 1000 800]", "[0 0 0 0]", "[0 0 1 1]", "[-5000 -9000 9000 9000]", "[0 -2000 1000 0]"]
)
def test_a_heading_is_where_it_is_drawn(font_box: str) -> None:
    with PdfFile(page_with_heading(font_box), max_pixels=4_000_000) as file, file.page(1) as page:
        heading = next(line for line in page.text_layer().lines if line.text.startswith("ABC"))
        answer = TextLayerEngine().recognize(page)
    assert 95 < heading.y0 < 110  # the glyphs reach from 105 to 122
    assert 115 < heading.y1 < 130
    assert answer is not None
    assert answer.text.startswith("# ABCDEFGH")


def test_a_line_with_a_large_initial_stays_where_its_words_are() -> None:
    initial = b"BT /F1 40 Tf 72 686 Td (T) Tj ET BT /F1 11 Tf 98 706 Td (he Center is an independent office) Tj ET "
    text = b"".join(b"BT /F1 11 Tf 98 %d Td (All of these words fill the line %d) Tj ET " % (692 - 14 * n, n) for n in range(4))
    with PdfFile(pdfs.pages_of(content=initial + text), max_pixels=4_000_000) as file, file.page(1) as page:
        lines = {line.text: line for line in page.text_layer().lines}
    first = next(line for text, line in lines.items() if "he Center is an independent office" in text)
    assert 120 < first.y1 < 146
    assert len(lines) in (5, 6)


def test_words_stay_apart_where_every_letter_declares_a_wide_box() -> None:
    procedures = " ".join(f"/{letter} 7 0 R" for letter in LETTERS)
    names = " ".join(f"/{letter}" for letter in LETTERS)
    font = (
        f"<< /Type /Font /Subtype /Type3 /FontBBox [0 -300 1100 1000] /FontMatrix [0.001 0 0 0.001 0 0] /CharProcs << "
        f"{procedures} /blank 8 0 R >> /Encoding << /Type /Encoding /Differences [32 /blank 65 {names}] >> "
        f"/FirstChar 32 /LastChar 80 /Widths [280 {'0 ' * 32} {'600 ' * 16}] /ToUnicode 6 0 R /Resources << >> >>"
    )
    content = b"BT /F2 12 Tf 72 720 Td (BEAD DEAF FADE) Tj ET"
    glyph, blank = (pdfs.stream(b"600 0 0 -300 1100 1000 d1 " + drawing) for drawing in (b"100 0 400 700 re f", b""))
    extra = {5: font.encode(), 6: to_unicode({letter: letter for letter in LETTERS + " "}), 7: glyph, 8: blank}
    data = pdfs.reindexed(pdfs.pages_of(content=content, extra=extra).replace(b"<< /F1", b"<< /F2 5 0 R /F1"))
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(1) as page:
        assert [line.text for line in page.text_layer().lines] == ["BEAD DEAF FADE"]


@pytest.mark.parametrize("letter", ["一", "ー"])
def test_a_letter_of_one_level_stroke_is_a_letter(letter: str) -> None:
    """Browsers embed variable fonts as Type 3, and a wide glyph may be a drawn word."""
    data = page_with_heading("[0 0 0 0]").replace(b"d1 100 0 400 700 re f", b"d1 50 350 650 40 re f ")
    data = data.replace(b"7 0 0 0 600 700 d1", b"7 0 50 350 700 390 d1")
    meanings = to_unicode(dict.fromkeys(LETTERS, letter))
    old = to_unicode({name: name for name in LETTERS})
    with PdfFile(pdfs.reindexed(data.replace(old, meanings)), max_pixels=4_000_000) as file, file.page(1) as page:
        layer = page.text_layer()
    assert layer.verdict.trusted
    assert letter in layer.text
