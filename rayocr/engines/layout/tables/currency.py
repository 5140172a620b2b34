"""Joins currency signs with their amounts, since financial tables set them in separate columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rayocr.engines.layout.lines import LayoutLine

_SIGN = re.compile(r"[$€£¥₹]")
_SIGN_BEHIND = re.compile(r"(.*\d\)?) ?([$€£¥₹])")  # a sign of the next column that was read as one line with this amount
_AMOUNT = re.compile(r"\(?-?\d[\d.,'’ ]*\)?|[-–—]")
_GAP_EM = 8.0  # largest white space between a sign and its amount
_BEHIND_EM = 1.5  # largest distance from an amount to a sign after it
_SIGN_EM = 0.6  # approximate width of a sign
_LEVEL = 0.5  # largest distance of the centers of a sign and its amount, as a share of the height


def join_currency_signs(lines: Sequence[LayoutLine], em: float) -> list[LayoutLine]:
    """Returns the lines, with one line for each sign and the amount to the right of it."""
    if not any(_SIGN.search(line.text) for line in lines):
        return list(lines)
    if _stand_behind(lines, em):
        return _with_signs_behind(lines, em)
    parted = [part for line in lines for part in _parted(line, em)]
    joined = {id(line): line for line in parted}
    for sign in parted:
        if not _SIGN.fullmatch(sign.text.strip()):
            continue
        level = [other for other in parted if other.x0 > sign.x0 and abs(other.center_y - sign.center_y) < _LEVEL * sign.height]
        amount = min(level, key=lambda other: other.x0, default=None)
        if amount is not None and _AMOUNT.fullmatch(amount.text.strip()) and amount.x0 - sign.x1 < _GAP_EM * em:
            del joined[id(sign)]
            joined[id(amount)] = replace(amount, text=f"{sign.text.strip()} {amount.text.strip()}", columns="")
    return list(joined.values())


def _stand_behind(lines: Sequence[LayoutLine], em: float) -> bool:
    """Returns whether the page writes the signs after the amounts, as in "4,90 €": most of the last signs of rows have no amount
    to the right of them, but one to the left."""
    behind = before = 0
    for line in lines:
        text = line.text.strip()
        if _SIGN.fullmatch(text[-1:]) is None:
            continue
        level = [other for other in lines if other is not line and abs(other.center_y - line.center_y) < _LEVEL * line.height]
        if any(other.x0 > line.x0 and _AMOUNT.fullmatch(other.text.strip(" $€£¥₹")) for other in level):
            before += len(text) == 1 and not any(_is_before(other, line, em) for other in level)
        else:
            behind += len(text) > 1 or any(_is_before(other, line, em) for other in level)
    return behind > before


def _is_before(amount: LayoutLine, sign: LayoutLine, em: float) -> bool:
    return _AMOUNT.fullmatch(amount.text.strip()) is not None and amount.x0 < sign.x0 and sign.x0 - amount.x1 < _BEHIND_EM * em


def _with_signs_behind(lines: Sequence[LayoutLine], em: float) -> list[LayoutLine]:
    joined = {id(line): line for line in lines}
    for sign in lines:
        if not _SIGN.fullmatch(sign.text.strip()):
            continue
        level = [other for other in lines if abs(other.center_y - sign.center_y) < _LEVEL * sign.height]
        amount = max((other for other in level if _is_before(other, sign, em)), key=lambda other: other.x1, default=None)
        if amount is not None:
            del joined[id(sign)]
            joined[id(amount)] = replace(amount, text=f"{amount.text.strip()} {sign.text.strip()}", x1=sign.x1, columns="")
    return list(joined.values())


def _parted(line: LayoutLine, em: float) -> list[LayoutLine]:
    behind = _SIGN_BEHIND.fullmatch(line.text.strip())
    if behind is None or line.width < 2 * _SIGN_EM * em or not _AMOUNT.fullmatch(behind.group(1).strip()):
        return [line]
    cut = line.x1 - _SIGN_EM * em
    return [
        replace(line, text=behind.group(1).strip(), x1=cut - _SIGN_EM * em, columns=""),
        replace(line, text=behind.group(2), x0=cut, columns=""),
    ]
