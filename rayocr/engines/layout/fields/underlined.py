"""Joins the values of a form with their labels, if several fields are side by side and each value is on a ruling or at the bottom
of a box. The label is above the value, or in small type below the ruling. Examples:

Surname            Born                  Jessop             14.09.1993
Jessop             14.09.1993            _________________  ____________
_________________  ____________          (surname)          (born)

Reading such a row line by line would yield all labels and then all values.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from rayocr.engines.layout.lines import LayoutLine, Ruling

_LEAST_WIDTH_PT, _MOST_RULINGS = 20.0, 600
_SAME_ROW_PT = 3.0
_LEVEL = 0.3  # largest distance of the centers of lines side by side, as a share of their height
_SLACK_EM = 0.35  # a box of a scan reaches this far over a ruling
_PITCH_EM = 1.2  # largest white space between the rows of a table
_CLOSE = 0.25  # white space between the lines of one text, as a share of their height
_EVEN = 0.15  # largest difference of the distances of even lines, as a share of their height
_NEAR_EM = 0.6  # largest white space between a label, its value and the ruling
_BEGINS_EM = 1.3  # largest distance of the label from the beginning of its value
_IDEOGRAPHS = "\u2e80"  # two of these are a word
_LONGEST = 45  # maximum number of characters of a label
_LABEL_END = (":", "\uff1a")
_UNDERLINE = 0.6  # a ruling that reaches less than this share of the text's height over the text underlines it


class _Field(NamedTuple):
    """`above`, `below`: the lines next to the value that may be its label. `space`: how far the ruling reaches over the value."""

    y: float
    space: float
    value: LayoutLine
    above: LayoutLine | None
    below: LayoutLine | None


def take_underlined_fields(
    lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float, *, beside: Sequence[LayoutLine] = ()
) -> tuple[list[LayoutLine], list[LayoutLine]]:
    """Returns one line for each such value and its label, and the other lines. The fields are not rows of a table below them.
    `beside`: other lines of the page, such as those of tables with a grid."""
    parts = _parts(rulings, em)
    if not parts:
        return [], list(lines)
    on_rulings = [field for part in parts if (field := _field(part, lines, parts, em)) is not None]
    known = {id(field.value) for field in on_rulings}
    fields = [field for field in on_rulings if field.above or field.below]
    values = {id(field.value) for field in fields}  # the rows of a table with rulings between them are no labels
    fields = [field for field in fields if not {id(field.above), id(field.below)} & values]
    closer = sum(_is_closer_above(field) for field in fields)
    are_above = 2 * closer > len(fields)
    found: list[LayoutLine] = []
    taken: set[int] = set()
    for row in _rows(fields):
        labels = [field.above if are_above else field.below for field in row]
        pairs = [(field.value, label) for field, label in zip(row, labels, strict=True) if label is not None]
        alone = {id(line) for pair in pairs for line in pair}
        if len(pairs) < 2 or len(pairs) < len(row) or len(alone) < 2 * len(pairs) or not alone.isdisjoint(taken):
            continue
        if any(value.text.rstrip().endswith(_LABEL_END) for value, _ in pairs) or 2 * sum(map(_is_heading, row)) >= len(row):
            continue  # underlined labels or heads with text below them
        if _is_part_of_row(pairs, [line for line in (*lines, *beside) if id(line) not in alone]):
            continue  # the row of a table, whose ruling is interrupted
        if 2 * sum(_is_head(field, label, lines, known, em) for field, label in zip(row, labels, strict=True)) >= len(row):
            continue
        found += [_joined(value, label) for value, label in pairs]
        taken |= alone
    return found, [line for line in lines if id(line) not in taken]


def _is_heading(field: _Field) -> bool:
    """Returns whether the ruling underlines the text above it and is not a line for writing, which is longer."""
    return field.space < _UNDERLINE * field.value.height


def _is_part_of_row(pairs: Sequence[tuple[LayoutLine, LayoutLine]], others: Sequence[LayoutLine]) -> bool:
    """Returns whether the row has further cells: as many lines beside the values as there are values, a label, or another value
    with a label above or below it."""
    values, labels = (_level_with([pair[n] for pair in pairs], others) for n in (0, 1))
    if len(values) >= len(pairs) or any(line.text.rstrip().endswith(_LABEL_END) for line in values):
        return True
    return any(value.x0 < label.x1 and label.x0 < value.x1 for value in values for label in labels if label is not value)


def _level_with(lines: Sequence[LayoutLine], others: Sequence[LayoutLine]) -> list[LayoutLine]:
    top, bottom = min(line.center_y for line in lines), max(line.center_y for line in lines)
    reach = _LEVEL * min(line.height for line in lines)
    return [line for line in others if top - reach < line.center_y < bottom + reach]


def _is_head(field: _Field, label: LayoutLine | None, lines: Sequence[LayoutLine], known: Set[int], em: float) -> bool:
    """Returns whether rows of a table continue below the field: one below the label below its ruling, or two below the ruling.
    `known`: the ids of the lines on rulings, which are the next values of a form."""
    last = field.below if field.below is not None and field.below is label else None
    below = [line for line in lines if line.center_y > field.y and line is not last and _is_in_column(line, field.value, em)]
    bottom = field.y if last is None else last.y1
    rows = sorted(below, key=lambda line: line.center_y)[: 2 if last is None else 1]
    for line in rows:
        if line.y0 - bottom > _PITCH_EM * em or id(line) in known:
            return False
        bottom = line.y1
    return len(rows) == (2 if last is None else 1)


def _is_in_column(line: LayoutLine, value: LayoutLine, em: float) -> bool:
    return line.x0 < value.x1 and line.x1 > value.x0 and line.x1 - line.x0 < 2 * (value.x1 - value.x0) + 2 * em


def _parts(rulings: Sequence[Ruling], em: float) -> list[Ruling]:
    """Returns the level rulings that are beside another one, divided where upright rulings end."""
    if len(rulings) > _MOST_RULINGS:
        return []
    upright = [ruling for ruling in rulings if not ruling.is_horizontal and ruling.y1 - ruling.y0 > em]
    parts: list[Ruling] = []
    for ruling in (ruling for ruling in rulings if ruling.is_horizontal):
        at = sorted(it.x0 for it in upright if abs(it.y1 - ruling.y0) < _SAME_ROW_PT and ruling.x0 + em < it.x0 < ruling.x1 - em)
        ends = pairwise([ruling.x0, *at, ruling.x1])
        parts += [replace(ruling, x0=x0, x1=x1) for x0, x1 in ends if x1 - x0 > _LEAST_WIDTH_PT]
    return [
        part
        for part in parts
        if any(
            abs(other.y0 - part.y0) < _SAME_ROW_PT and (other.x0 > part.x1 - 1 or other.x1 < part.x0 + 1)
            for other in parts
            if other is not part
        )
    ]


def _field(ruling: Ruling, lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float) -> _Field | None:
    slack = _SLACK_EM * em
    inside = [line for line in lines if line.x0 > ruling.x0 - em and line.x1 < ruling.x1 + em and not line.is_vertical]
    over = [line for line in inside if _is_on(line, ruling, em)]
    if len(over) != 1:
        return None
    value = over[0]
    above = [line for line in inside if line.center_y < value.center_y and _is_near(line, value, em)]
    above = [] if any(_is_continued(it, value, lines, rulings) for it in above) else above
    under = [line for line in inside if -slack < line.y0 - ruling.y0 < _NEAR_EM * em and line.center_y > ruling.y0]
    under = [] if any(_continues(it, lines, rulings, em) for it in under) else under
    labels = [it[0] if len(it) == 1 and _may_be_label(it[0].text) else None for it in (above, under)]
    space = max(value.x0 - ruling.x0, ruling.x1 - value.x1)
    return _Field(ruling.y0, space, value, labels[0], labels[1]) if any(labels) else None


def _continues(label: LayoutLine, lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float) -> bool:
    """Returns whether text is directly below the line, as in the head of a table, whose rulings are below heads over several
    columns. Text on a ruling is the next value of a form."""
    return any(
        -_LEVEL * label.height < line.y0 - label.y1 < _CLOSE * label.height and line.x0 < label.x1 and line.x1 > label.x0
        for line in lines
        if line is not label and not any(_is_on(line, ruling, em) for ruling in rulings)
    )


def _is_on(line: LayoutLine, ruling: Ruling, em: float) -> bool:
    is_above = -_SLACK_EM * em < ruling.y0 - line.y1 < _NEAR_EM * em and line.center_y < ruling.y0
    return is_above and line.x0 > ruling.x0 - em and line.x1 < ruling.x1 + em


def _is_continued(label: LayoutLine, value: LayoutLine, lines: Sequence[LayoutLine], rulings: Sequence[Ruling]) -> bool:
    """Returns whether text is above the label, as close as the value below it and with no ruling between, as in an address in a
    box."""
    farthest = value.center_y - label.center_y + _EVEN * label.height
    over = [
        line
        for line in lines
        if label.height / 2 < label.center_y - line.center_y < farthest and line.x0 < label.x1 and line.x1 > label.x0
    ]
    return any(
        not any(line.center_y < it.y0 < label.center_y and it.x0 < label.x1 and it.x1 > label.x0 for it in rulings)
        for line in over
        if line is not label
    )


def _may_be_label(text: str) -> bool:
    """Returns whether the text is short and has a word, unlike the numerator of a fraction."""
    letters = sum(2 if char >= _IDEOGRAPHS else 1 for char in text if char.isalpha())
    return letters > 2 and len(text) <= _LONGEST


def _is_near(label: LayoutLine, value: LayoutLine, em: float) -> bool:
    gap = value.y0 - label.y1
    return -_SLACK_EM * em < gap < _NEAR_EM * em and abs(label.x0 - value.x0) < _BEGINS_EM * em


def _is_closer_above(field: _Field) -> bool:
    if field.above is None or field.below is None:
        return field.below is None
    return field.value.center_y - field.above.center_y < field.below.center_y - field.value.center_y


def _rows(fields: Sequence[_Field]) -> list[list[_Field]]:
    rows: list[list[_Field]] = []
    for field in sorted(fields, key=lambda field: field.y):
        if rows and field.y - rows[-1][0].y < _SAME_ROW_PT:
            rows[-1].append(field)
        else:
            rows.append([field])
    return rows


def _joined(value: LayoutLine, label: LayoutLine) -> LayoutLine:
    first, second = sorted((value, label), key=lambda line: line.center_y)
    return replace(
        value,
        text=f"{first.text.strip()} {second.text.strip()}",
        x0=min(value.x0, label.x0),
        x1=max(value.x1, label.x1),
        y0=first.y0,
        y1=second.y1,
        style=None,
        columns="",
    )
