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
_FULL_STOPS = re.compile(r"[.,:;!?]+(?=[\w(%])")
_PERCENT = re.compile(r"%(\d[\d.,]*)")  # an Arabic line shows the percent sign to the left of its number
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_LETTER = re.compile("[A-Za-z]")
# Tesseract divides "info@example.com" into several words. Runs of words below one of these confidences are read as one.
_JUNK = (0.6, 0.3, 0.1)
_FEWEST_LETTERS = 4  # least number of Latin letters in a run, and in a word with the lower scores
_JUNK_WORD = 0.5  # Tesseract's confidence of a word that is junk; lower scores of the second reader are enough for it
_SCORE_OF_JUNK, _LETTER_OF_JUNK = 0.85, 0.5
_CERTAIN, _LENGTH_OF_JUNK = 0.95, 0.5  # "HTTP" was read as "ק111'1"
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
    if packs[0] not in KOREAN | VIETNAMESE:
        lines = _with_long_words(lines, sheet, packs[0], read)
    groups = [_groups(words, packs[0]) for words in lines]
    is_wanted = _NUMBER.fullmatch if packs[0] in VIETNAMESE else _LATIN.fullmatch
    asked = [(line, words) for line, of_line in enumerate(groups) for doubtful, words in of_line if doubtful]
    found = iter(read([sheet.cut_out(line, words) for line, words in asked]))
    chosen = [
        [
            word
            for doubtful, words in of_line
            for word in (_chosen(words, next(found), is_wanted, packs[0]) if doubtful else words)
        ]
        for of_line in groups
    ]
    return list(map(_with_phrases, chosen)) if packs[0] in ARABIC | HEBREW else chosen


def _with_phrases(words: Sequence[TsvWord]) -> list[TsvWord]:
    """Returns the line with its Latin phrases from left to right. Tesseract gives the words of the line from right to left."""
    line: list[TsvWord] = []
    for is_latin, run in groupby(words, lambda word: word.foreign and _LETTER.search(word.text) is not None):
        phrase = list(run)
        if is_latin:
            phrase.sort(key=lambda word: word.left)
        if len(phrase) > 1 and is_latin and phrase[0].text[-1] == ")" and phrase[-1].text[0] == "(":
            first, last = phrase[0].text[:-1], phrase[-1].text[1:]
            phrase = [replace(phrase[0], text=f"({first}"), *phrase[1:-1], replace(phrase[-1], text=f"{last})")]
        line += phrase
    return line


def _groups(words: Sequence[TsvWord], pack: str) -> list[tuple[bool, list[TsvWord]]]:
    """Groups the words; each group has a flag that it may be foreign. Tesseract reports Korean syllables as words, so a foreign
    word is a run of words without syllables."""
    if pack in KOREAN:
        return [(doubtful, list(run)) for doubtful, run in groupby(words, _is_not_korean)]
    foreign = _DIGIT if pack in VIETNAMESE else _LATIN_CHARACTER
    return [
        (not word.foreign and (word.confidence < _SURE_WORD or foreign.search(word.text) is not None), [word]) for word in words
    ]


def _with_long_words(
    lines: Sequence[Sequence[TsvWord]], sheet: LineSheet, pack: str, read: ReadsLatin
) -> list[Sequence[TsvWord]]:
    """Returns the lines with one word in place of several neighbors that Tesseract misread, if the second reader reads all of
    them as Latin."""
    runs = [(line, start, end) for line, words in enumerate(lines) for start, end in _junk_runs(words)]
    readings = read([sheet.cut_out(line, lines[line][start:end]) for line, start, end in runs]) if runs else ()
    better: list[Sequence[TsvWord]] = list(lines)
    sure = [(*run, reading) for run, reading in zip(runs, readings, strict=True) if _is_long_word(reading)]
    for line, start, end, reading in sorted(sure, key=lambda run: (run[0], -run[1])):
        if any(line == at and first <= start and end <= last and end - start < last - first for at, first, last, _ in sure):
            continue  # part of a longer run
        word = _word_at(lines[line][start:end], _logical(reading.text.strip(), pack), reading.score)
        better[line] = [*better[line][:start], word, *better[line][end:]]
    return better


