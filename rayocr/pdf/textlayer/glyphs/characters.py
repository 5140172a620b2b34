"""Reads the characters of a page and their boxes on the upright page. Takes about 1.2 µs per character."""

from __future__ import annotations

import ctypes
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Upright
from rayocr.pdf.textlayer.glyphs.encodings.guesses import drop_guessed_digits, drop_guesses
from rayocr.pdf.textlayer.glyphs.encodings.mac_codes import with_windows_codes
from rayocr.pdf.textlayer.glyphs.formulas.negated_signs import join_slashes
from rayocr.pdf.textlayer.glyphs.formulas.pi_signs import with_pi_signs
from rayocr.pdf.textlayer.glyphs.formulas.tex_signs import with_tex_signs
from rayocr.pdf.textlayer.glyphs.letter_height import with_letter_height
from rayocr.pdf.textlayer.glyphs.unreadable import drop_unreadable
from rayocr.pdf.textlayer.glyphs.whole_glyphs import SPACE_EM, with_whole_glyphs

_HYPHEN_AT_LINE_END = 0x02  # PDFium's code for a hyphen at the end of a line; 0xFFFE in some builds
_NONCHARACTER_HYPHEN = 0xFFFE
_SOFT_HYPHEN = 0xAD
_REPLACEMENT = 0xFFFD
_DRAWN_HYPHEN_EM = 0.1  # a wider soft hyphen is drawn on the page
_NEAR_EM = 0.03  # share of a character's height; at a smaller distance, two edges are at one place
_MAX_CHARACTERS = 2_000_000
# Invisible characters that control the layout: marks of direction, zero-width spaces, tags. Joiners select a letter's form.
_UNSEEN = re.compile("[\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
_SAME_GLYPH, _SAME_PLACE_EM = 0.5, 0.15  # overlap, as a share of the smaller box, and distance of the two drawings of one letter
_SAME_PLACE_WIDTH, _LEAST_NEAR_PT = 0.6, 0.3  # the same distance as a share of the letter's width, and its least value
# Thai and Lao characters that stand within a syllable.
_ON_PREVIOUS = re.compile("[\u0e30-\u0e3a\u0e45\u0e47-\u0e4e\u0eb0-\u0ebc\u0ec8-\u0ece]")
_ON_PREVIOUS_EM = 0.3
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LEAST_MIRRORED = 3  # letters of a mirrored line
_LONGEST_STEP_EM, _LEVEL_EM = (
    3.0,
    0.2,
)  # largest distances of neighboring letters of a mirrored line, along the line and across it
_CHARACTER, _LINE_BREAK, _SPACE, _NOTHING = range(4)
_LATIN_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_ALEFS, _LAM = frozenset((0x622, 0x623, 0x625, 0x627, 0x671)), 0x644


@dataclass(slots=True)
class Characters:
    """The visible characters of a page in PDFium's order, without whitespace; all lists and arrays have one entry for each.

    `texts[n]` is one or more Unicode characters. `spaces[n]`: 2 if a space precedes the character, 1 if PDFium only broke the
    line there, else 0. `indexes[n]` is PDFium's index. Boxes are loose (the font's ascent and descent), in points of the
    upright page, origin top left.
    """

    texts: list[str]
    spaces: list[int]
    indexes: list[int]
    x0: Any
    y0: Any
    x1: Any
    y1: Any
    unreadable: frozenset[int] = frozenset()  # addresses of text objects whose characters are unknown and omitted

    def __len__(self) -> int:
        return len(self.texts)


def read_characters(
    page: Any, text_page: Any, upright: Upright, size_pt: tuple[float, float], *, is_word: Callable[[str], bool]
) -> Characters:
    """Reads the characters of a page. `page` and `text_page` are raw handles of the page. Omits characters outside the page,
    since two pages cropped from one sheet contain the text of both. `is_word`: whether a token is well formed."""
    codes, rectangles, has_box, unreadable = _corrected_codes(text_page, is_word)
    rectangles, replaced = with_whole_glyphs(page, text_page, codes, rectangles)
    x0, y0, x1, y1 = _upright_boxes(rectangles, upright)
    y0, y1 = with_letter_height(text_page, upright, x0, y0, x1, y1)
    x0, x1 = _without_mirroring(text_page, upright, x0, y0, x1, y1)
    width_pt, height_pt = size_pt
    on_page = (x1 > 0) & (x0 < width_pt) & (y1 > 0) & (y0 < height_pt) & has_box
    # A page has about eighty different characters, so each is processed only once.
    values, which = np.unique(np.asarray(codes, np.int64), return_inverse=True)
    texts = [character_of(int(value)) for value in values]
    kinds = np.array([_kind(text) for text in texts], np.int8)[which]
    if _SOFT_HYPHEN in values:
        kinds[(np.asarray(codes) == _SOFT_HYPHEN) & ~_takes_room(x0, x1, y1 - y0)] = _NOTHING
    overlapped = _overlapped_spaces(kinds, x0, x1, y0, y1)
    kinds[[n for n in overlapped.tolist() if _begins_at(text_page, n, n + 1, float(x1[n] - x0[n]))]] = _NOTHING
    kept = np.flatnonzero((kinds == _CHARACTER) & on_page)
    kept = np.delete(kept, _second_drawings(which[kept], x0[kept], y0[kept], x1[kept], y1[kept]))
    if any(_RIGHT_TO_LEFT.match(text) for text in texts):
        kept = np.delete(kept, _drawn_again(which[kept], x0[kept], y0[kept], x1[kept], y1[kept]))
    spaces_before = np.cumsum((kinds == _SPACE) | ((kinds == _CHARACTER) & ~on_page))[kept]
    breaks_before = np.cumsum(kinds == _LINE_BREAK)[kept]
    spaces = np.where(np.diff(spaces_before, prepend=0) > 0, 2, np.diff(breaks_before, prepend=0) > 0)
    characters = Characters(
        [texts[n] for n in which[kept].tolist()],
        spaces.tolist(),
        kept.tolist(),
        x0[kept],
        y0[kept],
        x1[kept],
        y1[kept],
        unreadable,
    )
    if replaced:
        _drop_spurious_spaces(text_page, characters, replaced)
    _attach_marks(characters, {text for text in texts if _is_on_previous(text)})
    return characters


def _corrected_codes(text_page: Any, is_word: Callable[[str], bool]) -> tuple[list[int], Any, Any, frozenset[int]]:
    """Returns the code and the box of each character, whether PDFium knows its box, and the addresses of objects whose
    characters are unknown."""
    count = min(max(0, pdfium.FPDFText_CountChars(text_page)), _MAX_CHARACTERS)
    boxes = (pdfium.FS_RECTF * count)()
    get_unicode, get_box = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox
    read = (get_unicode(text_page, index) for index in range(count))
    codes = [code if code <= sys.maxunicode else _REPLACEMENT for code in read]  # a map to Unicode may contain any number
    has_box = [get_box(text_page, index, box) for index, box in enumerate(boxes)]  # the arrays are written in place
    if any(0xD800 <= code < 0xE000 for code in set(codes)):
        codes = _without_surrogates(codes)
    rectangles = np.frombuffer(boxes, np.float32).reshape(count, 4)
    drop_guesses(text_page, codes, rectangles)
    _turn_ligatures(codes, rectangles)
    with_windows_codes(text_page, codes)
    with_pi_signs(text_page, codes)
    with_tex_signs(text_page, codes, rectangles)
    join_slashes(codes, rectangles)
    drop_guessed_digits(text_page, codes)
    unreadable = drop_unreadable(text_page, codes, rectangles, is_word)
    return codes, rectangles, np.asarray(has_box, bool), unreadable


def _without_mirroring(text_page: Any, upright: Upright, x0: Any, y0: Any, x1: Any, y1: Any) -> tuple[Any, Any]:
    """Returns the left and right sides of the characters. Mirrored lines run from right to left: their letters change places, so
    that they run from left to right within the same area."""
    shown = np.flatnonzero((x1 > x0) & (y1 > y0))
    left, bottom, em = x0[shown], y1[shown], (y1 - y0)[shown]
    step = np.diff(left)
    is_back = (step < 0) & (step > -_LONGEST_STEP_EM * em[1:]) & (np.abs(np.diff(bottom)) < _LEVEL_EM * em[1:])
    if np.count_nonzero(is_back) < _LEAST_MIRRORED:
        return x0, x1
    x0, x1 = x0.copy(), x1.copy()
    ends = np.flatnonzero(np.diff(np.concatenate(([False], is_back, [False])).astype(np.int8)))
    for first, last in ends.reshape(-1, 2).tolist():
        line = shown[first : last + 1]
        if len(line) >= _LEAST_MIRRORED and _is_mirrored(text_page, int(line[0]), upright):
            both = x0[line].min() + x1[line].max()
            x0[line], x1[line] = both - x1[line], both - x0[line]
    return x0, x1


def _is_mirrored(text_page: Any, index: int, upright: Upright) -> bool:
    """Returns whether the text matrix points to the left, but its letters are not upside down."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text_page, index, matrix):
        return False
    sign = -1.0 if pdfium.FPDFText_GetFontSize(text_page, index) < 0 else 1.0
    along, up = upright.direction(sign * matrix.a, sign * matrix.b), upright.direction(sign * matrix.c, sign * matrix.d)
    return along[0] < -abs(along[1]) and up[1] < -abs(up[0])  # y points down


def _second_drawings(codes: Any, x0: Any, y0: Any, x1: Any, y1: Any) -> Any:
    """Returns the places of letters that are drawn again directly after the same letter, as a shadow or to make it bold. The
    smaller of the two boxes is kept: the box of a blurred shadow includes the blur."""
    first = np.flatnonzero(codes[1:] == codes[:-1])
    second = first + 1
    width = np.minimum(x1[first], x1[second]) - np.maximum(x0[first], x0[second])
    height = np.minimum(y1[first], y1[second]) - np.maximum(y0[first], y0[second])
    area = (x1 - x0) * (y1 - y0)
    off = np.maximum(np.abs((x0 + x1)[first] - (x0 + x1)[second]), np.abs((y0 + y1)[first] - (y0 + y1)[second])) / 2
    again = (width > 0) & (height > 0) & (width * height > _SAME_GLYPH * np.minimum(area[first], area[second]))
    again &= off < _SAME_PLACE_EM * np.minimum((y1 - y0)[first], (y1 - y0)[second])
    again &= (off > 0) | (area[first] != area[second])  # the letters of a ligature share one box
    return np.where(area[first] <= area[second], second, first)[again]


def _drawn_again(codes: Any, x0: Any, y0: Any, x1: Any, y1: Any) -> list[int]:
    """Returns the places of letters that were drawn at the same place before, anywhere in the file. On pages in right-to-left
    scripts the letters of a line are ordered by their positions, which would mix two copies of a line."""
    seen: dict[tuple[int, int, int], tuple[float, float]] = {}
    again: list[int] = []
    before = (0.0, 0.0)
    # Some fonts declare boxes that are twice as high as the letters, so that narrow letters side by side would be near.
    least = np.minimum(_SAME_PLACE_EM * np.maximum(y1 - y0, 1.0), np.maximum(_SAME_PLACE_WIDTH * (x1 - x0), _LEAST_NEAR_PT))
    middles = zip(codes.tolist(), ((x0 + x1) / 2).tolist(), ((y0 + y1) / 2).tolist(), least.tolist(), strict=True)
    for n, (code, x, y, near) in enumerate(middles):
        if (x, y) == before:  # the letters of a ligature share one box
            again += [n] if again[-1:] == [n - 1] else []
            continue
        before = (x, y)
        column, row = int(x // near), int(y // near)
        around = ((code, column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
        if any(place in seen and 0 <= max(abs(x - seen[place][0]), abs(y - seen[place][1])) < near for place in around):
            again.append(n)
        seen.setdefault((code, column, row), (x, y))
    return again


def _is_on_previous(text: str) -> bool:
    return _ON_PREVIOUS.match(text) is not None or unicodedata.category(text[:1] or " ") in ("Mn", "Mc")


def _attach_marks(characters: Characters, marks: Collection[str]) -> None:
    """Removes spaces before characters that cannot begin a word, where the gap is narrow: vowel signs, tone marks."""
    for n in [n for n, text in enumerate(characters.texts) if n and text in marks] if marks else ():
        em = max(float(characters.y1[n] - characters.y0[n]), 1.0)
        if characters.spaces[n] and abs(float(characters.x0[n] - characters.x1[n - 1])) < _ON_PREVIOUS_EM * em:
            characters.spaces[n] = 0


def _drop_spurious_spaces(text_page: Any, characters: Characters, replaced: Collection[int]) -> None:
    """Removes spaces that PDFium adds where the gap belongs to a glyph of a replaced text."""
    is_added = pdfium.FPDFText_IsGenerated
    x0, y0, x1, y1, indexes = characters.x0, characters.y0, characters.x1, characters.y1, characters.indexes
    for n in (n for n in range(1, len(characters)) if characters.spaces[n] == 2):
        before, after = indexes[n - 1], indexes[n]
        is_level = min(y1[n], y1[n - 1]) > max(y0[n], y0[n - 1])
        if is_level and (before in replaced or after in replaced):
            gap = max(float(x0[n] - x1[n - 1]), float(x0[n - 1] - x1[n]))
            is_small = gap < SPACE_EM * float(max(y1[n] - y0[n], y1[n - 1] - y0[n - 1]))
            if is_small and all(is_added(text_page, index) == 1 for index in range(before + 1, after)):
                characters.spaces[n] = 0


def _kind(text: str) -> int:
    if not text or _UNSEEN.match(text):
        return _NOTHING
    if text.isspace():  # PDFium breaks lines with \r\n; the boxes decide whether there is a space
        return _LINE_BREAK if text in "\r\n" else _SPACE
    return _CHARACTER


def _overlapped_spaces(kinds: Any, x0: Any, x1: Any, y0: Any, y1: Any) -> Any:
    """Returns the indexes of spaces that follow a letter within a word, and over which the next letter is drawn."""
    n = np.flatnonzero(kinds[1:-1] == _SPACE) + 1
    n = n[(kinds[n - 1] == _CHARACTER) & (kinds[n + 1] == _CHARACTER)]
    width, least = x1[n] - x0[n], _NEAR_EM * (y1[n] - y0[n])
    follows = (np.abs(x0[n] - x1[n - 1]) < least) & (np.abs(y1[n] - y1[n - 1]) < least)
    return n[follows & (width > 4 * least) & (np.abs(x0[n + 1] - x0[n]) < least) & (np.abs(y1[n + 1] - y1[n]) < least)]


def _begins_at(text_page: Any, one: int, other: int, width: float) -> bool:
    """Returns whether the second character begins where the first one, of this width, begins. Letters such as an italic f may
    reach far to the left of their place."""
    x0, y0, x1, y1 = ctypes.c_double(), ctypes.c_double(), ctypes.c_double(), ctypes.c_double()
    get_origin = pdfium.FPDFText_GetCharOrigin
    if not get_origin(text_page, one, x0, y0) or not get_origin(text_page, other, x1, y1):
        return True
    return math.hypot(x1.value - x0.value, y1.value - y0.value) < 0.5 * width


def _takes_room(x0: Any, x1: Any, height: Any) -> Any:
    """Returns, for each character, whether it has a width and the next character begins at another place."""
    least = _DRAWN_HYPHEN_EM * height
    takes = x1 - x0 > least
    takes[:-1] &= np.abs(x0[1:] - x0[:-1]) > least[:-1]
    return takes


def _turn_ligatures(codes: list[int], rectangles: Any) -> None:
    """Swaps, in place, the two letters of the ligature of lam and alef where a font maps its glyph to both: PDFium reverses texts
    from right to left, these letters included. They share one box; alef and lam side by side have two."""
    for n in (n for n, code in enumerate(codes[1:]) if code == _LAM and codes[n] in _ALEFS) if _LAM in codes else ():
        if (rectangles[n] == rectangles[n + 1]).all():
            codes[n], codes[n + 1] = codes[n + 1], codes[n]


def _without_surrogates(codes: list[int]) -> list[int]:
    """Combines surrogate pairs into the second one's code; the first becomes 0 (no character)."""
    joined, high = list(codes), 0
    for index, code in enumerate(codes):
        if 0xD800 <= code < 0xDC00:
            joined[index], high = 0, code
            continue
        if high and 0xDC00 <= code < 0xE000:
            joined[index] = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        high = 0
    return joined


def character_of(code: int) -> str:
    """Returns the text of a code that PDFium reports. U+FFFD for half of a surrogate pair, which cannot be written to a file.

    A visible soft hyphen becomes a hyphen. Shaped Arabic and Hebrew letters become plain ones.
    """
    if code < 0xAD:
        return "-" if code == _HYPHEN_AT_LINE_END else chr(code) if code else ""
    if code == _SOFT_HYPHEN:
        return "-"
    if code < 0xD800:
        return chr(code)
    if code > 0x10FFFF or code < 0xE000:
        return "\ufffd"
    if code == _NONCHARACTER_HYPHEN:
        return "-"
    text = chr(code)
    if 0xFB00 <= code <= 0xFB06:
        return _LATIN_LIGATURES.get(text, text)
    if 0xFB1D <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFC:
        return unicodedata.normalize("NFKC", text).strip() or text
    return text


def _upright_boxes(rectangles: Any, upright: Upright) -> tuple[Any, Any, Any, Any]:
    """Converts boxes to the upright page. `rectangles` (n, 4): left, top, right, bottom of FS_RECTF, in user space."""
    left, top, right, bottom = rectangles.astype(np.float64).T
    ax, ay = upright.a * left + upright.c * bottom + upright.e, upright.b * left + upright.d * bottom + upright.f
    bx, by = upright.a * right + upright.c * top + upright.e, upright.b * right + upright.d * top + upright.f
    return np.minimum(ax, bx), np.minimum(ay, by), np.maximum(ax, bx), np.maximum(ay, by)
