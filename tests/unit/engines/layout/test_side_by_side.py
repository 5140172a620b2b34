"""Short texts beside each other are read one after the other if the first row has their numbers or their large figures."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown
from tests.unit.engines.layout.pages import line

LEFTS = (60, 220, 380)


def row_of(texts: tuple[str, ...], top: float) -> list[LayoutLine]:
    return [line(text, x, top) for text, x in zip(texts, LEFTS, strict=True) if text]


def read(*lines: LayoutLine) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


def test_steps_beside_each_other_are_read_one_by_one() -> None:
    steps = [
        *row_of(("(1) Place the cushion on", "(2) Pull both straps tight", "(3) Close the buckle"), 100),
        *row_of(("the frame with the straps", "under the frame.", "until it clicks and"), 114),
        *row_of(("at its back.", "", "check it."), 128),
    ]
    text = " ".join(read(*steps).split())
    assert text.startswith("(1) Place the cushion on the frame with the straps at its back. (2) Pull both straps tight under")


def test_steps_whose_numbers_do_not_follow_each_other_are_a_row() -> None:
    choices = [*row_of(("(1) red and", "(5) blue and", "(9) green and"), 100), *row_of(("white", "white", "white"), 114)]
    assert "(1) red and (5) blue and" in read(*choices)


def test_large_figures_are_read_with_the_captions_below_them() -> None:
    figures = [
        LayoutLine(text=text, x0=x, y0=100, x1=x + 60, y1=130) for text, x in zip(("48%", "4x", "9,000"), LEFTS, strict=True)
    ]
    captions = [
        *row_of(("of homes have", "faster than", "kilometres"), 134),
        *row_of(("fibre access", "before", "of cable"), 148),
    ]
    text = " ".join(read(*figures, *captions).split()).replace("# ", "").replace("#", "")
    assert "48% of homes have fibre access 4x faster than before 9,000 kilometres of cable" in text
