"""Exponents and indexes that are drawn after their line."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import texts_of


def text(x: float, y: float, size: float, value: str) -> str:
    return f"BT /F1 {size} Tf {x} {y} Td ({value}) Tj ET "


@pytest.mark.parametrize("y", [697, 699.2])
def test_indexes_that_are_drawn_after_their_line_are_parts_of_its_words(y: float) -> None:
    acid = text(72, 700, 12, "0.5 M H") + text(118.2, 700, 12, "SO") + text(143.4, 700, 12, "solution")
    assert texts_of(pdfs.pages_of(content=(acid + text(113.4, y, 8, "2") + text(135.6, y, 8, "4")).encode())) == [
        "0.5 M H2SO4 solution"
    ]


def test_an_exponent_that_is_drawn_after_its_line_is_raised() -> None:
    area = text(72, 700, 12, "4 A/m") + text(110, 700, 12, "in 10") + text(150, 700, 12, "steps")
    assert texts_of(pdfs.pages_of(content=(area + text(103.4, 704, 8, "2") + text(136.1, 704, 8, "3")).encode())) == [
        "4 A/m² in 10³ steps"
    ]


def test_a_small_number_on_the_baseline_of_a_line_is_a_line() -> None:
    content = text(72, 700, 12, "Total") + text(100, 700, 8, "4")
    assert texts_of(pdfs.pages_of(content=content.encode()))[0] in ("Total", "Total 4")


def test_the_ending_of_an_ordinal_number_that_is_drawn_after_its_line_is_a_part_of_the_number() -> None:
    session = text(72, 700, 12, "In the 11") + text(140, 700, 12, "session")
    raised = text(118.7, 705, 6, "th")
    assert texts_of(pdfs.pages_of(content=(session + raised).encode())) == ["In the 11th session"]
    assert "th" in texts_of(pdfs.pages_of(content=(text(72, 700, 12, "In the hall of the") + raised).encode()))


def test_the_number_of_a_footnote_that_is_drawn_after_its_line_is_behind_the_mark() -> None:
    sentence = text(72, 700, 12, "It is done.") + text(140, 700, 12, "However")
    assert texts_of(pdfs.pages_of(content=(sentence + text(124.6, 705, 6, "203")).encode())) == ["It is done.²⁰³ However"]


def test_a_mark_that_is_drawn_after_its_line_is_behind_its_word() -> None:
    names = text(72, 700, 12, "Harbour") + text(122, 700, 12, "and 327,") + text(180, 700, 12, "moored")
    raised = text(115.5, 704, 7, "*") + text(169.2, 704, 7, "**")
    assert texts_of(pdfs.pages_of(content=(names + raised).encode())) == ["Harbour* and 327,** moored"]
    assert "*" in texts_of(pdfs.pages_of(content=(names + text(300, 704, 7, "*")).encode()))
