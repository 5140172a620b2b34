"""Gives the glyphs of symbol fonts their Unicode characters: bullets, check marks, arrows, Greek letters, small capitals.

Such fonts have no map to Unicode, or map their glyphs to private-use characters. Only the font's name shows the meaning of a
code. The tables follow the published ones of Symbol, ZapfDingbats, Wingdings, Webdings and Adobe's private-use characters. A
glyph that is in no table keeps its character. Glyphs of icon fonts are pictures and are removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import numpy as np

from rayocr.pdf.textlayer.glyphs.characters import Characters

_FIRST_PRIVATE, _LAST_PRIVATE = "\ue000", "\uf8ff"
_BULLETS = "•·"
_BAR = "⏐"
_PIECES = frozenset("⎢⎥⎪⎜⎟‖") | {_BAR}  # tall brackets and bars repeat such a piece, one above the other
_SAME_SIDE_PT = 0.5
_GAP_EM = 0.15  # white space around a character that stands alone
_ICONS = re.compile(r"awesome|icon|glyphicons|entypo", re.IGNORECASE)

FontName = Callable[[int], str]


def _table(*runs: tuple[int, str]) -> dict[int, str]:
    """Returns a table made from runs of characters that begin at these codes. A blank stands for a code without an entry."""
    return {first + n: char for first, chars in runs for n, char in enumerate(chars) if char != " "}


_SYMBOL = _table(
    (0x21, "!∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_ αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"),
    (0xA1, "ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ 〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"),
)
_DINGBATS = _table(
    (0x21, "✁✂✃✄☎✆✇✈✉☛☞✌✍✎✏✐✑✒✓✔✕✖✗✘✙✚✛✜✝✞✟✠✡✢✣✤✥✦✧★✩✪✫✬✭✮✯✰✱✲✳✴✵✶✷✸✹✺✻✼✽✾✿❀❁❂❃❄❅❆❇❈❉❊❋●❍■❏❐❑❒▲▼◆❖◗❘❙❚❛❜❝❞"),
    (0xA1, "❡❢❣❤❥❦❧♣♦♥♠①②③④⑤⑥⑦⑧⑨⑩❶❷❸❹❺❻❼❽❾❿➀➁➂➃➄➅➆➇➈➉➊➋➌➍➎➏➐➑➒➓➔→↔↕➘➙➚➛➜➝➞➟➠➡➢➣➤➥➦➧➨➩➪➫➬➭➮➯ ➱➲➳➴➵➶➷➸➹➺➻➼➽➾"),
)
_WINGDINGS = _table(
    (0x22, "✂✁"),
    (0x28, "☎✆✉"),
    (0x3F, "✍"),
    (0x41, "✌"),
    (0x45, "☜☞☝☟"),
    (0x4A, "☺"),
    (0x4C, "☹"),
    (0x51, "✈☼"),
    (0x6C, "●❍■☐ ❑❒◆◆◆❖◆☒ ⌘"),
    (0x80, "⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿"),
    (0x9E, "·•"),
    (0xA1, "○"),
    (0xA7, "▪☐"),
    (0xAB, "★"),
    (0xD8, "➢"),
    (0xDF, "←→↑↓↖↗↙↘"),
    (0xE8, "➔"),
    (0xEF, "⇦⇨⇧⇩"),
    (0xFB, "✗✓☒☑"),
)
_WINGDINGS_2 = _table((0x4F, "✗✓☒☑☒☒"), (0x97, "●"), (0xA2, "■☐"))
_WINGDINGS_3 = _table((0x21, "←→↑↓↖↗↙↘"), (0x70, "▲▼△▽◀▶◁▷"))
_WEBDINGS = _table((0x33, "◀▶▲▼"), (0x61, "✓"), (0x63, "☐"), (0x67, "■"), (0x6E, "●"), (0x72, "✗"))
_COMM_PI = _table((0x61, "▶◀"))  # tax forms use these arrows
_FONTS = (
    (re.compile(r"wingdings-?2", re.IGNORECASE), _WINGDINGS_2),
    (re.compile(r"wingdings-?3", re.IGNORECASE), _WINGDINGS_3),
    (re.compile(r"wingdings", re.IGNORECASE), _WINGDINGS),
    (re.compile(r"webdings", re.IGNORECASE), _WEBDINGS),
    (re.compile(r"dingbats", re.IGNORECASE), _DINGBATS),
    (re.compile(r"newswithcommpi", re.IGNORECASE), _COMM_PI),
    (re.compile(r"symbol(?:mt|ps|std|neu)?(?:[,-].*)?$", re.IGNORECASE), _SYMBOL),
)
# In a font of another name: the bullets and marks that word processors take from Wingdings and Symbol.
_USUAL = {0xB7: "•"} | {code: _WINGDINGS[code] for code in b"lnoqv\xa7\xa8\xd8\xe0\xfc\xfd\xfe"}
# Adobe's private-use characters: digits of the old style, small capitals, signs, parts of tall brackets.
_ADOBE = (
    {chr(0xF700 + code): chr(code) for code in (0x21, 0x24, 0x26, *range(0x30, 0x3A), 0x3F, 0xA1, 0xA2, 0xBF)}
    | {chr(0xF700 + code): chr(code).upper() for code in (*range(0x61, 0x7B), *range(0xE0, 0xF7), *range(0xF8, 0xFF))}
    | {"\uf6d9": "©", "\uf6da": "®", "\uf6db": "™", "\uf6dc": "1", "\uf6f9": "Ł", "\uf6fa": "Œ", "\uf6fd": "Š", "\uf6ff": "Ž"}
    | {chr(0xF8E8 + n): char for n, char in enumerate("®©™⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪⎮⎞⎟⎠⎤⎥⎦⎫⎬⎭")}
)


def with_symbols(characters: Characters, font_name: FontName) -> None:
    """Changes the texts in place. `font_name` returns the name of the font at PDFium's index."""
    texts = characters.texts
    icons: list[int] = []
    private = [n for n, text in enumerate(texts) if _FIRST_PRIVATE <= text <= _LAST_PRIVATE]
    for n in private:
        font = font_name(characters.indexes[n])
        texts[n] = _of_private(texts[n], font)
        if _ICONS.search(font) and texts[n] >= _FIRST_PRIVATE:
            icons.append(n)
    for n in set(_alone(characters)).difference(private):
        if len(texts[n]) == 1 and not texts[n].isdigit() and texts[n] not in _BULLETS:
            table = _table_of(font_name(characters.indexes[n]))
            if table is not None and table is not _SYMBOL and table is not _DINGBATS:  # PDFium maps these two fonts itself
                texts[n] = _of_letter(texts[n], table)
    pieces = [n for n, text in enumerate(texts) if text in _PIECES]
    again = [n for n in pieces if n and texts[n] == texts[n - 1] and _is_above_or_below(characters, n)]
    for n in pieces:
        texts[n] = "|" if texts[n] == _BAR else texts[n]
    if icons or again:
        _remove(characters, sorted({*icons, *again}))


