"""Puts pictures of lines below each other, so that Tesseract reads all of them in one call, and gives each line its words.

A call takes 0.1 s to start. Lines that are apart from each other also spare Tesseract its page segmentation, which loses whole
lines of Arabic and Korean pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from statistics import mean
from typing import TYPE_CHECKING, Any

from rayocr.engines.tesseract.lines import TsvLine, TsvWord, lines_of_tsv
from rayocr.engines.tesseract.program import Orientation, Tesseract
from rayocr.pdf.shapes.components import ink_mask

if TYPE_CHECKING:
    from PIL.Image import Image

HEIGHT = 68  # pixels of a line with its margins: letters of 10 pt at 300 dpi
_DPI = 300
_REMNANT = 0.25  # largest height of pieces of neighboring lines, as a share of a line's height
_RULE = (0.6, 0.85)  # minimum length of a horizontal and a vertical rule, as shares of a picture's width and height
_RULE_PLACE = (0.2, 0.5)  # largest distance of a rule from the upper or lower edge, and from the sides, in heights of the picture
_MARKS = 0.5  # largest share of a part's width that another part of the same line may have, too
_MARGIN = (6, 8)  # pixels above and below, and beside words that are cut out


class LineSheet:
    """Pictures of lines on one sheet. `lines`: gray pictures (rows, columns). `stretch` is the factor by which the pictures are
    widened, for another view of the same letters."""

    def __init__(self, lines: Sequence[Any], *, height: int = HEIGHT, gap: int = HEIGHT // 2, stretch: float = 1.0) -> None:
        self._lines = lines
        self._height, self._gap, self._stretch = height, gap, stretch
        self._tops = [gap + index * (height + gap) for index in range(len(lines))]

    def read(self, tesseract: Tesseract, packs: Sequence[str]) -> list[list[TsvWord]]:
        """Returns the words of each line from left to right. Raises EngineError."""
        tsv = tesseract.read_tsv(self._image, languages="+".join(packs), dpi=_DPI, as_block=True)
        found = sorted(lines_of_tsv(tsv), key=lambda line: line.words[0].left)
        return [
            [
                word
                for line in _without_marks(
                    [line for line in found if -self._gap / 2 <= _middle(line) - top < self._height + self._gap / 2]
                )
                for word in line.words
            ]
            for top in self._tops
        ]

    def position_of(self, line: int, column: float) -> tuple[int, int, int]:
        """Returns where a column of a line's picture is on the sheet: left, top and height, in pixels."""
        scale = self._height / self._lines[line].shape[0] * self._stretch
        return self._gap + round(column * scale), self._tops[line], self._height

    def placed(self, words: Sequence[TsvWord], other: LineSheet) -> list[TsvWord]:
        """Returns words that were read on another sheet of the same lines with their horizontal places on this one."""
        scale = self._height * self._stretch / (other._height * other._stretch)
        return [
            replace(word, left=self._gap + round((word.left - other._gap) * scale), width=max(round(word.width * scale), 1))
            for word in words
        ]

    def orientation(self, tesseract: Tesseract, **options: int) -> Orientation | None:
        return tesseract.detect_orientation(self._image, dpi=_DPI, **options)

    def cut_out(self, line: int, words: Sequence[TsvWord]) -> Any:
        """Returns the picture of neighboring words, as high as their line."""
        down, beside = _MARGIN
        top = self._tops[line]
        left = min(word.left for word in words) - beside
        right = max(word.left + word.width for word in words) + beside
        return self._pixels[top - down : top + self._height + down, max(left, 0) : right]

    @cached_property
    def _image(self) -> Image:
        from PIL import Image

        return Image.fromarray(self._pixels)

    @cached_property
    def _pixels(self) -> Any:
        import cv2
        import numpy as np

        scale = [self._height / line.shape[0] for line in self._lines]
        widths = [max(round(line.shape[1] * part * self._stretch), 1) for line, part in zip(self._lines, scale, strict=True)]
        rows = len(self._lines) * (self._height + self._gap) + self._gap
        sheet = np.full((rows, max(widths) + 2 * self._gap), 255, np.uint8)
        for line, top, width in zip(self._lines, self._tops, widths, strict=True):
            sheet[top : top + self._height, self._gap : self._gap + width] = cv2.resize(
                without_remnants(without_rules(line)), (width, self._height)
            )
        return sheet


def without_remnants(line: Any) -> Any:
    """Returns the picture without small pieces of ink at its upper and lower edge, which belong to the neighboring lines.
    Tesseract read an Arabic line with a confidence of .29 with such pieces, and of .85 without them."""
    import cv2
    import numpy as np

    ink = ink_mask(line)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    tops, heights = stats[1:, cv2.CC_STAT_TOP], stats[1:, cv2.CC_STAT_HEIGHT]
    at_edge = ((tops == 0) | (tops + heights == line.shape[0])) & (heights < _REMNANT * line.shape[0])
    if not at_edge.any():
        return line
    remnants = np.isin(labels, 1 + np.flatnonzero(at_edge)).astype(np.uint8)
    return np.where(cv2.dilate(remnants, np.ones((5, 5), np.uint8)) > 0, np.median(line).astype(np.uint8), line)


def without_rules(line: Any) -> Any:
    """Returns the picture without the borders of its table cell. With them, Tesseract reads some cells as numbers or not at
    all."""
    import cv2
    import numpy as np

    ink = ink_mask(line)
    height, width = ink.shape
    level = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, max(round(_RULE[0] * width), height)), np.uint8))
    upright = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((max(round(_RULE[1] * height), 1), 1), np.uint8))
    down, beside = round(_RULE_PLACE[0] * height), min(round(_RULE_PLACE[1] * height), width // 4)
    level[down : height - down] = 0
    level[(level[:, :3] == 0).all(axis=1) & (level[:, -3:] == 0).all(axis=1)] = 0  # the top line of Devanagari ends before this
    upright[:, beside : width - beside] = 0
    rules = level | upright
    if not rules.any():
        return line
    return np.where(cv2.dilate(rules, np.ones((5, 5), np.uint8)) > 0, np.median(line).astype(np.uint8), line)


def _without_marks(lines: Sequence[TsvLine]) -> list[TsvLine]:
    """Returns the parts of one line without those that Tesseract read above or below a longer one: marks of Thai and other
    scripts, which are already part of that."""
    kept: list[TsvLine] = []
    for line in sorted(lines, key=lambda line: -len(line.text)):
        left, right = _extent(line)
        if not any(_shared(_extent(other), (left, right)) > _MARKS * (right - left) for other in kept):
            kept.append(line)
    return [line for line in lines if line in kept]


def _extent(line: TsvLine) -> tuple[int, int]:
    return min(word.left for word in line.words), max(word.left + word.width for word in line.words)


def _shared(first: tuple[int, int], second: tuple[int, int]) -> int:
    return min(first[1], second[1]) - max(first[0], second[0])


def _middle(line: TsvLine) -> float:
    return mean(word.top + word.height / 2 for word in line.words)
