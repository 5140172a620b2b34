"""Gives the glyphs of TeX's fonts for formulas their Unicode characters: large brackets, roots, sums, primes, relations, euros.

These fonts name their glyphs in their own way ("radicalbig"), and TeX's maps to Unicode lack many of them. PDFium then reports
the code of the glyph, so that a root is read as the letter p, a sum as X, and a prime as the digit 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.glyphs.fonts import PageFonts

_SAME_BOX_PT = 0.01
_LONGEST = 6  # letters; longer runs of one font are words
# The encodings OMX and OMS and that of the font MSAM, from code 0 on. A space stands for a glyph without a character of its own.
_EXTENSION = (
    "()[]⌊⌋⌈⌉{}⟨⟩⏐‖/\\" "()()[]⌊⌋⌈⌉{}⟨⟩/\\" "()[]⌊⌋⌈⌉{}⟨⟩/\\/\\" "⎛⎞⎡⎤⎣⎦⎢⎥⎧⎫⎩⎭⎨⎬⎪⏐"
    "⎝⎠⎜⎟⟨⟩⊔⊔∮∮⊙⊙⊕⊕⊗⊗" "∑∏∫⋃⋂⊎⋀⋁∑∏∫⋃⋂⊎⋀⋁" "∐∐^^^~~~[]⌊⌋⌈⌉{}" "√√√√⎷  ‖↑↓    ⇑⇓"
)  # fmt: skip
_SYMBOLS = (
    "−·×∗÷⋄±∓⊕⊖⊗⊘⊙◯∘•" "≍≡⊆⊇≤≥≼≽∼≈⊂⊃≪≫≺≻" "←→↑↓↔↗↘≃⇐⇒⇑⇓⇔↖↙∝" "′∞∈∋△▽\u0338↦∀∃¬∅ℜℑ⊤⊥"
    "ℵ                          ∪∩⊎∧∨" "⊢⊣⌊⌋⌈⌉{}⟨⟩|‖↕⇕\\≀" "√∐∇∫⊔⊓⊑⊒§†‡¶♣♦♥♠"
)  # fmt: skip
_RELATIONS = (
    "⊡⊞⊠□■·◊⧫↻↺⇌⇋⊟⊩⊪⊨" "↠↞⇇⇉⇈⇊↾⇂↿⇃↣↢⇆⇄↰↱" "⇝↭↫↬≗≿≳⪆⊸∴∵≑≜≾≲⪅" "⪕⪖⋞⋟≼≦⩽≶‵ ≓≒≽≧⩾≷"
    "⊏⊐▷◁⊵⊴★≬▼▶◀  △▲▽" "≖⋚⋛⪋⪌¥⇛⇚✓⊻⊼⩞∠∡∢∝" "⌣⌢⋐⋑⋓⋒⋏⋎⋋⋌⫅⫆≏≎⋘⋙" "⌜⌝®Ⓢ⋔∔∽⋍⌞⌟✠∁⊺⊚⊛⊝"
)  # fmt: skip


def _font(name: str, signs: str) -> tuple[re.Pattern[str], dict[int, str]]:
    table = {n: char for n, char in enumerate(signs) if char != " "}
    return re.compile(rf"(?:[A-Z]{{6}}\+)?(?:{name})(?:-Regular|-Bold)?"), table


_EURO_CODE = 0x65  # the font eurosym names its glyph e
_FONTS = (
    _font(r"(?:CM|LM)EX\d+|LMMathExtension\d+|[tp]xb?exs?", _EXTENSION),
    _font(r"(?:CM|LM)B?SY\d+|LMMathSymbols\d+|[tp]xb?sys?|MTSYN?", _SYMBOLS),
    _font(r"MSAM\d+", _RELATIONS),
    _font(r"(?:TeX-)?fey[bm][lor]\d+", " " * _EURO_CODE + "€"),
)


def with_tex_signs(text_page: Any, codes: list[int], rectangles: Any) -> None:
    """Changes the codes in place. `rectangles`: the boxes of the characters, (n, 4), in user space. The boxes of two fonts differ
    in height, so only the characters of short runs with equal boxes are examined."""
    drawn = np.flatnonzero(rectangles[:, 1] != rectangles[:, 3])  # line breaks and spaces that PDFium adds have no height
    if not len(drawn):
        return
    differs = np.abs(np.diff(rectangles[drawn][:, (1, 3)], axis=0)).max(axis=1) > _SAME_BOX_PT
    first = np.flatnonzero(np.append(True, differs))
    length = np.diff(np.append(first, len(drawn)))
    is_short = np.repeat(length <= _LONGEST, length)
    fonts = PageFonts(text_page)
    for n in drawn[is_short].tolist():
        # A map that gives a glyph the character 0 does not say that the glyph's code is 0.
        is_unknown = codes[n] < 0x80 and pdfium.FPDFText_HasUnicodeMapError(text_page, n) == 1
        if is_unknown or codes[n] == _EURO_CODE:
            table = _table_of(fonts.name(n))
            codes[n] = ord(table[codes[n]]) if table and codes[n] in table else codes[n]


@cache
def _table_of(font: str) -> Mapping[int, str] | None:
    return next((table for name, table in _FONTS if name.fullmatch(font)), None)
