"""Corrects errors of Tesseract's Greek pack: marks of ancient Greek in modern text, the micro sign for the letter mu, and chi for
kappa, which look alike in some fonts, in the most frequent word ("και")."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import accumulate

_MICRO, _MU = "\u00b5", "\u03bc"
_TONOS, _IOTA = "\u0301", "\u0345"
_POLYTONIC = frozenset("\u0300\u0313\u0314\u0342" + _IOTA)  # grave accent, both breathing marks, circumflex, iota subscript
_VOWELS = frozenset("αεηιουω")
_DIPHTHONGS = ("αι", "ει", "οι", "υι", "αυ", "ευ", "ηυ", "ου")
_BREATHINGS = frozenset("\u0313\u0314")
_ANCIENT_SHARE = 0.5  # share of the words with an initial vowel that have a breathing mark; in ancient Greek all of them have one
_SIMILAR_LATIN = str.maketrans("abeikmnoptuvxyzwhsc", "αβεικμνορτυνχυζωησσ")
_SHORT_WORD = 3
_AND = re.compile(r"(?<!\w)(?P<chi>[χΧ])(?=αι(?!\w))")
_KAPPA = {"χ": "κ", "Χ": "Κ"}
_LEAST_PART = 2  # least number of letters on both sides of a lost space


def with_lost_spaces(text: str, other: str) -> str:
    """Returns the text with the spaces that a second reading has between its letters, even if the second reading lacks
    letters."""
    skeleton, parts = _skeleton(text), _skeleton(other).split()
    if " " in text or len(skeleton) != len(text) or len(parts) < 2 or min(map(len, parts)) < _LEAST_PART:
        return text
    matches = SequenceMatcher(None, skeleton, "".join(parts), autojunk=False).get_matching_blocks()
    places = {match.b + step: match.a + step for match in matches for step in range(match.size)}
    parted, done = "", 0
    for index in accumulate(map(len, parts[:-1])):
        after = places.get(index)
        if after is None and index - 1 in places:
            after = places[index - 1] + 1
        if after is not None and after - done >= _LEAST_PART and len(text) - after >= _LEAST_PART:
            parted, done = f"{parted}{text[done:after]} ", after
    return parted + text[done:]


def is_greek_in_latin(text: str, latin: str) -> bool:
    """Returns whether a short Greek word consists of letters that look like the Latin ones: το and "to"."""
    return len(text) <= _SHORT_WORD and not text.isascii() and _skeleton(text) == _skeleton(latin)


def _skeleton(text: str) -> str:
    letters = "".join(char for char in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(char))
    return letters.replace(_MICRO, _MU).translate(_SIMILAR_LATIN)


def modern_greek(texts: Sequence[str]) -> list[str]:
    """Returns the lines of a text, with modern accents if the text is not ancient Greek as a whole."""
    words = [unicodedata.normalize("NFD", word) for text in texts for word in text.split() if _skeleton(word)[:1] in _VOWELS]
    texts = [_AND.sub(lambda found: _KAPPA[found["chi"]], text.replace(_MICRO, _MU)) for text in texts]
    if sum(not _BREATHINGS.isdisjoint(word[:3]) for word in words) > _ANCIENT_SHARE * len(words):
        return texts
    return [" ".join(_modern(word) if _is_polytonic(word) else word for word in text.split(" ")) for text in texts]


def _is_polytonic(word: str) -> bool:
    return any("\u1f00" <= char <= "\u1fff" for char in word)


def _modern(word: str) -> str:
    """Returns the word with modern accents. Modern Greek has one accent in words of several syllables and none in others, so a
    mark of ancient Greek is replaced by that accent or removed."""
    signs = unicodedata.normalize("NFD", word)
    accent = "" if _TONOS in signs or _syllables(signs) < 2 else _TONOS
    result = ""
    for sign in signs:
        if sign not in _POLYTONIC:
            result += sign
        elif accent and sign != _IOTA:
            result, accent = result + accent, ""
    return unicodedata.normalize("NFC", result)


def _syllables(signs: str) -> int:
    letters = "".join(char for char in signs.casefold() if not unicodedata.combining(char))
    for pair in _DIPHTHONGS:
        letters = letters.replace(pair, "α")
    return sum(char in _VOWELS for char in letters)
