"""Words with a drawn line through them are `~~struck~~`; lines below, above and between words are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rayocr.engines.textlayer import TextLayerEngine
from rayocr.pdf.document import PdfFile
from rayocr.pdf.textlayer.lines import TextLine, Word
from rayocr.pdf.textlayer.struck.words import Stroke, struck_words
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
    escaped = text.replace("(", "\\(").replace(")", "\\)")
    return f"BT /F1 {FONT_PT} Tf {x} {y} Td ({escaped}) Tj ET\n"


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


@pytest.mark.parametrize("pattern", ["[2] 0", "[3 1 1 1] 0", "[1 2] 0", "[6 3] 2"])
def test_a_dashed_line_strikes_a_clause_if_it_is_visible(pattern: str) -> None:
    drawn = f"{pattern} d {stroked(72, 72 + width(CLAUSE), 703.6)} [] 0 d "
    assert f"~~{CLAUSE}~~" in markdown(shown(72, 700, CLAUSE) + drawn)
    for unseen in (f"1 G {drawn} 0 G", f"{drawn} 1 g 70 696 400 16 re f 0 g {shown(72, 700, CLAUSE)}"):
        assert "~~" not in markdown(shown(72, 700, CLAUSE) + unseen)


@pytest.mark.parametrize("rise", [-5.0, -2.0, 1.5, 4.0])
def test_a_line_that_rises_or_falls_slightly_strikes_a_clause_if_it_is_visible(rise: float) -> None:
    line = f"0.6 w 72 {703.6 - rise / 2} m {72 + width(CLAUSE)} {703.6 + rise / 2} l S "
    assert f"~~{CLAUSE}~~" in markdown(shown(72, 700, CLAUSE) + line)
    assert "~~" not in markdown(shown(72, 700, CLAUSE) + f"1 G {line} 0 G ")
    below = f"0.6 w 72 {697 - rise / 2} m {72 + width(CLAUSE)} {697 + rise / 2} l S "
    assert "~~" not in markdown(shown(72, 700, CLAUSE) + below)


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
        (0.0, -42.5, 3.6, 0.6, "0 G"),  # ends within a letter
        (0.0, 0.0, 3.6, 0.6, "1 G"),  # white
    ],
)
def test_other_lines_strike_nothing(x0: float, x1: float, y: float, thickness: float, color: str) -> None:
    line = stroked(72 + x0, 72 + width(CLAUSE) + x1, 700 + y, thickness=thickness)
    text = markdown(f"{shown(72, 700, CLAUSE)}{color}\n{line}0 G\n")
    assert CLAUSE in text
    assert "~~" not in text


@pytest.mark.parametrize(
    ("before", "struck", "after", "text"),
    [
        ("The tenant pays within ", "30", "60 days.", "The tenant pays within ~~30~~60 days."),
        ("The rent is ", "1,200", "1,350.00 EUR.", "The rent is ~~1,200~~1,350.00 EUR."),
        ("The ", "L", "landlord refuses.", "The ~~L~~landlord refuses."),
        ("The landlord refuse", "s", " it.", "The landlord refuse~~s~~ it."),
        ("The landlord (", "see 4", ") refuses it.", "The landlord (~~see 4~~) refuses it."),
        ("Option ", "5", " is void.", "Option ~~5~~ is void."),
        ("Take care of x", "(a", "), as stated.", "Take care of x(~~a~~), as stated."),  # x~~(a~~ is not rendered as struck
    ],
)
def test_a_line_from_letter_to_letter_strikes_a_part_of_a_word(before: str, struck: str, after: str, text: str) -> None:
    start = 72 + width(before + struck) - width(struck)
    drawn = shown(72, 700, before + struck + after) + stroked(start, start + width(struck), 703.6)
    assert text in markdown(drawn)


def test_a_line_without_thickness_strikes_a_clause() -> None:
    drawn = shown(72, 700, CLAUSE) + stroked(72, 72 + width(CLAUSE), 703.6, thickness=0)
    assert f"~~{CLAUSE}~~" in markdown(drawn)


@pytest.mark.parametrize(("text", "is_struck"), [("\u0645\u062d\u0630\u0648\u0641", True), ("struck", False)])
def test_few_letters_of_arabic_reach_above_the_line(text: str, is_struck: bool) -> None:
    picture = np.full((20, 100), 255, np.uint8)
    picture[9:11] = 0
    picture[4:9, 10:22] = picture[11:18, 30:60] = 0
    word = Word(text, 0.0, 0.0, 100.0, 20.0, 0)
    line = TextLine(text=text, x0=0.0, y0=0.0, x1=100.0, y1=20.0, font_size_pt=16.0, bold=False, words=(word,))
    found = struck_words([line], [Stroke(0.0, 100.0, 10.0, 2.0)], lambda word: (), lambda box: picture)
    assert bool(found) is is_struck


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


def test_an_annotation_strikes_a_part_of_a_word() -> None:
    before = "The tenant pays within "
    start = 72 + width(before + "3") - width("3")
    x0, y0, x1, y1 = start, 697, start + width("30"), 710
    quad = f"{x0} {y0} {x1} {y0} {x1} {y1} {x0} {y1}"
    annotation = f"<< /Type /Annot /Subtype /StrikeOut /Rect [{x0} {y0} {x1} {y1}] /QuadPoints [{quad}] /F 4 >>"
    assert f"{before}~~30~~60 days." in markdown(shown(72, 700, f"{before}3060 days."), entries=f"/Annots [{annotation}]")


def test_an_annotation_without_quads_strikes_its_rectangle() -> None:
    annotation = f"<< /Type /Annot /Subtype /StrikeOut /Rect [72 697 {72 + width(CLAUSE)} 710] /F 4 >>"
    assert f"~~{CLAUSE}~~ It" in markdown(shown(72, 700, f"{CLAUSE} It is kept."), entries=f"/Annots [{annotation}]")
