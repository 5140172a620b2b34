"""Finds print of the other side of the sheet, which shows through the paper and is read as junk, and cleans the page of it.

Examines only faint lines that OCR reads badly, and reads their mirror image: print of the other side is more legible there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rayocr.engines.rapidocr.image import cut_out, ink_of
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines

_SURE = 0.9  # least score of lines that are read well
_FAINT = 0.5  # maximum contrast, relative to lines that are read well; print that shows through had .12 to .2
_SAMPLE = 5  # number of lines whose contrast is compared
_FEWEST_LETTERS = 3  # of the mirrored reading; the numbers of a chart's axis are as legible in a mirror
_BETTER = 1.05  # least ratio of the mirrored reading's score to the other one
_LEAST_INK = 0.4  # minimum contrast of an unread line, relative to the lines that were read
_LONG = 8.0  # width by height of the lines whose contrast is compared
_CLEANED = 1.5  # pixels with no more than this contrast, relative to the darkest such line, become paper
_EDGE_PX = 3  # pixels this close to ink that stays are not changed
_PAPER_SHARE = 0.75  # share of the page; unevenly lit pages have less paper, and would get edges


def without_show_through(upright: Any, quads: Any, read: Sequence[LineReading], recognize: ReadsLines) -> Any | None:
    """Returns the page with paper where print shows through; None if there is none. Takes no time if every line is read well."""
    import cv2
    import numpy as np

    doubtful = [index for index, reading in enumerate(read) if reading.text.strip() and reading.score < _SURE]
    sure = [index for index, reading in enumerate(read) if reading.score >= _SURE]
    if not doubtful or not sure:
        return None
    usual = max(ink_of(cut_out(upright, quads[index])) for index in sure[:: max(1, len(sure) // _SAMPLE)])
    faint = [(index, crop) for index in doubtful if ink_of(crop := cut_out(upright, quads[index])) < _FAINT * usual]
    mirrored = recognize([np.ascontiguousarray(crop[:, ::-1]) for _, crop in faint]) if faint else []
    inks = [ink_of(crop) for (i, crop), other in zip(faint, mirrored, strict=True) if _is_mirrored(read[i], other)]
    if not inks:
        return None
    paper = float(np.median(upright))
    limit = paper - min(_CLEANED * max(inks), _FAINT * usual)
    bright = upright > limit
    if bright.mean() <= _PAPER_SHARE:
        return None
    # The light parts of letters stay: without the tail of its comma, "9,803" is "9.803".
    apart = cv2.erode(bright.astype(np.uint8), np.ones((2 * _EDGE_PX + 1, 2 * _EDGE_PX + 1), np.uint8)) > 0
    return np.where(apart, np.uint8(round(paper)), upright)


def _is_mirrored(reading: LineReading, mirrored: LineReading) -> bool:
    return mirrored.score > _BETTER * reading.score and sum(map(str.isalpha, mirrored.text)) >= _FEWEST_LETTERS


def without_faint(upright: Any, quads: Any, unread: list[int], aspects: list[float]) -> list[int]:
    """Returns the unread lines without those that are much fainter than the other lines: print that shows through the paper."""
    others = [i for i in range(len(quads)) if i not in unread and aspects[i] > _LONG][:_SAMPLE]
    if not unread or not others:
        return unread
    least = _LEAST_INK * max(ink_of(cut_out(upright, quads[i])) for i in others)
    return [i for i in unread if ink_of(cut_out(upright, quads[i])) >= least]
