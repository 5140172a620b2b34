"""Detects the direction and the probable language of a text. Typst needs both for shaping, and screen readers need the language
for speech."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from fontTools.unicodedata import script, script_horizontal_direction

_SAMPLED_CHARS = 2000  # number of characters, enough to detect the script of a block

# Languages by ISO 15924 script code. If several languages share a script, the table has the one with most readers.
_LANGUAGES = {
    "Latn": "en",
    "Grek": "el",
    "Cyrl": "ru",
    "Armn": "hy",
    "Geor": "ka",
    "Hebr": "he",
    "Arab": "ar",
    "Deva": "hi",
    "Beng": "bn",
    "Guru": "pa",
    "Gujr": "gu",
    "Orya": "or",
    "Taml": "ta",
    "Telu": "te",
    "Knda": "kn",
    "Mlym": "ml",
    "Sinh": "si",
    "Thai": "th",
    "Laoo": "lo",
    "Khmr": "km",
    "Mymr": "my",
    "Ethi": "am",
    "Hang": "ko",
    "Hira": "ja",
    "Kana": "ja",
    "Hani": "zh",
}
_URDU, _PERSIAN = frozenset("ٹڈڑےں"), frozenset("پچژگک")


@dataclass(frozen=True, slots=True)
class Script:
    """A script. `language`: ISO 639-1 code."""

    language: str
    right_to_left: bool


def script_of(text: str) -> Script:
    """Returns the script of most letters; for text without letters, English from left to right."""
    letters = [character for character in text[:_SAMPLED_CHARS] if character.isalpha()]
    counts = Counter(map(_script, letters))
    right = sum(count for code, count in counts.items() if script_horizontal_direction(code, "LTR") == "RTL")
    right_to_left = 2 * right > len(letters)
    if not counts:
        return Script("en", right_to_left)
    name = counts.most_common(1)[0][0]
    if name == "Hani" and 20 * (counts["Hira"] + counts["Kana"]) > counts["Hani"]:
        name = "Hira"  # about half of Japanese prose is kanji
    if name == "Arab":
        return Script(_language_of_arabic(letters), right_to_left)
    return Script(_LANGUAGES.get(name, "en"), right_to_left)


def _language_of_arabic(letters: list[str]) -> str:
    found = set(letters)
    if found & _URDU:
        return "ur"
    return "fa" if found & _PERSIAN else "ar"


_script = lru_cache(maxsize=4096)(script)
