"""A glyph that only draws a part of a letter has no text, and no Latin letter is guessed among letters of another script."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from rayocr.pdf.textlayer.glyphs.encodings.guesses import drop_guessed_digits, drop_guesses
from tests.unit.pdf import pdfs

ARABIC = {0x43: "ب", 0x44: "آ", 0x45: "ت", 0x46: "ا"}


def text_of(content: bytes, letters: Mapping[int, str] = ARABIC) -> str:
    """The text of a page in a composite font whose map lacks the glyph 0xF2."""
    rows = " ".join(f"<{code:04x}> <{ord(letter):04x}>" for code, letter in letters.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange {len(letters) + 1} beginbfchar <00f2> <> {rows} endbfchar "
        "endcmap end end"
    )
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Some /Encoding /Identity-H /ToUnicode 6 0 R /DescendantFonts [ "
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+Some /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "
        b"/Supplement 0 >> /FontDescriptor << /Type /FontDescriptor /FontName /ABCDEF+Some /Flags 4 /StemV 80 /Ascent 800 "
        b"/Descent -200 /CapHeight 700 /ItalicAngle 0 /FontBBox [0 -200 1000 800] >> /DW 400"
        b" /W [ 70 [ 300 ] 242 [ 300 ] ] >> ] >>"
    )
    content = b"BT /F2 20 Tf 72 700 Td [" + content + b"] TJ ET"
    data = pdfs.pages_of(content=content, extra={5: font, 6: pdfs.stream(cmap.encode())})
    document = pypdfium2.PdfDocument(pdfs.reindexed(data.replace(b"<< /F1", b"<< /F2 5 0 R /F1")))
    text_page = document[0].get_textpage()
    boxes = (pdfium.FS_RECTF * text_page.count_chars())()
    for n, box in enumerate(boxes):
        pdfium.FPDFText_GetLooseCharBox(text_page.raw, n, box)
    codes = [pdfium.FPDFText_GetUnicode(text_page.raw, n) for n in range(len(boxes))]
    drop_guesses(text_page.raw, codes, np.frombuffer(boxes, np.float32).reshape(len(boxes), 4))
    drop_guessed_digits(text_page.raw, codes)
    document.close()
    return "".join(chr(code) for code in codes if code > 0x20)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<0043> -100 <00f2> 350 <0044> -100 <0045>", "تآب"),  # the stem of the alef
        (b"<0043> -100 <0046> 350 <0044> -100 <0045>", "تآب"),  # the stem has a text, too
        (b"<0043> <00f2> <0045>", "ت\ufffdب"),
        (b"<0043> <0046> <0044>", "آاب"),
    ],
)
def test_a_glyph_without_text_is_no_latin_letter_among_letters_of_another_script(content: bytes, text: str) -> None:
    assert text_of(content) == text


def test_letters_of_a_latin_text_are_not_dropped() -> None:
    codes = [ord(char) for char in "l'été à Zoé"]
    drop_guesses(None, codes, None)
    assert "".join(map(chr, codes)) == "l'été à Zoé"


@pytest.mark.parametrize(
    ("content", "text"), [(b"<0037> <0058> <0057>", "\ufffdut"), (b"<0058> <0057> <0003> <0037> <0035>", "ut75")]
)
def test_a_glyph_without_text_is_no_digit_of_a_word(content: bytes, text: str) -> None:
    assert text_of(content, {0x58: "u", 0x57: "t", 0x03: " "}) == text
