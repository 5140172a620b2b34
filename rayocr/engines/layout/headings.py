"""Detects headings by their size relative to the body. Conservative, since a false heading is worse than a missed one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rayocr.engines.layout.lines import LayoutLine, em_of
from rayocr.engines.layout.rows import Row

_MAX_CHARS = 100
_MIN_BODY_CHARS = 120  # with fewer, the body's size is unknown
# (least ratio to the body's size, level). OCR boxes jitter by a fifth of their height, so their ratios are higher.
_BY_FONT = ((1.6, 1), (1.3, 2), (1.15, 3))
_BY_HEIGHT = ((1.75, 1), (1.4, 2))
_BOLD_RATIO = 1.04


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
