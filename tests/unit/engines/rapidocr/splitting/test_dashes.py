"""Dashes that stand alone in a cell, and Chinese characters that look like signs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.splitting.dashes import with_dashes
from rayocr.pdf.shapes.components import PageInk

_LETTER = 10


def table(dashes: dict[tuple[int, int], int], *, top: int = 11) -> tuple[Any, Any, list[LineReading]]:
    """Returns a page of four rows and three columns of words, their boxes and readings. A cell of `dashes` (row, column) has a
    stroke of that length and no box."""
    page = np.full((340, 640), 250, np.uint8)
    quads, read = [], []
    for row in range(4):
        for column in range(3):
            x, y = 40 + 200 * column, 40 + 70 * row
            if length := dashes.get((row, column)):
                page[y + top : y + top + 3, x : x + length] = 20
                continue
            for left in range(x, x + 60, _LETTER):
                page[y : y + 22, left : left + 6] = 20
            quads.append([[x - 5, y - 6], [x + 66, y - 6], [x + 66, y + 28], [x - 5, y + 28]])
            read.append(LineReading("words!", 0.99, 0.99))
    return page, np.array(quads, np.float32), read


def added(dashes: dict[tuple[int, int], int], **options: int) -> list[str]:
    page, quads, read = table(dashes, **options)
    corners, readings = with_dashes(PageInk(page), quads, read)
    assert len(corners) == len(readings)
    return [reading.text for reading in readings[len(read) :]]


@pytest.mark.parametrize(("length", "dash"), [(20, "—"), (10, "–"), (6, "-")])
def test_a_dash_without_a_box_is_found_in_its_cell(length: int, dash: str) -> None:
    assert added({(2, 1): length}) == [dash]


def test_a_column_with_dashes_below_its_heading_keeps_them_all() -> None:
    assert added({(row, 2): 20 for row in (1, 2, 3)}) == ["—"] * 3


def test_rules_leaders_specks_and_strokes_outside_the_table_are_no_dashes() -> None:
    assert added({(2, 1): 20}, top=24) == []  # below the words of the row: an underline
    assert added({(2, 1): 60}) == []  # longer than a dash
    assert added({(2, 1): 3}) == []
    page, quads, read = table({(2, 1): 20})
    page[191 : 191 + 3, 270:290] = 20  # the next stroke of a dashed rule
    assert len(with_dashes(PageInk(page), quads, read)[0]) == len(quads)
    page, quads, read = table({})
    page[300:303, 240:260] = 20  # below the last row
    assert len(with_dashes(PageInk(page), quads, read)[0]) == len(quads)


def test_what_is_left_of_a_letter_outside_its_box_is_no_dash() -> None:
    page, quads, read = table({(2, 1): 20})
    page[170:191, 250:253] = 20  # the stem of a letter
    box = np.array([[[236, 160], [270, 160], [270, 189], [236, 189]]], np.float32)
    readings = with_dashes(PageInk(page), np.concatenate([quads, box]), [*read, LineReading("T", 0.9, 0.9)])[1]
    assert len(readings) == len(read) + 1


def test_a_speck_that_is_aligned_with_no_column_is_no_hyphen() -> None:
    page, quads, read = table({(2, 1): 6})
    page[191:194, 240:246] = 250
    page[191:194, 281:287] = 20
    assert len(with_dashes(PageInk(page), quads, read)[0]) == len(quads)


def corrected(text: str, *, others: str = "words!", length: int = 20) -> str:
    """Returns the reading of a box with a stroke that was read as `text`."""
    page, quads, read = table({(2, 1): length})
    box = np.array([[[235, 174], [265, 174], [265, 208], [235, 208]]], np.float32)
    read = [reading._replace(text=others) for reading in read]
    return with_dashes(PageInk(page), np.concatenate([quads, box]), [*read, LineReading(text, 0.87, 0.87)])[1][-1].text


@pytest.mark.parametrize("text", ["一", "ー", "_", "", "-"])
def test_a_stroke_in_a_box_is_a_dash_of_its_length(text: str) -> None:
    assert corrected(text) == "—"
    assert corrected(text, length=10) == "–"


@pytest.mark.parametrize(
    ("text", "sign"), [("1914 一 1918", "1914 — 1918"), ("口", "[ ]"), ("〇", "0"), ("丨", "|"), ("二", "=")]
)
def test_characters_that_look_like_signs_are_signs_on_a_page_in_latin_letters(text: str, sign: str) -> None:
    assert corrected(text, length=60) == sign


def test_a_chinese_page_keeps_its_numerals() -> None:
    assert corrected("一", others="第二十章") == "一"
    assert corrected("二", others="三") == "二"
