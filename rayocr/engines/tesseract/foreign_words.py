"""Reads Latin words and numbers inside lines of another script with a second reader.

Tesseract's packs for Korean, Arabic and Greek misread "USB", "/var/tmp" or "firmware" as letters of their own script, and the
English pack reads letters of these scripts as Latin ones ("va" for "να"). rapidocr's models read a Latin word that is cut out of
its line, and give low scores to words of other scripts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Protocol

from rayocr.engines.tesseract.corrections.greek import is_greek_in_latin, with_lost_spaces
from rayocr.engines.tesseract.line_sheet import LineSheet
from rayocr.engines.tesseract.lines import TsvWord
from rayocr.engines.tesseract.scripts import ARABIC, GREEK, HEBREW, KOREAN, VIETNAMESE

_SURE_WORD = 0.9  # Tesseract's confidence of words in its own script; Latin ones have up to .88
_SURE_SCORE, _SURE_LETTER = 0.94, 0.55  # scores of the second reader; words of other scripts have less
_LEAST_LENGTH = 0.75  # share of the length of Tesseract's text, since letters of other scripts are omitted
_LATIN = re.compile(r"(?=(?:[^A-Za-z0-9]*[A-Za-z0-9]){2})[\x21-\x7e\xab\xbb\u2010-\u201e ]+")
_NUMBER = re.compile(r"(?=\D*\d)[\d.,:/%()-]+")
_DIGIT = re.compile(r"\d")
# In a right-to-left line, the picture shows these to the left of the number that they follow.
_FULL_STOPS = re.compile(r"[.,:;!?]+(?=\w)")
_LATIN_CHARACTER = re.compile("[A-Za-z0-9]")
_SYLLABLE = re.compile("[\uac00-\ud7a3]")


class Reading(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def weakest(self) -> float: ...


ReadsLatin = Callable[[Sequence[Any]], Sequence[Reading]]


def with_foreign_words(
    lines: Sequence[Sequence[TsvWord]], sheet: LineSheet, packs: Sequence[str], read: ReadsLatin
) -> list[list[TsvWord]]:
    """Returns the lines, with the second reader's text in place of doubtful words that it reads as Latin ones or numbers."""
    groups = [_groups(words, packs[0]) for words in lines]
    is_wanted = _NUMBER.fullmatch if packs[0] in VIETNAMESE else _LATIN.fullmatch
    asked = [(line, words) for line, of_line in enumerate(groups) for doubtful, words in of_line if doubtful]
    found = iter(read([sheet.cut_out(line, words) for line, words in asked]))
    greek, leftward = packs[0] in GREEK, packs[0] in ARABIC | HEBREW
    return [
        [
            word
            for doubtful, words in of_line
            for word in (_chosen(words, next(found), is_wanted, greek=greek, leftward=leftward) if doubtful else words)
        ]
        for of_line in groups
    ]


def _groups(words: Sequence[TsvWord], pack: str) -> list[tuple[bool, list[TsvWord]]]:
    """Groups the words; each group has a flag that it may be foreign. Tesseract reports Korean syllables as words, so a foreign
    word is a run of words without syllables."""
    if pack in KOREAN:
        return [(doubtful, list(run)) for doubtful, run in groupby(words, _is_not_korean)]
    foreign = _DIGIT if pack in VIETNAMESE else _LATIN_CHARACTER
    return [(word.confidence < _SURE_WORD or foreign.search(word.text) is not None, [word]) for word in words]


def _is_not_korean(word: TsvWord) -> bool:
    return _SYLLABLE.search(word.text) is None and any(char.isalnum() for char in word.text)


def _chosen(
    words: list[TsvWord], reading: Reading, is_wanted: Callable[[str], object], *, greek: bool, leftward: bool
) -> list[TsvWord]:
    text = reading.text.strip()
    expected = sum(len(word.text) for word in words)
    if reading.score < _SURE_SCORE or reading.weakest < _SURE_LETTER or not is_wanted(text):
        return [replace(word, text=with_lost_spaces(word.text, text)) for word in words] if greek else words
    if len(text) < _LEAST_LENGTH * expected or (greek and is_greek_in_latin(words[0].text, text)):
        return words
    first, last = words[0], words[-1]
    if _loses_digits(text, "".join(word.text for word in words)):
        return words
    if leftward and (stop := _FULL_STOPS.match(text)):
        text = text[stop.end() :] + stop.group()
    top, bottom = min(word.top for word in words), max(word.top + word.height for word in words)
    width = last.left + last.width - first.left
    return [TsvWord(text, first.left, top, width, bottom - top, reading.score, first.spaced)]


def _loses_digits(text: str, ours: str) -> bool:
    """Returns whether the second reading is Tesseract's number without some of its digits. Tesseract's box of a word is sometimes
    too narrow, so that the picture of "2026" shows 202."""
    digits, expected = "".join(_DIGIT.findall(text)), "".join(_DIGIT.findall(ours))
    both_numbers = _NUMBER.fullmatch(text) is not None and _NUMBER.fullmatch(ours) is not None
    if "%" in text and "%" not in ours and expected.endswith(digits):
        return False  # Tesseract reads the percent sign as one or two digits: "9615" for "15%"
    return both_numbers and len(digits) < len(expected) and digits in expected
