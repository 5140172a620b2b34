"""Finds fonts whose maps name a digit, a sign or a space for a ligature, as in "ques5on", "Educa&on", "pla[orm" and "of ce".

Word processors give glyphs such as those of Calibri's ti, tt and tf codes without a meaning, and some programs then take the
number of the code for a character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from rayocr.pdf.textlayer.glyphs.wrong_digits import glyph_shapes, inked_spaces_of, visible_objects
from rayocr.pdf.textlayer.rendered_text import font_at

_WITHIN = re.compile(r"[&\[\]\d](?<=[a-z]{2}.)(?=[a-z]{2})")
_NO_WORD = re.compile(r"[/\\=@_:;<>$()*{}]|\d.*\d")  # signs of addresses, code and file names; several digits
_BRACKETS = frozenset("[]")
_BELOW = -0.04  # share of the font's box: brackets reach further below the baseline than a ligature
_LEAST_WORDS = 2  # least number of words with the same digit or sign
_SPACE = re.compile(r"(?<=[^\W\d_])[ \xa0](?=[^\W\d_A-Z])")
_ROUNDING = 50  # spaces whose widths round to the same part of their height are of one kind
_SAME_WIDTH = 0.01  # largest difference between the advances of two digits, as a share


def with_wrong_ligatures(text_page: Any, text: str, rectangles: Any) -> frozenset[int]:
    """Returns the addresses of all raw text objects in such fonts, whose maps are not reliable, and of those that share a word
    with them. `rectangles`: the loose boxes of the characters, (n, 4), in user space. Takes 0.1 ms for a page without any."""
    found: dict[tuple[int, str], dict[str, int]] = {}  # words by font and character, each with a place
    for match in _WITHIN.finditer(text):
        place, sign = match.start(), match.group()
        word = _token(text, place)
        if not _NO_WORD.search(word) and (font := font_at(text_page, place)):
            found.setdefault((font, sign), {})[word] = place
    fonts: set[int] = set()
    for least in (_LEAST_WORDS, 1):  # beside such a font, one word is enough
        for (font, sign), words in found.items():
            if (sign in _BRACKETS or len(words) >= least) and _is_ligature(text_page, text, rectangles, font, sign, words):
                fonts.add(font)
        if not fonts:
            return frozenset()
    own = {n for n, char in enumerate(text) if not char.isspace() and font_at(text_page, n) in fonts}
    beside = {m for n in own for m in (n - 1, n + 1) if text[m : m + 1].isalnum()}  # parts of the same words
    return visible_objects(text_page, own | beside)


def with_ligatures_as_spaces(text_page: Any, text: str, rectangles: Any) -> frozenset[int]:
    """Returns the addresses of all raw text objects in fonts that map ligatures to spaces. `rectangles`: as above. Takes 50 µs
    for a page without any."""
    places = np.array([match.start() for match in _SPACE.finditer(text)], int)
    advances = _advances(rectangles, places.tolist())
    places, kinds = places[advances > 0], np.round(_ROUNDING * advances[advances > 0])
    _, first = np.unique(kinds, return_index=True)  # a space is as wide as all others of its font, a ligature is not
    within = [n for n in places[first].tolist() if len({font_at(text_page, m) for m in (n - 1, n, n + 1)}) == 1]
    sample, codes = np.array(within, int), [ord(char) for char in text]
    fonts = {font_at(text_page, n) for n in inked_spaces_of(text_page, codes, sample, rectangles)}
    fonts.discard(0)
    return visible_objects(text_page, (n for n in range(len(text)) if font_at(text_page, n) in fonts) if fonts else ())


def _token(text: str, place: int) -> str:
    start, end = place, place
    while start and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[start:end]


def _is_ligature(text_page: Any, text: str, rectangles: Any, font: int, sign: str, words: dict[str, int]) -> bool:
    places = list(words.values())
    if sign in _BRACKETS:
        shapes = [shape for shape in glyph_shapes(text_page, places, rectangles) if shape is not None]
        return bool(shapes) and all(shape.above > _BELOW for shape in shapes)
    if not sign.isdigit():
        return True
    others = [n for n, char in enumerate(text) if char.isascii() and char.isdigit() and not _is_within(text, n)]
    others = [n for n in others if font_at(text_page, n) == font]
    own = float(np.median(_advances(rectangles, places)))
    return not others or abs(float(np.median(_advances(rectangles, others))) - own) > _SAME_WIDTH * own


def _is_within(text: str, n: int) -> bool:
    return text[n - 1 : n].isalpha() and text[n + 1 : n + 2].isalpha()


def _advances(rectangles: Any, places: Sequence[int]) -> Any:
    """Returns the widths of the characters' boxes, relative to their heights."""
    left, top, right, bottom = rectangles[places].T
    return np.abs(right - left) / np.maximum(np.abs(top - bottom), 0.1)
