"""Numbers of two columns in one box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.splitting.numbers import with_parted_numbers


def line(*lefts: int) -> tuple[Any, Any]:
    """Returns a page with a line 40 pixels high that has digits of 14 pixels at `lefts`, and its corners."""
    page = np.full((80, 400), 255, np.uint8)
    for left in lefts:
        page[30:50, left : left + 14] = 0
    right = max(lefts) + 20
    return page, np.array([[[20, 20], [right, 20], [right, 60], [20, 60]]], np.float32)


def parted(lefts: Sequence[int], text: str, again: Sequence[str]) -> tuple[list[str], bool]:
    page, quads = line(*lefts)
    lines, read, lost = with_parted_numbers(
        page, quads, [LineReading(text, 0.98, 0.6)], lambda crops: [LineReading(part, 0.97, 0.9) for part in again[: len(crops)]]
    )
    assert len(lines) == len(read)
    return [reading.text for reading in read], lost


@pytest.mark.parametrize(
    ("lefts", "text", "parts"),
    [
        ((26, 80, 98, 116), "2560", ["2", "560"]),
        ((26, 70, 114, 131), "2721", ["2", "7", "21"]),
    ],
)
def test_numbers_with_a_wide_gap_are_parted(lefts: Sequence[int], text: str, parts: list[str]) -> None:
    assert parted(lefts, text, parts) == (parts, False)


def test_parts_that_are_read_otherwise_are_a_doubt() -> None:
    assert parted((26, 80, 98, 116), "2560", ["7", "560"]) == (["2560"], True)


@pytest.mark.parametrize("lefts", [(26, 43, 60, 77), (26, 70, 114, 158), (26, 43, 68, 85)])
def test_close_and_letterspaced_digits_stay_one_number(lefts: Sequence[int]) -> None:
    assert parted(lefts, "2560", []) == (["2560"], False)


@pytest.mark.parametrize(
    ("rows", "again", "parts"),
    [
        (4, ("29", "832"), ["29", "832"]),
        (2, ("29", "832"), ["29832"]),
        (4, ("29", "8.32"), ["29832"]),
        (4, ("", "29832"), ["29832"]),
    ],
    ids=["two columns", "too few rows", "a number with a faint point", "a part without a number"],
)
def test_numbers_of_two_close_columns_are_parted_where_other_rows_show_the_columns(
    rows: int, again: Sequence[str], parts: list[str]
) -> None:
    page, quads = line(26, 43, 70, 87, 104)  # 10 pixels between the columns, 3 between digits
    page = np.vstack([page, *[np.full((60 * rows, 400), 255, np.uint8)]])
    below = [
        [[left, y], [right, y], [right, y + 40], [left, y + 40]]
        for y in range(80, 80 + 60 * rows, 60)
        for left, right in ((20, 62), (66, 124))
    ]
    quads = np.concatenate([quads, np.array(below, np.float32)])
    read = [LineReading("29832", 0.98, 0.6), *(LineReading("11", 0.98, 0.9) for _ in below)]
    _, found, lost = with_parted_numbers(
        page, quads, read, lambda crops: [LineReading(part, 0.97, 0.9) for part in again[: len(crops)]]
    )
    assert ([reading.text for reading in found if reading.text != "11"], lost) == (parts, False)
