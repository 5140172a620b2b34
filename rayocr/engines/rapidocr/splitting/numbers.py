"""Parts numbers of two columns that the detector put into one box and the recognition model joined: "2   5,600" as "25,600".

The picture shows the gap: it is much wider than those between the digits. The parts are read again.
"""

from __future__ import annotations

import re
from typing import Any

from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines

_NUMBER = re.compile(r"\d[\d.,]*\d")
_GAP = 0.45  # minimum width of the gap, relative to the line's height with its margins
_WIDER = 2.5  # the gap relative to the next smaller one; the digits of a letterspaced number have equal gaps
_INSIDE = 0.18  # share of the height that is ignored above and below
_INK = 0.04  # share of dark pixels in a white column of a scan
_SCORE = 0.8


def with_parted_numbers(
    upright: Any, quads: Any, read: list[LineReading], recognize: ReadsLines
) -> tuple[Any, list[LineReading], bool]:
    """Returns the lines and readings with such numbers parted, and whether one of them could not be read in parts. `quads`:
    corners (n, 4, 2), clockwise from the top left, in pixels of `upright`."""
    import numpy as np

    pieces: dict[int, list[Any]] = {}
    for index, reading in enumerate(read):
        if _NUMBER.fullmatch(reading.text) and (gaps := _gaps(cut_out(upright, quads[index]))):
            pieces[index] = _pieces(quads[index], gaps)
    if not pieces:
        return quads, read, False
    again = iter(recognize([cut_out(upright, piece) for some in pieces.values() for piece in some]))
    parts: list[tuple[Any, LineReading]] = []
    gone: set[int] = set()
    for index, some in pieces.items():
        found = [next(again) for _ in some]
        if "".join(part.text for part in found) == read[index].text and min(part.score for part in found) >= _SCORE:
            gone.add(index)
            parts += zip(some, found, strict=True)
    if not parts:
        return quads, read, True
    kept = [index for index in range(len(quads)) if index not in gone]
    lines = np.concatenate([quads[kept], np.array([quad for quad, _ in parts], quads.dtype)])
    return lines, [*(read[index] for index in kept), *(reading for _, reading in parts)], len(gone) < len(pieces)


def _gaps(line: Any) -> list[tuple[float, float]]:
    """Returns the start and end of each gap, as shares of the line's length."""
    import numpy as np

    height, width = line.shape
    if height > width:
        return []
    inside = round(_INSIDE * height)
    body = line[inside : height - inside].astype(np.float32)
    dark = body < (np.percentile(body, 2) + np.percentile(body, 80)) / 2
    ink = np.flatnonzero(dark.mean(axis=0) > _INK)
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
