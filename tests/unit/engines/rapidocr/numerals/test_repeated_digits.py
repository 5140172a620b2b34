"""Digits that the recognition models lose in rows of equal ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.rapidocr.numerals.repeated_digits import with_repeated_digits
from rayocr.engines.rapidocr.recognizer.decoding import LineReading

HEIGHT, PITCH, LEFT = 44, 15, 14
Read = Callable[[Sequence[Any]], list[LineReading]]


def page(*lines: str, rule: int = 0, touches: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A page whose signs all have the same width. `rule`: where an upright ruling is, `touches`: a bar joins the second
    word of the first line."""
    image = Image.new("L", (700, HEIGHT * len(lines)), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=26)
    for row, line in enumerate(lines):
        for n, sign in enumerate(line):
            pen.text((LEFT + n * PITCH + PITCH / 2, HEIGHT * row + 32), sign, fill=0, font=font, anchor="ms")
    if rule:
        pen.line((rule, 8, rule, 34), fill=0, width=3)
    if touches:
        start = lines[0].index(" ") + 1
        pen.line((LEFT + start * PITCH + 4, 31, LEFT + len(lines[0]) * PITCH - 4, 31), fill=0, width=2)
    right = LEFT * 2 + PITCH * max(map(len, lines))
    quads = [[(0, y), (right, y), (right, y + HEIGHT), (0, y + HEIGHT)] for y in range(0, HEIGHT * len(lines), HEIGHT)]
    return np.asarray(image), np.array(quads, np.float32)


def reading(shown: str, text: str, width: int) -> LineReading:
    """The reading of a line that shows `shown` and was read as `text`: characters after the lost ones are at their places."""
    places = [(LEFT + (n + 0.5) * PITCH) / width for n in range(len(shown))]
    lost = len(shown) - len(text)
    first = shown.rindex(" ") + 1
    return LineReading(text, 0.99, 0.95, tuple(places[:first] + places[first + lost :]))


def reads(text: str) -> Read:
    return lambda lines: [LineReading(text, 0.99, 0.9) for _ in lines]


def fail(lines: Sequence[Any]) -> list[LineReading]:
    raise AssertionError("nothing should be read again")


def fixed(shown: str, text: str, recognize: Read, **drawn: Any) -> LineReading:
    others = ("Item 5281", "Item 3947", "Item 6205") if drawn.get("touches") else ()
    image, quads = page(shown, *others, **drawn)
    width = int(quads[0, 1, 0])
    lines = [reading(shown, text, width), *(reading(other, other, width) for other in others)]
    return with_repeated_digits(image, quads, lines, recognize)[0]


def test_lost_digit_is_restored_if_a_wider_picture_shows_it() -> None:
    found = fixed("Batch 5200000", "Batch 520000", reads("5200000"))
    assert (found.text, found.lost) == ("Batch 5200000", False)


def test_number_with_separators_is_restored() -> None:
    assert fixed("Total 2,000,000", "Total 2,00,000", reads("2,000,000")).text == "Total 2,000,000"


def test_number_with_more_signs_than_could_be_read_is_a_doubt() -> None:
    found = fixed("Batch 5200000", "Batch 520000", reads("520000"))
    assert (found.text, found.lost) == ("Batch 520000", True)


def test_another_number_is_not_taken() -> None:
    found = fixed("Batch 5200000", "Batch 520000", reads("5288000"))
    assert (found.text, found.lost) == ("Batch 520000", True)


def test_digits_that_touch_are_counted_by_their_width() -> None:
    assert fixed("Batch 5200000", "Batch 52000", reads("5200000"), touches=True).text == "Batch 5200000"


@pytest.mark.parametrize("text", ["Batch 5200000", "Room 417", "Batch A200000", "a 5.000,00", "in 2018;"])
def test_number_with_as_many_digits_as_its_ink_costs_nothing(text: str) -> None:
    assert fixed(text, text, fail).text == text


def test_ruling_beside_a_digit_is_no_digit() -> None:
    assert fixed("Batch 5200134", "Batch 5200134", fail, rule=LEFT + 8 * PITCH + 1).text == "Batch 5200134"


def test_strokes_of_digits_that_touch_show_that_one_is_lost() -> None:
    shown, text = "Batch 1111700", "Batch 111700"
    image, quads = page(shown)
    image = image.copy()
    image[30:33, LEFT + 6 * PITCH + 4 : LEFT + 13 * PITCH - 4] = 0  # serifs
    lines = [reading(shown, text, int(quads[0, 1, 0]))]
    assert with_repeated_digits(image, quads, lines, reads("1111700"))[0].text == shown
    assert with_repeated_digits(image, quads, lines, reads("111700"))[0].lost
    complete = [reading(shown, shown, int(quads[0, 1, 0]))]
    assert with_repeated_digits(image, quads, complete, fail) == complete


def test_number_with_an_apostrophe_or_a_hyphen_is_restored() -> None:
    assert fixed("Total 2'000'000", "Total 2'00'000", reads("2'000'000")).text == "Total 2'000'000"
    assert fixed("Total 33-5550", "Total 33-550", reads("33-5550")).text == "Total 33-5550"


def test_strokes_inside_separate_digits_are_no_sign_of_lost_ones() -> None:
    image, quads = page("Total 1,000,00")
    image = image.copy()
    for n in (8, 9, 10):
        image[20:27, LEFT + round((n + 0.5) * PITCH) - 1 : LEFT + round((n + 0.5) * PITCH) + 2] = 0  # dotted zeros
    lines = [reading("Total 1,000,00", "Total 1,000,00", int(quads[0, 1, 0]))]
    assert with_repeated_digits(image, quads, lines, fail) == lines
