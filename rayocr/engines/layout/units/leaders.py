"""Joins an entry of a table of contents with its page number if the leader between them is drawn as a line, or if the number
is a separate line after the dots."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.units.lines import has_leader

_NUMBER = re.compile(r"[$€£¥₹]?\s?-?\d[\d.,'\u2019 ]{0,12}\s?[$€£¥₹%]?|[ivxlc]{1,7}|[IVXLC]{1,7}|[A-Z]-?\d{1,3}")
_LEADER = "....."
_DOTS = 12  # number of characters at the end of an entry that contain its leader
_GAP_EM = 2.5  # largest gap between the leader and the text on either side
_LEAST_LETTERS = 2  # least number of letters of an entry; a line between two numbers may be the axis of a chart
_LEAST_EM = 1.5  # least length of a leader
_ABOVE, _BELOW = 0.35, 0.25  # place of a leader: below the line's upper edge, and below its lower edge, as shares of the height


def join_leaders(lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float) -> list[LayoutLine]:
    """Returns the lines, with one line for each entry that a leader connects with a number."""
    return _joined_behind_dots(_joined_by_rulings(lines, rulings, em), em)


def _joined_behind_dots(lines: Sequence[LayoutLine], em: float) -> list[LayoutLine]:
    numbers = [line for line in lines if _NUMBER.fullmatch(line.text.strip(" .…"))]
    joined = {id(line): line for line in lines}
    ordered = sorted(lines, key=lambda line: line.center_y)
    centers = [line.center_y for line in ordered]
    for number in numbers:
        reach = number.height / 2
        near = ordered[bisect_left(centers, number.center_y - reach) : bisect_right(centers, number.center_y + reach)]
        level = [line for line in near if abs(number.center_y - line.center_y) < min(number.height, line.height) / 2]
        entry = max((line for line in level if line.x0 < number.x0), key=lambda line: line.x1, default=None)
        if entry is None or id(entry) not in joined or sum(map(str.isalpha, entry.text)) < _LEAST_LETTERS:
            continue
        # The engine did not read the rest of the leader.
        dots = number.text.strip()[0] in ".…" and entry.text.rstrip()[-1] in ".…"
        is_open = has_leader(entry.text[-_DOTS:]) and not entry.text.rstrip()[-1].isalnum()
        if dots or (is_open and number.x0 - entry.x1 < _GAP_EM * em):
            del joined[id(number)]
            text = f"{entry.text.strip()} {number.text.strip()}"
            if not has_leader(text):
                text = f"{entry.text.rstrip(' .…')} {_LEADER} {number.text.strip(' .…')}"
            joined[id(entry)] = replace(entry, text=text, style=None, x1=number.x1, columns="")
    return [joined[id(line)] for line in lines if id(line) in joined]


def _joined_by_rulings(lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float) -> list[LayoutLine]:
    level = [ruling for ruling in rulings if ruling.is_horizontal and ruling.x1 - ruling.x0 > _LEAST_EM * em]
    numbers = [line for line in lines if _NUMBER.fullmatch(line.text.strip())] if level else []
    joined = {id(line): line for line in lines}
    for number in numbers:
        leader = next((r for r in level if _is_beside(r, number) and 0 <= number.x0 - r.x1 + 0.5 * em < _GAP_EM * em), None)
        entries = [
            line
            for line in lines
            if leader is not None
            and line is not number
            and id(line) in joined
            and sum(map(str.isalpha, line.text)) >= _LEAST_LETTERS
            and _is_beside(leader, line)
            and 0 <= leader.x0 - line.x1 + 0.5 * em < _GAP_EM * em
        ]
        if len(entries) == 1:
            (entry,) = entries
            text = f"{joined[id(entry)].text.strip()} {_LEADER} {joined.pop(id(number)).text}"
            joined[id(entry)] = replace(entry, text=text, style=None, x1=number.x1)
    return [joined[id(line)] for line in lines if id(line) in joined]


def _is_beside(leader: Ruling, line: LayoutLine) -> bool:
    return line.y0 + _ABOVE * line.height < leader.y0 < line.y1 + _BELOW * line.height
