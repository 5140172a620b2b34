"""Lines that merge on the reduced page are detected again. The detector is a fake that answers by image size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rayocr.engines.rapidocr.detection import find_lines

PAGE = np.full((2000, 1600), 255, np.uint8)
SCALE = 1100 / 2000  # scale from the page to the detector's first image


def box(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


class Detector:
    """`first`: boxes of the whole page with their scores. `again`: boxes of the second pass, relative to its own corner."""

    def __init__(self, first: list[tuple[list[tuple[float, float]], float]], again: list[list[tuple[float, float]]]) -> None:
        self.first, self.again = first, again
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, image: Any) -> tuple[Any, Any]:
        self.sizes.append(image.shape[:2])
        if len(self.sizes) == 1:
            boxes = np.array([corners for corners, _ in self.first], np.float32).reshape(-1, 4, 2) * SCALE
            return boxes, np.array([score for _, score in self.first], np.float32)
        return np.array(self.again, np.float32).reshape(-1, 4, 2), np.full(len(self.again), 0.8, np.float32)


LINES = [(box(100, 40 * row, 1500, 40 * row + 30), 0.8) for row in range(5, 10)]


def test_lines_that_ran_together_with_a_drop_capital_are_found_in_their_place() -> None:
    detector = Detector([*LINES, (box(90, 400, 1500, 520), 0.3)], again=[box(10, 10, 60, 110), box(80, 10, 1400, 40)])
    found = find_lines(PAGE, detector)
    assert len(detector.sizes) == 2
    assert len(found) == len(LINES) + 2
    assert found[-1].min(axis=0).tolist() == pytest.approx([170, 410], abs=3)


def test_lines_that_are_known_are_not_found_twice() -> None:
    detector = Detector([*LINES, (box(90, 340, 1500, 460), 0.3)], again=[box(10, 22, 1410, 52), box(10, 70, 1410, 100)])
    assert len(find_lines(PAGE, detector)) == len(LINES) + 1


@pytest.mark.parametrize(
    "doubtful",
    [box(100, 500, 1500, 530), box(300, 500, 340, 600), box(0, 400, 1600, 1900)],
    ids=["a line", "a speck", "a picture"],
)
def test_marks_that_are_not_letters_cause_no_second_pass(doubtful: list[tuple[float, float]]) -> None:
    detector = Detector([*LINES, (doubtful, 0.3)], again=[])
    assert len(find_lines(PAGE, detector)) == len(LINES)
    assert len(detector.sizes) == 1


def test_a_page_without_text_has_no_lines() -> None:
    assert find_lines(PAGE, Detector([], again=[])).shape == (0, 4, 2)
