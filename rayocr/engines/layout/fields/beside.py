"""Recognizes short blocks side by side that are read one by one: addresses, signature fields.

Lists of labels beside their values have the same shape but are read row by row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import rows_of

_LABEL = re.compile(r"([^\W\d_][^:：]{0,24})\s?(?:[:：]|_{3}|\.{4}|$)")
_SAME_ROW = 0.5  # largest distance of the centers of two lines at one height, as a share of their height
_LEAST_SAME = 2
_LONG_TEXT, _LEAST_TEXTS = 20, 3  # characters of a long text, and least number of long texts; cells of tables are shorter
_ADDRESS_LINES = (3, 8)
_LONGEST = 42  # maximum number of characters in a line of an address
_PLACE = re.compile(
    r"\d{1,5}[a-z]?,? [A-ZÀ-Þ][^\d\n]{0,60}$|[A-ZÀ-Þ][^\d\n]{1,60}(?<! [-–]) \d{1,4}[a-z]?$|(?:[A-Z]{1,2}-)?\d{4,6} [A-ZÀ-Þ]"
    r"|[^\n]{0,60}[a-zß-ÿ],? (?:[A-Z]{2,3} \d{4,6}|\d{5,6})(?:-\d{4})?$|[^\n]{0,60}[A-Z]{1,2}\d{1,2}[A-Z]? \d[A-Z]{2}$"
)  # a street with a house number, or a town with its postal code; "May 2014" is not a town
_LEAST_PLACES = 2
_FIGURES = re.compile(r"[\W\d_]+")
_NUMBER = re.compile(r"(?<![^\W\d_])\d")  # not the digit of a name such as "IL6" or "Col3a1"
_CONTACT = re.compile(r"[^\s@]{1,60}@[^\s@]{3,60}|(?:https?://|www\.)\S+|\+\d[\d ()./-]{6,20}|\(\d{2,5}\) ?[\d ./-]{5,15}")


def have_same_labels(left: Sequence[LayoutLine], right: Sequence[LayoutLine]) -> bool:
    """Returns whether two different labels or more are on both sides, as "Name:" and "Date:" of two signatures, and most rows
    have such a label. A label that is repeated in all rows is that of a list with several fields in each row."""
    beside = 0
    same: list[str] = []
    for row in rows_of(left):
        others = [line for line in right if abs(line.center_y - row.center_y) < _SAME_ROW * row.height]
        beside += bool(others)
        label = _LABEL.match(row.text.strip())
        if label is not None and any((m := _LABEL.match(o.text.strip())) and m.group(1) == label.group(1) for o in others):
            same.append(label.group(1))
    return len(set(same)) >= _LEAST_SAME and 2 * len(same) >= beside


def have_same_texts(left: Sequence[LayoutLine], right: Sequence[LayoutLine]) -> bool:
    """Returns whether the same form is on both sides: most long lines of the left side are level with the same line on the
    right."""
    long = [line for line in left if len(line.text) >= _LONG_TEXT]
    same = sum(
        any(other.text == line.text and abs(other.center_y - line.center_y) < _SAME_ROW * line.height for other in right)
        for line in long
    )
    return same >= _LEAST_TEXTS and 2 * same >= len(long)


def is_address(texts: Sequence[str]) -> bool:
    """Returns whether these lines may be an address: a few short lines, some with a number and some without, of which none is a
    label or only a number. Ignores phone numbers, e-mail addresses and web addresses."""
    least, most = _ADDRESS_LINES
    texts = [text for text in texts if not _CONTACT.fullmatch(text.strip())]
    if not least <= len(texts) <= most or max(map(len, texts)) > _LONGEST:
        return False
    if any(_FIGURES.fullmatch(text) or ":" in text.strip()[:-1] for text in texts) or any(":" in text for text in texts[1:]):
        return False
    with_number = sum(_NUMBER.search(text) is not None for text in texts)
    return 0 < with_number < len(texts) and all(text.strip()[:1].isupper() or text.strip()[:1].isdigit() for text in texts)


def is_postal_address(texts: Sequence[str]) -> bool:
    """Returns whether these lines are an address with a street and a town."""
    return is_address(texts) and sum(_PLACE.match(text.strip()) is not None for text in texts) >= _LEAST_PLACES
