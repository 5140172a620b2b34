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
