"""Windows cover every inked pixel once, and give the same boxes as the whole page."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.engines.rapidocr.finding.text_map import TextDetector
from rayocr.engines.rapidocr.finding.windows import spans, windows


class MarksDarkPixels:
    """A detection model that sees nothing at the edges of a large window."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def run(self, batch: Any) -> Any:
        self.shapes.append(batch.shape)
        marks = (batch[:, :1] < 0).astype(np.float32)
        if batch.shape[2] >= 1344:
            marks[:, :, :60] = marks[:, :, -60:] = 0.0
        if batch.shape[3] >= 1344:
            marks[:, :, :, :60] = marks[:, :, :, -60:] = 0.0
        return marks


@given(st.integers(0, 3000), st.integers(1, 40_000))
def test_what_is_taken_from_windows_is_the_whole_stretch_once(start: int, length: int) -> None:
    found = spans(start, start + length)
    assert found[0].first == start and found[-1].last == start + length
    assert all(before.last == after.first for before, after in pairwise(found))
    assert all(span.start <= span.first < span.last <= span.end and span.end - span.start <= 1344 for span in found)


def test_lines_are_neither_lost_nor_doubled_at_the_seams_of_a_long_page() -> None:
    page = np.full((9000, 400), 255, np.uint8)
    tops = range(100, 8800, 37)
    for top in tops:
        page[top : top + 14, 60:340] = 0
    model = MarksDarkPixels()
    boxes, _ = TextDetector(model, least_score=0.5)(page)
    assert len(model.shapes) > 5
    found = sorted(float(box[:, 1].mean()) - 7 for box in boxes)
    inner = list(tops)[2:-3]  # the model sees nothing at the ends of the page either
    assert [top for top in found if inner[0] - 9 < top < inner[-1] + 9] == pytest.approx(inner, abs=2)


def test_a_line_over_many_windows_is_one_box() -> None:
    page = np.full((200, 7000), 255, np.uint8)
    page[80:100, 100:6900] = 0
    boxes, _ = TextDetector(MarksDarkPixels(), least_score=0.5)(page)
    (box,) = boxes
    assert box[:, 0].min() < 130 and box[:, 0].max() > 6860


def test_more_boxes_than_a_thousand_are_kept() -> None:
    page = np.full((8000, 400), 255, np.uint8)
    for top in range(100, 7900, 20):
        for left in (40, 160, 280):
            page[top : top + 8, left : left + 60] = 0
    boxes, _ = TextDetector(MarksDarkPixels(), least_score=0.5)(page)
    assert 3 * 380 < len(boxes) <= 3 * 390


def test_white_bands_are_not_examined() -> None:
    page = np.full((1280, 900), 255, np.uint8)
    page[100:110, 300:500] = 0
    page[1000:1010, 300:500] = 0
    seen = list(windows(page))
    assert len(seen) == 2
    assert sum((down.end - down.start) * (across.end - across.start) for down, across in seen) < 0.1 * page.size


def test_a_blank_page_has_no_windows_and_no_boxes() -> None:
    page = np.full((1280, 900), 250, np.uint8)
    model = MarksDarkPixels()
    boxes, scores = TextDetector(model, least_score=0.5)(page)
    assert (boxes.shape, scores.shape, model.shapes) == ((0, 4, 2), (0,), [])


def test_a_slanted_mark_is_a_slanted_box() -> None:
    import cv2

    page = np.full((400, 700), 255, np.uint8)
    cv2.line(page, (60, 100), (640, 160), 0, 14)
    boxes, _ = TextDetector(MarksDarkPixels(), least_score=0.5)(page)
    (box,) = boxes
    assert box[1][1] - box[0][1] == pytest.approx(60 * np.linalg.norm(box[1] - box[0]) / np.hypot(580, 60), abs=3)
