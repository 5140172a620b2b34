"""Which way a text runs and which language it is probably in: what the typesetter needs to shape it and readers to speak it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

_LOOKED_AT = 2000  # characters: enough to tell the script of a block

# By the first word of a character's Unicode name. Where several languages share a script, the one with most readers.
_LANGUAGES = {
    "LATIN": "en",
    "GREEK": "el",
    "CYRILLIC": "ru",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "HEBREW": "he",
    "ARABIC": "ar",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "ORIYA": "or",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "ETHIOPIC": "am",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
}
_URDU, _PERSIAN = frozenset("ٹڈڑےں"), frozenset("پچژگک")


@dataclass(frozen=True, slots=True)
class Script:
    """`language`: ISO 639-1."""

    language: str
    right_to_left: bool


def script_of(text: str) -> Script:
    """Of the letters that most of the text is written in; English, left to right, for text without letters."""
    letters = [character for character in text[:_LOOKED_AT] if character.isalpha()]
    counts = Counter(map(_script_name, letters))
    counts.pop("", None)
    right = sum(1 for character in letters if unicodedata.bidirectional(character) in ("R", "AL"))
    right_to_left = 2 * right > len(letters)
    if not counts:
        return Script("en", right_to_left)
    name = counts.most_common(1)[0][0]
    if name == "CJK" and 20 * (counts["HIRAGANA"] + counts["KATAKANA"]) > counts["CJK"]:
        name = "HIRAGANA"  # Japanese prose is half kanji
    if name == "ARABIC":
        return Script(_language_of_arabic(letters), right_to_left)
    return Script(_LANGUAGES.get(name, "en"), right_to_left)


def _language_of_arabic(letters: list[str]) -> str:
    found = set(letters)
    if found & _URDU:
        return "ur"
    return "fa" if found & _PERSIAN else "ar"


@lru_cache(maxsize=4096)
def _script_name(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]
