"""Decides which rows of a column are headings: the style of a row suggests it, and the rows above and below it confirm it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rayocr.engines.layout.headings import HeadingScale, without_bold_text, without_lines_of_addresses
from rayocr.engines.layout.joining import ends_in_broken_word
from rayocr.engines.layout.rows import Row
from rayocr.engines.layout.units.breaks import SENTENCE_END, is_mid_sentence

_FULL_EM = 2.5  # rows that end this close to the right edge fill the column
_HEADING_ROWS = 4  # more rows of one size are text
_DIGITS, _YEAR = re.compile(r"\d+"), re.compile(r"1[5-9]\d\d|20\d\d")
_GROUPED = re.compile(r"\d[.,'’]\d|[$€£¥₹%]")  # a number with groups or decimals, or a unit of an amount
_WORD_FIRST = re.compile(r"(?![A-Z]{3} [\d.,]+$)[^\W\d_]{3,}")  # a word that is not the code of a currency
_SECTION = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}\.?\s+[^\W\d_]")
OPEN_END = re.compile(
    r" (?:or|and|of|the|to|in|a|an|for|by|with|as|at|on|is|are|from|that|if|than|but|its|which|de|la|le|les|et|du|des|der|die|das"
    r"|und|von|zu|den|dem|el|y|di|il|e)$"
)


def heading_levels(rows: Sequence[Row], scale: HeadingScale, em: float) -> list[int]:
    """Returns the heading level of each row. A large line in the middle of a sentence is not a heading, since font sizes in text
    layers of scans are guesses. Nor is an amount in large figures."""
    levels = [0 if row.is_tabular(em) else scale.level(row) for row in rows]
    for index in range(len(rows) - 1):
        above, below = rows[index], rows[index + 1]
        if levels[index] != levels[index + 1] and below.text[:1].islower() and below.y0 - above.y1 < 0.8 * em:
            levels[index] = levels[index + 1] = 0
    for index in range(len(rows) - 2, -1, -1):
        above, below = rows[index], rows[index + 1]
        if levels[index] and not levels[index + 1] and below.text[:1].islower() and below.y0 - above.y1 < 0.8 * em:
            levels[index] = levels[index] if changes_size(above, below) else 0
    for index, row in enumerate(rows):
        follows = index > 0 and levels[index - 1] == levels[index] and row.y0 - rows[index - 1].y1 < 0.6 * row.height
        if (_is_amount(row.text) or (index == 0 and row.text[:1].islower() and levels[index] > 2)) and not follows:
            levels[index] = 0
    for index, (above, below) in enumerate(pairwise(rows)):
        ends_sentence = levels[index] and not levels[index + 1] and below.text.endswith(SENTENCE_END[:2])
        if ends_sentence and above.bold == below.bold and not changes_size(above, below) and is_mid_sentence(above):
            levels[index] = 0 if below.y0 - above.y1 < 0.6 * above.height else levels[index]
    levels = without_lines_of_addresses(rows, _without_paragraphs(rows, levels, em))
    return without_bold_text(rows, levels, scale)


def _is_amount(text: str) -> bool:
    """Returns whether the line is an amount with more digits than letters. Years, dates and words with a number are not: "1998
    and 1999", "Form 101-02"."""
    if sum(map(str.isdigit, text)) <= sum(map(str.isalpha, text)):
        return False
    numbers = _DIGITS.findall(text)
    are_years = any(map(_YEAR.fullmatch, numbers)) and all(len(number) < 3 or _YEAR.fullmatch(number) for number in numbers)
    if are_years and not _GROUPED.search(text):
        return False
    return _WORD_FIRST.match(text) is None or _GROUPED.search(text) is not None


def _without_paragraphs(rows: Sequence[Row], levels: list[int], em: float) -> list[int]:
    """Removes the levels of large text that is not a heading: several lines of one size that fill their column (a paragraph on a
    page with smaller text), and short lines with numbers (an address). Returns the levels."""
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and levels[end] == levels[start] and rows[end].y0 - rows[end - 1].y1 < 0.6 * rows[end].height:
            end += 1
        group = rows[start:end]
        right = max(row.x1 for row in group)
        full = sum(row.x1 > right - _FULL_EM * em for row in group[:-1])
        broken = any(ends_in_broken_word(row.text) for row in group)
        is_text = (len(group) > _HEADING_ROWS or (len(group) > 2 and broken)) and 2 * full > len(group) - 1
        is_address = len(group) > 2 and sum(any(map(str.isdigit, row.text)) for row in group) > 1
        if levels[start] and (is_text or is_address):
            levels[start:end] = [0] * len(group)
        start = end
    return levels


def continues_heading(above: Row, row: Row) -> bool:
    if above.text.isupper() != row.text.isupper() or _SECTION.match(row.text):  # the row above may be a title above its authors
        return False
    gap = row.y0 - above.y1
    is_broken = (
        (row.text[:1].islower() and "@" not in row.text)
        or ends_in_broken_word(above.text)
        or OPEN_END.search(above.text) is not None
    )
    return gap < 0.6 * above.height or (is_broken and gap < 1.05 * above.height)


def changes_size(above: Row, row: Row) -> bool:
    if above.font_size_pt and row.font_size_pt:
        larger, smaller = max(above.font_size_pt, row.font_size_pt), min(above.font_size_pt, row.font_size_pt)
        return larger > 1.15 * smaller
    return False
