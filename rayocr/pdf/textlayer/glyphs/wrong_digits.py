"""Finds fonts whose maps give digits another meaning than their glyphs: two digits become one, become a space, or are swapped.

A map to Unicode may assign any character to a glyph, and no rule of language detects a wrong number. Therefore the outlines of
the glyphs are compared; they are as large as the boxes that PDFium reports for them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.outlines.digits import has_other_digits
from rayocr.pdf.textlayer.rendered_text import address_of, font_at

_ZERO, _NINE = 0x30, 0x39
_SIGNS = ".,+-\u2212"  # signs that are checked before digits
_SIGN_CODES = frozenset(map(ord, _SIGNS))
_LINE_FEED = 0x0A
_SPACES = np.array([_LINE_FEED, 0x20, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], np.int32)
_MOST = 150  # number of digits that are examined per page; a wrong map is wrong everywhere
_MOST_POINTS = 60
_STRIDE = 16  # number of spaces between two that are examined outside numbers
_SAME_IN_ADVANCE, _SAME_WIDTH = 0.0013, 0.0005  # smaller differences are rounding; one unit of a font is larger
_SAME_ADVANCE = 0.003
_LEVEL = 0.01  # largest offset as a share of a box's height, and largest slope of a level baseline
_ONE_HEIGHT = 0.06  # digits of another style, such as old-style or raised ones, differ by more
_INK, _SIGN, _LARGE = 0.03, 0.15, 0.3  # size of the box of a space that shows something, and of a digit or a letter
_SMALLEST = 2.0  # least height of a font's box, in points
_FLAT_SIGN, _TALL_SIGN = 0.5, 0.8  # least ratio of height to width of a plus, and largest ratio of a minus
_FLAT = frozenset("1247")  # digits that stand on the baseline; round digits reach below it
_INVISIBLE = pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
_TAIL, _SQUARE = 0.03, 1.2  # how far a comma reaches below the baseline; largest ratio of height and width of a point
_OVERSHOOT, _LEAST_DIGITS, _LEAST_PAIRS, _WRONG_FEET = 0.004, 5, 4, 0.3


class _Shape(NamedTuple):
    """The outline's size and place, as shares of the height of the font's box."""

    in_advance: float  # the width as a share of the advance
    height: float
    above: float  # the baseline; negative if the outline reaches below it
    width: float

    @property
    def advance(self) -> float:
        return self.width / self.in_advance


def with_wrong_digits(text_page: Any, codes: Sequence[int], rectangles: Any) -> frozenset[int]:
    """Returns the addresses of raw text objects whose glyphs are other digits, signs or letters than the text. `rectangles`: the
    loose boxes of the characters, (n, 4), in user space. Takes 8 µs per digit."""
    values = np.fromiter(codes, np.int32, len(codes))
    is_digit = (values >= _ZERO) & (values <= _NINE)
    digits = np.flatnonzero(is_digit)
    shown = _inked_spaces(text_page, codes, np.flatnonzero(np.isin(values[1:-1], _SPACES)) + 1, is_digit, rectangles)
    fonts = _fonts_with_wrong_digits(text_page, codes, digits, rectangles) | {font_at(text_page, n) for n in shown}
    signed = [*digits.tolist(), *(n - 1 for n in digits.tolist() if n and codes[n - 1] in _SIGN_CODES)] if fonts else []
    wrong = [*shown, *(n for n in signed if font_at(text_page, n) in fonts)]
    return visible_objects(text_page, wrong)


def visible_objects(text_page: Any, places: Iterable[int]) -> frozenset[int]:
    """Returns the addresses of the raw text objects of these characters, without those of invisible text, whose glyphs are
    irrelevant."""
    items = (pdfium.FPDFText_GetTextObject(text_page, n) for n in places)
    shown = (item for item in items if item and pdfium.FPDFTextObj_GetTextRenderMode(item) != _INVISIBLE)
    return frozenset(map(address_of, shown))


def _fonts_with_wrong_digits(text_page: Any, codes: Sequence[int], digits: Any, rectangles: Any) -> set[int]:
    signs = [n - 1 for n in digits.tolist() if n and codes[n - 1] in _SIGN_CODES]
    places = [*digits[:: 1 + len(digits) // _MOST].tolist(), *signs[:: 1 + len(signs) // _MOST_POINTS]]
    shapes: dict[int, dict[str, set[_Shape]]] = {}
    handles: dict[int, Any] = {}
    for n, shape in zip(places, glyph_shapes(text_page, places, rectangles), strict=True):
        if shape is not None and (font := font_at(text_page, n)):
            if font not in handles:
                handles[font] = pdfium.FPDFTextObj_GetFont(pdfium.FPDFText_GetTextObject(text_page, n))
            shapes.setdefault(font, {}).setdefault(chr(codes[n]), set()).add(shape)
    wrong = set()
    for font, found in shapes.items():
        marks = {sign: next(iter(found.pop(sign))) for sign in _SIGNS if sign in found}
        tabular = _are_tabular(found)
        if (
            any(_differ(shapes, tabular=tabular) for shapes in found.values())
            or _stand_wrong(found)
            or _are_swapped(marks, found)
            or _are_other_signs(marks)
            or has_other_digits(handles[font], found)
        ):
            wrong.add(font)
    return wrong


def glyph_shapes(text_page: Any, places: Sequence[int], rectangles: Any) -> Iterator[_Shape | None]:
    """Yields None for slanted and tiny characters, and for those without an outline."""
    x, y = (ctypes.c_double() for _ in range(2))
    values = tuple(ctypes.c_double() for _ in range(4))
    get_box, get_origin = pdfium.FPDFText_GetCharBox, pdfium.FPDFText_GetCharOrigin
    for n, (left, top, right, bottom) in zip(places, rectangles[list(places)].tolist(), strict=True):
        if not (get_box(text_page, n, *values) and get_origin(text_page, n, x, y)):
            yield None
            continue
        x0, x1, y0, y1 = (value.value for value in values)
        wide, high, advance, height, low, upper, base = x1 - x0, y1 - y0, right - left, top - bottom, y0, y1, y.value
        if min(abs(x.value - left), abs(x.value - right)) > _LEVEL * height:  # a level character begins at the edge of its box
            if min(abs(y.value - bottom), abs(y.value - top)) > _LEVEL * advance:
                yield None
                continue
            wide, high, advance, height, low, upper, base = high, wide, height, advance, x0, x1, x.value
        if wide <= 0 or high <= 0 or advance <= 0 or height < _SMALLEST:
            yield None
            continue
        above = low - base if abs(low - base) <= abs(upper - base) else base - upper
        yield _Shape(round(wide / advance, 4), round(high / height, 4), round(above / height, 4), round(wide / height, 4))


def _are_tabular(digits: dict[str, set[_Shape]]) -> bool:
    """Returns whether all digits of the font are as wide as one of them, in one of the styles in which it is set."""
    if len(digits) < _LEAST_DIGITS:
        return False
    one, *others = digits.values()
    return any(all(any(_is_as_wide(this, that) for that in shapes) for shapes in others) for this in one)


def _is_as_wide(one: _Shape, other: _Shape) -> bool:
    return abs(one.advance - other.advance) <= _SAME_ADVANCE * one.advance


def _differ(shapes: Iterable[_Shape], *, tabular: bool) -> bool:
    """Returns whether two glyphs that stand for the same digit have about the same height but different outlines. If the width
    changes with the advance, the font is stretched. If only the advance changes, only the white space around the digit differs.
    If all digits are equally wide, a glyph with another advance is in another style."""
    for one, other in combinations(shapes, 2):
        gap = abs(one.height - other.height)
        is_other = gap > _OVERSHOOT or abs(one.width - other.width) > _SAME_WIDTH
        is_style = tabular and not _is_as_wide(one, other)
        moved = abs(one.in_advance - other.in_advance) > _SAME_IN_ADVANCE
        if is_other and not is_style and moved and gap <= _ONE_HEIGHT * other.height:
            return True
    return False


def _stand_wrong(digits: dict[str, set[_Shape]]) -> bool:
    """Returns whether digits with a flat foot reach below those with a round one."""
    shapes = [(digit in _FLAT, next(iter(found))) for digit, found in digits.items()]
    heights = [shape.height for _, shape in shapes]
    if len(shapes) < _LEAST_DIGITS or max(heights) > (1 + _ONE_HEIGHT) * min(heights):
        return False
    gaps = [flat.above - other.above for is_flat, flat in shapes if is_flat for is_other, other in shapes if not is_other]
    right, wrong = sum(gap > _OVERSHOOT for gap in gaps), sum(gap < -_OVERSHOOT for gap in gaps)
    return wrong >= _LEAST_PAIRS and wrong >= _WRONG_FEET * (right + wrong)


def _are_swapped(signs: dict[str, _Shape], digits: dict[str, set[_Shape]]) -> bool:
    """Returns whether a point reaches as far below the digits as a comma does, or a comma stands on their baseline like a
    point."""
    feet = [shape.above for found in digits.values() for shape in found]
    if not feet or max(feet) - min(feet) > _TAIL:
        return False  # old-style digits
    marks = {sign: shape for sign, shape in signs.items() if sign in ".,"}
    below = {sign: min(feet) - shape.above for sign, shape in marks.items()}
    is_square = {sign: shape.height < _SQUARE * shape.width for sign, shape in marks.items()}  # Arabic points stand low
    return (below.get(".", 0.0) > _TAIL and not is_square["."]) or (below.get(",", _TAIL) < 0.0 and is_square[","])


def _are_other_signs(signs: Mapping[str, _Shape]) -> bool:
    """Returns whether a plus is as flat as a minus, or a minus or a hyphen as tall as a plus."""
    aspects = {sign: shape.height / shape.width for sign, shape in signs.items() if shape.width > 0}
    return aspects.get("+", 1.0) < _FLAT_SIGN or max(aspects.get("-", 0.0), aspects.get("\u2212", 0.0)) > _TALL_SIGN


def _inked_spaces(text_page: Any, codes: Sequence[int], spaces: Any, is_digit: Any, rectangles: Any) -> list[int]:
    """Returns the spaces that show something: a sign within a number, a digit beside a number, a letter within a word. Examines
    only a sample of the spaces between words, and all of them if the sample contains such a space."""
    beside = is_digit[spaces - 1] | is_digit[spaces + 1]
    others = spaces[~beside]
    found = inked_spaces_of(text_page, codes, spaces[beside], rectangles)
    if inked_spaces_of(text_page, codes, others[::_STRIDE], rectangles):
        found += inked_spaces_of(text_page, codes, others, rectangles)
    return found


def inked_spaces_of(text_page: Any, codes: Sequence[int], spaces: Any, rectangles: Any) -> list[int]:
    """Returns those of these spaces that show a sign before a number, or a letter."""
    values = tuple(ctypes.c_double() for _ in range(4))
    found = []
    for n, (left, top, right, bottom) in zip(spaces.tolist(), rectangles[spaces].tolist(), strict=True):
        if not pdfium.FPDFText_GetCharBox(text_page, n, *values):
            continue
        wide, high = values[1].value - values[0].value, values[3].value - values[2].value
        whole = max(right - left, top - bottom)
        if min(wide, high) <= _INK * whole or (wide >= 0.99 * (right - left) and high >= 0.99 * (top - bottom)):
            continue  # no ink, or the box of a replaced text
        is_within = all(chr(codes[m]).isalnum() for m in (n - 1, n + 1))  # and not a dot of a leader
        is_drawn = pdfium.FPDFText_IsGenerated(text_page, n) != 1
        is_sign = max(wide, high) > _SIGN * whole and chr(codes[n + 1]).isdigit()
        is_sign = is_sign and font_at(text_page, n) == font_at(text_page, n + 1)  # large brackets are in other fonts
        is_letter = codes[n] != _LINE_FEED and max(wide, high) > _LARGE * whole
        if is_drawn and (is_within or is_sign or is_letter) and _is_level(text_page, n):
            found.append(n)
    return found


def _is_level(text_page: Any, n: int) -> bool:
    """Returns whether the baseline is not slanted. PDFium reports the angle 0 for a skewed baseline."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text_page, n, matrix):
        return False
    low, high = sorted((abs(matrix.a), abs(matrix.b)))
    return bool(low < _LEVEL * high)
