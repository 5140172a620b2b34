"""A minus or dash that its font maps to no character is recognized by its shape."""

from __future__ import annotations

import pytest

from tests.unit.pdf.textlayer.drawings import page_with_font, texts_of

UNKNOWN = ["\x03", "\x04", "\ufffd"]


def read(text: str, unknown: str, sign: str = "-") -> str:
    """Reads a row of a table in which only the sign is in a font of formulas."""
    content = b"BT /F1 12 Tf 72 700 Td (Distance to the school) Tj ET BT /F2 12 Tf 300 700 Td (%s) Tj /F1 12 Tf (%s) Tj ET"
    return texts_of(page_with_font(content % (sign.encode(), text.encode()), {sign: unknown}))[-1]


@pytest.mark.parametrize("unknown", UNKNOWN)
@pytest.mark.parametrize("number", ["0.42", "1.17", ".05", "2,310"])
def test_a_negative_number_keeps_its_sign(number: str, unknown: str) -> None:
    assert read(number, unknown) == f"\u2212{number}"


def test_a_dash_before_a_word_is_a_dash() -> None:
    assert read("none", "\x03") == "\u2013none"


def test_a_dash_between_a_letter_and_the_end_of_a_line_is_a_hyphen() -> None:
    content = b"BT /F1 12 Tf 72 700 Td (The noun is sin) Tj /F2 12 Tf (-) Tj /F1 12 Tf 0 -14 Td (gular here) Tj ET"
    assert texts_of(page_with_font(content, {"-": "\x0f"})) == ["The noun is sin-", "gular here"]


@pytest.mark.parametrize("sign", ["*", "o", "_", "="])
def test_other_signs_without_a_meaning_do_not_become_dashes(sign: str) -> None:
    assert not read("none", "\x03", sign).startswith(("\u2013", "\u2212"))


@pytest.mark.parametrize("text", ["12.5 # 0.5", "# 1.204,50", "# 3 # 4"])
def test_a_lone_sign_without_a_meaning_before_a_number_is_left_to_ocr(text: str) -> None:
    content = b"BT /F1 12 Tf 72 700 Td (Distance to the school) Tj ET BT /F2 12 Tf 300 700 Td (%s) Tj ET" % text.encode()
    meanings = {char: "\x03" if char == "#" else char for char in text}
    assert texts_of(page_with_font(content, meanings)) == ["Distance to the school"]


def test_a_bullet_without_a_meaning_leaves_its_item_readable() -> None:
    content = b"BT /F1 12 Tf 72 700 Td (We need) Tj ET BT /F2 12 Tf 72 680 Td (# 12 apples and pears) Tj ET"
    meanings = {char: "\x03" if char == "#" else char for char in "# 12 apples and pears"}
    assert "12 apples and pears" in texts_of(page_with_font(content, meanings))[-1]
