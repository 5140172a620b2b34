"""Numbers whose glyphs show other digits than the font's map says are left to OCR."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rayocr.pdf.textlayer.glyphs.wrong_digits import _are_swapped, _are_tabular, _differ, _Shape
from tests.unit.pdf.pdfs import pages_of
from tests.unit.pdf.textlayer.drawings import layer_of, page_with_font

BODY = b"BT /F1 12 Tf 72 780 Td 15 TL " + b" ".join(b"(The keeper of the light wrote into his ledger.) Tj T*" for _ in range(9))
BODY += b" ET "
NUMBERS = "Stock 8,139.52 and 4,250.75, due 9,917.43 or 13,806.20"
CHARACTERS = {char: char for char in sorted(set(NUMBERS))}


def page(mapping: Mapping[str, str], *, text: str = NUMBERS, matrix: str = "1 0 0 1 72 400", name: str = "Helvetica") -> bytes:
    content = BODY + f"BT /F2 12 Tf {matrix} Tm ({text}) Tj ET".encode()
    return page_with_font(content, {**CHARACTERS, **mapping}, name=name)


@pytest.mark.parametrize(
    "mapping",
    [
        {"6": "8"},
        {"4": "1", "7": "1"},
        dict.fromkeys("0123456789", "0"),
        {"5": " "},
        {".": " "},
        {digit: str((int(digit) + 3) % 10) for digit in "0123456789"},
        {",": ".", ".": ","},
        {"0": "O", "1": "l"},
    ],
    ids=lambda mapping: " ".join(f"{shown}→{said}" for shown, said in mapping.items()),
)
@pytest.mark.parametrize("matrix", ["1 0 0 1 72 400", "0 1 -1 0 300 200", "0.9 0 0 1 72 400"])
def test_a_map_that_changes_numbers_is_not_used(mapping: dict[str, str], matrix: str) -> None:
    layer = layer_of(page(mapping, matrix=matrix))
    assert layer.verdict.kind == "partial"
    assert {line.text for line in layer.lines} == {"The keeper of the light wrote into his ledger."}


@pytest.mark.parametrize("name", ["Helvetica", "Times-Roman", "Courier-Bold", "Helvetica-Oblique"])
@pytest.mark.parametrize(
    "matrix",
    ["1 0 0 1 72 400", "0 1 -1 0 300 200", "-1 0 0 -1 500 400", "0.8 0 0 1 72 400", ".9 .4 -.4 .9 72 200", "1 .3 0 1 72 200"],
)
def test_a_map_that_says_what_is_seen_is_used(name: str, matrix: str) -> None:
    layer = layer_of(page({}, matrix=matrix, name=name))
    assert layer.verdict.trusted
    assert NUMBERS.split()[1] in layer.text


@pytest.mark.parametrize("said", ["+", "\u00a0", "\u2009", "\u3000"])
def test_a_minus_with_another_meaning_is_left_to_ocr(said: str) -> None:
    text = "Stock -8,139.52 and -4,250.75, due -13,806.20"
    assert "139" in layer_of(page({"-": "-"}, text=text)).text
    assert "139" not in layer_of(page({"-": said}, text=text)).text


def test_a_sign_without_a_meaning_before_a_number_is_left_to_ocr() -> None:
    assert layer_of(page({"$": "\ufffd"}, text="Balance $1,240.00")).verdict.kind == "partial"


def test_digits_of_one_font_in_two_sizes_and_widths_are_the_same_digits() -> None:
    lines = f"BT /F1 12 Tf 72 400 Td ({NUMBERS}) Tj 0 -30 Td /F1 7 Tf 80 Tz ({NUMBERS}) Tj 0 -30 Td 3 Tc 5 Ts ({NUMBERS}) Tj ET"
    assert layer_of(pages_of(content=BODY + lines.encode())).verdict.trusted


@pytest.mark.parametrize("text", ["Codes I25.1, B12 and H2O, 20l of oil, 1st, O2, 100l, 3 Ol"])
def test_letters_beside_numbers_are_letters(text: str) -> None:
    assert layer_of(pages_of(content=BODY + f"BT /F1 12 Tf 72 400 Td ({text}) Tj ET".encode())).verdict.trusted


def test_the_low_point_of_an_arabic_font_is_no_comma() -> None:
    """Measured in Noto Naskh Arabic. All numbers of its pages were left to OCR, which reads no digits among Arabic words."""
    point, comma = _Shape(0.5874, 0.078, -0.039, 0.0726), _Shape(0.5634, 0.1471, -0.0702, 0.0906)
    digits = {"4": {_Shape(0.9283, 0.4376, 0.0, 0.3187)}, "0": {_Shape(0.8287, 0.4472, -0.0054, 0.2845)}}
    assert not _are_swapped({".": point, ",": comma}, digits)
    assert _are_swapped({".": comma, ",": point}, digits)


def test_tabular_digits_of_another_style_are_the_same_digits() -> None:
    """Measured on a tax form: "21" and "21a" are set in two widths of one font, and the strokes do not grow with the width."""
    digits = {
        "1": {_Shape(0.6179, 0.5384, 0.0, 0.2903), _Shape(0.6151, 0.5384, 0.0, 0.2997)},
        "2": {_Shape(0.7736, 0.548, 0.0, 0.3634), _Shape(0.7655, 0.548, 0.0, 0.3729)},
        "3": {_Shape(0.7531, 0.5583, -0.0103, 0.3538)},
        "4": {_Shape(0.8632, 0.5369, 0.0, 0.4055)},
        "5": {_Shape(0.7453, 0.5473, -0.0103, 0.3501)},
    }
    assert _are_tabular(digits)
    assert not any(_differ(shapes, tabular=True) for shapes in digits.values())
    assert _differ({*digits["3"], _Shape(0.8113, 0.5613, -0.0118, 0.3811)}, tabular=True)  # an 8
