"""Fractions with a level bar are read with the words beside them; sums and underlined words are not fractions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.splitting.stacked_fractions import with_stacked_fractions
from rayocr.pdf.shapes.components import PageInk


def put(image: Any, text: str, x: int, foot: int, scale: float = 1.0) -> int:
    cv2.putText(image, text, (x, foot), cv2.FONT_HERSHEY_SIMPLEX, scale, 0, 2)
    return x + int(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)[0][0])


def recipe(before: str = "2", *, bar: int = 47) -> Any:
    """Draws a number, three quarters and a word; `bar`: the row of the bar."""
    image = np.full((120, 400), 255, np.uint8)
    put(image, before, 20, 60)
    put(image, "3", 52, bar - 6, 0.6)
    cv2.line(image, (48, bar), (68, bar), 0, 2)
    put(image, "4", 52, bar + 20, 0.6)
    put(image, "tsp", 80, 60)
    return image


def box(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def answers(*texts: str) -> Any:
    """Reads pictures in order."""
    rest = iter(texts)

    def recognize(lines: Sequence[Any]) -> list[LineReading]:
        return [LineReading(next(rest), 0.95, 0.9) for _ in lines]

    return recognize


def test_a_fraction_inside_a_line_stands_between_its_words() -> None:
    quads = np.array([box(12, 30, 150, 72)], np.float32)
    read = [LineReading("2 tsp", 0.95, 0.9)]
    after, readings, lost = with_stacked_fractions(PageInk(recipe()), quads, read, answers("3", "4", "2", "tsp"))
    assert [reading.text for reading in readings] == ["2¾ tsp"] and not lost
    assert np.allclose(after, quads)


def test_a_fraction_before_a_line_begins_it_and_replaces_its_own_lines() -> None:
    quads = np.array([box(74, 30, 150, 72), box(46, 50, 70, 70)], np.float32)
    read = [LineReading("tsp", 0.95, 0.9), LineReading("4", 0.9, 0.9)]
    after, readings, lost = with_stacked_fractions(PageInk(recipe("")), quads, read, answers("3", "4"))
    assert [reading.text for reading in readings] == ["¾ tsp"] and len(after) == 1 and not lost


@pytest.mark.parametrize("numbers", [("3", "x"), ("0", "4")])
def test_a_fraction_whose_number_cannot_be_read_is_lost(numbers: tuple[str, str]) -> None:
    quads, read = np.array([box(12, 30, 150, 72)], np.float32), [LineReading("2 tsp", 0.95, 0.9)]
    _, readings, lost = with_stacked_fractions(PageInk(recipe()), quads, read, answers(*numbers))
    assert [reading.text for reading in readings] == ["2 tsp"] and lost


def test_a_rule_between_two_lines_is_no_bar() -> None:
    quads = np.array([box(12, 4, 150, 46), box(12, 48, 150, 90)], np.float32)
    read = [LineReading("12", 0.95, 0.9), LineReading("30", 0.95, 0.9)]
    after, readings, lost = with_stacked_fractions(PageInk(recipe()), quads, read, answers())
    assert after is quads and readings == read and not lost


def test_a_korean_syllable_with_a_level_stroke_is_no_fraction() -> None:
    image = np.full((120, 400), 255, np.uint8)
    put(image, "AB", 20, 60)
    for top in (32, 52):  # twice the consonant that looks like a wide 2, above and below the stroke
        corners = [(66, top), (88, top), (88, top + 5), (66, top + 5), (66, top + 10), (88, top + 10)]
        cv2.polylines(image, [np.array(corners, np.int32)], False, 0, 2)
    cv2.line(image, (63, 47), (91, 47), 0, 2)
    quads, read = np.array([box(12, 26, 150, 68)], np.float32), [LineReading("AB", 0.95, 0.9)]
    _, readings, lost = with_stacked_fractions(PageInk(image), quads, read, answers("2", "2", "AB", "AB"))
    assert readings == read and not lost
