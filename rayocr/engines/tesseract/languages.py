"""Chooses between the languages of one script, such as Arabic, Persian and Urdu.

With the packs of several languages at once, Tesseract takes words and letters from each of them: Arabic words got Persian letters
that look alike ("موسیقی"), and every further pack costs time on every word. On 7 Arabic pages in as many fonts, the Arabic pack
was surer of the longest lines than the two others by .07 and more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import mean
from typing import Any

from rayocr.engines.tesseract.line_sheet import LineSheet
from rayocr.engines.tesseract.lines import TsvLine
from rayocr.engines.tesseract.program import Tesseract
from rayocr.engines.tesseract.scripts import DEVANAGARI, PERSIAN, languages_beside

_MOST = 3  # each pack costs time on every word
_SAMPLE = 6  # number of the longest lines, which each pack reads
_OWN_LINES = 2  # lines of the sample that a second language of the page must have
_SURER = 0.1  # the pack of a line's own language is surer than that of another by this much
_OTHER = 0.04  # packs of other languages are less sure of the sample by this much; Hindi and Marathi differ by less
# The packs for Devanagari read letters that the others misread: on 3 Marathi pages, word F1 was .965 with the Marathi pack and
# .975 with those for Hindi and Nepali after it.
_OTHER_DEVANAGARI = 0.15
_PERSIAN, _FEWEST_PERSIAN, _PERSIAN_SHARE = frozenset("پچژگ"), 3, 0.012  # Persian texts have .02 to .04


def packs_of_language(packs: Sequence[str], lines: Sequence[Any], tesseract: Tesseract) -> tuple[str, ...]:
    """Returns `packs` without those of other languages than the lines' own. `lines`: gray pictures (rows, columns) in the script
    of `packs`. Reads a sample with each installed pack of the script; raises EngineError."""
    candidates = languages_beside(packs[0], tesseract.languages())
    if len(candidates) < 2:
        return tuple(packs)
    sample = LineSheet(sorted(lines, key=lambda line: -line.shape[1] / line.shape[0])[:_SAMPLE])
    read = {pack: sample.read(tesseract, (pack,)) for pack in candidates}
    if _is_persian(word.text for words in read.get(PERSIAN, ()) for word in words):
        candidates = tuple(pack for pack in candidates if pack != "ara")
    sure = {pack: [_confidence(words) for words in read[pack]] for pack in candidates}
    main = max(candidates, key=lambda pack: sum(sure[pack]))
    if main == PERSIAN:  # Urdu letters took the place of Persian ones: word F1 of a page was .875 with both packs, .902 with one
        return (PERSIAN, *(("eng",) if "eng" in packs else ()))
    margin = _OTHER_DEVANAGARI if main in DEVANAGARI else _OTHER

    def is_of_page(pack: str) -> bool:
        own_lines = sum(own > best + _SURER for own, best in zip(sure[pack], sure[main], strict=True))
        return mean(sure[pack]) > mean(sure[main]) - margin or own_lines >= _OWN_LINES

    languages = sorted(filter(is_of_page, candidates), key=lambda pack: -sum(sure[pack]))
    return (*languages[:_MOST], *(("eng",) if "eng" in packs else ()))


def _is_persian(words: Iterable[str]) -> bool:
    """Returns whether the Persian pack reads the letters that Arabic lacks (peh, cheh, zheh, gaf). In some Persian fonts the
    Arabic pack is surer of similar letters of its own."""
    letters = [char for word in words for char in word if char.isalpha()]
    found = sum(char in _PERSIAN for char in letters)
    return found >= _FEWEST_PERSIAN and found > _PERSIAN_SHARE * len(letters)


def _confidence(words: Sequence[Any]) -> float:
    return TsvLine(tuple(words)).confidence if words else 0.0
