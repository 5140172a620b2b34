"""Signs of journals' fonts for formulas, whose names are those of letters."""

from __future__ import annotations

import pytest

from tests.unit.pdf.textlayer.drawings import page_with_font, texts_of

MAP = {"(": "ð", ")": "Þ", "=": "¼", "+": "þ", ">": "!", "-": "À", "h": "½", "x": "x", "d": "ð", "T": "Þ"}


def line_of(content: bytes, name: str = "ABCDEF+AdvPi1") -> str:
    words = b"BT /F1 11 Tf 72 600 Td (More words of the article) Tj ET"
    return texts_of(page_with_font(b"BT /F1 11 Tf 72 700 Td " + content + b"ET " + words, MAP, name=name))[0]


FORMULA = b"(y ) Tj /F2 11 Tf (=) Tj /F1 11 Tf ( a ) Tj /F2 11 Tf (+) Tj /F1 11 Tf ( b, ) Tj "
FORMULA += b"/F2 11 Tf (\\() Tj /F1 11 Tf (1) Tj /F2 11 Tf (\\)) Tj "


def test_brackets_and_signs_are_read() -> None:
    assert line_of(FORMULA) == "y = a + b, (1)"


def test_arrows_and_minus_signs_of_a_known_font_are_read() -> None:
    arrow = b"/F2 11 Tf (>) Tj /F1 11 Tf ( OH 10) Tj /F2 11 Tf (-) Tj /F1 11 Tf (13) Tj "
    assert line_of(FORMULA + b"( ) Tj " + arrow, "JLJKAD+AdvP4C4E74") == "y = a + b, (1) → OH 10−13"


def test_an_opening_square_bracket_is_read() -> None:
    assert line_of(FORMULA + b"/F1 11 Tf ( x ) Tj /F2 11 Tf (h) Tj ") == "y = a + b, (1) x ["


@pytest.mark.parametrize("word", [b"(dTx)", b"(TxT d)"])
def test_letters_of_a_font_with_other_letters_stay(word: bytes) -> None:
    assert "ð" in line_of(b"(We ) Tj /F2 11 Tf " + word + b" Tj ")


def test_a_lone_fraction_stays() -> None:
    assert line_of(b"(size 3) Tj /F2 11 Tf (=) Tj ") == "size 3¼"
