"""Apostrophes of amounts in fine print that were not read come back where the ink shows them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rayocr.engines.rapidocr.numerals.lost_marks import with_lost_marks
from rayocr.engines.rapidocr.recognizer.decoding import LineReading

MARKS = {
    "'": (11, 4, 2),
    ".": (22, 2, 2),
    ",": (22, 4, 2),
    "`": (11, 1, 1),
    "=": (11, 2, 6),
    "|": (10, 8, 2),
}  # top, height, width


def read(drawn: str, text: str, *, height: int = 30) -> tuple[str, bool]:
    """Draws a number with marks, and returns what becomes of its reading and whether it is a doubt."""
    image = np.full((height, 40 + 16 * len(drawn)), 255, np.uint8)
    x, places = 8, []
    for sign in drawn:
        if sign.isdigit():
            cv2.putText(image, sign, (x, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 0, 1)
            places.append(x + 6)
            x += 12
        elif sign == " ":
            x += 12
            places.append(x - 6)
        else:
            top, high, wide = MARKS.get(sign, (22, 4, 2))
            image[top : top + high, x : x + wide] = 0
            places.append(x + 1)
            x += wide + 2
    kept = [place for place, sign in zip(places, drawn, strict=True) if sign.isalnum() or sign in text]
    width = image.shape[1]
    quads = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
    reading = LineReading(text, 0.99, 0.9, tuple(place / width for place in kept[: len(text)]))
    (found,) = with_lost_marks(image, quads, [reading])
    return found.text, found.lost


def test_apostrophe_before_three_digits_is_put_in() -> None:
    assert read("72'404.52", "72404.52") == ("72'404.52", False)
    assert read("-4'910'612.38", "-4'910612.38") == ("-4'910'612.38", False)


@pytest.mark.parametrize("text", ["1,250.75", "72'404.52", "5048", "12.5 3404"])
def test_number_whose_marks_were_read_stays(text: str) -> None:
    assert read(text, text) == (text, False)


def test_ordinary_print_is_not_examined() -> None:
    assert read("71'217", "71217", height=44) == ("71217", False)


def test_dirt_above_a_number_is_no_apostrophe() -> None:
    assert read("20'13", "2013") == ("2013", False)
    assert read("2'013", "2013") == ("2013", False)


def test_amount_with_other_signs_than_its_ink_stays() -> None:
    assert read("71'2175", "71217") == ("71217", False)


@pytest.mark.parametrize("mark", [",", "`", "=", "|"], ids=["low", "speck", "wide", "tall"])
def test_another_mark_is_no_apostrophe(mark: str) -> None:
    assert read(f"72{mark}404", "72404") == ("72404", False)
