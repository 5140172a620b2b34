"""Defines the input of layout: text lines and rulings with positions on the upright page, in points, origin top left, y down.

Layout does not depend on the source of the lines (a text layer or an OCR engine).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rayocr.engines.layout.letter_style import LetterStyle

_FALLBACK_EM_PT = 10.0
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_PART_SLACK = 0.2  # a line is divided at a blank within this share of its letters, since letters are not equally wide
_VERTICAL_ASPECT = 2.5  # a line of several letters with at least this ratio of height to width runs up or down the page


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutLine:
    """A run of text on one baseline. A row of a table or a form consists of several."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    font_size_pt: float | None = None  # only known for text layers; OCR uses the box height, which is noisy
    bold: bool = False
    confidence: float = 1.0
    turned: bool = False  # the line runs up or down the page, which short lines do not show by their shape
    columns: str = ""  # the text with all its blanks, if the font is monospaced, for code listings
    style: LetterStyle | None = None  # only for OCR: the style of the letters, measured in the picture

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def center_y(self) -> float:
        return (self.y0 + self.y1) / 2

    @property
    def is_vertical(self) -> bool:
        return self.turned or (len(self.text) > 3 and self.height > _VERTICAL_ASPECT * self.width)

    def parted_at(self, x: float) -> tuple[LayoutLine, LayoutLine] | None:
        """Returns the parts left and right of the blank nearest to x; None if no blank is near."""
        cut = round((x - self.x0) / max(self.width, 0.1) * len(self.text))
        blanks = [index for index, char in enumerate(self.text) if char == " "]
        nearest = min(blanks, key=lambda index: abs(index - cut), default=None)
        if nearest is None or abs(nearest - cut) > _PART_SLACK * len(self.text) + 2 or not 0 < nearest < len(self.text) - 1:
            return None
        return (
            replace(self, text=self.text[:nearest], x1=max(x, self.x0), columns=""),
            replace(self, text=self.text[nearest + 1 :], x0=min(x, self.x1), columns=""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The visible part of a drawn line. Horizontal if it is wider than tall. `is_faint`: hardly visible in a scan."""

    x0: float
    y0: float
    x1: float
    y1: float
    is_faint: bool = False

    @property
    def is_horizontal(self) -> bool:
        return abs(self.x1 - self.x0) >= abs(self.y1 - self.y0)


class Boxed(Protocol):
    """Anything with a position on the page: a line, or a table, since tables are found before columns."""

    @property
    def x0(self) -> float: ...
    @property
    def y0(self) -> float: ...
    @property
    def x1(self) -> float: ...
    @property
    def y1(self) -> float: ...


def em_of(lines: Iterable[LayoutLine]) -> float:
    """Returns the height of ordinary text, weighted by length, so titles and footnotes do not decide it."""
    weighted = sorted((line.height, max(len(line.text), 1)) for line in lines if not line.is_vertical)
    half = sum(weight for _, weight in weighted) / 2
    for height, weight in weighted:
        half -= weight
        if half <= 0:
            return max(height, 1.0)
    return _FALLBACK_EM_PT


def with_height(line: LayoutLine) -> LayoutLine:
    """Gives a line without height, as fonts without a bounding box have, the height that its letters' width suggests."""
    letter = line.width / max(len(line.text), 1)
    return replace(line, y0=line.y1 - 2 * letter) if line.height < 0.3 * letter and len(line.text) > 3 else line


def mirrored(line: LayoutLine, page_width: float) -> LayoutLine:
    """Mirrors the line horizontally, which turns right-to-left layout into left-to-right."""
    return replace(line, x0=page_width - line.x1, x1=page_width - line.x0)


def mirrored_ruling(ruling: Ruling, page_width: float) -> Ruling:
    return Ruling(x0=page_width - ruling.x1, y0=ruling.y0, x1=page_width - ruling.x0, y1=ruling.y1)


def reads_right_to_left(lines: Sequence[LayoutLine]) -> bool:
    """Returns whether most letters are Hebrew or Arabic."""
    if not any(_RIGHT_TO_LEFT.search(line.text) for line in lines):
        return False
    rtl = total = 0
    for line in lines:
        for char in line.text:
            if char.isalpha():
                total += 1
                rtl += "\u0590" <= char <= "\u08ff" or "\ufb1d" <= char <= "\ufdff" or "\ufe70" <= char <= "\ufefc"
    return rtl * 2 > total
