"""Recognizes lists whose numbers skip ("4." below "2.") by the places of the markers.

A line of running text may begin with a number, too: "see line" "14. Then go to". Its line break is at the edge of the text. A
break is intended if the number would have fitted before it. A list's longest line has no room behind it; the next line begins an
item if its marker is below that of the previous item and has a greater number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rayocr.engines.layout.joining import ends_in_broken_number
from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import MARKER, Row
from rayocr.engines.layout.units.breaks import SENTENCE_END, has_room_for, is_mid_sentence
from rayocr.engines.layout.units.items import Marker, possible_markers

_NUMBER = re.compile(r"\(?(\d{1,2})[.)]\s")
_AMOUNT = re.compile(r"\d[\d.]{0,20}\s\W{0,4}\d")
_LETTER = re.compile(r"\(?([a-z])\)\s")
_SAME_EDGE_EM = 0.6  # left edges of scanned lines differ by less
_HANGING_EM = 0.8  # least indentation of an item's second line
_LEAST_RUN = 3  # rows
_FURTHER = 8  # maximum number of rows between two markers of a series
_NEEDS_NUMBER = re.compile(  # words that do not end an item
    r" (?:of|the|to|in|an?|for|by|with|as|at|on|from|than|since|until|der|die|das|den|dem|des|von|vom|zu|zum|am|im|bis"
    r"|de|la|le|les|du|au|el|y|di|il|del|al)$",
    re.IGNORECASE,
)
_REFERENCE = re.compile(  # words that a number follows
    r"(?:^|[ (])(?:lines?|sections?|pages?|p|pp|chapters?|articles?|clauses?|paragraphs?|parts?|items?|steps?|figures?|figs?"
    r"|tables?|notes?|nos?|nr|vol|volumes?|numbers?|schedules?|equations?|eqs?|seite|kapitel|abschnitt"
    r"|artikel|absatz|zeile|ziffer|punkt|abbildung|tabelle|ligne|chapitre|cap[ií]tulo|p[aá]gina)\.?$",
    re.IGNORECASE,
)
_DATE_OR_LIST = re.compile(  # words that a number often follows, and that often end an item
    r" (?:jan\w*|feb\w*|march|mars|m[aä]rz|april|avril|may|mai|june?|juin|july?|juillet|juli"
    r"|aug\w*|sept?\w*|o[ck]t\w*|nov\w*|de[cz]\w*|and|or|und|oder|et|ou)\.?$",
    re.IGNORECASE,
)


def with_series(rows: Sequence[Row], items: Sequence[bool], apart: Sequence[bool], em: float) -> list[bool]:
    """Returns for each row of a column whether an item begins in it. `items`: where the marker and the numbers beside it say so.
    `apart`: whether there is white space above the row."""
    series = _Series(rows, apart, em)
    result: list[bool] = []
    for place, item in enumerate(items):
        result.append(not series.number_continues(place, result) if item else series.has_another(place, result))
    return result


class _Series:
    """The markers of one column, with their left edges and the line breaks before them."""

    def __init__(self, rows: Sequence[Row], apart: Sequence[bool], em: float) -> None:
        self._rows, self._apart, self._em = rows, apart, em
        self._markers = [markers_of(row.text) for row in rows]
        self._rights = _right_edges(rows, apart)

    def number_continues(self, place: int, items: Sequence[bool]) -> bool:
        """Returns whether a number that looks like a marker is the end of a sentence that begins above: "see line" "14. Then go
        on"."""
        if place == 0 or (marker := _NUMBER.match(self._rows[place].text)) is None or self._apart[place]:
            return False
        above = self._rows[place - 1].text
        if ends_in_broken_number(above):
            return True  # the number is a page number of a reference: "33–" "40. https://"
        if not is_mid_sentence(self._rows[place - 1]) or not (above[-1:].islower() or above[-1:] == ","):
            return False
        beside = (int(marker.group(1)) - 1, int(marker.group(1)) + 1)
        others = (_NUMBER.match(row.text) for row in self._rows)
        if any(other is not None and int(other.group(1)) in beside for other in others):
            return False
        if _NEEDS_NUMBER.search(above) is not None:
            return True
        is_item = self._has_room(place) or self._follows(place, items) or self._precedes(place, items) or self._is_in_run(place)
        return not is_item

    def has_another(self, place: int, items: Sequence[bool]) -> bool:
        """Returns whether an uncertain marker belongs to a series: the break before it is intended, and another one of the same
        style above or below it has the same left edge and fits in the order."""
        if not self._markers[place]:
            return False
        if not self._is_intended(place):
            return self._follows(place, items) or self._precedes(place, items) or self._is_in_run(place)
        near = range(max(0, place - _FURTHER), min(len(self._rows), place + _FURTHER + 1))
        return any(
            self._ascends(*sorted((place, other))) and (items[other] if other < place else self._is_intended(other))
            for other in near
            if other != place
        )

    def _is_intended(self, place: int) -> bool:
        if place == 0 or self._apart[place]:
            return True
        above = self._rows[place - 1].text
        if _NEEDS_NUMBER.search(above) is not None:
            return False
        is_name = any(marker.style.startswith(("letter", "script")) for marker in self._markers[place])
        return self._has_room(place) or (not is_name and above.endswith(SENTENCE_END))

    def _has_room(self, place: int) -> bool:
        if not has_room_for(self._rows[place], self._rows[place - 1], self._rights[place]):
            return False
        return _REFERENCE.search(self._rows[place - 1].text) is None or self._ascends(place - 1, place)

    def _follows(self, place: int, items: Sequence[bool]) -> bool:
        """Returns whether the previous item has a smaller number and the same left edge, and its text ends in the row above."""
        if _may_demand_number(self._rows[place - 1].text):
            return False
        for other in range(place - 1, max(-1, place - _FURTHER), -1):
            if items[other]:
                return self._ascends(other, place)
            if not self._hangs(other, place):
                return False
        return False

    def _precedes(self, place: int, items: Sequence[bool]) -> bool:
        """Returns whether the next item has a greater number and the same left edge. The rows between them hang, unless the row
        is below an introduction: the second lines of an item above may have the left edge of its marker."""
        if _may_demand_number(self._rows[place - 1].text):
            return False
        begin = next((row for row in range(place, max(0, place - _FURTHER), -1) if self._apart[row]), max(0, place - _FURTHER))
        has_items = any(items[begin:place])
        for other in range(place + 1, min(len(self._rows), place + _FURTHER)):
            if self._ascends(place, other):
                return self._apart[other] or self._has_room(other)
            if has_items and not self._hangs(other, place):
                return False
        return False

    def _is_in_run(self, place: int) -> bool:
        """Returns whether the row is one of at least three consecutive rows whose markers ascend."""
        if _may_demand_number(self._rows[place - 1].text):
            return False
        begins = range(max(0, place - _LEAST_RUN + 1), min(place, len(self._rows) - _LEAST_RUN) + 1)
        return any(all(self._ascends(row, row + 1) for row in range(begin, begin + _LEAST_RUN - 1)) for begin in begins)

    def _hangs(self, place: int, marker: int) -> bool:
        return self._rows[place].x0 - self._rows[marker].x0 > _HANGING_EM * self._em

    def _ascends(self, upper: int, lower: int) -> bool:
        """Returns whether two rows begin at the same left edge with markers of one style whose numbers ascend."""
        if abs(self._rows[upper].x0 - self._rows[lower].x0) > _SAME_EDGE_EM * self._em:
            return False
        return any(
            first.style == second.style and first.value < second.value
            for first in self._markers[upper]
            for second in self._markers[lower]
        )


