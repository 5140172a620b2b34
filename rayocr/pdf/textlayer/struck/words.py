"""Finds words that are struck through: by a thin drawn line through the middle of their letters, or by an annotation.

Underlines are lower, rulings of tables reach further than the text, and fraction bars are between lines of text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rayocr.pdf.geometry import Box, turn_box, turned_size
from rayocr.pdf.textlayer.lines import TextLine, Word

if TYPE_CHECKING:
    from rayocr.pdf.textlayer.layer import TextLayer

_THICKEST_PT = 4.0

_MIDDLE = (0.4, 0.7)  # of a word's height, from its top
_NEAR_MIDDLE = (0.2, 0.85)  # of a line's height; some words may be raised or lowered
_THICKEST = 0.2  # of the font size
_LESS_EM, _MORE_EM = 0.3, 0.9  # by which the drawn line may be shorter or longer than the words: it may reach over a space
_COVERED = 0.65  # share of a struck word's width
_TOUCHED = 0.2  # of the other words at the ends
_LEAST_TEXT = 0.5  # share of the drawn line that lies on words
_LEAST_LETTERS = 2
_SAME_PT, _JOIN_PT = 0.7, 1.5
_INK = 40  # of 255: the difference between the drawn line and the paper
_INKED = 0.9  # share of the columns in which the line is drawn
_LETTERS = 0.25  # share of the columns with ink above the line, and below it
_CROSSING = 0.12  # of those with ink directly above it, and below it: nothing touches the bar of a fraction or a root


@dataclass(frozen=True, slots=True)
class Stroke:
    """A level drawn line, on the page of the text lines, in points."""

    x0: float
    x1: float
    y: float
    thickness: float


def struck_on(
    layer: TextLayer, rulings: Iterable[tuple[Box, float]], struck_boxes: Iterable[Box], picture: Callable[[], Any]
) -> set[Word]:
    """Returns the visible words of the page that are struck through. `rulings`: drawn lines with their thickness, and
    `struck_boxes`: places that annotations strike out, on the displayed page. `picture` renders that page in gray; it is called
    only if drawn lines pass through words."""
    size_pt = turned_size(-layer.turns, (layer.width_pt, layer.height_pt))
    strokes = []
    for ruling, thickness in rulings:
        if 0 < thickness <= _THICKEST_PT:
            x0, y0, x1, y1 = turn_box(ruling, layer.turns, size_pt)
            if x1 - x0 > y1 - y0:
                strokes.append(Stroke(x0, x1, (y0 + y1) / 2, thickness))
    pictures: list[Any] = []

    def picture_of(box: Box) -> Any:
        if not pictures:
            pictures.append(np.rot90(np.asarray(picture()), -layer.turns))
        scale = pictures[0].shape[1] / layer.width_pt
        x0, y0, x1, y1 = (max(0, round(at * scale)) for at in box)
        return pictures[0][y0:y1, x0:x1]

    found = struck_words(layer.lines, strokes, picture_of) if not layer.is_over_scan else set()
    boxes = [turn_box(box, layer.turns, size_pt) for box in struck_boxes]
    return found | words_in(layer.lines, boxes) if boxes else found


def struck_words(lines: Sequence[TextLine], strokes: Iterable[Stroke], picture_of: Callable[[Box], Any]) -> set[Word]:
    """Returns the words that a stroke passes through. `picture_of` returns a part of the page in gray; it is called only for
    strokes that begin and end with words and are at the right height."""
    joined = _joined(strokes)
    heights = [stroke.y for stroke in joined]
    hit: dict[int, list[TextLine]] = {}
    for line in lines if joined else ():
        if line.vertical or line.slanted:
            continue
        first, last = (bisect_left(heights, line.y0 + share * (line.y1 - line.y0)) for share in _NEAR_MIDDLE)
        for place in range(first, last):
            if joined[place].x0 < line.x1 and joined[place].x1 > line.x0:
                hit.setdefault(place, []).append(line)
    found: set[Word] = set()
    for place, crossed in hit.items():
        words = _words_under(joined[place], crossed)
        if words and _is_drawn_through(joined[place], words, picture_of):
            found.update(words)
    return found


def words_in(lines: Sequence[TextLine], boxes: Sequence[Box]) -> set[Word]:
    """Returns the words in the boxes of annotations that strike text out."""
    found: set[Word] = set()
    for x0, y0, x1, y1 in boxes:
        for line in lines:
            if y0 < (line.y0 + line.y1) / 2 < y1 and line.x0 < x1 and line.x1 > x0:
                found.update(word for word in line.words if _share(word, x0, x1) >= _COVERED)
    return found


def _joined(strokes: Iterable[Stroke]) -> list[Stroke]:
    """Returns the strokes from top to bottom. Those that continue each other are one."""
    joined: list[Stroke] = []
    for stroke in sorted(strokes, key=lambda stroke: (round(stroke.y / _SAME_PT), stroke.x0)):
        last = joined[-1] if joined else None
        if last is not None and abs(stroke.y - last.y) < _SAME_PT and last.x0 <= stroke.x0 < last.x1 + _JOIN_PT:
            joined[-1] = Stroke(last.x0, max(last.x1, stroke.x1), last.y, max(last.thickness, stroke.thickness))
        else:
            joined.append(stroke)
    return sorted(joined, key=lambda stroke: stroke.y)


def _words_under(stroke: Stroke, lines: Sequence[TextLine]) -> list[Word]:
    """Returns the words from one end of the stroke to the other; none if it does not begin and end where words do."""
    em = max(line.font_size_pt for line in lines)
    words = sorted((word for line in lines for word in line.words), key=lambda word: word.x0)
    struck = [word for word in words if _share(word, stroke.x0, stroke.x1) >= _COVERED]
    if not struck or stroke.thickness > _THICKEST * em or sum(map(str.isalnum, "".join(w.text for w in struck))) < _LEAST_LETTERS:
        return []
    others = (word for word in words if word not in struck)
    right = max(word.x1 for word in struck)
    beyond = (struck[0].x0 - stroke.x0, stroke.x1 - right)
    fits = -_LESS_EM * em < min(beyond) and max(beyond) < _MORE_EM * em
    if not all(_is_middle(stroke.y, word.y0, word.y1) for word in struck):
        return []
    on_text = sum(min(word.x1, stroke.x1) - max(word.x0, stroke.x0) for word in struck) > _LEAST_TEXT * (stroke.x1 - stroke.x0)
    return struck if fits and on_text and all(_share(word, stroke.x0, stroke.x1) < _TOUCHED for word in others) else []


def _is_middle(y: float, top: float, bottom: float) -> bool:
    """Returns whether the height is in the middle of the word's own box. The bar of a fraction is between two words of a line."""
    return _MIDDLE[0] * (bottom - top) <= y - top <= _MIDDLE[1] * (bottom - top)


