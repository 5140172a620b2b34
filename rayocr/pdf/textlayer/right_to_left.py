"""Converts Arabic and Hebrew lines from visual order (left to right) to reading order.

The order in the file is unreliable: producers write such lines from either side, and PDFium reorders parts of them. This module
uses the positions on the page and reverses the Unicode bidirectional algorithm for one line without explicit marks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_NUMBER_SEPARATORS = frozenset(".,:/-+\u2013\u066b\u066c\u060c")  # a single sign between two digits
_DASHES = "\u2013\u2014"
_SIGNS = frozenset("+-\u2212")
_UNITS = frozenset("%\u066a\u2030°")
_BRACKETS = frozenset("()[]{}")
_SENTENCE_ENDS = frozenset(".!?;:")  # a sign at the left edge of a line whose sentence runs from the right
_BESIDE_NUMBERS = frozenset("%$€£¥₪₹#°\u066a")


def is_right_to_left(char: str) -> bool:
    """Returns whether the character is a Hebrew or Arabic letter, in plain or shaped form."""
    if "\u0590" <= char <= "\u08ff":
        return not _is_digit(char)
    return "\ufb1d" <= char <= "\ufdff" or "\ufe70" <= char <= "\ufefc"


def logical_order(shown: Sequence[str], *, right_to_left_page: bool) -> list[int]:
    """Returns the reading order of the parts of a line, as indexes into `shown`, which is in order from left to right.

    Each part is one or more characters that are already in reading order. `right_to_left_page`: whether the page's letters are
    mostly Arabic or Hebrew; it decides for lines that mix both.
    """
    kinds = [_kind(part) for part in shown]
    right, left = kinds.count("R"), kinds.count("L")
    if not right:
        return list(range(len(shown)))
    if right > left or (right_to_left_page and 4 * right >= left):
        return _from_the_right(kinds, shown, 0, len(shown))
    order: list[int] = []
    position = 0
    if right_to_left_page and shown[0] in _SENTENCE_ENDS:
        return _from_the_right(kinds, shown, 0, len(shown))
    while position < len(shown):
        if kinds[position] != "R":
            order.append(position)
            position += 1
            continue
        end = position + 1
        for ahead in range(position + 1, len(shown)):
            if kinds[ahead] == "L":
                break
            if kinds[ahead] == "R":
                end = ahead + 1
        order += _from_the_right(kinds, shown, position, end)
        position = end
    return order


def _from_the_right(kinds: Sequence[str], shown: Sequence[str], start: int, end: int) -> list[int]:
    order: list[int] = []
    position = end
    while position > start:
        last = position - 1
        is_sign_of_number = shown[last] in _BESIDE_NUMBERS and last > start and kinds[last - 1] == "D"
        is_part_of_words = is_sign_of_number or _closes_latin_words(kinds, shown, start, last)
        first = _run_start(kinds, shown, start, last - is_part_of_words) if kinds[last] in "LD" or is_part_of_words else last
        run = list(range(first, position))
        if len(run) > 1 and shown[first] in _UNITS and kinds[first + 1] == "D" and _has_arabic(shown[start:end]):
            run.append(run.pop(0))  # Arabic sets the sign to the left of the number and reads it after the number
        order += run
        position = first
    return order


def _closes_latin_words(kinds: Sequence[str], shown: Sequence[str], start: int, last: int) -> bool:
    """Returns whether the bracket at `last` closes a pair that belongs to the Latin words to its left, as in "Pro (64-bit)"."""
    if shown[last] not in _BRACKETS:
        return False
    has_letters = False
    for position in range(last - 1, start - 1, -1):
        if kinds[position] == "R":
            return False
        has_letters |= kinds[position] == "L"
        if shown[position] in _BRACKETS:
            before = next((kind for kind in reversed(kinds[start:position]) if kind in "LR"), "")
            return has_letters and before == "L"
    return False


def _has_arabic(shown: Sequence[str]) -> bool:
    return any("\u0600" <= char <= "\u08ff" or "\ufb50" <= char <= "\ufefc" for part in shown for char in part)


def _run_start(kinds: Sequence[str], shown: Sequence[str], start: int, last: int) -> int:
    """Returns the start of the Latin words or the number that end at `last`."""
    first, has_letters = last, kinds[last] == "L"
    if not has_letters and (signed := _signed_start(kinds, shown, start, last)) is not None:
        return signed
    for position in range(last - 1, start - 1, -1):
        between = shown[position + 1 : first]
        if kinds[position] == "N":
            continue
        if kinds[position] == "L":
            has_letters = True
        elif kinds[position] == "R" or not (has_letters or not between or "".join(between) in _NUMBER_SEPARATORS):
            break
        is_number = not has_letters and bool(between)
        if is_number and _is_read_from_the_right(kinds, shown, start, position, first, last):
            break
        first = position
    if not has_letters:
        while first > start and shown[first - 1] in _BESIDE_NUMBERS:
            first -= 1
    return first


def _is_read_from_the_right(kinds: Sequence[str], shown: Sequence[str], start: int, before: int, first: int, last: int) -> bool:
    """Returns whether two numbers with a dash between them are in the order of the words around them: a range, or, after Arabic
    words, the groups of a telephone number."""
    dash = shown[before + 1]
    if dash in _DASHES:
        return _is_descending(shown, start, before, first, last)
    if dash != "-" or next((kind for kind in kinds[last + 1 :] if kind in "LR"), "") != "R" or not _has_arabic(shown[last + 1 :]):
        return False
    begin = last
    while begin > start and (_is_digit(shown[begin - 1][:1]) or shown[begin - 1] == "-"):
        begin -= 1
    groups = [len(group) for group in "".join(shown[begin : last + 1]).split("-")]
    is_range = len(groups) == 2 and groups[0] == groups[1]
    return not is_range or _is_descending(shown, start, before, first, last)


def _signed_start(kinds: Sequence[str], shown: Sequence[str], start: int, last: int) -> int | None:
    """Returns the place of the sign before the number that ends at `last`, for -3 and +966 11 555; None if it has no sign.
    Programs that write such numbers from the left put the sign to the left of the first digit, with nothing before it."""
    if list(shown[last + 1 : last + 2]) == ["-"] and kinds[last + 2 : last + 3] == ["D"]:
        return None  # a group of a number that is read from the right
    position, groups, has_dash = last, 1, False
    while position > start:
        before = shown[position - 1]
        if kinds[position - 1] == "D" or before in _NUMBER_SEPARATORS - _SIGNS:
            position -= 1
        elif before in _SIGNS and kinds[position] == "D":
            if last + 1 == len(shown) and position - 1 > start and shown[position - 2] == " ":
                return None  # the marker of a list item: 1-
            is_free = position - 1 == start or shown[position - 2] == " " or shown[position - 2] in _BRACKETS
            if is_free and (before == "+" or (groups == 1 and not has_dash)):
                return position - 1
            if not is_free and kinds[position - 2] == "D":
                position -= 1
                has_dash = True
                continue
            return None
        elif before == " " and position > start + 1 and kinds[position - 2] == "D" and kinds[position] == "D":
            position -= 1  # groups of a telephone number
            groups += 1
        else:
            return None
    return None


def _is_descending(shown: Sequence[str], start: int, before: int, first: int, last: int) -> bool:
    """Returns whether the number or time that ends at `before` is larger than the one from `first` to `last`."""
    begin = before
    while begin > start and (_is_digit(shown[begin - 1][:1]) or shown[begin - 1] in ".:"):
        begin -= 1
    while not _is_digit(shown[begin][:1]):
        begin += 1
    one, other = (_parts_of("".join(part)) for part in (shown[begin : before + 1], shown[first : last + 1]))
    return len(one) == len(other) and one > other


def _parts_of(number: str) -> list[int]:
    """Returns the numbers of a text such as 14:30 or 1.2.3 as a list: [14, 30]; empty for any other text."""
    parts = number.replace(".", ":").split(":")
    return [int(part) for part in parts] if all(part.isdecimal() and len(part) < 10 for part in parts) else []


def _kind(part: str) -> str:
    """Returns R or L for letters of either direction, D for digits, N for neutral characters."""
    for char in part:
        if is_right_to_left(char) and unicodedata.category(char)[0] in "LM":  # but not the separators of numbers in this block
            return "R"
        if _is_digit(char):
            return "D"
        if char.isalpha():
            return "L"
    return "N"


def _is_digit(char: str) -> bool:
    return len(char) == 1 and unicodedata.category(char) == "Nd"
