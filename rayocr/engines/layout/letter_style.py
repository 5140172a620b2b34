"""Measures the size and the weight of the letters in a picture of a line, for headings on scans. Takes about 0.1 ms per line."""

from __future__ import annotations

from typing import Any, NamedTuple

from rayocr.pdf.shapes.levels import histogram, levels

_INK = 0.5  # darker pixels than this share of the contrast are ink
_LEAST_CONTRAST = 40  # lowest contrast of a line that is measured, in gray levels (0 to 255)
_EDGE = 0.12  # share of the picture's height that may contain remnants of the neighboring lines
_BAND = 0.5  # rows with this share of the ink of the fullest rows count fully for the height of small letters
_CAPITALS = 0.72  # height of small letters, relative to capitals and digits
_FEWEST_LETTERS = 3


class LetterStyle(NamedTuple):
    """The style of a line's letters. `x_height` and `stroke` (the width of the stems) are in pixels of the picture. Only lines
    with the same `is_cased` (whether the script has capitals) can be compared."""

    x_height: float
    stroke: float
    is_cased: bool = True


def letter_style(line: Any, text: str) -> LetterStyle | None:
    """Measures the letters of a line. `line`: a level gray picture (rows, columns) with dark letters. Returns None if it has too
    few letters or too little contrast."""
    import numpy as np

    letters = [char for char in text if char.isalnum()]
    if len(letters) < _FEWEST_LETTERS or min(line.shape) < 4:
        return None
    paper, dark = levels(line, 80, 2)
    if paper - dark < _LEAST_CONTRAST:
        return None
    edge = round(_EDGE * line.shape[0])
    inner = line[edge : line.shape[0] - edge]
    ink_of = np.clip((paper - np.arange(256)) / (paper - dark), 0.0, 1.0)  # share of ink, 0 to 1, by gray level
    solid = (ink_of > _INK)[inner]
    stems = int(np.count_nonzero(solid[:, 1:] > solid[:, :-1]) + np.count_nonzero(solid[:, 0]))
    if not stems:
        return None
    rows = ink_of[inner].sum(axis=1)
    full = np.sort(rows)[-max(line.shape[0] // 5, 1) :].mean()
    height = float(np.clip(rows / (_BAND * full), 0.0, 1.0).sum())
    is_cased = 2 * sum(char.lower() != char.upper() for char in letters) >= len(letters)
    if is_cased and not any(map(str.islower, letters)):
        height *= _CAPITALS
    return LetterStyle(height, float(np.where(ink_of > _INK, ink_of, 0.0) @ histogram(inner)) / stems, is_cased)
