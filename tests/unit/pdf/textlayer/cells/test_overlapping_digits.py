"""Cells whose text is too long: its last digits cover the first digits of the next cell."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import layer_of

SENTENCE = b"BT /F1 10 Tf 72 600 Td (The wardens of the northern district reported three bridges.) Tj ET "


def cells(first: str, second: str, x: float) -> bytes:
    content = f"BT /F1 8.4 Tf 142 700 Td ({first}) Tj ET BT /F1 8.4 Tf {x} 700 Td ({second}) Tj ET "
    return pdfs.pages_of(content=content.encode() + SENTENCE)


def test_numbers_of_two_cells_that_overlap_are_two_numbers() -> None:
    layer = layer_of(cells("DE02120300000000202051", "4012", 242))
    assert [line.text for line in layer.lines][:2] == ["DE02120300000000202051", "4012"]
    assert layer.verdict.trusted


def test_a_digit_that_pdfium_omits_where_cells_overlap_is_read_by_ocr() -> None:
    layer = layer_of(cells("DE0212030000000020205100", "4013", 242))
    assert "4013" not in layer.text
    assert layer.verdict.kind == "partial"


def retyped(number: str) -> bytes:
    old = b"BT /F1 12 Tf 72 700 Td (Total 500) Tj ET 1 g 100 695 60 20 re f 0 g "
    return pdfs.pages_of(content=old + f"BT /F1 12 Tf 102.02 700 Td ({number}) Tj ET ".encode() + SENTENCE)


@pytest.mark.parametrize("number", ["900", "505", "9001", "1900"])
def test_a_number_that_is_typed_over_another_one_with_some_equal_digits_is_read_by_ocr(number: str) -> None:
    """PDFium omits the digits that are equal: 900 over 500 was 9, and 505 was 5005."""
    layer = layer_of(retyped(number))
    assert layer.verdict.kind == "partial"
    assert layer.lines[0].text == "Total"


@pytest.mark.parametrize("number", ["500", "942", "12.75"])
def test_a_number_that_is_typed_over_another_one_without_equal_digits_is_in_the_layer(number: str) -> None:
    layer = layer_of(retyped(number))
    assert number in layer.text
    assert layer.verdict.trusted
