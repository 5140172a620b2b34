"""Detects headings by their size and weight relative to the body. It is conservative, since a false heading is worse than a
missed one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rayocr.engines.layout.letter_style import LetterStyle
from rayocr.engines.layout.lines import LayoutLine, em_of
from rayocr.engines.layout.rows import Row
from rayocr.engines.layout.running_sizes import RunningSizes
from rayocr.engines.layout.units.monospaced import letter_widths

_MAX_CHARS = 100
_MIN_BODY_CHARS = 120  # with fewer characters, the size of the body is unknown
# (least ratio to the body's size, level). OCR boxes jitter by a fifth of their height, so their ratios are higher.
_BY_FONT = ((1.6, 1), (1.3, 2), (1.15, 3))
_BY_HEIGHT = ((1.75, 1), (1.4, 2))
_BOLD_RATIO = 1.04
_SECOND_BODY = 0.25  # least share of the characters of the most frequent size, for running text in a larger size to be the body
# On scans, letters are measured. Their height and their stems vary by 20 % within body text; larger text also has wider stems.
_BY_LETTERS = ((1.6, 1), (1.3, 2), (1.2, 3))
_WIDER_STROKE, _LARGE, _LARGE_STROKE = 1.2, 1.28, 1.1
LEVEL_OF_BOLD = 3
_BOLD_STROKE, _BOLD_SIZE = 1.3, 0.78  # lower than 1, since measured sizes of capitals are too small
_SECTION = re.compile(r"\d{1,2}(?:\.\d{1,2})+\.?\s+[^\W\d_]")  # the number of a section, which makes a heading more certain
_SECTION_STROKE = 1.15
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,3})\.?\s+[^\W\d_]")
_BULLET = re.compile(r"[•●◦○‣∙⁃➢➤❖\uf0b7\uf0a7–-]\s?\S")  # on a slide, items may be larger than most of the text
_DEEPEST = 4
_BOLD_ROWS, _LEAST_TEXT = 2, 45  # most rows of a bold heading, and least characters of the line below the heading
# Extra distance that sets a heading apart, in line heights; largest distance to its text, in distances of lines.
_WIDER_PITCH, _NEAR_PITCHES = 0.3, 3.0
# For a headline below a table: rows of the table, white space in line heights, least ratios of stroke and size.
_FEWEST_ROWS, _ABOVE, _MUCH_BOLDER, _LARGER = 3, 0.25, 1.7, 1.05
_SAME_EDGE_EM = 0.5  # largest distance of the left edges of sibling headings
_SAME_TEXT = 0.6  # largest distance of lines of one sentence, in line heights
_TEXT_END = tuple(".,;!?。！？।")
_HEADLINE_EM = 1.7  # least height of a headline whose parts are joined, relative to ordinary lines
_SAME_HEIGHT, _LEVEL = 1.2, 0.2  # parts of a headline: ratio of heights; distance of centers, in heights, at most
_BLANK, _OVERLAP = 0.6, 0.3  # parts of a headline: white space between them and overlap, in heights, at most


@dataclass(frozen=True, slots=True)
class HeadingScale:
    """The body's size on this page; 0 if the page has too little text."""

    body_font_pt: float
    body_height: float
    body_styles: tuple[LetterStyle, ...] = ()  # ordinary letters measured on scans: in scripts with capitals, and in others
    running: RunningSizes = field(default_factory=RunningSizes)
    usual_font_pt: float = 0.0  # the size with the most characters, which may be that of a table or an abstract
    letter_widths: tuple[float, ...] = ()  # mean letter widths of the long lines, in points

    @classmethod
    def of(cls, lines: Sequence[LayoutLine]) -> HeadingScale:
        if sum(len(line.text) for line in lines) < _MIN_BODY_CHARS:
            return cls(0.0, 0.0)
        sizes: dict[float, int] = {}
        for line in lines:
            if line.font_size_pt:
                size = round(line.font_size_pt * 2) / 2
                sizes[size] = sizes.get(size, 0) + len(line.text)
        usual = body_font = max(sizes, key=lambda size: (sizes[size], -size)) if sizes else 0.0
        running = RunningSizes.of(lines) if sizes else RunningSizes()
        if sizes.get(running.plain, 0) >= _SECOND_BODY * sizes.get(body_font, 0):
            body_font = max(body_font, running.plain)
        styles = [style for is_cased in (True, False) if (style := _median_style(lines, is_cased=is_cased)) is not None]
        return cls(body_font, em_of(lines), tuple(styles), running, usual, letter_widths(lines))

    def level(self, row: Row) -> int:
        """Returns 1 to 3, or 4 for a number of three parts; 0 for text that is not a heading. Sections are below chapters even if
        they have the same size: 3 has level 2 or higher, 3.1 has level 3."""
        text = row.text
        if len(text) > _MAX_CHARS or text[-1:] in ".,;:。，" or sum(map(str.isalpha, text)) < 3:
            return 0
        if _BULLET.match(text) and not (row.bold and not self.running.bold):
            return 0
        level = self._level_of_style(row)
        number = _NUMBERED.match(text) if level else None
        if number is None:
            return level
        depth = number.group(1).count(".") + 1
        return min(level, 2) if depth == 1 else max(level, min(depth + 1, _DEEPEST))

    def _level_of_style(self, row: Row) -> int:
        text, size = row.text, row.font_size_pt
        if size and self.body_font_pt:
            ratio = size / self.body_font_pt
            if self.running.include(size, bold=row.bold):
                return 0
            if row.bold and ratio >= _BOLD_RATIO:
                ratio = max(ratio, _BY_FONT[-1][0])
            return _level(ratio, _BY_FONT)
        if not size and (relative := self._relative(row)) is not None:
            return _level_of_letters(*relative, is_numbered=_SECTION.match(text) is not None)
        if not size and self.body_height:
            return _level(row.height / self.body_height, _BY_HEIGHT)
        return 0

    def is_bold_line(self, row: Row) -> bool:
        """Returns whether a row of a text layer is bold and as large as the body."""
        return row.bold and self.is_body_size(row)

    def is_body_size(self, row: Row) -> bool:
        """Returns whether a row of a text layer is as large as the body."""
        size = row.font_size_pt or 0.0
        return any(body / _BOLD_RATIO < size < body * _BOLD_RATIO for body in {self.body_font_pt, self.usual_font_pt})

    def is_bold_text(self, row: Row) -> bool:
        """Returns whether a row of a scan is bold and not much larger than ordinary text."""
        relative = self._relative(row)
        return relative is not None and relative[1] >= _BOLD_STROKE and relative[0] < _LARGE

    def _relative(self, row: Row) -> tuple[float, float] | None:
        """Returns the size and the stroke of the row's letters, relative to ordinary text; None if they are not known."""
        style = row.style
        if style is None:
            return None
        body = next((body for body in self.body_styles if body.is_cased == style.is_cased), None)
        return (style.x_height / body.x_height, style.stroke / body.stroke) if body is not None else None


