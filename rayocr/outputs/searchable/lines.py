"""Places the text of engines that return no boxes: detects lines in a small rendering and lays the text over them in order.

The detection merges neighboring letters into lines in 10 to 20 ms per page; a second OCR pass would cost a hundred times as much.
Words are placed in the correct line or an adjacent one, which the manifest notes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from rayocr.engines.layout.lines import LayoutLine, em_of
from rayocr.engines.layout.order.columns import reading_order
from rayocr.messages import TextBox
from rayocr.outputs.searchable.placing import wideness
from rayocr.pdf.line_boxes import line_boxes

if TYPE_CHECKING:
    from PIL import Image

# Ratio of the total length of the detected lines to the expected length of the text in print. Outside this range, the lines do
# not match the text.
_FITS = (0.4, 3.2)
_BLANK_EM = 0.3
_SAME_SIZE = 2.0
_MARGIN = 0.08  # share of the page's sides; used if no lines were found
_FALLBACK_CHARS, _MAX_FALLBACK_PT = 90, 11.0
_SYNTAX = re.compile(
    r"^\s{0,12}(?:#{1,6}\s+|>\s?|[-*+]\s+|\|)|[*`]{1,3}(?=\S)|(?<=\S)[*`]{1,3}|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)"
    r"|\\(?=[\W_])|<[^<>]{1,200}>|\|"
)
_RULE = re.compile(r"^[\s|:\-=_*`~]+$")


def plain_lines(markdown: str) -> list[str]:
    """Returns the text without Markdown syntax, one string for each line that has text."""
    lines = (line for line in markdown.splitlines() if not _RULE.match(line))
    plain = (" ".join(_SYNTAX.sub(" ", line).split()) for line in lines)
    return [line for line in plain if line]


def detect_lines(image: Image.Image, scale: float) -> list[LayoutLine]:
    """Returns the lines in reading order, in points. `image`: gray; `scale`: pixels per point. Each text is a placeholder of the
    length that fits into its line."""
    found = [
        LayoutLine(
            text="n" * max(1, round(width / (0.6 * height))),
            x0=x / scale,
            y0=y / scale,
            x1=(x + width) / scale,
            y1=(y + height) / scale,
        )
        for x, y, width, height in line_boxes(image, scale * 72)
    ]
    if not found:
        return []
    blocks = reading_order(found, page_height=image.height / scale, em=em_of(found))
    return [box for block in blocks for box in _by_rows(block) if isinstance(box, LayoutLine)]


def in_reading_order(boxes: Sequence[TextBox], width_pt: float, height_pt: float) -> list[TextBox]:
    """Returns the lines in reading order, on the page turned so that most lines are upright. Engines return lines in the order of
    detection."""
    if not boxes:
        return []
    turns = Counter(round(box.angle_deg / 90) % 4 for box in boxes).most_common(1)[0][0]
    if turns % 2:
        width_pt, height_pt = height_pt, width_pt
    by_line: dict[int, TextBox] = {}
    lines = []
    for box in boxes:
        x0, y0, x1, y1 = _turned_back(box, turns, width_pt, height_pt)
        lines.append(LayoutLine(text=box.text, x0=x0, y0=y0, x1=x1, y1=y1))
        by_line[id(lines[-1])] = box
    blocks = reading_order(lines, page_height=height_pt, em=em_of(lines))
    return [by_line[id(line)] for block in blocks for line in _by_rows(block)]


def _turned_back(box: TextBox, turns: int, width_pt: float, height_pt: float) -> tuple[float, float, float, float]:
    """Returns the line on the page after this many counter-clockwise quarter turns. Width and height are those after the turn."""
    if turns == 1:
        return box.y0, height_pt - box.x1, box.y1, height_pt - box.x0
    if turns == 2:
        return width_pt - box.x1, height_pt - box.y1, width_pt - box.x0, height_pt - box.y0
    if turns == 3:
        return width_pt - box.y1, box.x0, width_pt - box.y0, box.x1
    return box.x0, box.y0, box.x1, box.y1


def lay_over(lines: Sequence[str], found: Sequence[LayoutLine]) -> list[TextBox]:
    """Lays the words over the detected lines, each with its share of the letters. Returns an empty result if the lines cannot
    match the text."""
    words = [word for line in lines for word in line.split()]
    widths = [sum(map(wideness, word)) + _BLANK_EM for word in words]
    letters = sum(widths)
    lengths = _lengths(found)
    em = sum(lengths)
    if not words or letters <= 0 or not _FITS[0] <= em / letters <= _FITS[1]:
        return []
    boxes: list[TextBox] = []
    position, written, room = 0, 0.0, 0.0
    for line, length in zip(found, lengths, strict=True):
        room += length / em * letters
        taken = []
        while position < len(words) and written + widths[position] / 2 <= room:
            written += widths[position]
            taken.append(words[position])
            position += 1
        if taken:
            boxes.append(TextBox(text=" ".join(taken), x0=line.x0, y0=line.y0, x1=line.x1, y1=line.y1))
    if position < len(words) and boxes:
        last = boxes[-1]
        rest = " ".join([last.text, *words[position:]])
        boxes[-1] = TextBox(text=rest, x0=last.x0, y0=last.y0, x1=last.x1, y1=last.y1)
    return boxes


def _lengths(found: Sequence[LayoutLine]) -> list[float]:
    """Returns the lengths of the lines in em. Lines of about the usual height get one size, since ascenders and descenders differ
    from line to line."""
    usual = median(max(line.height, 0.1) for line in found) if found else 1.0
    heights = (max(line.height, 0.1) for line in found)
    return [
        line.width / (usual if 1 / _SAME_SIZE <= height / usual <= _SAME_SIZE else height)
        for line, height in zip(found, heights, strict=True)
    ]


def lay_in_order(lines: Sequence[str], width_pt: float, height_pt: float) -> list[TextBox]:
    """Lays the text down the page in reading order, so that it can be searched and copied, but not selected in place."""
    pieces = [piece for line in lines for piece in _wrapped(line)]
    if not pieces:
        return []
    x0, y0 = _MARGIN * width_pt, _MARGIN * height_pt
    step = min((height_pt - 2 * y0) / len(pieces), 1.3 * _MAX_FALLBACK_PT)
    size = step / 1.3
    return [
        TextBox(
            text=piece,
            x0=x0,
            y0=y0 + index * step,
            x1=x0 + max(1.0, min(width_pt - 2 * x0, 0.5 * size * len(piece))),
            y1=y0 + index * step + size,
        )
        for index, piece in enumerate(pieces)
    ]


def _wrapped(line: str) -> list[str]:
    pieces: list[str] = []
    current = ""
    for word in line.split():
        if current and len(current) + len(word) >= _FALLBACK_CHARS:
            pieces.append(current)
            current = word
        else:
            current = f"{current} {word}".strip()
    return [*pieces, current] if current else pieces


def _by_rows(block: Sequence[Any]) -> list[Any]:
    """Orders lines by rows. Lines whose centers are within each other's height form a row, which is read from left to right."""
    rows: list[list[Any]] = []
    for box in sorted(block, key=lambda box: (box.y0 + box.y1) / 2):
        middle = (box.y0 + box.y1) / 2
        if rows and rows[-1][-1].y0 <= middle <= rows[-1][-1].y1:
            rows[-1].append(box)
        else:
            rows.append([box])
    return [box for row in rows for box in sorted(row, key=lambda box: box.x0)]
