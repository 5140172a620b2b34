"""Finds words that are struck through: by a thin drawn line through the middle of their letters, or by an annotation.

Underlines are lower, rulings of tables reach further than the text, and fraction bars are between lines of text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rayocr.pdf.geometry import Box, turn_box, turned_size
from rayocr.pdf.textlayer.letters import LettersOf, letters_of
from rayocr.pdf.textlayer.lines import TextLine, Word

if TYPE_CHECKING:
    from rayocr.pdf.textlayer.layer import TextLayer

Struck = dict[Word, set[int]]  # indexes of the struck characters in the word's text

_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_THICKEST_PT = 4.0

_MIDDLE = (0.4, 0.7)  # where a stroke may cross a word, as shares of the word's height from its top
_SLOPING = (0.2, 0.9)  # the same for a stroke that is not level, whose middle is in the middle of its words
_NEAR_MIDDLE = (0.2, 0.85)  # the same as shares of the line's height; some words may be raised or lowered
_THICKEST = 0.25  # largest thickness of a stroke, as a share of the font size
_LESS_EM, _MORE_EM = 0.3, 0.9  # a stroke may be shorter or longer than its words by this; it may reach over a space
_COVERED = 0.65  # least share of a struck word's width under the stroke
_TOUCHED = 0.2  # most share of a word's width under the stroke, for words that are not struck
_LEAST_TEXT = 0.5  # least share of the drawn line that lies on words
_LEAST_LETTERS = 2
_EXACT_EM, _THIN_EM = 0.05, 0.12  # limits for strokes through a part of a word or a single letter
_SAME_PT, _JOIN_PT = 0.7, 1.5
_INK = 40  # gray levels (0 to 255) between the drawn line and the paper
_INKED = 0.9  # least share of pixel columns in which the line is drawn
_DASHED = 0.4  # the same for a dashed line, together with the letters that it crosses
_DASHES = 0.25  # least share of the columns without letters in which a dashed line is drawn
_LEAST_DASHES = 3
_LETTERS = 0.25  # least share of pixel columns with ink above the line, and below it
_CROSSING = 0.12  # least share of columns in which ink touches the line, above and below: nothing touches the bar of a fraction
_LETTERS_RTL, _CROSSING_RTL = 0.1, 0.05  # the same for Arabic and Hebrew, in which few letters reach above the line


@dataclass(frozen=True, slots=True)
class Stroke:
    """A drawn line, in points, with the coordinates of the text lines. `y`: the height of its middle; `fall`: how much lower its
    right end is than its left end."""

    x0: float
    x1: float
    y: float
    thickness: float
    fall: float = 0.0

    def y_at(self, x: float) -> float:
        return self.y + self.fall * ((x - self.x0) / max(self.x1 - self.x0, 0.1) - 0.5)


def struck_on(
    layer: TextLayer,
    rulings: Iterable[tuple[Box, float, float]],
    struck_boxes: Iterable[Box],
    picture: Callable[[], Any],
) -> Struck:
    """Returns the visible words of the page that are struck through. `rulings`: drawn lines with their thickness and how much
    lower their right end is, and `struck_boxes`: places that annotations strike out, on the displayed page. `picture` renders
    that page in gray; it is called only if drawn lines pass through words."""
    size_pt = turned_size(-layer.turns, (layer.width_pt, layer.height_pt))
    strokes = []
    for ruling, thickness, fall in rulings:
        if 0 < thickness <= _THICKEST_PT and not (fall and layer.turns):
            x0, y0, x1, y1 = turn_box(ruling, layer.turns, size_pt)
            if x1 - x0 > y1 - y0:
                strokes.append(Stroke(x0, x1, (y0 + y1) / 2, thickness, fall))
    boxes = [turn_box(box, layer.turns, size_pt) for box in struck_boxes]
    if not strokes and not boxes:
        return {}
    pictures: list[Any] = []

    def picture_of(box: Box) -> Any:
        if not pictures:
            pictures.append(np.rot90(np.asarray(picture()), -layer.turns))
        scale = pictures[0].shape[1] / layer.width_pt
        x0, y0, x1, y1 = (max(0, round(at * scale)) for at in box)
        return pictures[0][y0:y1, x0:x1]

    letters = letters_of(layer.characters)
    found = struck_words(layer.lines, strokes, letters, picture_of) if not layer.is_over_scan else {}
    for word, places in words_in(layer.lines, boxes, letters).items():
        found.setdefault(word, set()).update(places)
    return found


def struck_words(
    lines: Sequence[TextLine], strokes: Iterable[Stroke], letters: LettersOf, picture_of: Callable[[Box], Any]
) -> Struck:
    """Returns the words that a stroke passes through. `picture_of` returns a part of the page in gray; it is called only for
    strokes that begin and end with words or letters and are at the right height."""
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
    found: Struck = {}
    for place, crossed in hit.items():
        words = _words_under(joined[place], crossed, letters)
        if words and _is_drawn_through(joined[place], list(words), picture_of):
            for word, places in words.items():
                found.setdefault(word, set()).update(places)
    return found


def words_in(lines: Sequence[TextLine], boxes: Sequence[Box], letters: LettersOf) -> Struck:
    """Returns the words in the boxes of annotations that strike text out."""
    found: Struck = {}
    for x0, y0, x1, y1 in boxes:
        for line in lines:
            if not (y0 < (line.y0 + line.y1) / 2 < y1 and line.x0 < x1 and line.x1 > x0):
                continue
            for word in line.words:
                spans = letters(word) if _share(word, x0, x1) > 0 else ()
                places = {n for n, (left, right) in enumerate(spans) if x0 < (left + right) / 2 < x1}
                if not spans and _share(word, x0, x1) >= _COVERED:
                    places = set(range(len(word.text)))
                if places:
                    found.setdefault(word, set()).update(places)
    return found


def _joined(strokes: Iterable[Stroke]) -> list[Stroke]:
    """Returns the strokes from top to bottom. Joins strokes that continue each other."""
    joined: list[Stroke] = []
    for stroke in sorted(strokes, key=lambda stroke: (round(stroke.y / _SAME_PT), stroke.x0)):
        last = joined[-1] if joined else None
        is_level = last is not None and not stroke.fall and not last.fall
        if last is not None and is_level and abs(stroke.y - last.y) < _SAME_PT and last.x0 <= stroke.x0 < last.x1 + _JOIN_PT:
            joined[-1] = Stroke(last.x0, max(last.x1, stroke.x1), last.y, max(last.thickness, stroke.thickness))
        else:
            joined.append(stroke)
    return sorted(joined, key=lambda stroke: stroke.y)


def _words_under(stroke: Stroke, lines: Sequence[TextLine], letters: LettersOf) -> Struck:
    """Returns the words from one end of the stroke to the other; none if it does not begin and end where words or letters do."""
    em = max(line.font_size_pt for line in lines)
    struck: Struck = {}
    spans: list[tuple[float, float]] = []
    for word in sorted((word for line in lines for word in line.words), key=lambda word: word.x0):
        share = _share(word, stroke.x0, stroke.x1)
        part = _part(word, stroke, em, letters) if share > 0 else None
        if part is not None:
            struck[word], span = part
            spans.append(span)
        elif share >= _COVERED:
            struck[word] = set(range(len(word.text)))
            spans.append((word.x0, word.x1))
        elif share >= _TOUCHED:
            return {}
    if not struck or stroke.thickness > _THICKEST * em or not _is_in_middle(stroke, struck):
        return {}
    beyond = (spans[0][0] - stroke.x0, stroke.x1 - max(end for _, end in spans))
    fits = -_LESS_EM * em < min(beyond) and max(beyond) < _MORE_EM * em
    on_text = sum(min(end, stroke.x1) - max(start, stroke.x0) for start, end in spans) > _LEAST_TEXT * (stroke.x1 - stroke.x0)
    count = sum(word.text[n].isalnum() for word, places in struck.items() for n in places)
    is_exact = max(map(abs, beyond)) < _EXACT_EM * em and stroke.thickness < _THIN_EM * em
    return struck if fits and on_text and count >= (1 if is_exact else _LEAST_LETTERS) else {}


def _part(word: Word, stroke: Stroke, em: float, letters: LettersOf) -> tuple[set[int], tuple[float, float]] | None:
    """Returns the places of the letters of the word from one end of the stroke to the other, with their left and right end; None
    if the stroke is as long as the word or ends within a letter."""
    near = _EXACT_EM * em
    begins, ends = stroke.x0 > word.x0 + near, stroke.x1 < word.x1 - near
    spans = letters(word) if begins or ends else ()
    places = {n for n, (left, right) in enumerate(spans) if stroke.x0 < (left + right) / 2 < stroke.x1}
    if not places:
        return None
    left, right = min(spans[n][0] for n in places), max(spans[n][1] for n in places)
    if (begins and abs(left - stroke.x0) > near) or (ends and abs(right - stroke.x1) > near):
        return None
    return places, (left, right)


def _is_in_middle(stroke: Stroke, words: Iterable[Word]) -> bool:
    """Returns whether the stroke is in the middle of each word's own box. The bar of a fraction is between two words."""
    words = list(words)
    if not stroke.fall:
        return all(_is_within(_MIDDLE, stroke.y, word.y0, word.y1) for word in words)
    centered = _is_within(_MIDDLE, stroke.y, min(word.y0 for word in words), max(word.y1 for word in words))
    return centered and all(_is_within(_SLOPING, stroke.y_at((word.x0 + word.x1) / 2), word.y0, word.y1) for word in words)


