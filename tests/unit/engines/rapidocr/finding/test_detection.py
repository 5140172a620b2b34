"""Lines that merge on the reduced page are detected again. The detector is a fake that answers by image size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rayocr.engines.rapidocr.finding.detection import find_lines, with_missed_lines

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


def test_fragments_of_small_print_are_replaced_by_whole_lines() -> None:
    fragments = [(box(x, 500, x + 200, 512), 0.3) for x in (200, 600, 1000)]
    known = (box(300, 500, 500, 512), 0.6)
    # The place is searched with a margin of 9.6 pixels.
    detector = Detector([*LINES, *fragments, known], again=[box(10, 10, 1000, 22)])
    found = find_lines(PAGE, detector)
    assert len(detector.sizes) == 2 and len(found) == len(LINES) + 1
    assert found[-1].min(axis=0).tolist() == pytest.approx([200, 500], abs=3)


def test_two_fragments_cause_no_second_pass() -> None:
    detector = Detector([*LINES, *[(box(x, 500, x + 200, 512), 0.3) for x in (200, 600)]], again=[])
    assert len(find_lines(PAGE, detector)) == len(LINES) and len(detector.sizes) == 1


def test_missed_lines_are_searched_at_full_resolution() -> None:
    known = np.array([corners for corners, _ in LINES], np.float32)

    def detect(image: Any) -> tuple[Any, Any]:
        assert image.shape == (52, 832)  # the place of 800 by 20 pixels, with a margin
        # The line, a fragment of the neighbor above, and a doubtful mark.
        boxes = [box(16, 16, 810, 36), box(0, 0, 400, 10), box(20, 18, 60, 36)]
        return np.array(boxes, np.float32), np.array([0.7, 0.8, 0.2], np.float32)

    found = with_missed_lines(PAGE, known, [(200.0, 700.0, 1000.0, 720.0)], detect)
    assert len(found) == len(LINES) + 1


def test_a_place_as_large_as_a_picture_is_not_searched() -> None:
    def fail(image: Any) -> tuple[Any, Any]:
        raise AssertionError("nothing should be searched")

    known = np.array([corners for corners, _ in LINES], np.float32)
    assert with_missed_lines(PAGE, known, [(0.0, 400.0, 1600.0, 1900.0)], fail) is known


def test_a_piece_of_a_known_line_at_the_edge_of_the_search_is_left_out() -> None:
    """The search found "ode:" at the edge of "Post code:", and the form then contained both."""
    known = np.array([box(100, 700, 300, 720)], np.float32)

    def detect(image: Any) -> tuple[Any, Any]:
        return np.array([box(0, 16, 116, 36), box(150, 16, 700, 36)], np.float32), np.full(2, 0.8, np.float32)

    found = with_missed_lines(PAGE, known, [(200.0, 700.0, 1000.0, 720.0)], detect)
    assert found[:, :, 0].min(axis=1).tolist() == [100, 334]
