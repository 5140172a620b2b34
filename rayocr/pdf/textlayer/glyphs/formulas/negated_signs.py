"""Joins a relation sign and the slash that is drawn over it: TeX draws ≠ as a slash without width and an equals sign.

The slash's text is the combining character, which would belong to the letter before it, or the whole sign, which would be
followed by another equals sign. Zeros with a slash may be drawn in the same way.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

_SLASH = 0x338  # combining long solidus overlay
_NEGATED = {ord(sign): ord(unicodedata.normalize("NFD", sign)[0]) for sign in "≠≢∉∌∄≁≄≇≉≮≯≰≱⊄⊅⊈⊉⊀⊁∤∦⊬⊭⋢⋣"}
_SIGNS = {base: sign for sign, base in _NEGATED.items()}
_SEARCHED = 2  # number of spaces that PDFium may add between the two
_SOLIDUS, _ZERO, _SPACE = map(ord, "/0 ")
_TOUCHING = 0.1  # largest gap between a zero and the next character, as a share of its height
_OFF_ZERO = 0.25  # as _OFF, for zeros
_OFF = 0.5  # largest distance of their middles, as a share of the sign's width and height


def join_slashes(codes: list[int], rectangles: Any) -> None:
    """Replaces both by one sign, in place, with the box of the sign; the code of the slash becomes 0. `rectangles` (n, 4): left,
    top, right, bottom, in user space."""
    known = set(codes)
    if _SOLIDUS in known and _ZERO in known:
        _drop_slashes_over_zeros(codes, rectangles)
    if _SLASH not in known and _NEGATED.keys().isdisjoint(known):
        return
    for n in [n for n, code in enumerate(codes) if code == _SLASH or code in _NEGATED]:
        slash = codes[n]
        for place in _beside(codes, n):
            is_base = codes[place] in _SIGNS if slash == _SLASH else codes[place] == _NEGATED[slash]
            if is_base and _is_over(rectangles[n], rectangles[place]):
                codes[place], codes[n] = _SIGNS[codes[place]], 0
                break


def _drop_slashes_over_zeros(codes: list[int], rectangles: Any) -> None:
    """Removes such slashes, and the space that PDFium adds between the slash and the character beside the zero."""
    for n in [n for n, code in enumerate(codes) if code == _SOLIDUS]:
        for zero in [place for place in _beside(codes, n) if codes[place] == _ZERO]:
            if _is_over(rectangles[n], rectangles[zero], _OFF_ZERO):
                codes[n] = 0
                _, top, right, bottom = (float(side) for side in rectangles[zero])
                is_beside = n + 2 < len(codes) and abs(float(rectangles[n + 2][0]) - right) < _TOUCHING * abs(top - bottom)
                if zero < n and is_beside and codes[n + 1] == _SPACE:
                    codes[n + 1] = 0


def _beside(codes: list[int], n: int) -> Iterator[int]:
    """Yields the places of the next and the previous visible character."""
    for step in (1, -1):
        place = n + step
        while 0 <= place < len(codes) and codes[place] <= 0x20 and abs(place - n) <= _SEARCHED:
            place += step
        if 0 <= place < len(codes):
            yield place


def _is_over(slash: Any, sign: Any, most: float = _OFF) -> bool:
    left, top, right, bottom = (float(side) for side in sign)
    x, y = float(slash[0] + slash[2]) / 2, float(slash[1] + slash[3]) / 2
    width, height = abs(right - left), abs(top - bottom)
    off_x, off_y = abs(x - (left + right) / 2), abs(y - (top + bottom) / 2)
    return off_x <= most * width + 0.01 and off_y <= most * height + 0.01
