"""Writes raised digits as superscripts, so that a footnote or an exponent does not become part of a number: 2002³⁷, 10⁶."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rayocr.pdf.textlayer.glyphs.characters import Characters

RAISED = str.maketrans("0123456789-\u2212\u2010\u2013+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁻⁻⁺")
LOWERED = str.maketrans("0123456789-\u2212\u2010\u2013+", "₀₁₂₃₄₅₆₇₈₉₋₋₋₋₊")
_SIGNS = frozenset("-\u2212\u2010\u2013+")  # signs before a raised number: 10⁻³
_BETWEEN = frozenset(",.\u2013/")  # signs between the numbers of footnotes (¹,² and ³–⁵) and within an exponent (5¹/² and T².⁷)
_FRACTION_SLASHES = ("\u2044", "/")
_DIGITS = frozenset("0123456789")
_PLAIN = _SIGNS | _DIGITS
_SMALLER = 0.85  # largest size of a raised digit, as a share of the size of the character before it
_RAISED_EM, _LOWERED_EM = 0.15, 0.08
_SAME_SIZE, _RAISED_WHOLE_EM, _LEVEL_PT = 1.02, (0.25, 0.7), 0.1  # limits for exponents that are as large as their base
_MOVED_EM = 0.08  # share of the box's height by which a digit must be raised or lowered to be checked
_GAP_EM = 0.25
_NEAR_EM = 2.4  # twice the largest distance between the middles of a digit and its base
_APART_EM, _BELOW_EM = 0.08, 0.5  # for fractions: the space before the numerator, and its distance from the number below it
RAISED_DIGITS = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹")

Origin = Callable[[int], tuple[float, float]]


def with_superscripts(characters: Characters, origin_of: Origin) -> None:
    """Changes the texts in place. `origin_of` returns the height of a character's baseline on the page (y down) and its displayed
    size, both in points, at PDFium's index. Lowered digits change only after a digit, so H2O stays unchanged."""
    texts = characters.texts
    digits = np.array([text in _DIGITS for text in texts], bool)
    if not digits[1:].any():
        return
    signs = np.array([text in _SIGNS for text in texts[:-1]], bool)
    signed = np.append(signs & digits[1:], False)
    x0, y0, x1, y1 = characters.x0, characters.y0, characters.x1, characters.y1
    em = np.maximum(y1 - y0, 1.0)
    moved = np.abs(y1[1:] - y1[:-1]) > _MOVED_EM * em[:-1]
    beside = np.abs(x0[1:] - x1[:-1]) < _GAP_EM * em[:-1]
    near = np.abs((y0 + y1)[1:] - (y0 + y1)[:-1]) < _NEAR_EM * em[:-1]
    close = moved & beside & near
    for n in (np.flatnonzero((digits | signed)[1:] & close) + 1).tolist():
        if characters.spaces[n] == 2 or texts[n] not in _PLAIN:
            continue
        table = _table(characters, n, n - 1, origin_of)
        if table is None and n > 1 and texts[n - 1].isdigit() and characters.spaces[n - 1] != 2:
            base = _before_index(characters, n - 1)  # the digit may be an exponent after an index of the same size
            above = _table(characters, n, base, origin_of) if base >= 0 else None
            table = RAISED if above is RAISED and _table(characters, n - 1, base, origin_of) is not RAISED else None
        if table is RAISED and _is_numerator(characters, n):
            continue
        if table is not None:
            end = n
            while end < len(texts) and (end == n or _continues(characters, end)):
                if digits[end] or end == n:
                    texts[end] = texts[end].translate(table)
                elif texts[end] not in _BETWEEN or not (digits[end + 1 :][:1].any() and _continues(characters, end + 1)):
                    break
                end += 1
    for n in np.flatnonzero(digits[:-1] & close).tolist():  # a raised digit before a word or a number marks a footnote
        if characters.spaces[n + 1] == 2 or not texts[n].isascii() or not _is_mark_before(characters, n, origin_of):
            continue
        texts[n] = texts[n].translate(RAISED)
        while n and digits[n - 1] and _continues(characters, n):
            n -= 1
            texts[n] = texts[n].translate(RAISED)


def _table(characters: Characters, digit: int, other: int, origin_of: Origin) -> dict[int, int] | None:
    """Returns how to write a digit beside another character; None if both are of one size or on one baseline."""
    base, size = origin_of(characters.indexes[other])
    height, own = origin_of(characters.indexes[digit])
    if not 0 < own <= _SMALLER * size:
        is_raised = 0 < own <= _SAME_SIZE * size and _RAISED_WHOLE_EM[0] * size <= base - height <= _RAISED_WHOLE_EM[1] * size
        return RAISED if is_raised and _is_after_level_text(characters, digit, other, base, origin_of) else None
    if base - height >= _RAISED_EM * size:
        return RAISED
    follows_number = characters.texts[other].isdigit() or characters.texts[other] in _FRACTION_SLASHES
    return LOWERED if height - base >= _LOWERED_EM * size and follows_number else None


def _is_mark_before(characters: Characters, n: int, origin_of: Origin) -> bool:
    """Returns whether the n-th character, a digit, is raised beside the next one. Beside a digit, it must not be so high that it
    may belong to the line above."""
    if not characters.texts[n + 1].isdigit():
        return _table(characters, n, n + 1, origin_of) is RAISED
    if not characters.texts[n + 1].isascii():
        return False
    base, size = origin_of(characters.indexes[n + 1])
    height, own = origin_of(characters.indexes[n])
    return 0 < own <= _SMALLER * size and _RAISED_EM * size <= base - height <= _RAISED_WHOLE_EM[1] * size


def _is_after_level_text(characters: Characters, digit: int, other: int, base: float, origin_of: Origin) -> bool:
    """Returns whether `other` follows text on its own baseline, and not text whose letters rise one by one."""
    end = digit + 1
    while end < len(characters) and _continues(characters, end):
        if not characters.texts[end].isdigit():
            return False  # a letter follows the digits, as in 1e9, so they are not an exponent
        end += 1
    if other != digit - 1 or other < 1 or not _continues(characters, other):
        return False
    return abs(origin_of(characters.indexes[other - 1])[0] - base) < _LEVEL_PT


def _is_numerator(characters: Characters, n: int) -> bool:
    """Returns whether the raised number is above another one, and not the exponent of a letter with an index below it."""
    end = n + 1
    while end < len(characters) and characters.texts[end].isdigit() and _continues(characters, end):
        end += 1
    if end == len(characters) or not characters.texts[end].isdigit():
        return False
    em = max(float(characters.y1[n] - characters.y0[n]), 1.0)
    is_apart = float(characters.x0[n] - characters.x1[n - 1]) > _APART_EM * em or characters.texts[n - 1].isdigit()
    is_below = float(characters.y1[end] - characters.y1[n]) > _BELOW_EM * em
    return is_apart and is_below and bool(characters.x0[end] < characters.x1[end - 1] and characters.x1[end] > characters.x0[n])


def _before_index(characters: Characters, n: int) -> int:
    """Returns the index before the digits that end at n; -1 if there is none."""
    while n > 0 and characters.texts[n - 1].isdigit() and _continues(characters, n):
        n -= 1
    return n - 1


def _continues(characters: Characters, n: int) -> bool:
    em = max(float(characters.y1[n] - characters.y0[n]), 1.0)
    level = abs(float(characters.y1[n] - characters.y1[n - 1])) < 0.05 * em
    return level and characters.spaces[n] == 0 and abs(float(characters.x0[n] - characters.x1[n - 1])) < _GAP_EM * em
