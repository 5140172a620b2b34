"""Reads the lines of a page in a language whose accents the models misread a second time, with Tesseract's pack of the language,
and takes its word where only accented letters differ.

On drawn pages, the models misread 1 to 50 % of the words of these languages, and Tesseract's pack under 2 %, but rapidocr is the
better reader of numbers, layout and worn print.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any, Protocol

from rayocr.engines.rapidocr.accented_languages import UNREADABLE, bare, letters_of
from rayocr.engines.rapidocr.image import cut_out, with_margin
from rayocr.engines.rapidocr.numerals.look_alikes import has_weak_number
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.messages import LOW_CONFIDENCE, PACK_MISSING

Word = tuple[str, float]  # with Tesseract's confidence, 0..1

_SURE = 0.6  # least confidence of a word whose other letters the models misread, too
_SURE_ACCENT = 0.3  # the same where the words are equal but for accents
_WRONG_SHARE = 0.03  # share of words with letters that the language does not have; with more, the page gets a doubt
_MARKS = frozenset("'’‘`´?¡†|")  # what the models read for carons and for letters with accents
_MISREAD = re.compile(r"[?¡†|][^\W\d_]")
# Tesseract's pack writes the letters of the time before Unicode 3.
_MODERN = {"ron": str.maketrans("şţŞŢ", "șțȘȚ")}


class ReadsWords(Protocol):
    def read_words(self, lines: Sequence[Any], pack: str) -> Sequence[Sequence[Word]] | None:
        """Returns the words of gray pictures (rows, columns), read with this pack or one of the whole script; None if neither is
        installed."""


def with_accents(
    reader: ReadsWords | None, upright: Any, quads: Any, read: Sequence[LineReading], pack: str
) -> tuple[list[LineReading], tuple[str, ...]]:
    """Returns the readings, with the accents of the page's language, and the doubts: the pack of the language if it is missing.
    `reader`: None if Tesseract is not in the chain. `pack`: Tesseract's name of the language (`language_of`)."""
    better = list(read)
    if pack in UNREADABLE:
        return better, (LOW_CONFIDENCE,)
    places = [n for n, reading in enumerate(read) if any(map(str.isalpha, reading.text))]
    words = reader.read_words([cut_out(upright, with_margin(quads[n])) for n in places], pack) if reader is not None else None
    if words is None:
        return better, (f"{PACK_MISSING}:{pack}",)
    letters, is_weak = letters_of(pack), False
    for n, theirs in zip(places, words, strict=True):
        text = merged(read[n].text, [(text.translate(_MODERN.get(pack, {})), sure) for text, sure in theirs], letters)
        if text != read[n].text:
            is_weak |= has_weak_number(read[n])
            better[n] = read[n]._replace(text=text, places=(), look_alikes=(), weak_digits=())
    found = [word for reading in better for word in reading.text.split() if any(map(str.isalpha, word))]
    wrong = sum(not _is_in(word, letters) or _MISREAD.search(word) is not None for word in found)
    return better, (LOW_CONFIDENCE,) if is_weak or wrong > _WRONG_SHARE * len(found) else ()


def merged(ours: str, theirs: Sequence[Word], letters: frozenset[str]) -> str:
    """Returns our text with the words of `theirs` that differ from ours in accented letters only. `letters`: those of the
    language."""
    mine, others = ours.split(), [text for text, _ in theirs]
    matcher = SequenceMatcher(None, list(map(_key, mine)), list(map(_key, others)), autojunk=False)
    words: list[str] = []
    for kind, start, end, other, other_end in matcher.get_opcodes():
        if kind == "insert":
            continue
        if end - start == other_end - other:
            words += [_chosen(word, *theirs[other + n], letters) for n, word in enumerate(mine[start:end])]
        elif other_end > other:
            words += _rest(mine[start:end], theirs[other:other_end], letters)
        else:
            words += mine[start:end]
    return " ".join(words) if words != mine else ours


def _rest(mine: Sequence[str], theirs: Sequence[Word], letters: frozenset[str]) -> list[str]:
    """Returns the better words where the two readings have a different number of them."""
    joined, confidence = "".join(text for text, _ in theirs), min(confidence for _, confidence in theirs)
    if "".join(mine) != joined and _chosen("".join(mine), joined, confidence, letters) == joined:
        return [text for text, _ in theirs]
    left = list(theirs)
    return [_chosen(word, *_nearest(word, left), letters) for word in mine]


def _nearest(word: str, theirs: Sequence[Word]) -> Word:
    return max(theirs, key=lambda other: SequenceMatcher(None, _key(word), _key(other[0]), autojunk=False).ratio())


def _chosen(ours: str, theirs: str, confidence: float, letters: frozenset[str]) -> str:
    """Returns our word with the letters of Tesseract's where ours or Tesseract's has accents; ours if the two words differ in
    other letters, too."""
    least = _SURE_ACCENT if _key(ours) == _key(theirs) else _SURE
    if ours == theirs or confidence < least or not any(map(str.isalpha, ours)) or not _is_in(theirs, letters):
        return ours
    text = ours
    for kind, start, end, other, other_end in reversed(SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()):
        a, b = ours[start:end], theirs[other:other_end]
        if kind == "equal" or _is_mark(a, b):
            continue
        is_junk = not _is_in(a, letters) or (not b and set(a) <= _MARKS)
        is_long = len(b) > len(a) + 1 or len(a) > len(b) + 2
        if is_long or any(map(str.isdigit, a + b)) or not (is_junk or not set(b).isdisjoint(letters)):
            return ours
        text = text[:start] + b + text[end:]
    return text


def _is_mark(ours: str, theirs: str) -> bool:
    """Returns whether two parts of a word are marks, of which ours stay."""
    return not any(map(str.isalnum, ours + theirs)) and bool(theirs or set(ours).isdisjoint(_MARKS))


def _is_in(word: str, letters: frozenset[str]) -> bool:
    return all(char.isascii() or not char.isalpha() or char in letters for char in word)


def _key(word: str) -> str:
    return "".join(filter(str.isalnum, bare(word))) or word
