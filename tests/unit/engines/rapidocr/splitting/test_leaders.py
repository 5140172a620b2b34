"""Dotted leaders of tables of contents, on pictures that are drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.splitting.leaders import find_leaders, with_page_numbers
from rayocr.pdf.shapes.components import PageInk

HEIGHT = 44  # of a line with its margins
DOTS = (400, 900)


def drawn(*numbers: str, dots: tuple[int, int] | None = DOTS, behind: str = "") -> Any:
    """One entry for each number, 60 pixels apart."""
    image = Image.new("L", (1200, 60 * len(numbers) + 20), 245)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=28)
    for row, number in enumerate(numbers):
        draw.text((100, 60 * row + 20), "History of ports", fill=10, font=font)
        draw.text((930, 60 * row + 20), number, fill=10, font=font)
        draw.text((1100, 60 * row + 20), behind, fill=10, font=font)
        for x in range(*dots, 9) if dots else ():
            draw.rectangle((x, 60 * row + 42, x + 2, 60 * row + 44), fill=10)
    return np.asarray(image)


def quad(row: int, left: int, right: int) -> Any:
    top = 60 * row + 12
    return np.array([[left, top], [right, top], [right, top + HEIGHT], [left, top + HEIGHT]], np.float32)


class Recognizer:
    def __init__(self, *texts: str, score: float = 0.98) -> None:
        self.texts, self.score = texts, score
        self.widths: list[int] = []

    def __call__(self, lines: Sequence[Any]) -> list[LineReading]:
        self.widths += [line.shape[1] for line in lines]
        assert len(lines) == len(self.texts)
        return [LineReading(text, self.score, self.score) for text in self.texts]


def reading(text: str, score: float = 0.95) -> LineReading:
    return LineReading(text, score, score)


def result(image: Any, lines: list[tuple[Any, LineReading]], recognize: Recognizer) -> tuple[list[str], bool]:
    quads, read, unread = with_page_numbers(PageInk(image), np.array([q for q, _ in lines]), [r for _, r in lines], recognize)
    assert len(quads) == len(read)
    return [r.text for r in read], unread


def test_a_leader_ends_where_its_words_begin() -> None:
    (first, second) = find_leaders(PageInk(drawn("3", "128")), HEIGHT)
    assert first.left == 400
    assert first.right == pytest.approx(900, abs=9)
    assert first.base == pytest.approx(45, abs=1)
    assert 925 <= first.end_left < first.end_right <= 955
    assert second.end_right - second.end_left > 2 * (first.end_right - first.end_left)


def test_a_number_that_the_detector_or_the_model_lost_is_read_by_itself() -> None:
    image = drawn("3", "7")
    lines = [(quad(0, 90, 430), reading("History of ports ..")), (quad(1, 90, 970), reading("History of ports  ", 0.95))]
    recognize = Recognizer("History of ports", "3", "History of ports.", "7")
    assert result(image, lines, recognize) == (["History of ports ..... 3", "History of ports ..... 7"], False)
    assert recognize.widths[1] < 60 and recognize.widths[0] > 250


def test_a_number_with_the_rest_of_its_leader_becomes_part_of_its_entry() -> None:
    lines = [(quad(0, 90, 430), reading("History of po..", 0.7)), (quad(0, 880, 990), reading("..128"))]
    assert result(drawn("128"), lines, Recognizer("History of ports", "128")) == (["History of ports ..... 128"], False)


@pytest.mark.parametrize(("text", "score"), [("", 0.0), ("7", 0.3), ("ヨ", 0.9)])
def test_a_number_that_cannot_be_read_is_a_doubt(text: str, score: float) -> None:
    lines = [(quad(0, 90, 430), reading("History of ports .."))]
    assert result(drawn("3"), lines, Recognizer("History of ports", text, score=score)) == (["History of ports .."], True)


@pytest.mark.parametrize(
    ("image", "lines"),
    [
        (drawn("3", dots=None), [(quad(0, 90, 970), reading("History of ports 3"))]),
        (drawn("", dots=DOTS), [(quad(0, 90, 910), reading("History of ports ......"))]),
        (drawn("12"), [(quad(0, 90, 980), reading("History of ports .......... 12"))]),
        (drawn("12", behind="14"), [(quad(0, 90, 430), reading("Sales .....")), (quad(0, 1090, 1150), reading("14"))]),
        (drawn("Date"), [(quad(0, 90, 1180), reading("Name ....... Date"))]),
    ],
    ids=["no dots", "no number", "already complete", "columns of a table", "a place to write"],
)
def test_other_lines_stay_as_they_are(image: Any, lines: list[tuple[Any, LineReading]]) -> None:
    assert result(image, lines, Recognizer()) == ([r.text for _, r in lines], False)


def test_the_raster_of_a_picture_has_no_leaders() -> None:
    image = np.full((1000, 1200), 245, np.uint8)
    image[::6, ::6] = image[1::6, ::6] = image[::6, 1::6] = image[1::6, 1::6] = 10
    assert find_leaders(PageInk(image), HEIGHT) == []
