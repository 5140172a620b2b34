"""Blocks of print that are upside down or mirrored among upright lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rayocr.engines.rapidocr.cleaning.turned_blocks import TurnedBlock, find_turned_block
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.messages import PageText, TextBox

PAPER, HEIGHT, WIDTH = 240, 900, 640
WELL, BADLY = LineReading("Account 5461887787", 0.99, 0.9), LineReading("Acc   0510", 0.62, 0.2)
FLIPS = {"upside down": np.s_[::-1, ::-1], "mirrored": np.s_[:, ::-1], "mirrored and upside down": np.s_[::-1, :]}


def page(count: int, turned: Sequence[int], flip: Any) -> tuple[np.ndarray, np.ndarray]:
    """A page with a wedge for each line, thicker at its left end and above; the `turned` ones are flipped."""
    image, quads = np.full((HEIGHT, WIDTH), PAPER, np.uint8), []
    line = np.where(np.arange(20)[:, None] * 25 < 500 - np.arange(500), 0, PAPER).astype(np.uint8)
    for number in range(count):
        top = 40 + 40 * number
        image[top : top + 20, 60:560] = line[flip] if number in turned else line
        quads.append([(60, top), (560, top), (560, top + 20), (60, top + 20)])
    return image, np.array(quads, np.float32)


def reads_upright(lines: Sequence[Any]) -> list[LineReading]:
    return [WELL if line[1, 2] == 0 and line[-2, -3] == PAPER and line[1].mean() < line[-2].mean() else BADLY for line in lines]


def readings(count: int, turned: Sequence[int]) -> list[LineReading]:
    return [BADLY if number in turned else WELL for number in range(count)]


@pytest.mark.parametrize("kind", FLIPS)
def test_a_block_among_upright_lines_is_turned_in_the_picture(kind: str) -> None:
    turned = (10, 11, 12, 13)
    image, quads = page(14, turned, FLIPS[kind])
    block = find_turned_block(image, quads, readings(14, turned), reads_upright)
    assert block is not None
    assert reads_upright([block.image[top : top + 20, 60:560] for top in range(40, 600, 40)]) == [WELL] * 14
    assert (block.image[:420] == image[:420]).all()


def test_a_page_that_is_mirrored_as_a_whole_is_turned_as_a_whole() -> None:
    image, quads = page(5, range(5), FLIPS["mirrored"])
    block = find_turned_block(image, quads, readings(5, range(5)), reads_upright)
    assert block is not None
    assert (block.image == image[:, ::-1]).all()


def test_badly_read_lines_between_well_read_ones_stay() -> None:
    turned = (1, 4, 7, 10)
    image, quads = page(12, turned, FLIPS["mirrored"])
    assert find_turned_block(image, quads, readings(12, turned), reads_upright) is None


def test_lines_that_are_read_badly_on_all_sides_stay() -> None:
    image, quads = page(8, (5, 6, 7), FLIPS["mirrored"])
    assert find_turned_block(image, quads, readings(8, (5, 6, 7)), lambda lines: [BADLY for _ in lines]) is None


def test_a_page_that_is_read_well_costs_nothing() -> None:
    image, quads = page(8, (), FLIPS["mirrored"])

    def fail(lines: Sequence[Any]) -> list[LineReading]:
        raise AssertionError("nothing should be read again")

    assert find_turned_block(image, quads, readings(8, (0, 1)), fail) is None


@pytest.mark.parametrize("across, down, place", [(True, True, (15, 40, 35, 45)), (True, False, (15, 25, 35, 30))])
def test_boxes_are_where_the_page_shows_them(across: bool, down: bool, place: tuple[int, ...]) -> None:
    block = TurnedBlock(np.zeros((200, 100), np.uint8), (20, 40, 100, 100), across, down)
    other = TextBox(text="above", x0=10, y0=5, x1=30, y1=10, confidence=1, angle_deg=0)
    own = TextBox(text="own", x0=25, y0=25, x1=45, y1=30, confidence=1, angle_deg=0)
    answer = block.with_places(PageText(text="", engine="", model="", boxes=(other, own)), turns=0, scale=2.0)
    assert answer.boxes is not None
    placed = answer.boxes[1]
    assert answer.boxes[0] == other
    assert (placed.x0, placed.y0, placed.x1, placed.y1) == place
    assert placed.angle_deg == (180 if down else 0)
