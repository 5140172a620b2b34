"""Merges accents that are drawn over a letter with the letter: TeX and others draw "ü" as a letter and a diaeresis.

PDFium reports such an accent before the letter, after it, or at the end of the line, and breaks the word at it.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np

from rayocr.pdf.textlayer.glyphs.characters import Characters

_COMBINING = {
    "`": "\u0300", "\u00b4": "\u0301", "\u02c6": "\u0302", "\u02dc": "\u0303", "\u00af": "\u0304", "\u02c9": "\u0304",
    "\u02d8": "\u0306", "\u02d9": "\u0307", "\u00a8": "\u0308", "\u02da": "\u030a", "\u02dd": "\u030b", "\u02c7": "\u030c",
    "\u00b8": "\u0327", "\u02db": "\u0328",
}  # fmt: skip
_DOTLESS = {"\u0131": "i", "\u0237": "j"}
_ON_LETTER = 0.25  # share of the letter's width: maximum distance of the accent's middle from the letter's
_OGONEK_ON_LETTER = 0.55  # the same for accents at the right end of the letter
_RAISED = 0.45  # share of the letter's height, for accents of capitals, which are higher
_SAME_SIZE = 0.7


def with_accents(characters: Characters) -> Characters:
    """Returns the characters, with each accent merged into the letter below it. Does nothing if the page has no separate
    accents."""
    texts = characters.texts
    if _COMBINING.keys().isdisjoint(texts):
        return characters
    accents = [n for n, text in enumerate(texts) if text in _COMBINING]
    joined = list(texts)
    taken = [n for n in accents if _join(characters, joined, n)]
    if not taken:
        return characters
    kept = np.ones(len(joined), bool)
    kept[taken] = False
    spaces = np.asarray(characters.spaces, np.int64)
    for n in taken:
        # PDFium reports the position of the accent. After its line break, the gap decides whether there is a space.
        if n + 1 < len(joined):
            spaces[n + 1] = 1
    places = np.flatnonzero(kept)
    return Characters(
        [joined[n] for n in places.tolist()],
        spaces[places].tolist(),
        [characters.indexes[n] for n in places.tolist()],
        x0=characters.x0[places],
        y0=characters.y0[places],
        x1=characters.x1[places],
        y1=characters.y1[places],
        unreadable=characters.unreadable,
    )


def _join(characters: Characters, joined: list[str], accent: int) -> bool:
    """Merges the accent with the nearest letter below it, if Unicode has that letter."""
    for n in _letters_under(characters, accent):
        letter = _DOTLESS.get(joined[n], joined[n])
        composed = unicodedata.normalize("NFC", letter + _COMBINING[characters.texts[accent]])
        if letter.isalpha() and len(composed) == 1:
            joined[n] = composed
            return True
    return False


def _letters_under(characters: Characters, accent: int) -> list[int]:
    """Returns the characters of the same line and size whose middle matches that of the accent, nearest first."""
    x0, y0, x1, y1 = characters.x0, characters.y0, characters.x1, characters.y1
    height = y1 - y0
    own = float(height[accent])
    off = np.abs((x0 + x1) / 2 - (x0[accent] + x1[accent]) / 2)
    limit = _OGONEK_ON_LETTER if characters.texts[accent] == "\u02db" else _ON_LETTER
    near: Any = off <= limit * (x1 - x0)
    near &= np.abs((y0 + y1) / 2 - (y0[accent] + y1[accent]) / 2) <= _RAISED * own
    near &= (np.minimum(height, own) >= _SAME_SIZE * np.maximum(height, own)) & (own > 0)
    near[accent] = False
    return sorted(np.flatnonzero(near).tolist(), key=lambda n: float(off[n]))
