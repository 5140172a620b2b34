"""Detects headings by their size relative to the body. Conservative, since a false heading is worse than a missed one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rayocr.engines.layout.lines import LayoutLine, em_of
from rayocr.engines.layout.rows import Row

_MAX_CHARS = 100
_MIN_BODY_CHARS = 120  # with fewer, the body's size is unknown
# (least ratio to the body's size, level). OCR boxes jitter by a fifth of their height, so their ratios are higher.
_BY_FONT = ((1.6, 1), (1.3, 2), (1.15, 3))
_BY_HEIGHT = ((1.75, 1), (1.4, 2))
_BOLD_RATIO = 1.04
_HEADLINE_EM = 1.7  # least height of a headline that is joined
_SAME_HEIGHT, _LEVEL = 1.2, 0.2  # largest ratio of the heights of its parts; distance of their centers, in heights
_BLANK, _OVERLAP = 0.6, 0.3  # white space between the parts, and their overlap, in heights


@dataclass(frozen=True, slots=True)
class HeadingScale:
    """The body's size on this page; 0 if the page has too little text."""

    body_font_pt: float
    body_height: float

    @classmethod
    def of(cls, lines: Sequence[LayoutLine]) -> HeadingScale:
        if sum(len(line.text) for line in lines) < _MIN_BODY_CHARS:
            return cls(0.0, 0.0)
        sizes: dict[float, int] = {}
        for line in lines:
            if line.font_size_pt:
                size = round(line.font_size_pt * 2) / 2
                sizes[size] = sizes.get(size, 0) + len(line.text)
        body_font = max(sizes, key=lambda size: (sizes[size], -size)) if sizes else 0.0
        return cls(body_font, em_of(lines))

    def level(self, row: Row) -> int:
        """Returns 1 to 3; 0 for text that is not a heading."""
        text = row.text
        if len(text) > _MAX_CHARS or sum(char.isalpha() for char in text) < 3 or text[-1:] in ".,;:。，":
            return 0
        size = row.font_size_pt
        if size and self.body_font_pt:
            ratio = size / self.body_font_pt
            if row.bold and ratio >= _BOLD_RATIO:
                ratio = max(ratio, _BY_FONT[-1][0])
            return _level(ratio, _BY_FONT)
        if not size and self.body_height:
            return _level(row.height / self.body_height, _BY_HEIGHT)
        return 0


def _level(ratio: float, thresholds: Sequence[tuple[float, int]]) -> int:
    return next((level for least, level in thresholds if ratio >= least), 0)


def join_headlines(lines: Sequence[LayoutLine], em: float) -> list[LayoutLine]:
    """Returns the lines, with one line for the parts of a headline that the engine divided at a wide blank."""
    large = {id(line) for line in lines if line.height >= _HEADLINE_EM * em}
    joined: list[LayoutLine] = []
    for line in sorted((line for line in lines if id(line) in large), key=lambda line: line.x0):
        before = next((other for other in joined if _continues(other, line)), None)
        if before is None:
            joined.append(line)
        else:
            text = f"{before.text.strip()} {line.text.strip()}"
            y0, y1 = min(before.y0, line.y0), max(before.y1, line.y1)
            joined[joined.index(before)] = replace(before, text=text, x1=line.x1, y0=y0, y1=y1, columns="")
    return [*(line for line in lines if id(line) not in large), *joined]


def _continues(before: LayoutLine, line: LayoutLine) -> bool:
    heights = sorted((before.height, line.height))
    if heights[1] > _SAME_HEIGHT * heights[0]:
        return False
    level = abs(before.center_y - line.center_y) < _LEVEL * heights[0]
    return level and -_OVERLAP * heights[0] < line.x0 - before.x1 < _BLANK * heights[0]
