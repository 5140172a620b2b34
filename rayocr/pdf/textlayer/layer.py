"""A page's own text as lines with boxes, and a verdict on whether it can be used. 1 to 4 ms a dense page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Upright, turned_size
from rayocr.pdf.textlayer.characters import read_characters
from rayocr.pdf.textlayer.direction import is_level, quarter_turns
from rayocr.pdf.textlayer.lines import TextLine, lines_of
from rayocr.pdf.textlayer.trust import Verdict, judge

_BOLD_WEIGHT = 600


@dataclass(frozen=True)
class TextLayer:
    """`lines` are in the order of the content stream, which need not be the reading order. Text that stands on its side or on
    its head is given as on the page after `turns` clockwise quarter turns, where it runs from left to right; `width_pt` and
    `height_pt` are that page's."""

    lines: tuple[TextLine, ...]
    image_share: float
    height_pt: float
    width_pt: float = 0.0
    turns: int = 0

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @cached_property
    def verdict(self) -> Verdict:
        return judge(self.text, image_share=self.image_share, text_share=self._text_share())

    def _text_share(self) -> float:
        """The share of the page's height that has text on it."""
        spans = sorted((line.y0, line.y1) for line in self.lines)
        covered, end = 0.0, float("-inf")
        for y0, y1 in spans:
            covered += max(0.0, y1 - max(y0, end))
            end = max(end, y1)
        return covered / self.height_pt if self.height_pt else 0.0


def read_text_layer(page: Any, upright: Upright, size_pt: tuple[float, float], *, image_share: float) -> TextLayer:
    """`page` is a raw FPDF_PAGE, `size_pt` the size of the upright page. Text outside of the page is left out: two pages cropped
    from one sheet carry the text of both."""
    turns, lines = 0, ()  # type: int, tuple[TextLine, ...]
    if text_page := pdfium.FPDFText_LoadPage(page):
        try:
            turns = quarter_turns(text_page, upright)
            turned = upright.turned(turns, size_pt)
            characters = read_characters(text_page, turned, turned_size(turns, size_pt))
            found = lines_of(
                characters,
                font_of=lambda index: _font_at(text_page, index),
                is_level=lambda index: is_level(text_page, index, turned),
            )
            lines = tuple(found)
        finally:
            pdfium.FPDFText_ClosePage(text_page)
    width_pt, height_pt = turned_size(turns, size_pt)
    return TextLayer(lines=lines, image_share=image_share, height_pt=height_pt, width_pt=width_pt, turns=turns)


def _font_at(text_page: Any, index: int) -> tuple[float, bool]:
    """The size in points as it is seen, the text matrix included, and whether the font is bold."""
    matrix = pdfium.FS_MATRIX()
    scale = math.hypot(matrix.c, matrix.d) if pdfium.FPDFText_GetMatrix(text_page, index, matrix) else 1.0
    return abs(pdfium.FPDFText_GetFontSize(text_page, index)) * scale, pdfium.FPDFText_GetFontWeight(
        text_page, index
    ) >= _BOLD_WEIGHT
