"""Distinguishes vertical Japanese or Chinese text from a sheet that was scanned sideways: both have tall boxes.

The recognizer also reads a column that is rotated onto its side, so the text alone is not sufficient. The characters of a real
column give the same text when they are cut out and placed side by side; those of a rotated line do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines

_FIRST_WIDE, _LAST_WIDE = "\u2e80", "\uffef"
_LEAST_SIGNS = 4
_SAMPLE = 3  # number of columns that are compared
_ALIKE = 0.5
_WIDE_SHARE = 0.6


def is_set_in_columns(columns: Sequence[tuple[Any, str]], read: ReadsLines) -> bool:
    """Returns whether the text is vertical. `columns`: pictures of tall boxes in the page's orientation, with the text read from
    them from top to bottom."""
    sample = [(column, text) for column, text in columns if is_wide(text) and len(text) >= _LEAST_SIGNS]
    sample = sorted(sample, key=lambda pair: -len(pair[1]))[:_SAMPLE]
    if not sample:
        return False
    again = read([_side_by_side(column, len(text)) for column, text in sample])
    alike = [
        SequenceMatcher(None, text, other.text, autojunk=False).ratio() for (_, text), other in zip(sample, again, strict=True)
    ]
    return sum(alike) > _ALIKE * len(alike)


def is_wide(text: str) -> bool:
    """Returns whether most of the text is Chinese, Japanese or Korean."""
    return sum(_FIRST_WIDE <= sign <= _LAST_WIDE for sign in text) > _WIDE_SHARE * len(text)


def _side_by_side(column: Any, count: int) -> Any:
    """Returns the characters of a column (rows, columns) as one line. `count` is their number; all are equally high."""
    import numpy as np

    edges = np.linspace(0, column.shape[0], count + 1).round().astype(int)
    height = int(np.diff(edges).max())
    line = np.full((height, count * column.shape[1]), column.max(), np.uint8)
    for index in range(count):
        sign = column[edges[index] : edges[index + 1]]
        line[: sign.shape[0], index * column.shape[1] : (index + 1) * column.shape[1]] = sign
    return line
