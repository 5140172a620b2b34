"""Gives signs of journals' fonts for formulas their meaning: ( ) = + [ are named eth, Thorn, onequarter, thorn and onehalf there.

Typesetting programs of the 1990s and 2000s put the signs of such a font at the places of letters that English does not use, so
that "(1) = a + b" is read as "ð1Þ ¼ a þ b".
"""

from __future__ import annotations

import re
from typing import Any

from rayocr.pdf.textlayer.glyphs.fonts import PageFonts
from rayocr.pdf.textlayer.rendered_text import font_at

_SIGNS = {ord(name): ord(sign) for name, sign in zip("ðÞ¼þ½", "()=+[", strict=True)}
_MORE = _SIGNS | {ord(name): ord(sign) for name, sign in zip("!ÀÂÁÆ", "→−×·±", strict=True)}
_OPENING, _CLOSING = ord("ð"), ord("Þ")
_KNOWN = re.compile(r"(?:[A-Z]{6}\+)?AdvP4C4E74")


def with_pi_signs(text_page: Any, codes: list[int]) -> None:
    """Changes the codes in place. Such a font has both brackets and no basic Latin letter. Takes no time on other pages."""
    if _OPENING not in codes or _CLOSING not in codes:
        return
    own: dict[int, list[int]] = {}
    for n, code in enumerate(codes):
        if code in _MORE:
            own.setdefault(font_at(text_page, n), []).append(n)
    found = {font for font, places in own.items() if {_OPENING, _CLOSING} <= {codes[n] for n in places}}
    found -= {font_at(text_page, n) for n, code in enumerate(codes) if code < 0x80 and chr(code).isalpha()} if found else set()
    fonts = PageFonts(text_page)
    for font in found:
        table = _MORE if _KNOWN.match(fonts.name(own[font][0])) else _SIGNS
        for n in own[font]:
            codes[n] = table.get(codes[n], codes[n])
