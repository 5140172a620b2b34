"""Gives each line that was read its place on the page, its style, and its weight in the page's confidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rayocr.engines.layout import LayoutLine
from rayocr.engines.layout.letter_style import letter_style
from rayocr.engines.layout.quads import levelled, skew_deg, turned
from rayocr.engines.rapidocr.image import TurnedPage
from rayocr.engines.rapidocr.other_lines import weight
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.text import is_half_known, is_unread, with_marks, with_spaces
from rayocr.engines.rapidocr.unknown_scripts import UNREAD_ASPECT
from rayocr.messages import TextBox

_MIN_LINE_SCORE = 0.5  # rapidocr's own limit; results below it are specks and rules
_PADDING = (0.16, 0.11)  # left and right margins, in box heights: nine of ten boxes have at least this much


class LinePlaces:
    """The places of the lines of a page. `skew`: how far the lines fall from left to right, in degrees; `aspects`: their widths
    by their heights."""

    def __init__(self, page: TurnedPage, quads: Any, *, turns: int, columns_down: bool, scale: float) -> None:
        """`quads`: corners (n, 4, 2) in pixels of the page after `turns` quarter turns; `scale`: pixels per point."""
        height, width = page.image(turns).shape[:2]
        self.skew = skew_deg(quads)
        self._level = levelled(quads, self.skew, width, height) / scale
        self._shown = turned(quads, -turns, width, height) / scale
        self.aspects = [float(x1 - x0) / max(float(y1 - y0), 0.1) for x0, y0, x1, y1 in self._level]
        self._page, self._quads, self._turns, self._columns_down = page, quads, turns, columns_down

    def lines_of(self, read: Sequence[LineReading]) -> tuple[list[LayoutLine], list[TextBox], list[tuple[float, float]]]:
        """Returns the lines with text on the leveled page, in points, their boxes on the page as it is shown, and the scores
        of all lines with their weights: the number of letters, read or expected."""
        lines: list[LayoutLine] = []
        boxes: list[TextBox] = []
        scores: list[tuple[float, float]] = []
        for index, (text, score, *_) in enumerate(read):
            text, aspect = with_marks(with_spaces(text)), self.aspects[index]
            if (score < _MIN_LINE_SCORE and not is_half_known(text)) or not text.strip() or is_unread(text, aspect):
                if aspect > UNREAD_ASPECT:
                    scores.append((0.0, weight(aspect)))
                continue
            scores.append((score, len(text)))
            x0, y0, x1, y1 = (float(value) for value in self._level[index])
            x0, x1 = without_padding(x0, x1, y1 - y0)
            style = letter_style(self._page.line(self._turns, self._quads[index]), text)
            lines.append(LayoutLine(text=text, x0=x0, y0=y0, x1=x1, y1=y1, confidence=score, style=style))
            corners = self._shown[index]
            left, top, right, bottom = (float(value) for value in (*corners.min(axis=0), *corners.max(axis=0)))
            angle = 90.0 * (1 if self._columns_down and aspect < 1 else self._turns) + self.skew
            boxes.append(TextBox(text=text, x0=left, y0=top, x1=right, y1=bottom, confidence=score, angle_deg=angle))
        return lines, boxes, scores


def without_padding(x0: float, x1: float, height: float) -> tuple[float, float]:
    """Returns the start and end of a line's letters. The detector's boxes are wider and would hide narrow gutters."""
    return (x0 + _PADDING[0] * height, x1 - _PADDING[1] * height) if x1 - x0 > height else (x0, x1)
