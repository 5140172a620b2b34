"""Groups lines that are side by side into rows. The rows of one column, from top to bottom, then form paragraphs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from rayocr.engines.layout.joining import join_lines
from rayocr.engines.layout.letter_style import LetterStyle
from rayocr.engines.layout.lines import LayoutLine

_SAME_ROW = 0.5  # least overlap of the heights of texts in one row, as a share of the smaller height
_TABULAR_GAP_EM = 1.6  # a wider gap in a row is intended
_CLOSE_EM, _PUNCTUATION = 0.1, re.compile(r"[,.;:!?)\]](?:\s|$)")  # a comma after a word that was drawn later
LABEL = re.compile(r"[^\W\d_][^:：]{0,30}\s?[:：](?:\s|$)")
MARKER = re.compile(
    r"[•●▪■◦○‣∙·⁃➢➤❖✓✔✗✘☐☑☒❏❐❑❒□▢\uf0b7\uf0a7\u2013\u2014*+-]$|\[(?:[ xX]|\d{1,3})\]$"
    r"|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]$|\(\d{1,3}\)$|\d{1,2}(?:\.\d{1,2}){1,3}\.?$|¶\s?\d{1,3}$"
)


def are_labels(texts: Sequence[str]) -> bool:
    """Returns whether these texts are labels of fields, some with their values: "Date:", "No.: 12"."""
    return len(texts) > 1 and _label_count(texts) >= 0.6 * len(texts)


def has_labels(texts: Sequence[str]) -> bool:
    """Returns whether some of these texts are labels. A single one may be the head of an address: "Bill to:"."""
    return _label_count(texts) > max(1, len(texts) // 5)


def has_label(text: str) -> bool:
    return LABEL.match(text.strip()) is not None


def _label_count(texts: Sequence[str]) -> int:
    return sum(map(has_label, texts))


@dataclass(frozen=True)
class Row:
    """A row of segments from left to right; never empty."""

    segments: tuple[LayoutLine, ...]

    @property
    def x0(self) -> float:
        return self.segments[0].x0

    @property
    def x1(self) -> float:
        return max(segment.x1 for segment in self.segments)

    @cached_property
    def y0(self) -> float:
        return min(segment.y0 for segment in self.segments)

    @cached_property
    def y1(self) -> float:
        return max(segment.y1 for segment in self.segments)

    @property
    def center_y(self) -> float:
        return sum(segment.center_y for segment in self.segments) / len(self.segments)

    @cached_property
    def height(self) -> float:
        longest = max(self.segments, key=lambda segment: len(segment.text))
        return longest.height

    @cached_property
    def text(self) -> str:
        return join_lines(segment.text for segment in self.segments) if len(self.segments) == 1 else self._joined()

    @cached_property
    def font_size_pt(self) -> float | None:
        return max(self.segments, key=lambda segment: len(segment.text)).font_size_pt

    @property
    def style(self) -> LetterStyle | None:
        """The style of the segment with the thinnest letters, since a heading is bold throughout."""
        styles = [segment.style for segment in self.segments if segment.style is not None]
        return min(styles, key=lambda style: style.stroke) if styles else None

    @property
    def bold(self) -> bool:
        return all(segment.bold for segment in self.segments)

    def is_tabular(self, em: float) -> bool:
        """Returns whether the row has a visible gap. The gap after a list item's marker does not count."""
        segments = self.segments
        if len(segments) > 1 and MARKER.match(segments[0].text.strip()):
            segments = segments[1:]
        gaps = [right.x0 - left.x1 for left, right in pairwise(segments)]
        if not gaps or max(gaps) <= _TABULAR_GAP_EM * em:
            return False
        justified = len(gaps) > 1 and max(gaps) < 4 * em and max(gaps) - min(gaps) < 0.3 * em
        return not justified

    def _joined(self) -> str:
        # join_lines is not used here: a cell keeps a hyphen at its end, and columns of Chinese stay separate.
        text = self.segments[0].text.strip()
        for left, right in pairwise(self.segments):
            other = right.text.strip()
            is_close = right.x0 - left.x1 < _CLOSE_EM * right.height and _PUNCTUATION.match(other) is not None
            text += other if is_close else f" {other}"
        return text.replace("\u00ad", "")


def rows_of(lines: Sequence[LayoutLine]) -> list[Row]:
    """Returns rows from top to bottom. A line joins a row if it overlaps vertically with its nearest neighbor in the row, so a
    slight skew along the row does not break it."""
    rows: list[list[LayoutLine]] = []
    for line in sorted(lines, key=lambda line: (line.center_y, line.x0)):
        best: list[LayoutLine] | None = None
        best_overlap = _SAME_ROW
        for row in rows[-6:]:
            if max(other.y1 for other in row) <= line.y0:
                continue
            near = min(row, key=lambda other: max(line.x0 - other.x1, other.x0 - line.x1))
            collides = min(near.x1, line.x1) - max(near.x0, line.x0) > 0.5 * min(near.width, line.width)
            overlap = (min(near.y1, line.y1) - max(near.y0, line.y0)) / max(min(near.height, line.height), 0.1)
            if not collides and overlap > best_overlap:
                best, best_overlap = row, overlap
        if best is None:
            rows.append([line])
        else:
            best.append(line)
    made = [Row(tuple(sorted(row, key=lambda line: line.x0))) for row in rows]
    return sorted(made, key=lambda row: row.center_y)
