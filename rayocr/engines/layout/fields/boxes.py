"""Joins the label above a box with the value in it, on forms with separate boxes side by side, as browsers draw them. Reading
such a row line by line would yield all labels and then all values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from rayocr.engines.layout.joining import join_lines
from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.rows import Row, rows_of

_SAME_PT = 4.0  # largest distance of two ends that count as one place, on a scan
_SAME_HEIGHT = 0.7  # boxes of one row overlap at least by this share of their height
_HEIGHTS_PT = (9.0, 60.0)
_SAME_PITCH_PT = 2.5
_LEAST_WIDTH_PT = 20.0
_LABEL_GAP_EM = 1.1  # largest white space between a label and its box
_MOST_LINES = 3  # maximum number of lines of a value
_MOST_RULINGS = 600


class _Field(NamedTuple):
    x0: float
    y0: float
    x1: float
    y1: float

    def contains(self, line: LayoutLine) -> bool:
        return self.x0 <= (line.x0 + line.x1) / 2 <= self.x1 and self.y0 <= line.center_y <= self.y1

    def is_labeled_by(self, line: LayoutLine, em: float) -> bool:
        above = self.y0 - line.center_y
        return line.x0 > self.x0 - em and line.x1 < self.x1 + em and 0.2 * em < above < _LABEL_GAP_EM * em + line.height / 2


def join_labels(lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float) -> list[LayoutLine]:
    """Returns the lines, with one line for each labeled box, at the place of the box's text."""
    joined = list(lines)
    boxes = _fields(rulings)
    values = {id(line) for line in lines if any(box.contains(line) for box in boxes)}
    for field in _side_by_side(boxes):
        inside = [line for line in joined if field.contains(line)]
        labels = [line for line in joined if field.is_labeled_by(line, em) and id(line) not in values]
        rows = rows_of(inside)
        if not rows or len(labels) != 1 or len(rows) > _MOST_LINES or (len(rows) > 1 and _are_figures(rows)):
            continue
        text = join_lines([labels[0].text, *(row.text for row in rows)])
        first = min(inside, key=lambda line: line.y0)
        taken = {id(line) for line in (*inside, *labels)}
        at = replace(first, text=text, style=None, x0=min(labels[0].x0, first.x0), x1=max(line.x1 for line in (*inside, *labels)))
        joined = [*(line for line in joined if id(line) not in taken), at]
    return joined


def _are_figures(rows: Sequence[Row]) -> bool:
    """Returns whether the rows are amounts between the head and the total of a column."""
    return not any(char.isalpha() for row in rows for char in row.text)


def _fields(rulings: Sequence[Ruling]) -> list[_Field]:
    """Returns the boxes between two level rulings with the same ends."""
    level = sorted((ruling for ruling in rulings if ruling.is_horizontal), key=lambda ruling: ruling.y0)
    if len(level) > _MOST_RULINGS:
        return []
    found: list[_Field] = []
    used: set[int] = set()
    for index, top in enumerate(level):
        if index in used or top.x1 - top.x0 < _LEAST_WIDTH_PT:
            continue
        for other in range(index + 1, len(level)):
            bottom = level[other]
            if bottom.y0 - top.y0 > _HEIGHTS_PT[1]:
                break
            same = abs(bottom.x0 - top.x0) < _SAME_PT and abs(bottom.x1 - top.x1) < _SAME_PT
            if other not in used and same and bottom.y0 - top.y0 > _HEIGHTS_PT[0]:
                if _is_in_table(top, bottom, level):
                    break
                found.append(_Field(top.x0, top.y0, top.x1, bottom.y0))
                used |= {index, other}
                break
    return found


def _is_in_table(top: Ruling, bottom: Ruling, level: Sequence[Ruling]) -> bool:
    """Returns whether rulings with the same ends follow at the same distance, as the rows of a table do."""
    height = bottom.y0 - top.y0
    return any(
        abs(ruling.x0 - top.x0) < _SAME_PT
        and abs(ruling.x1 - top.x1) < _SAME_PT
        and min(abs(ruling.y0 - bottom.y0 - height), abs(top.y0 - ruling.y0 - height)) < _SAME_PITCH_PT
        for ruling in level
    )


def _side_by_side(fields: Sequence[_Field]) -> list[_Field]:
    """Returns the boxes that have another of the same height beside them, with white space between."""
    return [
        field
        for field in fields
        if any(
            min(other.y1, field.y1) - max(other.y0, field.y0) > _SAME_HEIGHT * max(other.y1 - other.y0, field.y1 - field.y0)
            and (other.x0 > field.x1 + _SAME_PT or other.x1 < field.x0 - _SAME_PT)
            for other in fields
        )
    ]
