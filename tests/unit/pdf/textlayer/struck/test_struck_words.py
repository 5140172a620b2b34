"""Words with a drawn line through them are `~~struck~~`; lines below, above and between words are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rayocr.engines.textlayer import TextLayerEngine
from rayocr.pdf.document import PdfFile
from tests.unit.pdf import pdfs

FONT_PT = 12.0
KEPT = [f"Sentence number {n} of the contract is kept as both parties agreed." for n in range(3)]


def markdown(content: str, *, entries: str = "") -> str:
    kept = "".join(shown(72, 300 - 14 * n, text) for n, text in enumerate(KEPT))
    with (
        PdfFile(pdfs.pages_of((entries,), content=(content + kept).encode()), max_pixels=4_000_000) as file,
        file.page(1) as page,
    ):
        read = TextLayerEngine().recognize(page)
        return read.text if read is not None else ""


def shown(x: float, y: float, text: str) -> str:
    return f"BT /F1 {FONT_PT} Tf {x} {y} Td ({text}) Tj ET\n"


def width(text: str) -> float:
    with PdfFile(pdfs.pages_of(content=shown(72, 700, text).encode()), max_pixels=4_000_000) as file, file.page(1) as page:
        line = page.text_layer().lines[0]
        return line.x1 - line.x0


def stroked(x0: float, x1: float, y: float, *, thickness: float = 0.6) -> str:
    return f"{thickness} w {x0} {y} m {x1} {y} l S\n"


def filled(x0: float, x1: float, y: float, *, thickness: float = 0.6) -> str:
    return f"{x0} {y - thickness / 2} {x1 - x0} {thickness} re f\n"


CLAUSE = "The deposit of 4,500.00 EUR is not refunded."


@pytest.mark.parametrize("draw", [stroked, filled])
def test_a_line_through_the_middle_of_a_clause_strikes_it(draw: Callable[..., str]) -> None:
    assert f"~~{CLAUSE}~~" in markdown(shown(72, 700, CLAUSE) + draw(72, 72 + width(CLAUSE), 703.6))


def test_only_the_words_under_the_line_are_struck() -> None:
    before, words = "The price is ", "129.00 EUR"
    start = 72 + width(before + "1") - width("1")
    drawn = shown(72, 700, f"{before}{words} 99.00 EUR") + stroked(start, start + width(words), 703.6)
    assert f"{before}~~{words}~~ 99.00 EUR" in markdown(drawn)


def test_strokes_that_continue_each_other_are_one_line() -> None:
    end = 72 + width(CLAUSE)
    drawn = shown(72, 700, CLAUSE) + stroked(72, 150, 703.6) + stroked(150.5, end, 703.6)
    assert f"~~{CLAUSE}~~" in markdown(drawn)


PRICES = [("Chair", "129.00", "99.00"), ("Table", "310.00", "275.00"), ("Lamp", "45.50", "39.90")]


def test_struck_prices_stay_in_the_cells_of_their_table() -> None:
    drawn = ""
    for n, (item, old, new) in enumerate(PRICES):
        y = 700 - 16 * n
        drawn += shown(72, y, item) + shown(200, y, old) + shown(300, y, new) + stroked(200, 200 + width(old), y + 3.6)
        drawn += "".join(f"{x} {y - 4} 100 16 re S\n" for x in (70, 170, 270))
    text = markdown(drawn)
    for row in ("| Chair | ~~129.00~~ | 99.00 |", "| Table | ~~310.00~~ | 275.00 |", "| Lamp | ~~45.50~~ | 39.90 |"):
        assert row in text


def test_the_marker_of_a_struck_item_stays_a_marker() -> None:
    items = ["1. The first item is kept.", "2. The second item is struck.", "3. The third item is kept."]
    drawn = "".join(shown(72, 700 - 16 * n, item) for n, item in enumerate(items))
    assert "2. ~~The second item is struck.~~\n" in markdown(drawn + stroked(72, 72 + width(items[1]), 687.6))


@pytest.mark.parametrize(
    ("x0", "x1", "y", "thickness", "color"),
    [
        (0.0, 0.0, -1.5, 0.6, "0 G"),  # an underline
        (0.0, 0.0, 9.5, 0.6, "0 G"),  # an overline
        (-30.0, 60.0, 3.6, 0.6, "0 G"),  # a ruling that reaches further
        (0.0, -40.0, 3.6, 0.6, "0 G"),  # ends within a word
        (0.0, 0.0, 3.6, 0.6, "1 G"),  # white
    ],
)
def test_other_lines_strike_nothing(x0: float, x1: float, y: float, thickness: float, color: str) -> None:
    line = stroked(72 + x0, 72 + width(CLAUSE) + x1, 700 + y, thickness=thickness)
    text = markdown(f"{shown(72, 700, CLAUSE)}{color}\n{line}0 G\n")
    assert CLAUSE in text
    assert "~~" not in text


def test_the_bar_of_a_fraction_strikes_nothing() -> None:
    drawn = shown(72, 700, "a + b") + stroked(72, 72 + width("a + b"), 696.5) + shown(72, 685, "c + d")
    assert "~~" not in markdown(drawn)


@pytest.mark.parametrize(("flags", "struck"), [(4, True), (2, False)])
def test_annotations_strike_text_out_unless_they_are_hidden(flags: int, struck: bool) -> None:
    x0, y0, x1, y1 = 72, 697, 72 + width(CLAUSE), 710
    quad = f"{x0} {y1} {x1} {y1} {x0} {y0} {x1} {y0}"
    annotation = f"<< /Type /Annot /Subtype /StrikeOut /Rect [{x0} {y0} {x1} {y1}] /QuadPoints [{quad}] /C [1 0 0] /F {flags} >>"
    text = markdown(shown(72, 700, CLAUSE), entries=f"/Annots [{annotation}]")
    assert (f"~~{CLAUSE}~~" in text) is struck
