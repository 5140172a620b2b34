"""Joins labels with the values below them: a row of several labels ("TO:", "FROM:") above a row of as many values.

Reading such rows line by line would yield all labels and then all values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import LABEL, Row, rows_of

_BEGINS_EM = 0.8  # largest distance between the beginnings of a label and its value
_NEAR_EM = 0.8  # largest white space between them
_LONGEST = 40  # maximum number of characters of a label
_LABEL_END = (":", "：")


def join_stacked_fields(lines: Sequence[LayoutLine], em: float) -> list[LayoutLine]:
    """Returns the lines, with one line for each label and its value."""
    pairs: dict[int, LayoutLine] = {}
    for labels, values in pairwise(rows_of(lines)):
        if any(id(segment) in pairs for segment in labels.segments):
            continue
        for label, value in _matched(labels, values, em):
            pairs[id(value)] = label
    taken = {id(label) for label in pairs.values()}
    return [_joined(pairs[id(line)], line) if id(line) in pairs else line for line in lines if id(line) not in taken]


def _matched(labels: Row, values: Row, em: float) -> list[tuple[LayoutLine, LayoutLine]]:
    """Returns the labels of a row with the values below them, if a row of values follows a row of labels."""
    texts = [segment.text.strip() for segment in labels.segments]
    if len(texts) < 2 or not all(text.endswith(_LABEL_END) and len(text) <= _LONGEST for text in texts):
        return []
    if values.y0 - labels.y1 > _NEAR_EM * em or any(LABEL.match(segment.text.strip()) for segment in values.segments):
        return []
    found: list[tuple[LayoutLine, LayoutLine]] = []
    for value in values.segments:
        above = [label for label in labels.segments if abs(label.x0 - value.x0) < _BEGINS_EM * em]
        if len(above) != 1:
            return []
        found.append((above[0], value))
    return found if len({id(label) for label, _ in found}) == len(found) else []


def _joined(label: LayoutLine, value: LayoutLine) -> LayoutLine:
    return replace(value, text=f"{label.text.strip()} {value.text.strip()}", y0=label.y0, x0=min(label.x0, value.x0), columns="")
