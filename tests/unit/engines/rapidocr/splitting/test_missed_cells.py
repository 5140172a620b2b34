"""Numbers of a table that the detector omits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rayocr.engines.rapidocr.splitting.missed_cells import missed_cells
from rayocr.pdf.shapes.components import PageInk

ROWS, COLUMNS = 6, 4


def table(*, height: int = 14, width: int = 40) -> tuple[Any, list[list[list[int]]]]:
    """Returns a page with numbers of bars in rows and columns, and the corners of their boxes, row by row."""
    page = np.full((60 * ROWS + 60, 140 * COLUMNS + 60), 255, np.uint8)
    boxes = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            x, y = 40 + 140 * column, 40 + 60 * row
            for left in range(x, x + width, 10):
                page[y : y + height, left : left + 4] = 0
            x0, y0, x1, y1 = x - 6, y - 5, x + width, y + 19
            boxes.append([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    return page, boxes


def test_a_number_without_a_box_is_found_by_its_row_and_column() -> None:
    page, boxes = table()
    ((left, top), _, (right, bottom), _) = missed_cells(PageInk(page), np.array(boxes[:9] + boxes[10:], np.float32))[0]
    assert left < 180 and right > 214 and top < 160 and bottom > 174
    assert len(missed_cells(PageInk(page), np.array(boxes, np.float32))) == 0


@pytest.mark.parametrize("place", [(100, 130), (100, 570)])
def test_ink_beside_a_column_is_no_number(place: tuple[int, int]) -> None:
    page, boxes = table()
    y, x = place
    page[y : y + 14, x : x + 18] = 0
    assert len(missed_cells(PageInk(page), np.array(boxes, np.float32))) == 0


def test_the_rulings_around_a_word_with_a_box_are_no_word() -> None:
    page, boxes = table()
    page[90:94, 168:214] = 0  # the ruling above the word and the start of the ruling at its left
    page[90:110, 168:173] = 0
    assert len(missed_cells(PageInk(page), np.array(boxes, np.float32))) == 0


def test_a_dash_or_a_ruling_is_no_number() -> None:
    page, boxes = table(height=3)
    page[:, 170] = 0
    assert len(missed_cells(PageInk(page), np.array(boxes[:9] + boxes[10:], np.float32))) == 0


def test_a_page_on_its_side_has_no_cells() -> None:
    page, boxes = table()
    sideways = np.array(boxes[:9] + boxes[10:], np.float32)[:, :, ::-1]
    assert len(missed_cells(PageInk(np.ascontiguousarray(page.T)), sideways)) == 0