def _level_of_letters(size: float, stroke: float, *, is_numbered: bool) -> int:
    level = _level(size, _BY_LETTERS) if stroke >= (_LARGE_STROKE if size >= _LARGE else _WIDER_STROKE) else 0
    bold = _SECTION_STROKE if is_numbered else _BOLD_STROKE
    return level or (LEVEL_OF_BOLD if stroke >= bold and size >= _BOLD_SIZE else 0)


def without_bold_text(rows: Sequence[Row], levels: Sequence[int], scale: HeadingScale) -> list[int]:
    """Returns the levels without those of bold sentences of several lines."""
    kept = list(levels)
    bold = [scale.is_bold_text(row) for row in rows]
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and bold[start] and bold[end] and rows[end].y0 - rows[end - 1].y1 < _SAME_TEXT * rows[end].height:
            end += 1
        if bold[start] and rows[end - 1].text.endswith(_TEXT_END):
            kept[start:end] = [0] * (end - start)
        start = end
    return kept


def without_lines_of_addresses(rows: Sequence[Row], levels: Sequence[int]) -> list[int]:
    """Returns the levels without those of single, slightly larger lines with a number among the lines of an address."""
    kept = list(levels)
    for place, (above, row, below) in enumerate(zip(rows, rows[1:], rows[2:], strict=False), start=1):
        if levels[place] > 2 and row.font_size_pt and not (row.bold or levels[place - 1] or levels[place + 1]):
            is_close = max(row.y0 - above.y1, below.y0 - row.y1) < _SAME_TEXT * row.height
            is_below = abs(above.x0 - row.x0) < row.height > abs(below.x0 - row.x0)
            if is_close and is_below and any(map(str.isdigit, row.text)) and not _NUMBERED.match(row.text):
                kept[place] = 0
    return kept


