"""Large initials are the first letter of their word."""

from __future__ import annotations

import pytest

from rayocr.engines.layout import LayoutLine, layout_markdown
from tests.unit.engines.layout.pages import line

REST = [
    "and the river rose by two feet in an hour, which",
    "nobody had seen in that valley for fifty years,",
    "not even in the year of the flood.",
]


def page(initial: str, first: str, *, height: float = 34) -> str:
    large = LayoutLine(text=initial, x0=60, y0=96, x1=82, y1=96 + height)
    texts = [first, *REST]
    lines = [line(text, 86 if n < 2 else 60, 100 + 14 * n) for n, text in enumerate(texts)]
    return layout_markdown([large, *lines], page_width=595, page_height=842)


@pytest.mark.parametrize(
    ("initial", "first", "text"),
    [
        ("T", "HIS paper describes that rain fell in the hills", "THIS paper describes that rain fell in the hills"),
        ("R", "ain fell in the hills that night and before it", "Rain fell in the hills that night and before it"),
        ("A", "lthough rain fell in the hills on that one night", "Although rain fell in the hills on that one night"),
        ("A", "river is a line on a map, and this river rose", "A river is a line on a map, and this river rose"),
    ],
)
def test_an_initial_is_joined_with_its_word(initial: str, first: str, text: str) -> None:
    assert page(initial, first) == " ".join([text, *REST])


@pytest.mark.parametrize(("initial", "height"), [("B", 12.0), ("4", 34.0)])
def test_letters_of_the_size_of_the_text_and_numbers_stay_apart(initial: str, height: float) -> None:
    assert f"{initial}Rain" not in page(initial, "Rain fell in the hills that night", height=height)
