"""Spaces that PDFium adds between the letters of a word, or reports at another place than they are drawn."""

from __future__ import annotations

import numpy as np
import pypdfium2.raw as pdfium
import pytest

from rayocr.pdf.geometry import Upright
from rayocr.pdf.textlayer.glyphs.characters import Characters
from rayocr.pdf.textlayer.spaces.spurious_spaces import drop_spurious_spaces
from tests.unit.pdf.pdfs import pages_of
from tests.unit.pdf.textlayer.drawings import texts_of

WIDTH = {
    "I": 278,
    "J": 500,
    "i": 222,
    "j": 222,
    "l": 222,
    "f": 278,
    "t": 278,
    "r": 333,
    " ": 278,
    "-": 333,
    ":": 278,
    ".": 278,
    ",": 278,
}
WIDE = {"m": 833, "w": 722, "M": 833, "W": 944, "G": 778, "O": 778, "Q": 778}
NARROW = dict.fromkeys("cksvxyz", 500)


def width_of(char: str) -> float:
    """Returns the width of a letter of Helvetica, in shares of the font size."""
    default = 667 if char in "ABEKPSVXY" else 722 if char in "CDHNRU" else 611 if char in "FTZ" else 556
    return (WIDTH | WIDE | NARROW).get(char, default) / 1000


def letter_by_letter(text: str, *, tracking: float, word_gap: float, size: float = 12) -> list[str]:
    """Reads a line whose letters are drawn one by one. The gaps are in points."""
    content, x = "", 72.0
    for char in text:
        if char == " ":
            x += word_gap - tracking
            continue
        content += f"BT /F1 {size} Tf {x:.2f} 700 Td ({char}) Tj ET "
        x += width_of(char) * size + tracking
    return texts_of(pages_of(content=content.encode()))


@pytest.mark.parametrize(("tracking", "word_gap"), [(0.6, 3.5), (1.4, 5), (2, 7), (3, 9)])
@pytest.mark.parametrize(
    "text", ["CARLOS GARCIA GUAL", "hearing in accordance with the law", "Section 38-3-110, April 29, 2010 at 5:30 p.m."]
)
def test_text_that_is_drawn_letter_by_letter_has_spaces_between_words_only(text: str, tracking: float, word_gap: float) -> None:
    assert letter_by_letter(text, tracking=tracking, word_gap=word_gap) == [text]


def test_a_letter_that_is_placed_by_itself_belongs_to_its_tracked_word() -> None:
    content, x = "", 72.0
    for piece in ("CARLO", "S ", "GARCI", "A ", "GUA", "L"):
        content += f"BT /F1 10 Tf 1.9 Tc {x:.2f} 700 Td ({piece}) Tj ET "
        x += sum(width_of(char) * 10 + 1.9 for char in piece) + (2.5 if piece.endswith(" ") else 0)
    assert texts_of(pages_of(content=content.encode())) == ["CARLOS GARCIA GUAL"]


@pytest.mark.parametrize(("generated", "space_x", "spaced"), [(0, 20.0, 0), (0, 99.0, 2), (1, 99.0, 0)])
def test_a_space_between_touching_letters_counts_if_it_is_drawn_there(
    monkeypatch: pytest.MonkeyPatch, generated: int, space_x: float, spaced: int
) -> None:
    def box_of(text_page: object, index: int, box: pdfium.FS_RECTF) -> bool:
        box.left, box.right, box.bottom, box.top = space_x, space_x + 3, 0, 12
        return True

    monkeypatch.setattr(pdfium, "FPDFText_IsGenerated", lambda text_page, index: generated)
    monkeypatch.setattr(pdfium, "FPDFText_GetLooseCharBox", box_of)
    left = np.array([80, 87, 94, 101, 108, 115], float)
    characters = Characters(list("planet"), [0, 0, 0, 2, 0, 0], [0, 1, 2, 4, 5, 6], left, 0 * left, left + 7, 0 * left + 12)
    drop_spurious_spaces(None, characters, Upright(1, 0, 0, -1, 0, 12))
    assert characters.spaces[3] == spaced


@pytest.mark.parametrize("text", ["12.50 13.75 14.00", "1 2 3 4 5 6", "2 x 3 y = 6 xy", "a b c d e f"])
def test_separate_numbers_and_letters_stay_apart(text: str) -> None:
    assert letter_by_letter(text, tracking=0, word_gap=3.3) == [text]


@pytest.mark.parametrize("gap", [3, 4.5])
@pytest.mark.parametrize(
    "words",
    ["Totals|1 2 3 4 5 6 7 8", "Totals|12 34 56 78 90 11 22", "Team A|2 0 1 3 0|6", "Choose one of|a b c d e|and mark it"],
)
def test_numbers_and_choices_in_a_row_stay_apart_beside_a_label(words: str, gap: float) -> None:
    content, x = "", 72.0
    for part in words.split("|"):
        for piece in part.split() if max(map(len, part.split())) < 3 else [part]:
            content += f"BT /F1 12 Tf {x:.2f} 700 Td ({piece}) Tj ET "
            x += sum(map(width_of, piece)) * 12 + gap
        x += 12 - gap
    assert texts_of(pages_of(content=content.encode())) == [words.replace("|", " ")]
