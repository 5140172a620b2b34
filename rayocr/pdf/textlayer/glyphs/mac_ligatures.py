"""Corrects ligatures whose codes are read in the wrong encoding.

fi and fl of fonts in the encoding of the Macintosh become Þ and ß: speciÞes, conßict. Those of Calibri and similar fonts, whose
glyphs have no Unicode character, become capitals within words: informaƟon, aƩached, soŌware.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rayocr.pdf.textlayer.glyphs.characters import Characters

_MACINTOSH, _CALIBRI = {"\u00de": "fi", "\u00df": "fl"}, {"Ɵ": "ti", "Ʃ": "tt", "Ō": "ft", "ƞ": "tf"}
_SIGNS = ("\u00de", "ƟƩŌ")


def with_mac_ligatures(characters: Characters) -> None:
    """Changes the texts in place. Such a capital after a small letter of the same word occurs in no language, so it identifies an
    affected page. Takes no time on pages without one."""
    for signs, table in zip(_SIGNS, (_MACINTOSH, _CALIBRI), strict=True):
        if any(sign in characters.texts for sign in signs):
            _correct(characters.texts, characters.spaces, signs, table)


def _correct(texts: list[str], spaces: Sequence[int], signs: str, table: Mapping[str, str]) -> None:
    def follows_letter(n: int) -> bool:
        return n > 0 and texts[n - 1].islower() and spaces[n] != 2

    places = [n for n, text in enumerate(texts) if text in table]
    if any(follows_letter(n) for n in places if texts[n] in signs):
        for n in places:
            if table is _MACINTOSH or follows_letter(n):
                texts[n] = table[texts[n]]
