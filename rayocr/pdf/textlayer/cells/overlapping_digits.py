"""Finds digits that PDFium omits, because the text of one cell reaches into the next one and has an equal digit at the same
place."""

from __future__ import annotations

import numpy as np

from rayocr.pdf.textlayer.glyphs.characters import Characters

_LEAST_GAP_EM, _WIDEST_GAP_EM, _NEAR_EM = 0.3, 0.8, 0.15


def beside_omitted_digits(characters: Characters) -> list[int]:
    """Returns PDFium's indexes of digits with such a gap behind them: without a space, and with a digit of other text in it."""
    if len(characters) < 2:
        return []
    x0, y0, x1, y1 = characters.x0, characters.y0, characters.x1, characters.y1
    em = np.maximum(y1 - y0, 1.0)
    gap = (x0[1:] - x1[:-1]) / em[1:]
    is_wide = (gap > _LEAST_GAP_EM) & (gap < _WIDEST_GAP_EM) & (np.abs(y1[1:] - y1[:-1]) < _NEAR_EM * em[1:])
    found = []
    for n in np.flatnonzero(is_wide).tolist():
        if characters.spaces[n + 1] == 0 and characters.texts[n].isdigit() and characters.texts[n + 1].isdigit():
            near = (np.abs(x0 - x1[n]) < _NEAR_EM * em[n]) & (np.abs(y1 - y1[n]) < _NEAR_EM * em[n])
            if any(characters.texts[m].isdigit() for m in np.flatnonzero(near).tolist()):
                found.append(characters.indexes[n])
    return found
