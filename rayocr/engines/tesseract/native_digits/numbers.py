"""Reads numbers in Arabic, Persian and Thai digits, which Tesseract's packs misread without a sign of doubt.

The Arabic pack knows two of the ten digits and the Thai pack five; the Persian pack misreads most numbers. On pages with 40 to 45
numbers each, they read 5 (Arabic), 9 (Persian) and 5 (Thai) of them. The numbers are cut out of the lines, so that the packs read
the words only, and a classifier reads the digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rayocr.engines.tesseract.line_sheet import LineSheet
from rayocr.engines.tesseract.lines import TsvWord
from rayocr.engines.tesseract.native_digits.classifier import PERSIAN, Classifier, classifier_of_digits
from rayocr.engines.tesseract.native_digits.runs import Number, numbers_of
from rayocr.engines.tesseract.scripts import ARABIC

_SURE = 0.7  # least probability of a digit that was read well
_SPACE = 0.6  # width of the white space in place of a number, relative to its height
_SPACED = 0.22  # least distance of a separate word from a number, relative to its height
_FORMS = "\u0664\u0665\u0666"  # Arabic digits that look different in Persian
_ARABIC_ZERO, _PERSIAN_ZERO = 0x660, 0x6F0


class NativeNumbers:
    """The numbers of a page's lines (gray pictures). `pictures`: the lines without them."""

    def __init__(self, lines: Sequence[Any], pack: str, classifier: Classifier) -> None:
        self._is_arabic = pack in ARABIC
        found = [numbers_of(line, classifier) for line in lines]
        if not any(number.is_proof for numbers in found for number in numbers):
            found = [[] for _ in lines]
        self._doubtful = {n for n, numbers in enumerate(found) if any(number.probability < _SURE for number in numbers)}
        self._doubtful |= {n for n, numbers in enumerate(found) if not all(number.text for number in numbers)}
        found = [[number for number in numbers if number.text] for numbers in found]
        self._is_persian = self._is_arabic and _has_persian_forms(found, pack)
        self._numbers = found
        self._places: list[list[float]] = []
        self.pictures: list[Any] = []
        for line, numbers in zip(lines, found, strict=True):
            picture, places = _without(line, numbers)
            self.pictures.append(picture)
            self._places.append(places)

    def is_doubtful(self, line: int) -> bool:
        """Returns whether a line has a number that was read only in part or with little certainty."""
        return line in self._doubtful

    def with_numbers(self, line: int, words: Sequence[TsvWord], sheet: LineSheet) -> list[TsvWord]:
        """Returns the words of a line, in the coordinates of `sheet`, with its numbers between them."""
        result = list(words)
        for number, place in zip(self._numbers[line], self._places[line], strict=True):
            left, top, height = sheet.position_of(line, place)
            after = [n for n, word in enumerate(result) if (word.left + word.width / 2 > left) == self._is_arabic]
            at = after[-1] + 1 if after else 0
            spaced = (number.after if self._is_arabic else number.before) >= _SPACED
            own = TsvWord(
                _written(number, is_persian=self._is_persian), left, top, 1, height, number.probability, spaced, foreign=True
            )
            if at < len(result):
                next_spaced = (number.before if self._is_arabic else number.after) >= _SPACED
                result[at] = replace(result[at], spaced=next_spaced)
            result.insert(at, own)
        return result


def lone_numbers(lines: Sequence[Any], digits: str) -> list[tuple[str, float]]:
    """Returns the number in each gray picture that contains nothing else, with its probability, 0..1; "" for other pictures.
    `digits`: some of the digits that the page has."""
    classifier = classifier_of_digits(digits)
    if classifier is None:
        return [("", 0.0)] * len(lines)
    is_persian = 2 * sum("\u06f0" <= digit <= "\u06f9" for digit in digits) > len(digits)
    found = [numbers_of(line, classifier, is_whole=True) for line in lines]
    return [(_written(numbers[0], is_persian=is_persian), numbers[0].probability) if numbers else ("", 0.0) for numbers in found]


def _written(number: Number, *, is_persian: bool) -> str:
    if not any("\u0660" <= char <= "\u06f9" for char in number.text):
        return number.text
    zero = _PERSIAN_ZERO if is_persian else _ARABIC_ZERO
    text = "".join(chr(zero + int(char)) if char.isdigit() else char for char in number.text)
    # Unicode shows both sides of a dash between Arabic digits from right to left.
    return text if is_persian else "-".join(reversed(text.split("-")))


def _has_persian_forms(found: Sequence[Sequence[Number]], pack: str) -> bool:
    text = "".join(number.text for numbers in found for number in numbers)
    arabic, persian = (sum(map(text.count, forms)) for forms in (_FORMS, PERSIAN))
    return persian > arabic if persian != arabic else pack in ("fas", "urd")


def _without(line: Any, numbers: Sequence[Number]) -> tuple[Any, list[float]]:
    """Returns the picture with narrow white spaces in place of the numbers, and the middles of these spaces."""
    import numpy as np

    paper = np.median(line)
    parts, places, end, width = [], [], 0, 0
    for number in numbers:
        start = min(max(round(number.x0 - 1), end), line.shape[1])
        blank = np.full((line.shape[0], max(round(_SPACE * number.height), 1)), paper, line.dtype)
        width += start - end
        places.append(width + blank.shape[1] / 2)
        width += blank.shape[1]
        parts += [line[:, end:start], blank]
        end = min(round(number.x1 + 1), line.shape[1])
    return (np.hstack([*parts, line[:, end:]]) if numbers else line), places
