"""Pages whose picture is too coarse for their print."""

from __future__ import annotations

import pytest

from rayocr.engines.rapidocr.fine_print import with_doubt_if_coarse
from rayocr.messages import LOW_CONFIDENCE, PageText, TextBox


@pytest.mark.parametrize(("dpi", "height_pt", "doubts"), [(72, 10, (LOW_CONFIDENCE,)), (72, 13, ()), (150, 10, ()), (0, 6, ())])
def test_lines_of_ten_pixels_are_a_doubt(dpi: float, height_pt: float, doubts: tuple[str, ...]) -> None:
    boxes = tuple(
        TextBox(text="55.3", x0=50, y0=20.0 * row, x1=90, y1=20.0 * row + height_pt, confidence=0.97) for row in range(5)
    )
    answer = PageText(text="55.3", engine="rapidocr", model="", confidence=0.97, boxes=boxes)
    assert with_doubt_if_coarse(answer, detail_dpi=dpi).doubts == doubts


@pytest.mark.parametrize(("numbers", "height_pt", "doubts"), [(10, 10, (LOW_CONFIDENCE,)), (10, 11, ()), (9, 10, ())])
def test_many_numbers_in_lines_of_twenty_pixels_are_a_doubt(numbers: int, height_pt: float, doubts: tuple[str, ...]) -> None:
    texts = ["55.3"] * numbers + ["total"] * 9
    boxes = tuple(
        TextBox(text=text, x0=50, y0=20.0 * row, x1=90, y1=20.0 * row + height_pt, confidence=0.97)
        for row, text in enumerate(texts)
    )
    answer = PageText(text="55.3", engine="rapidocr", model="", confidence=0.97, boxes=boxes)
    assert with_doubt_if_coarse(answer, detail_dpi=150).doubts == doubts