def _is_long_word(reading: Reading) -> bool:
    text = reading.text.strip()
    is_sure = reading.score >= _SURE_SCORE and reading.weakest >= _SURE_LETTER
    return is_sure and _LATIN.fullmatch(text) is not None and len(_LETTER.findall(text)) >= _FEWEST_LETTERS


def _junk_runs(words: Sequence[TsvWord]) -> list[tuple[int, int]]:
    """Returns the start and end of runs of at least two words that Tesseract misread, in one or several lengths."""
    runs: dict[tuple[int, int], None] = {}
    for most in _JUNK:
        start = 0
        for is_junk, run in groupby(word.confidence < most for word in words):
            end = start + len(list(run))
            if is_junk and end - start > 1:
                runs[start, end] = None
            start = end
    return list(runs)


def _is_not_korean(word: TsvWord) -> bool:
    return _SYLLABLE.search(word.text) is None and any(char.isalnum() for char in word.text)


def _chosen(words: list[TsvWord], reading: Reading, is_wanted: Callable[[str], object], pack: str) -> list[TsvWord]:
    text, greek = reading.text.strip(), pack in GREEK
    if not any(char.isascii() and char.isdigit() for char in text):
        text = text.translate(_RAISED)  # digits of a small size that have no larger ones beside them
    expected = sum(len(word.text) for word in words)
    if not (_is_sure(reading, words, text) and is_wanted(text)):
        return [replace(word, text=with_lost_spaces(word.text, text)) for word in words] if greek else words
    least = _LENGTH_OF_JUNK if _is_junk(words) and min(reading.score, reading.weakest) >= _CERTAIN else _LEAST_LENGTH
    if len(text) < least * expected or (greek and is_greek_in_latin(words[0].text, text)):
        return words
    if _loses_digits(text, "".join(word.text for word in words)):
        return words
    return [_word_at(words, _logical(text, pack), reading.score)]


def _is_sure(reading: Reading, words: Sequence[TsvWord], text: str) -> bool:
    if reading.score >= _SURE_SCORE and reading.weakest >= _SURE_LETTER:
        return True
    is_long = len(_LETTER.findall(text)) >= _FEWEST_LETTERS
    return _is_junk(words) and is_long and reading.score >= _SCORE_OF_JUNK and reading.weakest >= _LETTER_OF_JUNK


def _is_junk(words: Sequence[TsvWord]) -> bool:
    return max(word.confidence for word in words) < _JUNK_WORD


def _word_at(words: Sequence[TsvWord], text: str, score: float) -> TsvWord:
    """Returns the foreign word in the place of these. A number may be part of a longer one whose box Tesseract cut off, so that
    it is not foreign unless Tesseract's word is junk."""
    left, top = min(word.left for word in words), min(word.top for word in words)
    right, bottom = max(word.left + word.width for word in words), max(word.top + word.height for word in words)
    is_foreign = _LETTER.search(text) is not None or _is_junk(words)
    return TsvWord(text, left, top, right - left, bottom - top, score, words[0].spaced, is_foreign)


def _logical(text: str, pack: str) -> str:
    """Returns the text of a picture from left to right, in the order in which people read it between words from right to left."""
    if pack not in ARABIC | HEBREW:
        return text
    if stop := _FULL_STOPS.match(text):
        text = text[stop.end() :].removesuffix(stop.group()) + stop.group()
    if pack in ARABIC:
        text = _PERCENT.sub(r"\1%", text)
    if text[-1:] == ")" and "(" not in text:
        return f"({text[:-1]}"
    return f"{text[1:]})" if text[:1] == "(" and ")" not in text else text


def _loses_digits(text: str, ours: str) -> bool:
    """Returns whether the second reading is Tesseract's number without some of its digits. Tesseract's box of a word is sometimes
    too narrow, so that the picture of "2026" shows 202."""
    digits, expected = "".join(_DIGIT.findall(text)), "".join(_DIGIT.findall(ours))
    both_numbers = _NUMBER.fullmatch(text) is not None and _NUMBER.fullmatch(ours) is not None
    if "%" in text and "%" not in ours and expected.endswith(digits):
        return False  # Tesseract reads the percent sign as one or two digits: "9615" for "15%"
    return both_numbers and len(digits) < len(expected) and digits in expected
