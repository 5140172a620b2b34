"""Selects lines that another engine should read, because the models read their script as Latin letters, digits or nothing.

A long line in an unsupported script is almost empty. A word in a table or form is short: the models read it as a similar Latin
word ("HAC" for a Russian "НДС") or omit it beside a number. Such lines are compared where most words of the
page look misread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.text import VIETNAMESE, is_half_known, is_plain_latin, is_unread, loses_words

LEAST_ASPECT = 1.2  # aspect ratio of a short word
_SURE = 0.9
_JUNK = 0.8  # below this score, a line with letters may be in another script
_MOSTLY_UNREAD = 0.5  # share of the print; with more, the page is in an unsupported script
_MUCH_UNREAD = 0.1  # share from which lines with accents are Vietnamese, too
_FEWEST_MISREAD = 3  # least number of such lines on a page
_MOST_LETTERS = 120.0  # number of letters in an unread line; longer lines are usually rules
_LONG_ASPECT, _WEAK = 4.0, 0.5  # a line with a number beside a word that was read as one weak letter
_UNSURE = 0.6  # maximum score of the weakest letter in a line with an unread part
_FEW_LETTERS = 1.7  # letters and spaces relative to the aspect ratio; lines in Latin letters have 1.8 to 2.6
_DASH_ASPECT = 2.0  # a sign in a wider box is what was left of a word
# A space at an end, two spaces, or a mark between spaces: a word beside it was lost. Marks before words: they are written from
# right to left.
_LOST = re.compile(r"^\s|\s$|\s{2}|(?:^|\s)[:;,.](?:\s|$)|^[.,:;][^\W_]|\s[,:;][^\W_]")
_ZEROS = re.compile("0{2,}")
_NUMBER = re.compile(r"(?<![^\s(])[+-]?\d[\d.,:/-]*(?:\d|(?<=\d)%)(?=[.,;:)]*(?:\s|$))")
_ASCII_DIGITS = dict.fromkeys(map(ord, "0123456789"))
_OTHER_NUMBER = re.compile(r"(?<!\w)[.,:/]?\d[\d.,:/-]*(?<=\d)(?!\w)")
_LONG_NUMBER = 3  # least number of digits; shorter numbers are not compared
_SURE_NUMBER = 0.8  # minimum score of a line whose numbers are compared
_MOST_LOST = 2  # digits that Tesseract omits from a number or adds to it
_CYRILLIC = re.compile("[\u0400-\u04ff]")
# Letters that do not look like Latin ones: Hebrew, Arabic, scripts of India and South-East Asia, Georgian, Korean, ...
_UNLIKE_LATIN = re.compile("[\u0590-\u10ff\u1200-\u1dbf\uac00-\ud7a3]")
_FEWEST_UNLIKE, _UNLIKE_SHARE = 3, 0.3  # least number and share of such letters in a line that mixes scripts
_ITEM_NUMBER = re.compile(r"(\d{1,3})[.)](?=\s)")
_SURE_ITEM = 0.5  # minimum score of a line whose first number is kept


def misread_lines(read: Sequence[LineReading], aspects: Sequence[float], unread: Iterable[int]) -> set[int]:
    """Returns the lines that look misread, if most words of the page do; numbers do not count. Returns none otherwise."""
    empty = set(unread)
    looks = {i for i, reading in enumerate(read) if i not in empty and _looks_misread(reading, aspects[i])}
    words = {i for i, reading in enumerate(read) if any(map(str.isalpha, reading.text))} | empty | looks
    wrong = looks | empty
    if not looks or len(wrong) < _FEWEST_MISREAD:
        return set()
    share = sum(weight(aspects[i]) for i in wrong) / sum(weight(aspects[i]) for i in words)
    return looks if share > _MOSTLY_UNREAD else set()


def lines_to_compare(
    read: Sequence[LineReading], aspects: Sequence[float], unread: Sequence[int], misread: set[int], likely: str
) -> set[int]:
    """Returns the lines besides the unread ones that another engine should read, too. `likely`: Tesseract's pack for the page."""
    share = sum(weight(aspects[index]) for index in unread) / max(sum(map(weight, aspects)), 1.0)
    others = set(range(len(read))) - set(unread)
    lines = {i for i in others if loses_words(read[i].text, aspects[i])}
    if unread:
        lines |= {i for i in others if _has_unread_part(read[i], aspects[i])}
    if misread:
        lines |= {i for i in others if aspects[i] > _LONG_ASPECT and read[i].weakest < _WEAK}
        lines |= misread | {i for i in others if aspects[i] > LEAST_ASPECT and any(map(str.isalpha, read[i].text))}
    if misread or share > _MOSTLY_UNREAD:
        lines |= {i for i in others if aspects[i] > LEAST_ASPECT and not _is_sure_latin(read[i])}
        lines |= {i for i in others if read[i].score < _JUNK and sum(map(str.isalnum, read[i].text)) > 1}
    if likely == VIETNAMESE and (share > _MUCH_UNREAD or not unread):
        lines |= {i for i in others if not read[i].text.isascii()}
    return lines