def _share(word: Word, x0: float, x1: float) -> float:
    return (min(word.x1, x1) - max(word.x0, x0)) / max(word.x1 - word.x0, 0.1)


def _is_drawn_through(stroke: Stroke, words: Sequence[Word], picture_of: Callable[[Box], Any]) -> bool:
    """Returns whether the stroke can be seen from end to end, and has parts of letters above and below it."""
    top, bottom = min(word.y0 for word in words), max(word.y1 for word in words)
    picture = picture_of((stroke.x0, top, stroke.x1, bottom))
    rows, columns = picture.shape
    if rows < 5 or columns < 5:
        return False
    inked = np.abs(picture.astype(np.int16) - int(np.median(picture))) > _INK
    scale = rows / (bottom - top)
    middle = round((stroke.y - top) * scale)
    half = max(1, round(stroke.thickness * scale / 2)) + 1
    start = max(0, middle - half)
    line = start + np.flatnonzero(inked[start : middle + half + 1].mean(axis=1) >= _INKED)
    if not len(line):
        return False
    above, below = inked[: line[0]], inked[line[-1] + 1 :]
    if not (len(above) and len(below)):
        return False
    is_within = min(above.any(axis=0).mean(), below.any(axis=0).mean()) >= _LETTERS
    return bool(is_within and min(above[-1].mean(), below[0].mean()) >= _CROSSING)
