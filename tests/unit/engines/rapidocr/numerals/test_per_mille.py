"""‰ and % are told apart by the width of their ink above and below, also beside a digit."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from rayocr.engines.rapidocr.numerals.per_mille import with_per_mille
from rayocr.engines.rapidocr.recognizer.decoding import LineReading

SCANNED = """
...###.............
.######............
.#######...........
####.###.....#.....
###..####...###....
###..####..###.....
####.####..###.....
########..###......
.#######.###.......
..#####..##........
........###........
........##..#####..
.......###########.
......##..#########
.....###.####...###
.....##..####...###
....##...####...###
....#....####..####
..........#########
...........#######.
............####...
"""  # the bar begins below the ring, and does not touch it


def number(rings: int, *, gap: int, after: str = "") -> tuple[Any, float]:
    """Draws a number with a sign that has so many rings below its bar. Returns the picture and the place of the sign."""
    image = np.full((50, 220), 255, np.uint8)
    cv2.putText(image, "7,2", (10, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2)
    x = 10 + cv2.getTextSize("7,2", cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)[0][0] + gap
    cv2.circle(image, (x + 5, 21), 4, 0, 2)
    cv2.line(image, (x + 5, 38), (x + 19, 16), 0, 2)
    for ring in range(rings):
        cv2.circle(image, (x + 21 + 11 * ring, 33), 4, 0, 2)
    cv2.putText(image, after, (x + 16 + 12 * rings, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2)
    return image, x + 13


def read(image: Any, text: str, *places: float) -> str:
    height, width = image.shape
    quads = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
    (found,) = with_per_mille(image, quads, [LineReading(text, 0.9, 0.9, tuple(place / width for place in places))])
    return found.text


@pytest.mark.parametrize("gap", [3, 14])
@pytest.mark.parametrize("after", ["", "."])
def test_a_sign_with_two_rings_below_is_per_mille(gap: int, after: str) -> None:
    image, place = number(2, gap=gap, after=after)
    assert read(image, f"7,2%{after}", 20, 34, 48, place, *([place + 30] if after else [])) == f"7,2‰{after}"


@pytest.mark.parametrize("gap", [3, 14])
@pytest.mark.parametrize("after", ["", "."])
def test_a_sign_with_one_ring_below_is_per_cent(gap: int, after: str) -> None:
    image, place = number(1, gap=gap, after=after)
    assert read(image, f"7,2%{after}", 20, 34, 48, place, *([place + 20] if after else [])) == f"7,2%{after}"


def test_a_sign_at_another_place_does_not_count() -> None:
    image, place = number(2, gap=14)
    assert (
        read(image, "7,2% of 3", 20, 34, 48, place + 60, place + 80, place + 90, place + 100, place + 105, place + 110)
        == "7,2% of 3"
    )


def test_a_ring_above_the_bar_belongs_to_the_sign() -> None:
    sign = np.array([[255 * (pixel == ".") for pixel in row] for row in SCANNED.split()], np.uint8)
    image = np.pad(sign, ((12, 12), (60, 20)), constant_values=255)
    cv2.putText(image, "2,4", (2, 33), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2)
    assert read(image, "2,4 %", 10, 22, 34, 50, 69) == "2,4 %"


def test_a_point_that_was_not_read_is_no_ring() -> None:
    image, place = number(1, gap=14, after=".")
    assert read(image, "7,2%", 20, 34, 48, place) == "7,2%"


def test_a_comma_as_high_as_a_ring_is_no_ring() -> None:
    image, place = number(1, gap=14)
    x = round(place) + 22
    cv2.line(image, (x, 35), (x, 44), 0, 3)
    assert read(image, "7,2 %,", 20, 34, 48, 55, place, x) == "7,2 %,"


@pytest.mark.parametrize("rings", [((6, 20), (21, 32)), ((-22, 26), (6, 20), (21, 32))])
def test_rings_without_their_thin_strokes_are_several_shapes(rings: tuple[tuple[int, int], ...]) -> None:
    image = np.full((50, 220), 255, np.uint8)
    for x, y in rings:  # the first of three is a zero
        for start in (120, 300):
            cv2.ellipse(image, (100 + x, y), (6, 12 if x < 0 else 6), 0, start, start + 120, 0, 2)
    assert read(image, "7 %", 20, 40, 113) == "7 %"
