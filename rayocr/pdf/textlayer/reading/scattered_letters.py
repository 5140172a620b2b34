"""Finds pages whose letters are drawn in another order than they are read, for example all letters e first. PDFium's text of such
a page consists of fragments of words."""

from __future__ import annotations

from typing import Any

import numpy as np

from rayocr.pdf.textlayer.glyphs.characters import Characters

_LEAST = 40  # letters of a page
_NEXT_EM = (-0.4, 1.2)  # distance of two letters that follow each other, in heights of the font's box
_LEVEL_EM, _ROW_EM = 0.3, 0.35
_SCATTERED, _IN_ORDER = 0.4, 0.75  # shares of the letters that follow another one, as they are drawn and as they are placed


def are_scattered(characters: Characters) -> bool:
    """Returns whether most letters do not follow the letter that is drawn before them, although most of them follow another
    letter. Takes 50 µs per page."""
    if len(characters) < _LEAST:
        return False
    x0, y0, x1, y1 = characters.x0, characters.y0, characters.x1, characters.y1
    em = np.maximum(y1 - y0, 1.0)
    if _share_of_next(x0, x1, y1, em, np.arange(len(characters))) >= _SCATTERED:
        return False
    letters = [text for text in characters.texts if text.isalpha()]  # numbers of tables in other scripts are ASCII
    if 2 * sum(map(str.isascii, letters)) < len(letters):
        return False  # other scripts may be set vertically, or from the right
    by_height = np.argsort(y1, kind="stable")
    row = np.empty(len(characters), int)
    row[by_height] = np.cumsum(np.diff(y1[by_height], prepend=y1[by_height[0]]) > _ROW_EM * em[by_height])
    return _share_of_next(x0, x1, y1, em, np.lexsort((x0, row))) >= _IN_ORDER


def _share_of_next(x0: Any, x1: Any, y1: Any, em: Any, order: Any) -> float:
    one, other = order[:-1], order[1:]
    step = (x0[other] - x1[one]) / em[other]
    is_level = np.abs(y1[other] - y1[one]) < _LEVEL_EM * em[other]
    return float((is_level & (step > _NEXT_EM[0]) & (step < _NEXT_EM[1])).mean())
