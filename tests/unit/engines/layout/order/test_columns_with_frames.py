"""Columns of running text with frames and headlines inside them."""

from __future__ import annotations

from rayocr.engines.layout import layout_markdown
from rayocr.engines.layout.lines import LayoutLine, Ruling
from tests.unit.engines.layout.pages import column, line

LEFT = [f"left {number} column text that runs on and on" for number in range(40)]
RIGHT = [f"right {number} column text that runs on and on" for number in range(40)]


def markdown(lines: list[LayoutLine], rulings: list[Ruling]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842, rulings=rulings)


def frame(x0: float, y0: float, x1: float, y1: float) -> list[Ruling]:
    level = [Ruling(x0=x0, y0=y, x1=x1, y1=y) for y in (y0, y1)]
    return [*level, *(Ruling(x0=x, y0=y0, x1=x, y1=y1) for x in (x0, x1))]


def test_frames_below_each_other_in_one_column_do_not_divide_the_other() -> None:
    lines = column(LEFT, 60, 100, width=215) + column(RIGHT, 300, 100, width=215)
    text = markdown(lines, [*frame(56, 182, 279, 266), *frame(56, 350, 279, 434)])
    assert text.index("left 39") < text.index("right 0")


def section(name: str, texts: list[str], x: float, y: float) -> list[LayoutLine]:
    return [line(f"{name} Section", x, y, height=14.5), *column(texts, x, y + 20, width=215)]


def test_headline_of_a_column_beside_white_space_of_the_other_does_not_divide_it() -> None:
    left = [*section("1", LEFT[:10], 60, 100), *section("2", LEFT[10:22], 60, 300)]
    right = [*section("3", RIGHT[:11], 300, 100), *column(RIGHT[11:22], 300, 330, width=215)]
    text = markdown([*left, *right, *section("4", RIGHT[22:26], 300, 500)], [])
    assert text.index("left 21") < text.index("3 Section") < text.index("right 11")
