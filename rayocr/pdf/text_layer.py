"""A page's own text as lines with boxes, from PDFium's characters. About 2.6 µs a character, 2 to 5 ms a dense page."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Upright, turned_size
from rayocr.pdf.trust import Verdict, judge

_GAP_EM = 1.6  # between characters of one baseline: more is another column or cell, not a justified space
_BACK_EM = 1.0  # a jump to the left by more is a new line
_BOLD_WEIGHT = 600
_LOOKED_AT = 200  # characters, for the direction of the text: 0.2 ms
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_LINE_END_HYPHENS = (0x02, 0xFFFE)  # what PDFium gives for a hyphen at the end of a line


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A run of text on one baseline, split at wide gaps. Points of the upright page, origin top left, y down."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    font_size_pt: float
    bold: bool


@dataclass(frozen=True)
class TextLayer:
    """`lines` in the order of the content stream, which need not be the reading order. Text that stands on its side or on its
    head is given as on the page after `turns` quarter turns clockwise, where it runs from left to right; `width_pt` and
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
        """Of the page's height that has text on it."""
        spans = sorted((line.y0, line.y1) for line in self.lines)
        covered, end = 0.0, float("-inf")
        for y0, y1 in spans:
            covered += max(0.0, y1 - max(y0, end))
            end = max(end, y1)
        return covered / self.height_pt if self.height_pt else 0.0


def read_text_layer(page: Any, upright: Upright, size_pt: tuple[float, float], *, image_share: float) -> TextLayer:
    """`page` is a raw FPDF_PAGE, `size_pt` of the upright page. What lies outside of it is not on the page: two pages cropped
    from one sheet carry the text of both."""
    turns, lines = 0, ()  # type: int, tuple[TextLine, ...]
    if text_page := pdfium.FPDFText_LoadPage(page):
        try:
            turns = _turns(text_page, upright)
            lines = tuple(_lines(text_page, upright.turned(turns, size_pt), turned_size(turns, size_pt)))
        finally:
            pdfium.FPDFText_ClosePage(text_page)
    width_pt, height_pt = turned_size(turns, size_pt)
    return TextLayer(lines=lines, image_share=image_share, height_pt=height_pt, width_pt=width_pt, turns=turns)


def _turns(text_page: Any, upright: Upright) -> int:
    """How often the page must be turned clockwise for most of its text to run from left to right. Mirrored text stays."""
    count = pdfium.FPDFText_CountChars(text_page)
    matrix = pdfium.FS_MATRIX()
    found: Counter[int] = Counter()
    for index in range(0, count, max(1, count // _LOOKED_AT)):
        if not pdfium.FPDFText_GetMatrix(text_page, index, matrix):
            continue
        if matrix.a * matrix.d - matrix.b * matrix.c <= 0:
            found[0] += 1
            continue
        x, y = upright.direction(matrix.a, matrix.b)  # of the baseline; y points down
        if abs(x) >= abs(y):
            found[0 if x >= 0 else 2] += 1
        else:
            found[1 if y < 0 else 3] += 1
    (turns, times), *_ = found.most_common(1) or [(0, 0)]
    return turns if times > found.total() / 2 else 0


class _Run:
    """Characters that belong to one line so far."""

    __slots__ = ("chars", "first", "vertical", "x0", "x1", "y0", "y1")

    def __init__(self, index: int, char: str, x0: float, y0: float, x1: float, y1: float) -> None:
        self.first = index
        self.chars = [char]
        self.vertical = False
        self.x0, self.y0, self.x1, self.y1 = x0, y0, x1, y1

    def takes(self, x0: float, y0: float, x1: float, y1: float, em: float) -> bool:
        middle = (y0 + y1) / 2
        if not self.vertical and self.y0 - 0.25 * em <= middle <= self.y1 + 0.25 * em:
            return -_BACK_EM * em <= x0 - self.x1 <= _GAP_EM * em
        beside = min(x1, self.x1) - max(x0, self.x0) > 0.5 * min(x1 - x0, self.x1 - self.x0)
        follows = min(abs(y1 - self.y0), abs(y0 - self.y1)) <= 0.6 * em
        if (self.vertical or len(self.chars) == 1) and beside and follows:
            self.vertical = True  # set along the margin: the characters stand above each other
            return True
        return False

    def add(self, char: str, x0: float, y0: float, x1: float, y1: float, *, space: bool) -> None:
        if space:
            self.chars.append(" ")
        self.chars.append(char)
        # Comparisons, since min() and max() would be a third of all that a character costs.
        if x0 < self.x0:
            self.x0 = x0
        if y0 < self.y0:
            self.y0 = y0
        if x1 > self.x1:
            self.x1 = x1
        if y1 > self.y1:
            self.y1 = y1


def _lines(text_page: Any, upright: Upright, size_pt: tuple[float, float]) -> Iterator[TextLine]:
    rect = pdfium.FS_RECTF()
    reference = ctypes.byref(rect)
    get_unicode, get_box = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox
    to_upright, (width_pt, height_pt) = upright.box, size_pt
    run: _Run | None = None
    space = False
    high = 0
    for index in range(pdfium.FPDFText_CountChars(text_page)):
        code = get_unicode(text_page, index)
        if code >= 0xD800:
            if code < 0xDC00:
                high = code
                continue
            if high and code < 0xE000:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        high = 0
        char = _char(code)
        if char.isspace():  # where PDFium breaks lines, too, is a hint; the boxes decide
            space = True
            continue
        if code == 0 or not get_box(text_page, index, reference):
            continue
        x0, y0, x1, y1 = to_upright(rect.left, rect.bottom, rect.right, rect.top)
        if not (x1 > 0 and x0 < width_pt and y1 > 0 and y0 < height_pt):
            space = True
            continue
        em = y1 - y0 if y1 - y0 > 1.0 else 1.0
        if run is not None and run.takes(x0, y0, x1, y1, em):
            run.add(char, x0, y0, x1, y1, space=space)
        else:
            if run is not None:
                yield _line(run, text_page)
            run = _Run(index, char, x0, y0, x1, y1)
        space = False
    if run is not None:
        yield _line(run, text_page)


def _char(code: int) -> str:
    """What PDFium gave for a character. U+FFFD for what is none: half a surrogate pair cannot even be written to a file."""
    if 0x20 <= code < 0xD800:
        return chr(code)
    if code < 0xD800:
        return "-" if code == _LINE_END_HYPHENS[0] else chr(code)
    if code > 0x10FFFF or code < 0xE000:
        return "\ufffd"
    char = chr(code)
    return "-" if code == _LINE_END_HYPHENS[1] else _LIGATURES.get(char, char)


def _line(run: _Run, text_page: Any) -> TextLine:
    size = pdfium.FPDFText_GetFontSize(text_page, run.first)
    height = run.x1 - run.x0 if run.vertical else run.y1 - run.y0
    return TextLine(
        text="".join(run.chars),
        x0=run.x0,
        y0=run.y0,
        x1=run.x1,
        y1=run.y1,
        # A font of size 1 under a scaled matrix says nothing: the box does.
        font_size_pt=size if 0.5 * height <= size <= 1.5 * height else height * 0.85,
        bold=pdfium.FPDFText_GetFontWeight(text_page, run.first) >= _BOLD_WEIGHT,
    )
