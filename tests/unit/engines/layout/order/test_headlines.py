"""Headlines that belong to no column."""

from __future__ import annotations

from rayocr.engines.layout.order.headlines import headlines
from tests.unit.engines.layout.pages import line


def test_a_headline_is_within_a_column_if_one_of_its_height_has_text_beside_it() -> None:
    first, second = line("1 Motivation", 60, 100, height=14), line("2 Composition", 60, 300, height=14)
    texts = [line("the text of the left column", 60, y) for y in (130, 145, 330)]
    beside = [line("the text of the right column", 330, y) for y in (300, 315, 330)]
    assert headlines(sorted([first, *texts, second, *beside], key=lambda it: it.y0), 300, 10) == []
    assert headlines(sorted([first, *texts, *beside], key=lambda it: it.y0), 300, 10) == [first]


def test_the_headlines_of_a_hostile_page_are_compared_in_a_moment() -> None:
    lines = [line(f"Head {n}", 60, 10 + 20 * n, height=14) for n in range(800)]  # took 23 s
    assert len(headlines([*lines, *(line("right", 400, 16_010 + 20 * n) for n in range(800))], 300, 10)) == 800
