"""Finds print of the other side of the sheet, which shows through the paper and is read as junk, and cleans the page of it.

Examines only faint lines that OCR reads badly, and faint parts of such lines, and reads their mirror image: print of the other
side is more legible there. Where its lines are level with those of the page, both are joined to one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rayocr.engines.rapidocr.image import cut_out, ink_of
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines

_SURE = 0.9  # least score of lines that are read well
_FAINT = 0.5  # maximum contrast, relative to lines that are read well; print that shows through had .12 to .2
_SAMPLE = 5  # number of lines whose contrast is compared
_FEWEST_LETTERS = 3  # of the mirrored reading; the numbers of a chart's axis are as legible in a mirror
_BETTER = 1.05  # least ratio of the mirrored reading's score to the other one
_LEGIBLE, _WORDS = 0.85, 6  # least score of the mirrored reading of a part, and least number of letters in all parts
_FAINT_PART = 0.8  # maximum contrast of a part; darker ones than _FAINT are a doubt, since removing them would harm the print
_PARTS = 6  # most parts of lines that are read
_WIDE, _BLANK = 2.0, 0.5  # least width of a part, and width of the blanks in it, in heights of its line
_VISIBLE = 0.1  # least contrast of a part, relative to lines that are read well
_LEAST_INK = 0.4  # minimum contrast of an unread line, relative to the lines that were read
_LONG = 8.0  # width by height of the lines whose contrast is compared
_CLEANED = 1.5  # pixels with no more than this contrast, relative to the darkest such line, become paper
_EDGE_PX = 3  # pixels this close to ink that stays are not changed
_PAPER_SHARE = 0.75  # share of the page; unevenly lit pages have less paper, and would get edges


def without_show_through(upright: Any, quads: Any, read: Sequence[LineReading], recognize: ReadsLines) -> Any | None:
    """Returns the page with paper where print shows through, or unchanged if it cannot be cleaned; None if no print shows
    through. Takes no time if every line is read well."""
    import cv2
    import numpy as np

    doubtful = [index for index, reading in enumerate(read) if reading.text.strip() and reading.score < _SURE]
    sure = [index for index, reading in enumerate(read) if reading.score >= _SURE]
    if not doubtful:
        return None
    usual = max(
        ink_of(cut_out(upright, quads[index])) for index in (sure or doubtful)[:: max(1, len(sure or doubtful) // _SAMPLE)]
    )
    crops = {index: cut_out(upright, quads[index]) for index in doubtful}
    inks = _inks_of_lines(crops, read, usual, recognize) or _inks_of_parts(crops.values(), usual, recognize)
    if not inks:
        return None
    if max(inks) > _FAINT * usual:
        return upright
    paper = float(np.median(upright))
    limit = paper - min(_CLEANED * max(inks), _FAINT * usual)
    bright = upright > limit
    if bright.mean() <= _PAPER_SHARE:
        return upright
    # The light parts of letters stay: without the tail of its comma, "9,803" is "9.803".
    apart = cv2.erode(bright.astype(np.uint8), np.ones((2 * _EDGE_PX + 1, 2 * _EDGE_PX + 1), np.uint8)) > 0
    return np.where(apart, np.uint8(round(paper)), upright)


def _inks_of_lines(crops: dict[int, Any], read: Sequence[LineReading], usual: float, recognize: ReadsLines) -> list[float]:
    """Returns the contrasts of faint lines that read better in a mirror. `usual`: the contrast of lines that are read well."""
    import numpy as np

    faint = [(index, crop) for index, crop in crops.items() if ink_of(crop) < _FAINT * usual]
    mirrored = recognize([np.ascontiguousarray(crop[:, ::-1]) for _, crop in faint]) if faint else []
    return [ink_of(crop) for (i, crop), other in zip(faint, mirrored, strict=True) if _is_mirrored(read[i], other)]


def _inks_of_parts(crops: Iterable[Any], usual: float, recognize: ReadsLines) -> list[float]:
    """Returns the contrasts of the widest faint parts of lines, if they read better in a mirror and have enough letters."""
    import numpy as np

    parts = sorted((part for crop in crops for part in _faint_parts(crop, usual)), key=lambda part: -part.shape[1])[:_PARTS]
    if not parts:
        return []
    plain, mirrored = recognize(parts), recognize([np.ascontiguousarray(part[:, ::-1]) for part in parts])
    found = [
        (part, other)
        for part, reading, other in zip(parts, plain, mirrored, strict=True)
        if other.score >= _LEGIBLE and _is_mirrored(reading, other)
    ]
    letters = sum(map(str.isalpha, "".join(other.text for _, other in found)))
    return [ink_of(part) for part, _ in found] if letters >= _WORDS else []


def _faint_parts(line: Any, usual: float) -> list[Any]:
    """Returns the wide parts of a line whose ink is fainter than that of the other part."""
    import cv2
    import numpy as np

    height, width = line.shape
    if width < 2 * _WIDE * height:
        return []
    contrast = np.percentile(line, 75) - cv2.blur(line, (1, 3)).min(axis=0).astype(np.float32)
    around = cv2.dilate(contrast[None], np.ones((1, round(_BLANK * height) | 1), np.uint8))[0]
    faint = (around < _FAINT_PART * usual) & (around > _VISIBLE * usual)
    if faint.all():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], faint, [False]]).astype(np.int8))).reshape(-1, 2)
    return [np.ascontiguousarray(line[:, start:end]) for start, end in edges if end - start >= _WIDE * height]


def _is_mirrored(reading: LineReading, mirrored: LineReading) -> bool:
    return mirrored.score > _BETTER * reading.score and sum(map(str.isalpha, mirrored.text)) >= _FEWEST_LETTERS


def without_faint(upright: Any, quads: Any, unread: list[int], aspects: list[float]) -> list[int]:
    """Returns the unread lines without those that are much fainter than the other lines: print that shows through the paper."""
    others = [i for i in range(len(quads)) if i not in unread and aspects[i] > _LONG][:_SAMPLE]
    if not unread or not others:
        return unread
    least = _LEAST_INK * max(ink_of(cut_out(upright, quads[i])) for i in others)
    return [i for i in unread if ink_of(cut_out(upright, quads[i])) >= least]
