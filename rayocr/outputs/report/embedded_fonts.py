"""Embeds fonts for the scripts of a report as data, reduced to its characters, since the machine that shows it may lack them.
Every machine has fonts for Latin, Greek and Cyrillic, so these are not embedded. Fonts come from the wheels that the clean PDF
uses too.
"""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterable
from pathlib import Path

from fontTools.unicodedata import script

from rayocr.outputs.typeset.fonts import packaged_fonts

log = logging.getLogger(__name__)

_EVERYWHERE = frozenset({"Latn", "Grek", "Cyrl", "Zyyy", "Zinh", "Zzzz"})
_MOST_CHARACTERS = 3000  # a font of this many Chinese characters has about 1 MB


def font_faces(texts: Iterable[str]) -> str:
    """Returns CSS: an @font-face rule for every font that is needed; all have the family "rayocr"."""
    characters = {c for text in texts for c in text if c > "\u0370" and script(c) not in _EVERYWHERE}
    left = {ord(c) for c in sorted(characters)[:_MOST_CHARACTERS]}
    rules = []
    for font in packaged_fonts():
        if not left:
            break
        if found := left & font.characters:
            left -= found
            if font.path is not None:
                rules.append(_face(font.path, found))
    return "".join(rules)


def _face(path: Path, codes: set[int]) -> str:
    data = base64.b64encode(_subset(path, codes)).decode()
    ranges = ",".join(f"U+{code:X}" for code in sorted(codes))
    return f"@font-face{{font-family:rayocr;font-weight:100 900;src:url(data:font/woff;base64,{data});unicode-range:{ranges}}}"


def _subset(path: Path, codes: set[int]) -> bytes:
    """Returns the font as WOFF, with all weights. Keeps the rules that shape these characters, such as conjuncts."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    options = Options()
    options.layout_features = ["*"]
    options.notdef_outline = True
    options.name_IDs = []
    options.hinting = False
    with TTFont(path, fontNumber=0, lazy=True) as font:
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=codes)
        subsetter.subset(font)
        font.flavor = "woff"
        buffer = io.BytesIO()
        font.save(buffer, reorderTables=False)
    return buffer.getvalue()