def _is_within(share: tuple[float, float], y: float, top: float, bottom: float) -> bool:
    return share[0] * (bottom - top) <= y - top <= share[1] * (bottom - top)


def _share(word: Word, x0: float, x1: float) -> float:
    return (min(word.x1, x1) - max(word.x0, x0)) / max(word.x1 - word.x0, 0.1)


def _is_drawn_through(stroke: Stroke, words: Sequence[Word], picture_of: Callable[[Box], Any]) -> bool:
    """Returns whether the stroke can be seen from end to end, and letters reach above and below it."""
    top, bottom = min(word.y0 for word in words), max(word.y1 for word in words)
    picture = picture_of((stroke.x0, top, stroke.x1, bottom))
    rows, columns = picture.shape
    if rows < 5 or columns < 5:
        return False
    if stroke.fall:  # moves each column of pixels so that the line is level
        falls = np.round((np.arange(columns) / columns - 0.5) * stroke.fall * rows / (bottom - top)).astype(int)
        picture = np.take_along_axis(picture, np.clip(np.arange(rows)[:, None] + falls, 0, rows - 1), axis=0)
    inked = np.abs(picture.astype(np.int16) - int(np.median(picture))) > _INK
    scale = rows / (bottom - top)
    middle = round((stroke.y - top) * scale)
    half = max(1, round(stroke.thickness * scale / 2)) + 1
    start = max(0, middle - half)
    shares = inked[start : middle + half + 1].mean(axis=1)
    line = start + np.flatnonzero(shares >= _INKED)
    is_dashed = not len(line) and shares.max(initial=0) >= _DASHED
    if is_dashed:
        line = start + np.flatnonzero(shares >= _DASHED)
    if not len(line):
        return False
    above, below = inked[: line[0]], inked[line[-1] + 1 :]
    if not (len(above) and len(below)):
        return False
    if is_dashed and not _has_dashes(inked[line[0] : line[-1] + 1], ~(above.any(axis=0) | below.any(axis=0))):
        return False
    is_rtl = any(_RTL.search(word.text) for word in words)
    is_within = min(above.any(axis=0).mean(), below.any(axis=0).mean()) >= (_LETTERS_RTL if is_rtl else _LETTERS)
    return bool(is_within and min(above[-1].mean(), below[0].mean()) >= (_CROSSING_RTL if is_rtl else _CROSSING))


def _has_dashes(line: Any, between: Any) -> bool:
    """Returns whether the rows of a dashed line have dashes between the letters. `between`: the columns without letters. The
    letters alone fill the rows of a line that is not visible, too."""
    dashes = line.any(axis=0) & between
    count = np.count_nonzero(dashes[1:] & ~dashes[:-1]) + bool(dashes[:1].any())
    return bool(count >= _LEAST_DASHES and np.count_nonzero(dashes) >= _DASHES * np.count_nonzero(between))
