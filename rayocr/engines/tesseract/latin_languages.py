"""Detects the language of a page in Latin letters by its most frequent words, to name the pack that would read it better.

The English pack reads other languages without an error and loses their accents: "fiir" or "fur" for "für". The words of the table
are therefore those without accents. None of them is an English word, so that English pages never count as another language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d_]+")
_FEWEST = 6  # least number of the table's words on a page
_DIFFERENT, _DIFFERENT_LONGER = 5, 3  # least number of different words, also of more than a letter: formulas have single letters
_SHARE = 0.12  # share of all words; pages in these languages have .14 to .22, English ones almost none
_ENGLISH = "the of and to in is that it for as with was on be by at this are from or an which not have"
_FREQUENT = {
    "deu": "und der das ist nicht mit von zu des im auf ein eine dem einer eines einem sich auch nach bei wird sind als aus zum",
    "fra": "le les des une est dans que qui pas sur au du et il ce avec sont aux cette ses leur ou nous vous",
    "spa": "el los las una que por para del se su es como lo al este esta sus ha pero entre cuando muy",
    "ita": "il che di una sono della del non gli nel alla dei le si da ha anche delle nella",
    "por": "que de um uma por dos das para os em da ao foi mais como seu sua pelo pela ser nos",
    "pol": "w z i na do od po ze za nie jest przez oraz sie dla jak tym",
    "ces": "v na se je z do po ze s pro za jako jsou si od pri byl",
    "nld": "het een de en dat niet op te voor zijn aan er om ook als bij naar uit wordt deze",
}
VIETNAMESE = "vie"
WHOLE_LATIN = frozenset({"Latin", "script/Latin"})  # packs for all languages in Latin letters
_SAME_LANGUAGE = {"deu": frozenset({"deu", "deu_latf", "frk"})}
# Shares of Vietnamese words. Their accents become arbitrary letters and digits, but all words are syllables.
_STARTS, _LONGEST = ("ng", "nh"), 7
_STARTS_SHARE, _LONGER_SHARE = 0.04, 0.03  # a Vietnamese page had .12 and 0, pages in English, German and French 0 and .12 to .25
_WORDS = {pack: frozenset(words.split()) for pack, words in _FREQUENT.items()}
_ENGLISH_WORDS = frozenset(_ENGLISH.split())


def pack_of_language(text: str) -> str:
    """Returns Tesseract's pack for the language of the text; "" if it is English, too short, or not in the table."""
    words = [word.lower() for word in _WORD.findall(text)]
    english = sum(word in _ENGLISH_WORDS for word in words)
    if _is_vietnamese(words, english):
        return VIETNAMESE
    found = {pack: [word for word in words if word in frequent] for pack, frequent in _WORDS.items()}
    pack = max(found, key=lambda name: len(found[name]))
    count = len(found[pack])
    different = set(found[pack])
    is_varied = len(different) >= _DIFFERENT and sum(len(word) > 1 for word in different) >= _DIFFERENT_LONGER
    is_frequent = is_varied and count >= max(_FEWEST, _SHARE * len(words))
    return pack if is_frequent and count > 2 * english else ""


def reads_language(pack: str, installed: Sequence[str]) -> bool:
    """Returns whether an installed pack reads the language of this pack."""
    return not (_SAME_LANGUAGE.get(pack, frozenset({pack})) | WHOLE_LATIN).isdisjoint(installed)


def _is_vietnamese(words: Sequence[str], english: int) -> bool:
    starts, longer = sum(word.startswith(_STARTS) for word in words), sum(len(word) > _LONGEST for word in words)
    is_frequent = starts >= max(_DIFFERENT, _STARTS_SHARE * len(words)) and starts > 2 * english
    return is_frequent and longer <= _LONGER_SHARE * len(words)
