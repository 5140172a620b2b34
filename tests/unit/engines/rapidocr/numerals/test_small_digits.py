"""Raised digits and fractions in lines of a scan, which the recognition models read as ordinary digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.rapidocr.numerals.small_digits import SmallDigitReader
from rayocr.engines.rapidocr.recognizer.decoding import LineReading

SIZE = 40
BASE = 44
SMALL = 0.62


class Line:
    """The picture of a line that is drawn from left to right, with the middle of each sign."""

    def __init__(self) -> None:
        self._image = Image.new("L", (400, 60), 255)
        self._pen = ImageDraw.Draw(self._image)
        self._x = 12.0
        self.places: list[float] = []

    def text(self, text: str, *, size: float = SIZE, base: float = BASE) -> Line:
        font = ImageFont.load_default(size=size)
        for sign in text:
            width = font.getlength(sign)
            self._pen.text((self._x, base), sign, fill=0, font=font, anchor="ls")
            self.places.append(self._x + width / 2)
            self._x += width
        return self

    def raised(self, text: str) -> Line:
        return self.text(text, size=SMALL * SIZE, base=BASE - 0.3 * SIZE)

    def fraction(self, above: str, below: str) -> Line:
        self.raised(above)
        self._pen.line((self._x - 5, BASE, self._x + 10, BASE - 0.72 * SIZE), fill=0, width=3)
        self._x += 6
        return self.text(below, size=SMALL * SIZE)

    def picture(self) -> Any:
        return np.asarray(self._image.crop((0, 0, round(self._x) + 12, 60)))


def read(line: Line, text: str, small: Callable[[int], str] = lambda place: "", *, places: Sequence[float] = ()) -> LineReading:
    """Returns the reading of a line that the models read as `text`. `small` returns their reading of each small picture."""
    picture = line.picture()
    middles = places or line.places
    whole = LineReading(text, 0.99, 0.98, tuple(x / picture.shape[1] for x in middles))

    def recognize(lines: Sequence[Any]) -> list[LineReading]:
        if lines[0] is picture:
            return [whole]
        return [LineReading(small(place), 0.99, 0.98) for place in range(len(lines))]

    return SmallDigitReader(recognize)([picture])[0]


def test_raised_digit_after_a_number_is_raised_in_the_text() -> None:
    assert read(Line().text("Table 12").raised("3"), "Table 123", lambda place: "3").text == "Table 12³"


def test_digits_of_the_usual_size_stay() -> None:
    reading = read(Line().text("1,204.50 kg 7%"), "1,204.50 kg 7%", lambda place: "0")
    assert (reading.text, reading.lost) == ("1,204.50 kg 7%", False)


@pytest.mark.parametrize("text", ["82.2%", "29.4%"])
@pytest.mark.parametrize("ring", ["0", "o"])
def test_digit_before_a_percent_sign_stays_if_its_place_is_inexact(text: str, ring: str) -> None:
    line = Line().text(text)
    *before, last, percent = line.places
    assert read(line, text, lambda place: ring, places=[*before, last + 20, percent]).text == text
    assert read(line, text, lambda place: ring, places=[place + 28 for place in line.places]).text == text


def test_digit_before_a_fraction_that_was_read_as_its_sign_stays() -> None:
    line = Line().text("12").fraction("3", "4")
    first, last, *signs = line.places
    reading = read(line, "12¾", lambda place: "34"[place], places=[first, last + 20, sum(signs) / len(signs)])
    assert reading.text == "12¾"


def test_raised_sign_that_is_no_digit_stays() -> None:
    assert read(Line().text("45").raised("o"), "45°", lambda place: "0").text == "45°"


@pytest.mark.parametrize(("text", "expected"), [("234", "2¾"), ("2½4", "2¾")])
def test_fraction_that_was_read_as_digits_is_a_fraction(text: str, expected: str) -> None:
    line = Line().text("2").fraction("3", "4")
    reading = read(line, text, lambda place: "34"[place], places=line.places)
    assert (reading.text, reading.lost) == (expected, False)


def test_fraction_without_any_character_is_inserted() -> None:
    line = Line().text("2").fraction("3", "4").text(" m")
    assert read(line, "2 m", lambda place: "34"[place], places=(line.places[0], *line.places[-2:])).text == "2¾ m"


def test_fraction_without_a_sign_in_unicode_is_written_with_a_slash() -> None:
    line = Line().fraction("3", "7")
    assert read(line, "37", lambda place: "37"[place]).text == "3/7"


def test_fraction_whose_numbers_cannot_be_read_is_a_doubt() -> None:
    reading = read(Line().text("2").fraction("3", "4"), "234", lambda place: "3?"[place])
    assert (reading.text, reading.lost) == ("234", True)


def test_raised_digit_of_a_number_by_hand_stays() -> None:
    line = Line().text("44 ").raised("5").text(" 4")
    assert read(line, "44 5 4", lambda place: "5").text == "44 5 4"


@pytest.mark.parametrize("ring", ["o", "0"])
def test_digit_whose_place_is_that_of_the_percent_sign_stays(ring: str) -> None:
    reading = read(Line().text("3").fraction("o", "o"), "34%", lambda place: ring, places=(20.0, 44.0, 58.0))
    assert (reading.text, reading.lost) == ("34%", False)


def test_percent_sign_stays() -> None:
    reading = read(Line().text("2").fraction("o", "o"), "2%", lambda place: "0", places=(20.0, 44.0))
    assert (reading.text, reading.lost) == ("2%", False)


def test_number_above_the_bar_that_was_read_twice_is_one_number() -> None:
    line = Line().text("2").fraction("1", "4")
    reading = read(line, "21¼", lambda place: "14"[place], places=(line.places[0], line.places[1] - 8, sum(line.places[1:]) / 2))
    assert (reading.text, reading.lost) == ("2¼", False)
    line = Line().fraction("1", "2")
    reading = read(line, "1½", lambda place: "12"[place], places=(line.places[0] - 4, sum(line.places) / 2))
    assert (reading.text, reading.lost) == ("½", False)
    line = Line().text("21").fraction("1", "4")
    places = (*line.places[:2], sum(line.places[2:]) / 2)
    assert read(line, "21¼", lambda place: "14"[place], places=places).text == "21¼"


def test_digit_at_some_distance_before_a_fraction_stays() -> None:
    line = Line().text("1")
    line._x += 8
    line.fraction("1", "4")
    places = (line.places[0], sum(line.places[1:]) / 2)
    assert read(line, "1¼", lambda place: "14"[place], places=places).text == "1¼"


def test_digits_with_a_wide_gap_before_a_fraction_or_a_percent_sign_stay() -> None:
    line = Line().text("1")
    line._x += 8
    line.text("1").fraction("1", "2")
    places = (*line.places[:2], sum(line.places[2:]) / 2)
    assert read(line, "11½", lambda place: "12"[place], places=places).text == "11½"
    line = Line().text("1")
    line._x += 8
    line.text("0").fraction("0", "0")
    places = (*line.places[:2], sum(line.places[2:]) / 2)
    assert read(line, "10%", lambda place: "0", places=places).text == "10%"


def test_rest_of_a_fraction_is_a_doubt() -> None:
    line = Line().fraction("1", "2").text(" cup")
    reading = read(line, "½2 cup", lambda place: "?", places=(18.0, 34.0, *line.places[2:]))
    assert (reading.text, reading.lost) == ("½2 cup", True)


def test_fraction_beside_the_rest_of_it_is_a_doubt_also_without_its_ink() -> None:
    line = Line().text("4 x").raised("2")
    assert read(line, "½4 x2", lambda place: "2", places=(10.0, *line.places)).lost


def test_digits_that_touch_before_a_fraction_stay() -> None:
    line = Line().text("4")
    line._x -= 10
    line.text("1").fraction("1", "2")
    places = (*line.places[:2], sum(line.places[2:]) / 2)
    assert read(line, "41½", lambda place: "12"[place], places=places).text == "41½"


def test_raised_digit_of_a_wide_font_is_raised() -> None:
    line = Line()
    for sign in "4157":
        line.text(sign)
        line._x += 16
    line.raised("3")
    assert read(line, "41573", lambda place: "3").text == "4157³"


def test_letters_above_the_foot_of_a_descender_are_not_raised() -> None:
    line = Line().text("p").text("4cu", base=BASE - 10, size=0.66 * SIZE)
    assert read(line, "p4cu", lambda place: "4").text == "p4cu"


def old_style(text: str) -> Line:
    line = Line()
    for sign in text:
        line.text(sign, size=(0.66 if sign in "012" else 1) * SIZE, base=BASE - (0.3 * SIZE if sign in "012" else 0))
    return line


def test_old_style_digits_are_not_raised_if_several_numbers_show_them() -> None:
    texts = ("4.275", "57.2493", "92.274")
    lines = [old_style(text) for text in texts]
    pictures = [line.picture() for line in lines]
    whole = [
        LineReading(text, 0.99, 0.98, tuple(x / picture.shape[1] for x in line.places))
        for text, line, picture in zip(texts, lines, pictures, strict=True)
    ]

    def recognize(some: Sequence[Any]) -> list[LineReading]:
        return list(whole) if some[0] is pictures[0] else [LineReading("2", 0.9, 0.9) for _ in some]

    assert [(reading.text, reading.lost) for reading in SmallDigitReader(recognize)(pictures)] == [
        (text, False) for text in texts
    ]
