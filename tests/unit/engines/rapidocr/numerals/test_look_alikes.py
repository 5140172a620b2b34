"""0 and O, and 1, I and l, told apart by the page's own letters and digits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reportlab
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from rayocr.engines.rapidocr.numerals.look_alikes import has_weak_number, with_look_alikes
from rayocr.engines.rapidocr.recognizer.decoding import BlankKeepingDecoder, LineReading

PLAIN_L = str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf")  # its l is a plain stroke
NUMBERS = "1102,90 31,47"


def page(texts: Sequence[str], *, font: str = "", blur: float = 0.0, bar: str = "") -> tuple[Any, Any, list[tuple[float, ...]]]:
    """Returns lines of 30 pixels, their corners, and the places of their characters. `bar`: drawn as a stroke by hand."""
    image = Image.new("L", (900, 70 * len(texts)), 255)
    pen, quads, places = ImageDraw.Draw(image), [], []
    face = ImageFont.truetype(font, 30) if font else ImageFont.load_default(size=30)
    for n, text in enumerate(texts):
        width = round(pen.textlength(text, font=face)) + 20
        pen.text((10, 70 * n + 16), text, font=face, fill=0)
        starts = [pen.textlength(text[:at], font=face) for at in range(len(text) + 1)]
        places.append(tuple((10 + (a + b) / 2) / width for a, b in pairwise(starts)))
        quads.append([(0, 70 * n + 10), (width, 70 * n + 10), (width, 70 * n + 58), (0, 70 * n + 58)])
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(image), np.array(quads, np.float32), places


def corrected(drawn: str, read: str, *others: str, sure: float = 0.97, **how: Any) -> tuple[str, bool]:
    """Returns what becomes of `read`, the model's reading of `drawn`, on a page with other lines."""
    upright, quads, places = page((drawn, *others), **how)
    kept = [place for place, sign in zip(places[0], drawn, strict=True) if sign != " " or len(read) == len(drawn)]
    doubtful = tuple((n, sure) for n, sign in enumerate(read) if sign in "0O1Il")
    first = LineReading(read, 0.98, sure, tuple(kept), look_alikes=doubtful)
    rest = [LineReading(text, 0.99, 0.99, at) for text, at in zip(others, places[1:], strict=True)]
    found = with_look_alikes(upright, quads, [first, *rest])
    return found[0].text, found[0].lost


@pytest.mark.parametrize("blur", [0.0, 1.2])
@pytest.mark.parametrize(
    ("drawn", "read"),
    [
        ("B0O1", "B001"),
        ("40S1Z714O2", "40S1Z71402"),
        ("4751I1BB4", "475111BB4"),
        ("BOI1", "B0I1"),
        ("E9D0DH1A", "E9DODHIA"),
        ("FR18 06O9 9696 GE41", "FR18 06O9 9696 GE41"),
    ],
)
def test_codes_have_the_letters_and_digits_that_they_show(drawn: str, read: str, blur: float) -> None:
    assert corrected(drawn, read, NUMBERS, "ORDER INVOICE", blur=blur) == (drawn, False)


@pytest.mark.parametrize("font", ["", PLAIN_L])
@pytest.mark.parametrize(
    ("drawn", "read"), [("7,5 l", "7,51"), ("10 l", "101"), ("1 l", "11"), ("5,5 l", "5,5 1"), ("3,38 l", "3,38 1")]
)
def test_the_unit_l_is_not_a_digit(drawn: str, read: str, font: str) -> None:
    assert corrected(drawn, read, NUMBERS, "all liters", font=font) == (drawn, False)


def test_a_plain_stroke_is_the_unit_without_other_letters() -> None:
    assert corrected("7,5 l", "7,51", font=PLAIN_L) == ("7,5 l", False)
    assert corrected("1,5 l", "1,5 I", font=PLAIN_L) == ("1,5 l", False)


@pytest.mark.parametrize("number", ["7,51", "101", "11", "2 1", "5,5 1", "12.50 1", "1102,91"])
@pytest.mark.parametrize("font", ["", PLAIN_L])
def test_numbers_stay_as_they_are(number: str, font: str) -> None:
    assert corrected(number, number, NUMBERS, "all ORDER INVOICE", font=font) == (number, False)


def test_letters_in_a_number_without_letters_are_a_doubt() -> None:
    assert corrected("29I92266803", "29192266803", NUMBERS, "ORDER INVOICE", sure=0.8) == ("29192266803", True)
    assert corrected("29192266803", "29192266803", NUMBERS, "ORDER INVOICE", sure=0.8) == ("29192266803", False)


def test_characters_that_no_shape_decides_are_a_doubt_if_the_model_is_not_sure() -> None:
    assert corrected("BO7", "B07", sure=0.6)[1]
    assert not corrected("BO7", "B07", sure=0.95)[1]


def test_a_line_reading_names_uncertain_characters() -> None:
    steps = np.zeros((5, 4), np.float32)
    steps[0] = 0.0, 0.997, 0.003, 0.0
    steps[2] = 0.0, 0.0, 0.9995, 0.0
    steps[4] = 0.0, 0.0, 0.3, 0.7
    steps[1, 0] = steps[3, 0] = 1.0
    reading = BlankKeepingDecoder(["", "O", "0", "5"]).decode(steps)
    assert reading.text == "O05"
    assert [index for index, _ in reading.look_alikes] == [0]
    assert reading.weak_digits == (2,)


def test_a_line_reading_names_uncertain_points_and_commas() -> None:
    steps = np.array([[0, 0, 1], [1, 0, 0], [0, 0.7, 0.3], [1, 0, 0], [0, 0, 1]], np.float32)
    assert BlankKeepingDecoder(["", ",", "5"]).decode(steps).weak_digits == (1,)


@pytest.mark.parametrize(
    ("text", "weak", "is_doubt"),
    [("Total 1.250,00", 8, True), ("Art 9", 4, False), ("AB-1250", 4, True), ("(9,à) + 5", 1, False), ("1.250,00", 0, True)],
)
def test_a_weak_digit_of_a_number_is_a_doubt(text: str, weak: int, is_doubt: bool) -> None:
    assert has_weak_number(LineReading(text, 0.95, 0.6, weak_digits=(weak,))) is is_doubt
    assert not has_weak_number(LineReading(text, 0.7, 0.3, weak_digits=(weak,)))
