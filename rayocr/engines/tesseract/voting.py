"""Chooses between readings of the same line, word by word, by Tesseract's confidence.

Reading a line again at another size or width causes other errors: on 12 Arabic pages in five fonts, word F1 was .926 with one
reading, .937 with two and .942 with three. Further readings did not help.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from rayocr.engines.tesseract.lines import TsvWord

_ALEFS = frozenset("اأإآ")  # an alef is not a word; Tesseract puts a space after it, since it does not join the next letter
_NOT_JOINING = frozenset("اأإآدذرزوؤةىء")
_KNOWN = 3.0  # how much more the confidence of a word of the language counts
_LOST = 0.3  # minimum confidence of words that the other reading does not have at all


def voted(readings: Sequence[Sequence[TsvWord]]) -> list[TsvWord]:
    """Chooses between `readings` of one line. Boxes are those of the first reading where it has the word. Words must be whole
    (see `whole_words`). Foreign words of the first reading stay: Tesseract reads "HTTP" as other junk in each view."""
    best = list(readings[0])
    for other in readings[1:]:
        best = _better(best, other)
    return best


def agreed(readings: Sequence[Sequence[TsvWord]], known: Container[str] = ()) -> list[TsvWord]:
    """Returns the words of `voted`, each replaced by the word that has the highest sum of confidences in all readings at its
    place. `known`: words of the language, whose confidence counts more."""
    words = voted(readings)
    found: list[dict[str, tuple[float, TsvWord]]] = [{word.text: (word.confidence, word)} for word in words]
    for other in readings:
        matcher = SequenceMatcher(None, [word.text for word in words], [word.text for word in other], autojunk=False)
        for _, start, end, other_start, other_end in matcher.get_opcodes():
            if end - start != other_end - other_start:
                continue
            for place, word in zip(range(start, end), other[other_start:other_end], strict=True):
                if words[place].foreign:
                    continue
                total, first = found[place].get(word.text, (0.0, word))
                found[place][word.text] = total + word.confidence, first

    def votes(pair: tuple[float, TsvWord]) -> float:
        return pair[0] * (_KNOWN if is_known(pair[1].text, known) else 1.0)

    return [max(at_place.values(), key=votes)[1] for at_place in found]


def is_known(word: str, known: Container[str]) -> bool:
    """Returns whether the word is known, without its vowel marks and punctuation."""
    return "".join(filter(str.isalnum, word)) in known


def with_joined(words: Sequence[TsvWord], known: Container[str]) -> list[TsvWord]:
    """Returns the words, with two in place of which the language has one joined: in fonts with wide letters, Tesseract puts a
    space after letters that do not join the next one. Of 17,800 words of correct text, none is joined."""
    joined: list[TsvWord] = []
    for word in words:
        if joined and _is_part(joined[-1], word, known):
            word = whole_words([joined.pop(), replace(word, spaced=False)])[0]
        joined.append(word)
    return joined


def _is_part(before: TsvWord, word: TsvWord, known: Container[str]) -> bool:
    if before.foreign or word.foreign or before.text[-1] not in _NOT_JOINING or not word.text[0].isalpha():
        return False
    parts = (before.text, word.text)
    return is_known("".join(parts), known) and not all(is_known(part, known) for part in parts)


def whole_words(words: Sequence[TsvWord]) -> list[TsvWord]:
    """Returns the words between spaces: Tesseract reports syllables of Korean and parts of other words as words."""
    whole: list[TsvWord] = []
    for word in words:
        if whole and (word.spaced is False or whole[-1].text in _ALEFS or _is_alef(whole[-1].text, word.text)):
            before = replace(whole[-1], text="ا") if _is_alef(whole[-1].text, word.text) else whole[-1]
            left, top = min(before.left, word.left), min(before.top, word.top)
            right = max(before.left + before.width, word.left + word.width)
            bottom = max(before.top + before.height, word.top + word.height)
            least = min(before.confidence, word.confidence)
            foreign = before.foreign or word.foreign
            whole[-1] = TsvWord(before.text + word.text, left, top, right - left, bottom - top, least, before.spaced, foreign)
        else:
            whole.append(word)
    return whole


def _is_alef(text: str, following: str) -> bool:
    """Returns whether a vertical bar before an Arabic word is an alef."""
    return text == "|" and "\u0620" <= following[0] <= "\u064a"


def _better(ours: Sequence[TsvWord], others: Sequence[TsvWord]) -> list[TsvWord]:
    matcher = SequenceMatcher(None, [word.text for word in ours], [word.text for word in others], autojunk=False)
    best: list[TsvWord] = []
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        here, there = ours[start:end], others[other_start:other_end]
        if kind == "replace" and len(here) == len(there):
            pairs = [(ours, _with_spaces_of(ours, other)) for ours, other in zip(here, there, strict=True)]
            best += [max(pair, key=lambda word: (word.foreign, word.confidence)) for pair in pairs]
        elif any(word.foreign for word in here) or _is_joined_greek(here, there):
            best += here
        else:
            best += here if kind == "equal" or _confidence(here) >= _confidence(there) else there
    return best


def _with_spaces_of(ours: TsvWord, other: TsvWord) -> TsvWord:
    """Returns the other reading with the spaces that a second reader found in ours: Tesseract's Greek pack joins short words."""
    if " " not in ours.text or len(ours.text.replace(" ", "")) != len(other.text):
        return other
    letters = iter(other.text)
    return replace(other, text="".join(char if char == " " else next(letters) for char in ours.text))


def _is_joined_greek(ours: Sequence[TsvWord], others: Sequence[TsvWord]) -> bool:
    """Returns whether the other reading has our Greek words with fewer spaces."""
    text = "".join(word.text for word in ours)
    is_joined = len(ours) > len(others) and text == "".join(word.text for word in others)
    return is_joined and any("\u0370" <= char <= "\u03ff" for char in text)


def _confidence(words: Sequence[TsvWord]) -> float:
    letters = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / letters if letters else _LOST
