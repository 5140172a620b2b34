"""Digits with counters that a font's map exchanges are left to OCR; ordinary fonts are trusted."""

from __future__ import annotations

import pytest

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