def is_better(text: str, confidence: float, ours: LineReading, aspect: float, *, compared: bool) -> bool:
    """Returns whether Tesseract's text replaces ours. `compared`: the line is not unread, but one of `lines_to_compare`."""
    if not text:
        return False
    if not compared:
        is_known = not is_unread(ours.text, aspect) and not is_half_known(ours.text)
        return not is_known or as_own_score(confidence) > ours.score
    if is_all_zeros(ours.text) and not any(map(str.isalpha, text)):
        return False
    if not _is_sure_latin(ours) or not any(map(str.isalpha, ours.text)):
        return True
    letters = [char for char in text if char.isalpha()]
    unlike = sum(_UNLIKE_LATIN.match(char) is not None for char in letters)
    is_mixed = unlike >= _FEWEST_UNLIKE and unlike > _UNLIKE_SHARE * len(letters)
    return confidence >= _SURE and (is_mixed or all(map(_CYRILLIC.match, letters)))


def with_our_numbers(text: str, ours: LineReading) -> tuple[str, bool]:
    """Returns Tesseract's text with the numbers of our reading that it misread, and whether it lacks others. Tesseract's packs
    for other scripts omit the first digit of some numbers and read percent signs as digits. The models misread the scripts' own
    digits, so that lines with those are not compared."""
    lost = False
    own, other = _ITEM_NUMBER.match(ours.text.lstrip()), _ITEM_NUMBER.match(text)
    if own and other and ours.score >= _SURE_ITEM:
        text = own.group() + text[other.end() :]  # "1." was read as "3." with a confidence of .87
    if ours.score < _SURE_NUMBER or any(map(str.isdigit, text.translate(_ASCII_DIGITS))):
        return text, lost
    for number in _NUMBER.findall(ours.text):
        digits = _digits(number)
        if number in text if number[-1] == "%" else digits in _digits(text) or len(digits) < _LONG_NUMBER:
            continue
        same = [found for found in _OTHER_NUMBER.finditer(text) if _is_same(number, _digits(found.group()))]
        if len(same) == 1:
            text = text[: same[0].start()] + number + text[same[0].end() :]
        else:
            lost = True
    return text, lost


def native_digits(text: str) -> str:
    """Returns the digits of the text that are not ASCII."""
    return "".join(char for char in text if char.isdecimal() and not char.isascii())


def _is_same(number: str, other: str) -> bool:
    """Returns whether the digits `other` are a misreading of the number."""
    digits = _digits(number)
    if number[-1] == "%":
        return other.startswith(digits) and len(digits) < len(other) <= len(digits) + 1 + _MOST_LOST
    return 0 < len(digits) - len(other) <= _MOST_LOST and 2 * len(other) > len(digits) and digits.endswith(other)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def is_all_zeros(text: str) -> bool:
    """Returns whether the text may be a word in a font that lacks its letters: the models read the empty boxes as zeros."""
    return _ZEROS.fullmatch(text) is not None


def as_own_score(confidence: float) -> float:
    """Converts Tesseract's confidence to the scale of these models, so that both minimums (`rayocr.engines.answers.checks`)
    coincide."""
    return 0.85 + (confidence - 0.55) / 3 if confidence > 0.55 else confidence * 0.85 / 0.55


def weight(aspect: float) -> float:
    """Returns the expected number of letters in a line with this ratio of width to height."""
    return min(2.0 * aspect, _MOST_LETTERS)


def _looks_misread(reading: LineReading, aspect: float) -> bool:
    text = reading.text
    if aspect <= LEAST_ASPECT:
        return False
    if not any(map(str.isalnum, text)):
        return aspect > _DASH_ASPECT
    if is_half_known(text) or _LOST.search(text) or is_all_zeros(text):
        return True
    return reading.score < _JUNK and any(map(str.isalpha, text))


def _has_unread_part(reading: LineReading, aspect: float) -> bool:
    """Returns whether a line has a Latin word beside words in another script, of which the models read a few uncertain letters.
    The mean score of such a line can be high."""
    has_gap = _LOST.search(reading.text) is not None
    return has_gap and reading.weakest < _UNSURE and aspect > _LONG_ASPECT and len(reading.text) < _FEW_LETTERS * aspect


def _is_sure_latin(reading: LineReading) -> bool:
    """Returns whether the line is a Latin word or a number that was read, and no word beside it was lost."""
    return reading.score > _SURE and is_plain_latin(reading.text) and not _LOST.search(reading.text)
