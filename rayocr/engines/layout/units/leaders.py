"""Joins an entry of a table of contents with its page number if the leader between them is drawn as a line, not as characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rayocr.engines.layout.lines import LayoutLine, Ruling

_NUMBER = re.compile(r"[$€£¥₹]?\s?-?\d[\d.,'\u2019 ]{0,12}\s?[$€£¥₹%]?|[ivxlc]{1,7}|[IVXLC]{1,7}|[A-Z]-?\d{1,3}")
_LEADER = "....."
_GAP_EM = 2.5  # between the leader and the text on either side
_LEAST_LETTERS = 2  # of an entry; 100 and 0 are the ends of an axis
_LEAST_EM = 1.5  # length of a leader
_ABOVE, _BELOW = 0.35, 0.25  # of the line's height: the leader is near the baseline


def join_leaders(lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float) -> list[LayoutLine]:
    """Returns the lines, with one line for each entry that a leader connects with a number."""
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
            joined[id(entry)] = replace(entry, text=text, x1=number.x1)
    return [joined[id(line)] for line in lines if id(line) in joined]


def _is_beside(leader: Ruling, line: LayoutLine) -> bool:
    return line.y0 + _ABOVE * line.height < leader.y0 < line.y1 + _BELOW * line.height
