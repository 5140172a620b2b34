"""Corrects fi and fl of fonts in the encoding of the Macintosh, which PDFium reports as Þ and ß: speciÞes, conßict."""

from __future__ import annotations

from rayocr.pdf.textlayer.glyphs.characters import Characters

_LIGATURES = {"\u00de": "fi", "\u00df": "fl"}
_SIGN = "\u00de"


def with_mac_ligatures(characters: Characters) -> None:
    """Changes the texts in place. A capital thorn after a small letter of the same word is a word in no language, and identifies
    such a page. Takes no time on pages without a thorn."""
    texts, spaces = characters.texts, characters.spaces
    if _SIGN not in texts:
        return
    places = [n for n, text in enumerate(texts) if text == _SIGN]
    if any(n and texts[n - 1].islower() and spaces[n] != 2 for n in places):
        for n, text in enumerate(texts):
            texts[n] = _LIGATURES.get(text, text)
