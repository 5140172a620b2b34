"""Characters as PDFium reports them: invisible ones, letters drawn twice, marks that belong to the letter before them."""

from __future__ import annotations

import ctypes

import pypdfium2.raw as pdfium
import pytest

from rayocr.pdf.textlayer.glyphs.characters import _begins_at
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import HEBREW, page_with_font, texts_of

LATIN = {char: char for char in "abcdefghijklmnopqrstuvwxyz 0123456789.,"}


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u200e", "\u202e", "\u2066", "\u2060", "\U000e0041"])
def test_characters_without_a_form_are_not_text(unseen: str) -> None:
    assert texts_of(page_with_font(b"BT /F2 12 Tf 72 700 Td [(ten#) 556 (teen days)] TJ ET", LATIN | {"#": unseen})) == [
        "tenteen days"
    ]


def shadowed(text: str, *, dx: float, dy: float, size: int = 16) -> bytes:
    """Each letter with its shadow, before the next letter."""
    drawn = b""
    for n, char in enumerate(text.encode()):
        for x, y in ((72 + 0.6 * size * n + dx, 700 + dy), (72 + 0.6 * size * n, 700)):
            drawn += b"BT /F1 %d Tf 1 0 0 1 %.2f %.2f Tm (%c) Tj ET " % (size, x, y, char)
    return drawn


@pytest.mark.parametrize(("dx", "dy"), [(0.4, 0), (1.2, -1.2), (0, -1.5), (-1.0, 0.5)])
def test_a_letter_that_is_drawn_with_its_shadow_is_one_letter(dx: float, dy: float) -> None:
    page = pdfs.reindexed(pdfs.pages_of(content=shadowed("ill 11.00 bill", dx=dx, dy=dy)).replace(b"/Helvetica", b"/Courier"))
    assert texts_of(page) == ["ill 11.00 bill"]


def test_equal_letters_side_by_side_stay() -> None:
    lines = b"(1111 lll iii ... 0.00) Tj 0 -9 Td (1111) Tj 0 -9 Td (1111) Tj -0.6 Tc 0 -20 Td (1100 77 ll) Tj"
    assert texts_of(pdfs.pages_of(content=b"BT /F1 9 Tf 72 700 Td " + lines + b" ET")) == [
        "1111 lll iii ... 0.00",
        "1111",
        "1111",
        "1100 77 ll",
    ]


@pytest.mark.parametrize(
    ("drawn", "text"),
    [
        ("k m", "\u0e04\u0e33"),  # Thai sara am: some fonts name its ring a space
        ("n e", "\u0928\u0947"),  # a Devanagari vowel sign
    ],
)
def test_a_mark_that_cannot_begin_a_word_follows_its_letter(drawn: str, text: str) -> None:
    mapping = {"k": "\u0e04", "m": "\u0e33", "n": "\u0928", "e": "\u0947", " ": " "}
    first, _, second = drawn
    content = f"BT /F2 12 Tf 72 700 Td [({first}) 250 ( ) 20 ({second})] TJ ET".encode()
    assert texts_of(page_with_font(content, mapping)) == [text]


def test_ligatures_of_the_macintosh_are_read_as_letters() -> None:
    mapping = LATIN | {"#": "\u00de", "$": "\u00df"}
    page = b"BT /F2 12 Tf 72 700 Td (speci#es #lled con$ict) Tj ET"
    assert texts_of(page_with_font(page, mapping)) == ["specifies filled conflict"]


def test_a_thorn_of_icelandic_stays() -> None:
    mapping = LATIN | {"#": "\u00de", "$": "\u00df"}
    assert texts_of(page_with_font(b"BT /F2 12 Tf 72 700 Td (#etta er #or, Stra$e) Tj ET", mapping)) == ["Þetta er Þor, Straße"]


@pytest.mark.parametrize("word", ["abc", "gafg"])
def test_lines_that_are_drawn_twice_on_a_page_with_hebrew_are_read_once(word: str) -> None:
    """`g` stands for a ligature of two equal letters."""
    line = b"(No. 11 Revision) Tj 0 -30 Td"
    content = b"BT /F1 12 Tf 72 700 Td " + line + b" /F2 12 Tf (%s) Tj ET BT /F1 12 Tf 72.5 700 Td " % word.encode() + line
    content += b" /F2 12 Tf (%s) Tj ET" % word.encode()
    found = texts_of(page_with_font(content, HEBREW | {"g": "\u05dc\u05dc"}))
    assert found[0] == "No. 11 Revision"
    assert found[1:] == ["\u05d2\u05d1\u05d0" if word == "abc" else "\u05dc\u05dc\u05d5\u05d0\u05dc\u05dc"]


@pytest.mark.parametrize(("origin", "is_over"), [(100.0, True), (103.2, False)])
def test_a_letter_that_reaches_to_the_left_over_a_space_is_after_it(
    monkeypatch: pytest.MonkeyPatch, origin: float, is_over: bool
) -> None:
    """The box of an italic f begins where the space before it begins, but the f has its origin after the space."""
    origins = {4: 100.0, 5: origin}

    def get_origin(text_page: object, index: int, x: ctypes.c_double, y: ctypes.c_double) -> bool:
        x.value, y.value = origins[index], 0.0
        return True

    monkeypatch.setattr(pdfium, "FPDFText_GetCharOrigin", get_origin)
    assert _begins_at(None, 4, 5, 3.2) is is_over
