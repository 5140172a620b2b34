"""Checks whether the invisible text over a picture is a reading of it, without reading the picture.

An OCR engine places each word on its ink, so there is paper between the words, and longer words are wider. In the text of another
page, or in text that was added for a model to read, the gaps lie on letters of the picture, or the widths do not suit the words.
For each line, the gaps are compared with those at random places of the same line. Takes 0.2 ms per line. docs/measurements.md has
the rates on genuine layers and on those of other pages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from rayocr.pdf.textlayer.lines import TextLine, Word

_HIT = 0.9  # share of a genuine layer's gaps that have paper at their place
_RANDOM = (0.08, 0.9)  # the share of random places with paper is limited to this range
_MOST_AGAINST = 5.0  # natural logarithm of the odds against a page, above which it is rejected; genuine pages reach 3
_MOST_AGAINST_LINE = 6.0  # the same limit for a single line
_LEAST_FOR = 3.0
_IGNORED = 1.0  # number of ignored gaps per line, since a genuine line may have a gap in the wrong place
_LEAST_EM_PX = 8.0  # height of a line in pixels; smaller letters touch in the picture
_BAND, _SHIFT = 0.6, 0.3  # shares of a line's height: the part that is compared, and how far a layer may be off
_LEAST_CONTRAST = 40  # gray levels (0 to 255)
# Minimum width of the paper, and where it must be, relative to a word's start.
_GAP_EM, _WINDOW_EM, _AFTER_START_EM = 0.12, 0.45, 0.12
_WIDE_EM = 1.3  # a wider gap in the ink ends the line
_STRETCH = (0.5, 1.6)  # length of the ink relative to the line; some programs do not scale their words
_AGAINST_WIDTHS, _UNEVEN, _LEAST_WORDS = 6.0, 0.3, 5  # genuine lines vary by up to 0.24
_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[]-1"), frozenset("mwMW%@")


@dataclass(frozen=True, slots=True)
class _Gaps:
    """The gaps of a line. `hits` of the `count` gaps between a line's words have paper at their place. `by_chance`: the share of
    all places of the line that have paper."""

    hits: int
    count: int
    by_chance: float

    def evidence(self, hit: float) -> float:
        """Returns the logarithm of the odds that the words are at their place, if this share of a genuine line's gaps are
        hits."""
        misses = self.count - self.hits
        return self.hits * math.log(hit / self.by_chance) + misses * math.log((1 - hit) / (1 - self.by_chance))


_UNKNOWN = _Gaps(0, 0, 0.5)


def fits(picture: Any, scale: float, lines: Sequence[TextLine]) -> bool | None:
    """Returns whether these lines are a reading of the picture; None if they have too few gaps for a decision, like Chinese and
    Japanese. `picture`: a gray array in which the lines run from left to right; `scale`: its pixels per point."""
    found: list[_Gaps] = []
    against = 0.0
    for line in lines:
        if line.vertical or len(line.words) < 2:
            continue
        words = sorted(line.words, key=lambda word: word.x0)
        against += _AGAINST_WIDTHS * (_unevenness(words) > _UNEVEN)
        found.append(_gaps(picture, scale, words))
    evidence = [gaps.evidence(_HIT) for gaps in found]
    against += sum(max(0.0, -line - _IGNORED) for line in evidence)
    if against > _MOST_AGAINST or sum(evidence) < -_IGNORED:
        return False
    hit = _usual_hit(found)
    if any(gaps.evidence(hit) < -_MOST_AGAINST_LINE for gaps in found):
        return False
    return True if sum(evidence) >= _LEAST_FOR else None


def _usual_hit(found: Sequence[_Gaps]) -> float:
    """Returns the share of hits in the better three quarters of the lines: on a clear page nearly all."""
    best = sorted(found, key=lambda gaps: gaps.hits / max(gaps.count, 1), reverse=True)[: -(-3 * len(found) // 4)]
    hits, count = sum(gaps.hits for gaps in best), sum(gaps.count for gaps in best)
    return min(max((hits + 1) / (count + 2), 0.8), 0.985)


def _unevenness(words: Sequence[Word]) -> float:
    """Returns how much the widths of Latin words deviate from those of their letters in an ordinary font, as a mean of
    logarithms."""
    ratios = [
        math.log((word.x1 - word.x0) / _natural_width(word.text))
        for word in words
        if len(word.text) > 1 and word.text.isascii() and word.x1 > word.x0
    ]
    if len(ratios) < _LEAST_WORDS:
        return 0.0
    middle = median(ratios)
    return sum(abs(ratio - middle) for ratio in ratios) / len(ratios)


def _natural_width(text: str) -> float:
    """Returns the width in ems, as in most proportional fonts."""
    return sum(0.3 if c in _NARROW else 0.85 if c in _WIDE else 0.68 if c.isupper() else 0.53 for c in text)


def _gaps(picture: Any, scale: float, words: Sequence[Word]) -> _Gaps:
    height = median(word.y1 - word.y0 for word in words) * scale
    em = 0.85 * height
    if em < _LEAST_EM_PX:
        return _UNKNOWN
    left = max(0, int(words[0].x0 * scale - 1.5 * em))
    strip = picture[:, left : int(words[-1].x1 * scale + 12 * em)]
    starts = np.array([word.x0 for word in words]) * scale - left
    ends = np.array([word.x1 for word in words]) * scale - left
    top = median(word.y0 for word in words) * scale
    middle = slice(max(0, int(top + 0.5 * (1 - _BAND) * height)), max(int(top + 0.5 * (1 + _BAND) * height), 2))
    found = _gaps_in(strip[middle], starts, ends, em)
    return found if found.evidence(_HIT) > 0 else _better(found, _gaps_in(_band(strip, top, height), starts, ends, em))


def _gaps_in(band: Any, starts: Any, ends: Any, em: float) -> _Gaps:
    inked = _inked_columns(band)
    if inked is None:
        return _UNKNOWN
    found = _hits(inked, starts, ends, em)
    if found.evidence(_HIT) < 0 and (ink := _extent(inked, max(0, int(starts[0] - 0.8 * em)), em)) is not None:
        stretch = (ink[1] - ink[0]) / max(float(ends[-1] - starts[0]), 1.0)
        if _STRETCH[0] < stretch < _STRETCH[1]:
            moved, moved_ends = (ink[0] + (side - starts[0]) * stretch for side in (starts, ends))
            found = _better(found, _hits(inked, moved, moved_ends, em))
    return found


def _better(one: _Gaps, other: _Gaps) -> _Gaps:
    return max((gaps for gaps in (one, other) if gaps.count), key=lambda gaps: gaps.evidence(_HIT), default=_UNKNOWN)


def _band(strip: Any, top: float, height: float) -> Any:
    """Returns the rows of a line with the most strokes. A layer may be a third of a line too high or too low."""
    first, last = max(0, round(top - _SHIFT * height)), round(top + (1 + _SHIFT) * height)
    rows = strip[first:last]
    size = max(2, round(_BAND * height))
    if len(rows) <= size:
        return rows
    strokes = np.abs(np.diff(rows.astype(np.int16)[:, ::2], axis=1)).sum(axis=1)
    sums = np.concatenate(([0], np.cumsum(strokes)))
    best = int(np.argmax(sums[size:] - sums[:-size]))
    return rows[best : best + size]


def _inked_columns(band: Any) -> Any:
    """Returns which columns of a line have ink, dark on light or light on dark; None for an empty band."""
    if band.size < 20:
        return None
    low, middle, high = np.percentile(band[::2, ::3], (4, 50, 96))
    if high - low < _LEAST_CONTRAST:
        return None
    dark = high - middle <= middle - low
    return (band < 0.4 * low + 0.6 * high if dark else band > 0.6 * low + 0.4 * high).any(axis=0)


def _extent(inked: Any, start: int, em: float) -> tuple[int, int] | None:
    """Returns the first and the last inked column of the ink from `start` to the first wide gap."""
    columns = np.flatnonzero(inked[start:]) + start
    if len(columns) < 3:
        return None
    wide = np.flatnonzero(np.diff(columns) > _WIDE_EM * em)
    return int(columns[0]), int(columns[wide[0]] if wide.size else columns[-1])


def _hits(inked: Any, starts: Any, ends: Any, em: float) -> _Gaps:
    gap = max(2, round(_GAP_EM * em))
    window = max(gap + 1, round(_WINDOW_EM * em))
    sums = np.concatenate(([0], np.cumsum(inked)))
    free = np.concatenate(([0], np.cumsum(sums[gap:] == sums[:-gap])))
    reach = window - gap + 1
    if len(free) <= reach:
        return _UNKNOWN
    has_gap = free[reach:] > free[:-reach]  # whether a window that begins at this column contains a gap
    inside = has_gap[max(0, int(starts[0])) : max(1, int(ends[-1]) - window)]
    if not inside.size:
        return _UNKNOWN
    by_chance = min(max(float(inside.mean()), _RANDOM[0]), _RANDOM[1])
    before, after = ends[:-1], starts[1:]
    last = after + _AFTER_START_EM * em - window
    middle = np.maximum(before, after - 2 * em) + 0.5 * (after - before) - 0.5 * window
    places = np.round(np.where(before < after, np.minimum(last, middle), last)).astype(int)
    places = places[(places >= 0) & (places < len(has_gap))]
    return _Gaps(int(has_gap[places].sum()), len(places), by_chance)
