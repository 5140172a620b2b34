"""Spaces between letters and words as they are seen: letterspaced words, initials of several lines, scripts without spaces."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from rayocr.pdf.textlayer.glyphs.characters import Characters
from rayocr.pdf.textlayer.spaces.word_spaces import correct_spaces
from tests.unit.pdf.pdfs import pages_of
from tests.unit.pdf.textlayer.drawings import page_with_font, texts_of

THAI = {"a": "ก", "b": "า", "c": "ร", "d": "ป", " ": " "}


def drawn(content: str) -> list[str]:
    return texts_of(pages_of(content=f"BT /F1 12 Tf {content} ET".encode()))


@pytest.mark.parametrize("tracking", [1.4, 3, 6])
@pytest.mark.parametrize("text", ["TOTAL 1,284.55", "ANNUAL REPORT", "for emphasis only", "Total due", "OF ALL HEADS OF 1921"])
def test_letterspaced_words_have_no_spaces_inside(text: str, tracking: float) -> None:
    assert drawn(f"{tracking} Tc 72 700 Td ({text}) Tj") == [text]


def level(pieces: list[tuple[float, str, float]], gap: float) -> list[str]:
    """Texts of pieces on one baseline. `pieces`: size, text, and width in points; the gap stands between two pieces."""
    content, x = "", 72.0
    for size, text, width in pieces:
        content += f"BT /F1 {size} Tf {x} 700 Td ({text}) Tj ET "
        x += width + gap
    return texts_of(pages_of(content=content.encode()))


@pytest.mark.parametrize(
    ("pieces", "gap", "text"),
    [
        ([(8, "9", 4.45), (30, "Units", 71.7)], 2.4, "9 Units"),
        ([(30, "88", 33.36), (10, "both", 19.5)], 2.4, "88 both"),
        ([(30, "88", 33.36), (10, "kg", 10.6)], 0.5, "88kg"),
        ([(30, "12", 33.36), (10, "95", 11.1)], 2.4, "1295"),  # digits of a number stay together
    ],
)
def test_a_number_and_a_word_of_another_size_stay_apart(pieces: list[tuple[float, str, float]], gap: float, text: str) -> None:
    assert level(pieces, gap) == [text]


@pytest.mark.parametrize("gap", [80, 100, 130])
def test_spaces_of_one_narrow_width_between_touching_letters_are_spaces(gap: int) -> None:
    words = ["TABLE", "OF", "CONTENTS", "1911", "4,829", "see", "page", "12"]
    assert drawn("72 700 Td [" + f" -{gap} ".join(f"({word})" for word in words) + "] TJ") == [" ".join(words)]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["m", "an m", "enace m", "ill nom", "inal"], "man menace mill nominal"),  # a wrong width of the letter m
        (list("contents"), "contents"),  # tracking
        (["contents of", "ledgers"], "contents ofledgers"),  # a single gap may be kerning
    ],
)
def test_other_narrow_gaps_are_no_spaces(pieces: list[str], text: str) -> None:
    assert drawn("72 700 Td [" + " -80 ".join(f"({piece})" for piece in pieces) + "] TJ") == [text]


def test_narrow_gaps_between_letters_that_do_not_touch_are_no_spaces() -> None:
    pieces = ["Ha", "rb", "o", "ur", "m", "aster", "a", "n", "d", "cr", "ew"]
    assert drawn("0.4 Tc 72 700 Td [" + " -60 ".join(f"({piece})" for piece in pieces) + "] TJ") == ["".join(pieces)]


SPACED = ["T O T A L", "A N N U A L   R E P O R T", "e m p h a s i s", "P f o r z h e i m", "S a l e m", "T O T A L   1 2 . 5 0"]


@pytest.mark.parametrize("text", SPACED)
def test_words_that_were_typed_with_spaces_between_their_letters_are_words(text: str) -> None:
    assert drawn(f"72 700 Td ({text}) Tj") == [" ".join(word.replace(" ", "") for word in text.split("   "))]


@pytest.mark.parametrize("text", ["A B C D E F", "a b c d e f g", "A or B", "I O U", "x y z", "A A B B C", "Q 1 2 3 4 5"])
def test_single_letters_stay_apart(text: str) -> None:
    assert drawn(f"72 700 Td ({text}) Tj") == [text]


def test_letterspaced_words_within_ordinary_text() -> None:
    line = "(stand in text, as ) Tj 1.5 Tc (printers did it) Tj 0 Tc ( for centuries) Tj"
    assert drawn(f"72 700 Td {line}") == ["stand in text, as printers did it for centuries"]


def test_a_letterspaced_word_that_begins_a_line_below_ordinary_text() -> None:
    assert drawn("72 700 Td (The miller keeps the gates.) Tj 1.5 Tc 0 -14 Td (emphasized) Tj")[-1] == "emphasized"


def test_an_initial_of_several_lines_is_apart_from_its_word() -> None:
    content = "0 -23.5 Td /F1 44 Tf (R) Tj /F1 11 Tf 34 19.5 Td (ealized through) Tj 0 -14 Td (engineering) Tj"
    assert drawn(f"72 720 Td {content}") == ["R", "ealized through", "engineering"]


def test_thai_has_spaces_only_where_there_is_room() -> None:
    content = b"BT /F2 12 Tf 72 700 Td (abcd) Tj /F2 1 Tf ( ) Tj /F2 12 Tf (abcd abcd) Tj ET"
    assert texts_of(page_with_font(content, THAI)) == ["การปการป การป"]


def test_a_mark_beside_two_lines_is_no_initial() -> None:
    content = "0 -20 Td /F1 24 Tf (A) Tj /F1 9 Tf 20 13 Td (Open Smart Alerts) Tj 0 -11 Td (3 currently open) Tj"
    assert drawn(f"72 720 Td {content}")[0] == "A Open Smart Alerts"


@pytest.mark.parametrize(("gap", "is_space"), [(0.19, True), (0.08, False)])
def test_hindi_words_are_apart_where_the_file_has_no_space(gap: float, is_space: bool) -> None:
    texts = ["5", "0", "0", *"रुपयेहै"]
    gaps = np.array([0.12, 0.12, 0.22, -0.5, 0.0, 0.0, 0.0, gap, 0.0])
    spaced = [False] * 3 + [True] + [False] * 6
    correct_spaces(cast(Characters, SimpleNamespace(texts=texts)), spaced, gaps)
    assert [n for n, space in enumerate(spaced) if space] == [3, *([8] if is_space else [])]


def test_a_space_under_the_next_letter_is_not_seen() -> None:
    """A program that divides words into syllables writes a space after each and steps back over it."""
    words = "[(Der ) (Bri ) 278 (ga ) 278 (dier ) (be ) 278 (ob ) 278 (ach ) 278 (te ) 278 (te )] TJ"
    assert drawn(f"72 700 Td {words}") == ["Der Brigadier beobachtete"]


def test_ordinary_words_beside_a_letterspaced_one_keep_their_spaces() -> None:
    assert drawn("72 700 Td (OR FISCAL YEAR   T O T A L   AND ENDING) Tj") == ["OR FISCAL YEAR TOTAL AND ENDING"]


def lines_without_reports(text: str, *, gap: float) -> str:
    """Returns the text with the spaces that are found where all words are this far apart, in em, and none is reported."""
    texts = [char for char in text if char != " "]
    ends = [len(text[:n].replace(" ", "")) for n, char in enumerate(text) if char == " "]
    gaps = np.array([gap if n in ends else 0.0 for n in range(1, len(texts))])
    spaced = [False] * len(texts)
    flat = np.zeros(len(texts))
    correct_spaces(cast(Characters, SimpleNamespace(texts=texts, y0=flat, y1=flat + 1, x0=flat, x1=flat)), spaced, gaps)
    return "".join(f" {char}" if space else char for char, space in zip(texts, spaced, strict=True))


@pytest.mark.parametrize(
    "text", ["Cedex 20, France", "the reed increases. As (for 2a) is", "where it is to be by an art", "Section 2 provides"]
)
def test_wide_gaps_between_words_and_numbers_are_spaces_without_a_report(text: str) -> None:
    assert lines_without_reports(text, gap=0.3) == text


@pytest.mark.parametrize(
    ("text", "read"), [("total 12 500 units", "total 12500 units"), ("of 3. 5 units each", "of 3.5 units each")]
)
def test_a_gap_within_a_number_is_no_space_without_a_report(text: str, read: str) -> None:
    assert lines_without_reports(text, gap=0.3) == read


def test_a_tracked_word_in_a_line_of_ordinary_words_has_no_spaces_inside() -> None:
    assert drawn("72 700 Td (Read this ) Tj 3 Tc (TOTAL) Tj 0 Tc ( with care) Tj") == ["Read this TOTAL with care"]
