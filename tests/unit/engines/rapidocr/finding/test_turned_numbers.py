"""Numbers that are stamped along the margin of a page, on drawn pages with a fake recognizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rayocr.engines.rapidocr.finding.turned_numbers import with_turned_numbers
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.pdf.shapes.components import PageInk

PITCH, WIDE, TOP = 30, 36, 100


def page(digits: int) -> PageInk:
    image = Image.new("L", (800, 700), 255)
    for n in range(digits):
        top = TOP + n * PITCH
        ImageDraw.Draw(image).rectangle((706, top + 8, 730, top + 26), outline=0, width=4)
    return PageInk(np.asarray(image))


def box(row: int, *, pitch: int = PITCH) -> list[tuple[int, int]]:
    y0 = TOP + row * pitch
    return [(700, y0), (700 + WIDE, y0), (700 + WIDE, y0 + 34), (700, y0 + 34)]


class Reads:
    def __init__(self, up: LineReading) -> None:
        self.up = up
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, lines: Sequence[Any]) -> list[LineReading]:
        self.shapes += [line.shape for line in lines]
        return [self.up, LineReading("C 2", 0.6, 0.2)][: len(lines)]


TEXT = LineReading("The text beside it", 0.99, 0.9)
LINE = [(60, 150), (600, 150), (600, 184), (60, 184)]


def test_digits_are_one_number_with_those_that_the_detector_missed() -> None:
    rows = (0, 1, 2, 4, 5, 6)  # of eight digits
    quads = np.array([LINE, *map(box, rows)], np.float32)
    read = [TEXT, *(LineReading(text, 0.9, 0.5) for text in ("8", "CN", "L", "5", "C", "2"))]
    reads = Reads(LineReading("8 3573282", 0.99, 0.9))
    found, lines = with_turned_numbers(page(8), quads, read, reads)
    assert [line.text for line in lines] == ["The text beside it", "83573282"]
    assert found[1][2][1] >= TOP + 7 * PITCH + 26
    assert all(wide > 6 * high for high, wide in reads.shapes)


@pytest.mark.parametrize("up", [LineReading("8C52", 0.7, 0.3), LineReading("80008", 0.99, 0.9), LineReading("HOTEL", 0.99, 0.9)])
def test_boxes_that_are_no_number_when_turned_stay(up: LineReading) -> None:
    quads = np.array([LINE, *map(box, range(5))], np.float32)
    read = [TEXT, *(LineReading("8", 0.9, 0.5) for _ in range(5))]
    assert with_turned_numbers(page(5), quads, read, Reads(up))[1] == read


def test_a_column_of_a_table_is_not_read_again() -> None:
    quads = np.array([LINE, *(box(row, pitch=60) for row in range(5))], np.float32)
    read = [TEXT, *(LineReading("1", 0.9, 0.5) for _ in range(5))]
    reads = Reads(LineReading("12345", 0.99, 0.9))
    assert with_turned_numbers(page(5), quads, read, reads)[1] == read
    assert reads.shapes == []


def test_the_numbers_of_close_rows_are_upright() -> None:
    quads = np.array([LINE, *map(box, range(6))], np.float32)
    read = [TEXT, LineReading("No.", 0.99, 0.95), *(LineReading(str(row), 0.99, 0.95) for row in range(1, 6))]
    reads = Reads(LineReading("N123456", 0.95, 0.9))
    assert with_turned_numbers(page(6), quads, read, reads)[1] == read
    assert reads.shapes == []
