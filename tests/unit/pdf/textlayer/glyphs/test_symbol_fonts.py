"""Bullets, check marks and other signs of symbol fonts are read as the signs that a person sees."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.form_pages import form_page, rect
from tests.unit.pdf.textlayer.drawings import page_with_font, texts_of

LETTERS = {char: char for char in "abcdefghijklmnopqrstuvwxyz "}


def marked(code: str, font: str) -> list[str]:
    """The lines of a page with a word after a glyph of this font."""
    content = b"BT /F2 12 Tf 72 700 Td (#) Tj /F1 12 Tf 20 0 Td (and so many words) Tj ET"
    return texts_of(page_with_font(content, {"#": code}, name=font))


@pytest.mark.parametrize(
    ("font", "code", "seen"),
    [
        ("ABCDEF+Wingdings-Regular", "\uf0fc", "✓"),
        ("Wingdings", "\uf0a8", "☐"),
        ("Wingdings", "\uf0fe", "☑"),
        ("Wingdings", "\uf082", "②"),
        ("Wingdings-Regular", "ü", "✓"),
        ("Wingdings", "l", "●"),
        ("Wingdings2", "\uf050", "✓"),
        ("Wingdings3", "\uf075", "▶"),
        ("Webdings", "a", "✓"),
        ("ABCDEF+SymbolMT", "\uf0b7", "•"),
        ("Symbol", "\uf061", "α"),
        ("ZapfDingbatsITCbyBT-Regular", "\uf034", "✔"),
        ("UniversalStd-NewswithCommPi", "a", "▶"),
        ("ABCDEF+Carlito", "\uf0b7", "•"),
        ("Minion-Expert", "\uf731", "1"),
        ("CMEX10", "\uf8f4", "⎪"),
    ],
)
def test_a_glyph_of_a_symbol_font_is_the_sign_that_it_draws(font: str, code: str, seen: str) -> None:
    assert marked(code, font) == [f"{seen} and so many words"]


def test_digits_of_the_old_style_and_small_capitals_are_digits_and_letters() -> None:
    mapping = LETTERS | {"#": "\uf731", "$": "\uf739", "%": "\uf76e", "&": "\uf761"}
    page = b"BT /F2 12 Tf 72 700 Td (the year #$$# of %&%) Tj ET"
    assert texts_of(page_with_font(page, mapping, name="Minion-Expert")) == ["the year 1991 of NAN"]


def test_letters_of_other_fonts_and_words_in_a_symbol_font_stay() -> None:
    assert marked("l", "Helvetica") == ["l and so many words"]
    assert texts_of(page_with_font(b"BT /F2 12 Tf 72 700 Td (all words) Tj ET", LETTERS, name="Wingdings")) == ["all words"]


def test_a_picture_of_a_font_of_icons_is_no_text() -> None:
    assert marked("\uf095", "FontAwesome") == ["and so many words"]


def test_a_box_of_the_page_under_a_check_box_is_not_read_twice() -> None:
    field = f"/FT /Btn /T (a) /AS /Off {rect(0, width=12, height=12)} /AP << /N << /Yes 40 0 R /Off 40 0 R >> >>"
    content = b"BT /ZaDb 12 Tf 101 642 Td (o) Tj /F1 12 Tf 25 0 Td (Single, or some other words) Tj ET"
    lines = texts_of(pdfs.reindexed(form_page([field], appearances={40: b""}, content=content)))
    assert sorted(lines) == ["Single, or some other words", "[ ]"]