def with_bold_lines(rows: Sequence[Row], levels: Sequence[int], scale: HeadingScale, pitch: float, em: float) -> list[int]:
    """Returns the levels, with those of bold lines of the body's size that stand apart above ordinary text. `pitch`: the usual
    distance of lines. A line above a short text counts if another line of the column with the same left edge is a heading and has
    a number, too, or if two others are headings."""
    found = list(levels)
    uncertain: list[tuple[int, int]] = []
    certain: list[Row] = []
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and _follows(rows[end - 1], rows[end], pitch, em) and rows[start].bold and rows[end].bold:
            end += 1
        group = rows[start:end]
        is_apart = start == 0 or levels[start - 1] > 0 or not _follows(rows[start - 1], rows[start], pitch, em)
        if is_apart and not any(levels[start:end]) and end < len(rows) and _may_be_heading(group, rows[end], scale, pitch, em):
            if len(rows[end].text) >= _LEAST_TEXT:
                found[start:end] = [LEVEL_OF_BOLD] * len(group)
                certain.append(group[0])
            else:
                uncertain.append((start, end))
        start = end
    for start, end in uncertain:
        if _has_siblings(rows[start], certain, em):
            found[start:end] = [LEVEL_OF_BOLD] * (end - start)
    return found


def _has_siblings(row: Row, headings: Sequence[Row], em: float) -> bool:
    beside = [other for other in headings if abs(other.x0 - row.x0) < _SAME_EDGE_EM * em]
    is_numbered = _NUMBERED.match(row.text) is not None
    numbered = sum(_NUMBERED.match(other.text) is not None for other in beside)
    return numbered > 0 if is_numbered else len(beside) - numbered > 1


def _follows(above: Row, row: Row, pitch: float, em: float) -> bool:
    return row.center_y - above.center_y <= pitch + _WIDER_PITCH * em


def _may_be_heading(group: Sequence[Row], below: Row, scale: HeadingScale, pitch: float, em: float) -> bool:
    """Returns whether bold lines may be a heading; `below` has enough text if it is not short."""
    text = " ".join(row.text for row in group)
    if len(group) > _BOLD_ROWS or len(text) > _MAX_CHARS or sum(map(str.isalpha, text)) < 3 or text[-1:] in ".,;:?!。，":
        return False
    is_text = not below.bold and not below.is_tabular(em) and not below.text[:1].islower()
    is_near = below.center_y - group[-1].center_y < _NEAR_PITCHES * pitch
    return is_text and is_near and all(scale.is_bold_line(row) and not row.is_tabular(em) for row in group)


def is_headline(row: Row, above: Sequence[Row]) -> bool:
    """Returns whether a row of a scan, below the rows of a table, is a headline: its letters are much bolder and larger, and
    white space is above it."""
    styles = [other.style for other in above if other.style is not None and other.style.is_cased]
    if row.style is None or not row.style.is_cased or len(styles) < _FEWEST_ROWS or row.y0 - above[-1].y1 < _ABOVE * row.height:
        return False
    stroke, size = (_median([(style[measure], 1) for style in styles]) for measure in (1, 0))
    return row.style.stroke > _MUCH_BOLDER * stroke and row.style.x_height > _LARGER * size


def _median_style(lines: Sequence[LayoutLine], *, is_cased: bool) -> LetterStyle | None:
    """Returns the letters of ordinary text; None if too few lines were measured."""
    measured = [(line.style, len(line.text)) for line in lines if line.style is not None and line.style.is_cased == is_cased]
    if sum(count for _, count in measured) < _MIN_BODY_CHARS:
        return None
    height = _median([(style.x_height, count) for style, count in measured])
    return LetterStyle(height, _median([(style.stroke, count) for style, count in measured]), is_cased)


def _median(weighted: list[tuple[float, int]]) -> float:
    half = sum(weight for _, weight in weighted) / 2
    for value, weight in sorted(weighted):
        half -= weight
        if half <= 0:
            return value
    return 0.0


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
