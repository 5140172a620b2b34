"""Check boxes of a form that have the size of those found beside its words, crossed out by hand and sent by fax."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks.corpus.wear import faxed
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.splitting.boxes.check_boxes import with_check_boxes
from rayocr.engines.rapidocr.splitting.boxes.equal_boxes import equal_boxes, usual_side

SIDE = 32
LEFT = (240, 560, 880)


def form(*rows: str, is_faxed: bool) -> tuple[Any, Any, list[LineReading]]:
    """Returns a page with a label and a box in three columns of each row: " " is an empty box, "x" and "X" are crosses by hand
    that end within the box and beyond its corners, "-" is no box."""
    image = Image.new("L", (1020, 40 + 90 * len(rows)), 255)
    pen, font, quads = ImageDraw.Draw(image), ImageFont.load_default(size=26), []
    for n, row in enumerate(rows):
        for left, kind in zip(LEFT, row, strict=True):
            top = 40 + 90 * n
            pen.text((left - 130, top), "Option", fill=0, font=font)
            end = left - 24 if n == 0 else left - 38  # the boxes of the first row are near enough to be found by their word
            quads.append([(left - 136, top - 4), (end, top - 4), (end, top + 36), (left - 136, top + 36)])
            if kind != "-":
                pen.rectangle((left, top, left + SIDE, top + SIDE), outline=0, width=3)
            out = {"x": -4, "X": 8}.get(kind)
            if out is not None:
                pen.line((left - out, top - out // 2, left + SIDE + 1, top + SIDE - 2), fill=0, width=6)
                pen.line((left - out, top + SIDE + out, left + SIDE + out, top - out), fill=0, width=6)
    if is_faxed:
        image = faxed(image, random.Random(4))
    read = [LineReading("Option", 0.98, 0.9) for _ in quads]
    return np.asarray(image), np.array(quads, np.float32), read


def marks(*rows: str, is_faxed: bool) -> list[str]:
    upright, quads, read = form(*rows, is_faxed=is_faxed)
    lines, found = with_check_boxes(upright, quads, read, lambda crops: [LineReading("Option", 0.98, 0.9) for _ in crops])
    in_order = sorted(zip(lines.min(axis=1).tolist(), found, strict=True), key=lambda one: (round(one[0][1] / 60), one[0][0]))
    return [reading.text for _, reading in in_order if reading.text != "Option"]


@pytest.mark.parametrize("is_faxed", [False, True])
def test_boxes_crossed_out_by_hand_are_found_by_the_size_of_the_others(is_faxed: bool) -> None:
    found = marks("  X", "xX ", " -X", is_faxed=is_faxed)
    assert found == ["[ ]", "[ ]", "[x]", "[x]", "[x]", "[ ]", "[ ]", "[x]"]


def test_cells_and_comb_fields_are_no_boxes() -> None:
    image = Image.new("L", (600, 300), 255)
    pen = ImageDraw.Draw(image)
    for column in range(6):
        pen.rectangle((40 + SIDE * column, 40, 40 + SIDE * (column + 1), 40 + SIDE), outline=0, width=2)
        pen.rectangle((40 + (SIDE + 6) * column, 140, 40 + (SIDE + 6) * column + SIDE, 140 + SIDE), outline=0, width=2)
    pen.text((40, 220), "BDHEROI 口", fill=0, font=ImageFont.load_default(size=44))
    assert equal_boxes(np.asarray(image), SIDE) == []


def test_the_usual_side_needs_several_equal_boxes() -> None:
    assert usual_side([36, 38, 37, 20]) == 37
    assert usual_side([36]) == usual_side([36, 20]) == usual_side([]) == 0
