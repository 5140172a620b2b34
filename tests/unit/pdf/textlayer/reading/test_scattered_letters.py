"""The text of a page whose letters are drawn out of order consists of fragments; OCR reads the page."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rayocr.pdf.textlayer.glyphs.characters import Characters
from rayocr.pdf.textlayer.reading.scattered_letters import are_scattered
from tests.unit.pdf.pdfs import pages_of
from tests.unit.pdf.textlayer.drawings import layer_of

LINES = ["Total 48291 is due today", "Ground rent 37105 noted", "A sum of 90 for the roof", "The keeper rested there"] * 3
WIDTH = 7.2  # of every letter of Courier in 12 pt


def letters(lines: list[str]) -> list[tuple[float, float, str]]:
    return [
        (72 + WIDTH * n, 700 - 14 * row, char) for row, line in enumerate(lines) for n, char in enumerate(line) if char != " "
    ]


def kind_of(drawn: list[tuple[float, float, str]]) -> str:
    content = "".join(f"BT /F1 12 Tf {x} {y} Td ({char}) Tj ET " for x, y, char in drawn)
    data = pages_of(content=content.encode()).replace(b"/BaseFont /Helvetica", b"/BaseFont /Courier  ")
    return layer_of(data).verdict.kind


@pytest.mark.parametrize("order", ["by letter", "by column", "at random"])
def test_letters_that_are_drawn_out_of_order_are_not_trusted(order: str) -> None:
    drawn = letters(LINES)
    if order == "at random":
        random.Random(3).shuffle(drawn)
    else:
        drawn.sort(key=lambda letter: letter[2] if order == "by letter" else letter[0])
    assert kind_of(drawn) == "bad"


def test_letters_that_are_drawn_in_order_or_within_their_lines_are_trusted() -> None:
    assert kind_of(letters(LINES)) == "trusted"
    assert kind_of(letters(LINES[::-1])) == "trusted"
    rng = random.Random(5)
    assert kind_of(sorted(letters(LINES), key=lambda letter: (-letter[1], rng.random()))) == "trusted"


def test_a_grid_of_single_digits_is_trusted() -> None:
    grid = [(72 + 40 * column, 700 - 30 * row, str((column * row) % 10)) for column in range(10) for row in range(12)]
    assert kind_of(grid + letters(LINES[:2])) != "bad"


@pytest.mark.parametrize(("labels", "scattered"), [("\u05d0\u05d1\u05d2\u05d3", False), ("abcd", True)])
def test_numbers_with_labels_in_a_script_from_the_right_are_in_order(labels: str, scattered: bool) -> None:
    text, rows = labels + "4829137105", 12
    x0 = np.tile(480 - WIDTH * np.arange(len(text)), rows)
    y0 = np.repeat(100.0 + 14 * np.arange(rows), len(text))
    count = len(text) * rows
    characters = Characters(list(text) * rows, [0] * count, list(range(count)), x0, y0, x0 + WIDTH, y0 + 12)
    assert are_scattered(characters) == scattered
