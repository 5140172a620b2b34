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
_BETTER = 1.05  # least ratio of the mirrored reading's score to the other one
_LEAST_INK = 0.4  # minimum contrast of an unread line, relative to the lines that were read
_LONG = 8.0  # width by height of the lines whose contrast is compared
_CLEANED = 1.5  # pixels with no more than this contrast, relative to the darkest such line, become paper
_PAPER_SHARE = 0.75  # share of the page; unevenly lit pages have less paper, and would get edges


def without_show_through(upright: Any, quads: Any, read: Sequence[LineReading], recognize: ReadsLines) -> Any | None:
    """Returns the page with paper where print shows through; None if there is none. Takes no time if every line is read well."""
    import numpy as np

    doubtful = [index for index, reading in enumerate(read) if reading.text.strip() and reading.score < _SURE]
    sure = [index for index, reading in enumerate(read) if reading.score >= _SURE]
    if not doubtful or not sure:
        return None
    usual = max(ink_of(cut_out(upright, quads[index])) for index in sure[:: max(1, len(sure) // _SAMPLE)])
    faint = [(index, crop) for index in doubtful if ink_of(crop := cut_out(upright, quads[index])) < _FAINT * usual]
    mirrored = recognize([np.ascontiguousarray(crop[:, ::-1]) for _, crop in faint]) if faint else []
    inks = [ink_of(crop) for (i, crop), other in zip(faint, mirrored, strict=True) if other.score > _BETTER * read[i].score]
    if not inks:
        return None
    paper = float(np.median(upright))
    limit = paper - min(_CLEANED * max(inks), _FAINT * usual)
    bright = upright > limit
    return np.where(bright, np.uint8(round(paper)), upright) if bright.mean() > _PAPER_SHARE else None


def without_faint(upright: Any, quads: Any, unread: list[int], aspects: list[float]) -> list[int]:
    """Returns the unread lines without those that are much fainter than the other lines: print that shows through the paper."""
    others = [i for i in range(len(quads)) if i not in unread and aspects[i] > _LONG][:_SAMPLE]
    if not unread or not others:
        return unread
    least = _LEAST_INK * max(ink_of(cut_out(upright, quads[i])) for i in others)
    return [i for i in unread if ink_of(cut_out(upright, quads[i])) >= least]
