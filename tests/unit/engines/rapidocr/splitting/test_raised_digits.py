"""Raised digits at the end of a number are superscripts; digits on one line are not, and remains of rulings do not matter."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.splitting.raised_digits import with_raised_digits


def line(level: str, raised: str = "", *, below: str = "", ruling: bool = False) -> Any:
    """Draws a number in the size of a scan at 200 dpi. `below`: digits of the smaller size on the baseline."""
    image = np.full((60, 260), 255, np.uint8)
    x = 14
    for text, scale, foot in ((level, 1.0, 46), (raised, 0.55, 34), (below, 0.55, 46)):
        for char in text:
            cv2.putText(image, char, (x, foot), cv2.FONT_HERSHEY_SIMPLEX, scale, 0, 2)
            x += cv2.getTextSize(char, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)[0][0] + 2
    if ruling:
        image[57:] = 0
    return image


def read(image: Any, text: str) -> str:
    height, width = image.shape
    quads = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
    (reading,) = with_raised_digits(image, quads, [LineReading(text, 0.9, 0.9)])
    return reading.text


@pytest.mark.parametrize("ruling", [False, True])
def test_a_raised_digit_is_a_superscript(ruling: bool) -> None:
    assert read(line("250", "9", ruling=ruling), "2509") == "250⁹"
    assert read(line("1203", "24", ruling=ruling), "120324") == "1203²⁴"


def test_digits_on_one_line_are_a_number() -> None:
    assert read(line("2509"), "2509") == "2509"
    assert read(line("25", below="09"), "2509") == "2509"


def test_a_number_whose_digits_are_not_found_stays() -> None:
    assert read(line("250", "9"), "25009") == "25009"
    assert read(line("2", "9"), "29") == "29"  # a single digit shows no line
