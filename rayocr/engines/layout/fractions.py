"""Joins the numbers above and below a fraction bar. If it were read line by line, 1 ¾ would become 1 3 4."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rayocr.engines.layout.lines import LayoutLine, Ruling

_NUMBER = re.compile(r"\d{1,4}")
_MOST_BARS = 600
_BAR_EM = 2.5  # longest bar
_CENTERED = 0.35  # distance of the middles, in heights of the numbers
_CLOSE = 1.25  # largest distance of the numbers, in their heights
_SAME_BASELINE = 0.2  # largest distance of the middles, in heights; words beside a fraction are level with its bar
_NEAR = 0.9  # distance of a number's middle from the bar, in heights


def join_fractions(lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float) -> list[LayoutLine]:
    """Returns the lines, with one line for each fraction of two whole numbers."""
    bars = [ruling for ruling in rulings if ruling.is_horizontal and ruling.x1 - ruling.x0 < _BAR_EM * em]
    numbers = [line for line in lines if _NUMBER.fullmatch(line.text.strip())] if 0 < len(bars) <= _MOST_BARS else []
    bars = [bar for bar in bars if any(_is_at(line, bar, -1) for line in numbers)]
    upright = [ruling for ruling in rulings if not ruling.is_horizontal] if bars else []
    bars = [bar for bar in bars if not any(_touches(bar, other) for other in upright)]  # these bars are the borders of cells
    joined = {id(line): line for line in lines}
    for bar in bars:
        above = [line for line in numbers if id(line) in joined and _is_at(line, bar, -1)]
        below = [line for line in numbers if id(line) in joined and _is_at(line, bar, 1)]
        if len(above) == len(below) == 1 and below[0].center_y - above[0].center_y < _CLOSE * above[0].height:
            (top,), (bottom,) = above, below
            if any(_is_at(bottom, other, -1) for other in bars) or (_ends_row(top, lines) and _ends_row(bottom, lines)):
                continue  # the numbers are underlined, as in a table of contents with links
            text = f"{top.text.strip()}/{bottom.text.strip()}"
            del joined[id(bottom)]
            around = next((line for line in joined.values() if line is not top and _goes_around(line, bar)), None)
            parts = around.parted_at((bar.x0 + bar.x1) / 2) if around is not None else None
            if around is not None and parts is not None:
                joined[id(around)] = replace(around, text=f"{parts[0].text} {text} {parts[1].text}", columns="")
                del joined[id(top)]
            else:
                x0, x1, half = min(top.x0, bottom.x0), max(top.x1, bottom.x1), em / 2
                joined[id(top)] = replace(top, text=text, x0=x0, x1=x1, y0=bar.y0 - half, y1=bar.y0 + half)
    return [joined[id(line)] for line in lines if id(line) in joined]


def _ends_row(number: LayoutLine, lines: Sequence[LayoutLine]) -> bool:
    """Returns whether words are on the number's baseline."""
    return any(
        abs(line.center_y - number.center_y) < _SAME_BASELINE * number.height and any(map(str.isalpha, line.text))
        for line in lines
    )


def _touches(bar: Ruling, upright: Ruling) -> bool:
    return bar.x0 - 1 < upright.x0 < bar.x1 + 1 and upright.y0 - 1 < bar.y0 < upright.y1 + 1


def _goes_around(line: LayoutLine, bar: Ruling) -> bool:
    return line.x0 < bar.x0 and bar.x1 < line.x1 and line.y0 < bar.y0 < line.y1


def _is_at(line: LayoutLine, bar: Ruling, side: int) -> bool:
    off = abs(line.x0 + line.x1 - bar.x0 - bar.x1) / 2
    distance = side * (line.center_y - bar.y0)
    fits = line.width < 1.5 * (bar.x1 - bar.x0) + 1 and bar.x1 - bar.x0 < 2.5 * line.width + 1
    return fits and off < _CENTERED * line.height and 0.2 * line.height < distance < _NEAR * line.height