def markers_of(text: str) -> list[Marker]:
    """Returns the readings of the row's marker, except for letters without a full stop and numbers before other numbers."""
    if text.startswith("("):
        return [Marker(f"({marker.style}", marker.value) for marker in possible_markers(text[1:])]
    markers = possible_markers(text)
    is_amount = _AMOUNT.match(text) is not None
    return [marker for marker in markers if marker.style != "bare" and not (is_amount and marker.style == "number")]


def list_markers(text: str) -> list[Marker]:
    """Returns the readings of the row's marker as `markers_of` does, and those of letters such as "a)", which running text may
    have within a sentence."""
    letter = _LETTER.match(text)
    return [Marker("small)", (ord(letter.group(1)),))] if letter is not None else markers_of(text)


def _may_demand_number(text: str) -> bool:
    """Returns whether the text of a line ends with a word that the number in the next line may belong to."""
    return any(words.search(text) is not None for words in (_NEEDS_NUMBER, _REFERENCE, _DATE_OR_LIST))


def _right_edges(rows: Sequence[Row], apart: Sequence[bool]) -> list[float]:
    """Returns for each row the right edge of the rows around it that no white space separates."""
    edges: list[float] = []
    begin = 0
    for place in range(1, len(rows) + 1):
        if place == len(rows) or apart[place]:
            edges += [max(row.x1 for row in rows[begin:place])] * (place - begin)
            begin = place
    return edges


def are_lists_in_columns(left: Sequence[LayoutLine], right: Sequence[LayoutLine]) -> bool:
    """Returns whether two columns are lists that are read one column at a time: their markers have one style and ascend from line
    to line, and the right column continues the left one or begins again. Choices ("a) b)" above "c) d)") are read across."""
    if not all(list_markers(min(side, key=lambda line: line.y0).text) for side in (left, right)):
        return False
    for first in _ascending(left):
        for second in _ascending(right):
            if min(len(first), len(second)) < _LEAST_RUN and not _count_on([*first, *second]):
                continue
            if first[0].style == second[0].style and (second[0].value > first[-1].value or second[0].value <= first[0].value):
                return True
    return False


def _count_on(markers: Sequence[Marker]) -> bool:
    """Returns whether each marker is the next one after the marker before it: a) b) in the left column, c) d) in the right."""
    return all(one.is_before(two) for one, two in pairwise(markers))


def choices_of(row: Row) -> list[str]:
    """Returns the texts of items that stand side by side in a row: "a) Paris" and "b) Rome"; an empty list for other rows."""
    items: list[list[LayoutLine]] = []
    markers: list[list[Marker]] = []
    for segment in row.segments:
        found = list_markers(f"{segment.text.strip()} x" if MARKER.match(segment.text.strip()) else segment.text.strip())
        if found:
            items.append([])
            markers.append(found)
        elif not items:
            return []
        items[-1].append(segment)
    pairs = list(pairwise(markers))
    are_choices = bool(pairs) and all(any(one.is_before(two) for one in left for two in right) for left, right in pairs)
    return [Row(tuple(item)).text for item in items] if are_choices else []


def _ascending(lines: Sequence[LayoutLine]) -> list[list[Marker]]:
    """Returns the column's markers in each style that begins most of its lines and ascends; at least two."""
    styles: dict[str, list[Marker]] = {}
    for line in sorted(lines, key=lambda line: line.y0):
        for marker in list_markers(line.text):
            styles.setdefault(marker.style, []).append(marker)
    return [
        markers
        for markers in styles.values()
        if len(markers) >= max(2, len(lines) / 2) and all(one.value < two.value for one, two in pairwise(markers))
    ]
