"""Parts numbers of two columns that the detector put into one box and the recognition model joined: "2   5,600" as "25,600".

The picture shows the gap: it is much wider than those between the digits. The parts are read again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from rayocr.engines.layout.quads import skew_deg
from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines
from rayocr.engines.rapidocr.splitting.columns import column_gaps

_NUMBER, _WHOLE = re.compile(r"\d[\d.,]*\d"), re.compile(r"\d(?:[\d.,]*\d)?")
_GAP = 0.45  # minimum width of the gap, relative to the line's height with its margins
_WIDER = 2.5  # the gap relative to the next smaller one; the digits of a letterspaced number have equal gaps
_INSIDE = 0.18  # share of the height that is ignored above and below
_INK = 0.04  # share of dark pixels in a white column of a scan
_COLUMN_GAP = 0.17  # the same for a gap between two columns of the rows above and below
_WIDER_AT_COLUMN = 1.5
_SLACK = 0.25  # distance of the gap from the columns' ends, in heights
_SCORE = 0.8


def with_parted_numbers(
    upright: Any, quads: Any, read: list[LineReading], recognize: ReadsLines
) -> tuple[Any, list[LineReading], bool]:
    """Returns the lines and readings with such numbers parted, and whether one of them could not be read in parts. `quads`:
    corners (n, 4, 2), clockwise from the top left, in pixels of `upright`."""
    import numpy as np

    pieces: dict[int, list[Any]] = {}
    certain: set[int] = set()  # a narrow gap may be that of a faint point, so it is no doubt if the parts are read otherwise
    slope = math.tan(math.radians(skew_deg(quads))) if len(quads) else 0.0
    for index, reading in enumerate(read):
        if _NUMBER.fullmatch(reading.text):
            line = cut_out(upright, quads[index])
            if wide := _gaps(line):
                certain.add(index)
            if gaps := wide or _gaps_at(line, column_gaps(quads, index, slope)):
                pieces[index] = _pieces(quads[index], gaps)
    if not pieces:
        return quads, read, False
    again = iter(recognize([cut_out(upright, piece) for some in pieces.values() for piece in some]))
    parts: list[tuple[Any, LineReading]] = []
    gone: set[int] = set()
    for index, some in pieces.items():
        found = [next(again) for _ in some]
        is_same = "".join(part.text for part in found) == read[index].text and all(_WHOLE.fullmatch(part.text) for part in found)
        if is_same and min(part.score for part in found) >= _SCORE:
            gone.add(index)
            parts += zip(some, found, strict=True)
    if not parts:
        return quads, read, bool(certain)
    kept = [index for index in range(len(quads)) if index not in gone]
    lines = np.concatenate([quads[kept], np.array([quad for quad, _ in parts], quads.dtype)])
    return lines, [*(read[index] for index in kept), *(reading for _, reading in parts)], bool(certain - gone)


def _gaps_at(line: Any, columns: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Returns the start and end of each gap, as shares of the line's length, that is between two columns of the rows above and
    below. A ruling may be in the gap."""
    import numpy as np

    height, width = line.shape
    if height > width or not columns:
        return []
    ink = _ink(line)
    spaces = np.diff(ink)
    found: list[tuple[float, float]] = []
    for low, high in columns:
        near = np.flatnonzero((ink[1:] > low - _SLACK * height) & (ink[:-1] < high + _SLACK * height) & (spaces > 1))
        if not len(near):
            continue
        best = int(near[spaces[near].argmax()])
        others = np.delete(spaces, best)
        if spaces[best] >= max(_COLUMN_GAP * height, _WIDER_AT_COLUMN * others.max(initial=0)):
            found.append((float(ink[best] + 0.35 * spaces[best]) / width, float(ink[best + 1] - 0.35 * spaces[best]) / width))
    return found


def _ink(line: Any) -> Any:
    """Returns the columns of pixels with ink."""
    import numpy as np

    inside = round(_INSIDE * line.shape[0])
    body = line[inside : line.shape[0] - inside].astype(np.float32)
    dark = body < (np.percentile(body, 2) + np.percentile(body, 80)) / 2
    return np.flatnonzero(dark.mean(axis=0) > _INK)


def _gaps(line: Any) -> list[tuple[float, float]]:
    """Returns the start and end of each gap, as shares of the line's length."""
    import numpy as np

    height, width = line.shape
    if height > width:
        return []
    ink = _ink(line)
    gaps = np.diff(ink)
    wide = np.flatnonzero(gaps >= _GAP * height)
    others = gaps[(gaps > 1) & (gaps < _GAP * height)]
    if not len(wide) or (len(wide) > 1 and not len(others)) or (len(others) and gaps[wide].min() < _WIDER * others.max()):
        return []
    kept = 0.35 * gaps[wide]
    return [
        (float(start + margin) / width, float(end - margin) / width)
        for start, end, margin in zip(ink[wide], ink[wide + 1], kept, strict=True)
    ]


def _pieces(quad: Any, gaps: list[tuple[float, float]]) -> list[Any]:
    import numpy as np

    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    starts, ends = [0.0, *(start for _, start in gaps)], [*(end for end, _ in gaps), 1.0]
    return [
        np.stack([quad[0] + start * top, quad[0] + end * top, quad[3] + end * bottom, quad[3] + start * bottom])
        for start, end in zip(starts, ends, strict=True)
    ]