def _is_above_or_below(characters: Characters, n: int) -> bool:
    """Returns whether the character has the same left side as the one before it, at another height."""
    same_side = abs(float(characters.x0[n] - characters.x0[n - 1])) < _SAME_SIDE_PT
    return same_side and bool(characters.y0[n] != characters.y0[n - 1])


def _remove(characters: Characters, places: list[int]) -> None:
    for n in reversed(places):
        if n + 1 < len(characters):
            characters.spaces[n + 1] = max(characters.spaces[n : n + 2])
        del characters.texts[n], characters.spaces[n], characters.indexes[n]
    for name in ("x0", "y0", "x1", "y1"):
        setattr(characters, name, np.delete(getattr(characters, name), places))


def _of_private(char: str, font: str) -> str:
    code = ord(char) - 0xF000
    if not 0x20 <= code <= 0xFF:
        return _ADOBE.get(char, char)
    table = _table_of(font)
    if table is None:
        return char if _ICONS.search(font) else _USUAL.get(code, char)
    return table.get(code, char)


def _of_letter(char: str, table: dict[int, str]) -> str:
    """Returns the glyph of a font without a map. PDFium reports its code as if the font had Latin letters, in one of two
    encodings."""
    for encoding in ("cp1252", "mac-roman"):
        try:
            code = char.encode(encoding)[0]
        except UnicodeEncodeError:
            continue
        if code in table:
            return table[code]
    return char


@cache
def _table_of(font: str) -> dict[int, str] | None:
    return next((table for name, table in _FONTS if name.search(font)), None)


def _alone(characters: Characters) -> list[int]:
    """Returns the places of characters with white space on both sides."""
    if len(characters) < 2:
        return list(range(len(characters)))
    x0, y0, x1, y1 = characters.x0, characters.y0, characters.x1, characters.y1
    em = np.maximum(y1 - y0, 1.0)[1:]
    apart = (np.array(characters.spaces[1:]) == 2) | (x0[1:] - x1[:-1] > _GAP_EM * em) | (x1[1:] < x0[:-1])
    apart |= (y0[1:] > y1[:-1]) | (y1[1:] < y0[:-1])
    return np.flatnonzero(np.append(True, apart) & np.append(apart, True)).tolist()
