"""Digits with counters that a font's map exchanges are left to OCR; ordinary fonts are trusted."""

from __future__ import annotations

import ctypes
from io import BytesIO

import pypdfium2.raw as pdfium
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from rayocr.pdf.textlayer.outlines.digits import has_other_digits
from tests.unit.pdf.textlayer.drawings import layer_of, page_with_font

BODY = (
    b"BT /F1 12 Tf 72 780 Td 15 TL "
    + b" ".join(b"(The keeper of the light wrote into his ledger.) Tj T*" for _ in range(30))
    + b" ET "
)
LINE = "Invoice 60981, total 9,860.89"
FONTS = ["Helvetica", "Times-Roman", "Courier", "Times-BoldItalic"]


def read(name: str, *exchanged: str) -> list[str]:
    names = dict(zip(exchanged, exchanged[1:] + exchanged[:1], strict=True))
    mapping = {char: names.get(char, char) for char in LINE}
    content = BODY + f"BT /F2 12 Tf 72 200 Td ({LINE}) Tj ET".encode()
    return [line.text for line in layer_of(page_with_font(content, mapping, name=name)).lines]


@pytest.mark.parametrize("name", FONTS)
@pytest.mark.parametrize("exchanged", ["69", "08", "60", "089", "0689"])
def test_digits_that_changed_places_are_left_to_ocr(name: str, exchanged: str) -> None:
    assert not [text for text in read(name, *exchanged) if "Invoice" in text]


@pytest.mark.parametrize("name", FONTS[:2])
@pytest.mark.parametrize("exchanged", ["38", "25", "37", "04", "46", "1827"])
def test_digits_without_counters_that_changed_places_are_left_to_ocr(name: str, exchanged: str) -> None:
    line = "Invoice 12345678, total 9,860.71"
    names = dict(zip(exchanged, exchanged[1:] + exchanged[:1], strict=True))
    content = BODY + f"BT /F2 12 Tf 72 200 Td ({line}) Tj ET".encode()
    layer = layer_of(page_with_font(content, {char: names.get(char, char) for char in line}, name=name))
    assert not [text for text in layer.lines if "Invoice" in text.text]


@pytest.mark.parametrize("name", FONTS)
def test_digits_of_ordinary_fonts_are_read(name: str) -> None:
    assert read(name)[-1] == LINE


@pytest.mark.parametrize("name", FONTS)
def test_all_ten_digits_of_ordinary_fonts_are_read(name: str) -> None:
    content = BODY + b"BT /F2 12 Tf 72 200 Td (Invoice 1234567890) Tj ET"
    assert layer_of(page_with_font(content, {char: char for char in "Invoice 1234567890"}, name=name)).lines[-1].text == (
        "Invoice 1234567890"
    )


OUTLINES = {  # corners and, between them, control points of quadratic curves in brackets, as points of 1/1000 em
    "3": "50,700 450,700 450,640 260,430 (500,420) 480,210 (450,-10) 230,-10 (100,-10) 40,60 80,130 (160,60) 230,60 "
    "(390,60) 390,210 (390,350) 210,350 180,350 180,410 350,620 50,620",
    "5": "80,700 440,700 440,620 160,620 160,430 (480,470) 480,210 (450,-10) 230,-10 (100,-10) 40,60 80,130 (160,60) 230,60 "
    "(390,60) 390,210 (390,370) 210,370 (140,370) 80,330",
    "7": "50,700 450,700 450,640 220,0 130,0 350,620 50,620",
}


def has_exchanged(three: str = "3") -> bool:
    """Returns the answer for a font whose 3 has the outline of `three`."""
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", *"357"])
    builder.setupCharacterMap({ord(digit): digit for digit in "357"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "3": glyph_of(three), "5": glyph_of("5"), "7": glyph_of("7")})
    builder.setupHorizontalMetrics(dict.fromkeys(builder.font.getGlyphOrder(), (550, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Level Tops", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    file = BytesIO()
    builder.save(file)
    data = (ctypes.c_uint8 * len(file.getvalue())).from_buffer_copy(file.getvalue())
    document = pdfium.FPDF_CreateNewDocument()
    font = pdfium.FPDFText_LoadFont(document, data, len(data), pdfium.FPDF_FONT_TRUETYPE, 0)
    try:
        return has_other_digits(font, "357")
    finally:
        pdfium.FPDFFont_Close(font)
        pdfium.FPDF_CloseDocument(document)


def glyph_of(digit: str) -> object:
    pen = TTGlyphPen(None)
    points = [tuple(map(int, part.strip("()").split(","))) for part in OUTLINES[digit].split()]
    is_control = [part.startswith("(") for part in OUTLINES[digit].split()]
    pen.moveTo(points[0])
    for n in range(1, len(points)):
        if is_control[n - 1]:
            pen.qCurveTo(points[n - 1], points[n])
        elif not is_control[n]:
            pen.lineTo(points[n])
    pen.closePath()
    return pen.glyph()


def test_a_three_with_a_level_top_is_read() -> None:
    assert not has_exchanged()


@pytest.mark.parametrize("other", "57")
def test_another_digit_with_a_level_top_in_place_of_a_three_is_left_to_ocr(other: str) -> None:
    assert has_exchanged(three=other)
