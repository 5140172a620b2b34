"""Joins signs of currencies with their amounts: financial tables set them in separate columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rayocr.engines.layout.lines import LayoutLine

_SIGN = re.compile(r"[$€£¥₹]")
_SIGN_BEHIND = re.compile(r"(.*\d\)?) ?([$€£¥₹])")  # of the next column, read as one line with this amount
_AMOUNT = re.compile(r"\(?-?\d[\d.,'’ ]*\)?|[-–—]")
_GAP_EM = 8.0  # largest white space between a sign and its amount
_SIGN_EM = 0.6  # width of a sign
_LEVEL = 0.5  # distance of the centers, as a share of the height


def join_currency_signs(lines: Sequence[LayoutLine], em: float) -> list[LayoutLine]:
    """Returns the lines, with one line for each sign and the amount to the right of it."""
    if not any(_SIGN.search(line.text) for line in lines):
        return list(lines)
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


def _parted(line: LayoutLine, em: float) -> list[LayoutLine]:
    behind = _SIGN_BEHIND.fullmatch(line.text.strip())
    if behind is None or line.width < 2 * _SIGN_EM * em or not _AMOUNT.fullmatch(behind.group(1).strip()):
        return [line]
    cut = line.x1 - _SIGN_EM * em
    return [
        replace(line, text=behind.group(1).strip(), x1=cut - _SIGN_EM * em, columns=""),
        replace(line, text=behind.group(2), x0=cut, columns=""),
    ]
