"""Reads single lines in scripts that rapidocr does not support, for pages that mix scripts.

The lines are stacked and read as one block, since every Tesseract call takes 0.1 s to start. The script comes from Tesseract's
detection or, if that is uncertain, from the installed packs that read a sample best.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from rayocr.engines.tesseract.corrections.by_script import corrected
from rayocr.engines.tesseract.corrections.lexicon import lexicon_of
from rayocr.engines.tesseract.foreign_words import ReadsLatin, with_foreign_words
from rayocr.engines.tesseract.languages import packs_of_language
from rayocr.engines.tesseract.latin_languages import WHOLE_LATIN
from rayocr.engines.tesseract.line_sheet import HEIGHT, LineSheet
from rayocr.engines.tesseract.lines import TsvLine, TsvWord
from rayocr.engines.tesseract.lone_words import with_lone_words
from rayocr.engines.tesseract.native_digits.classifier import classifier_of
from rayocr.engines.tesseract.native_digits.numbers import NativeNumbers, lone_numbers
from rayocr.engines.tesseract.program import Tesseract, find_tesseract
from rayocr.engines.tesseract.script_choice import ScriptChoice, mean_of_sample, orientation_of, script_of
from rayocr.engines.tesseract.script_shapes.correction import is_nastaliq
from rayocr.engines.tesseract.scripts import (
    ARABIC,
    DEVANAGARI,
    GREEK,
    HEBREW,
    KOREAN,
    LATIN,
    VIETNAMESE,
    packs_for,
)
from rayocr.engines.tesseract.voting import agreed, voted, whole_words, with_joined
from rayocr.errors import EngineError, EngineUnavailable, LanguagePackMissing

_MOST_ROUNDS = 2  # maximum number of scripts per page besides those that rapidocr supports
_HALF_TURN = 2
_SURE_TURN = 2.0  # confidence of the orientation, in Tesseract's own unit; lines that are upside down had 7 to 27
_LEAST = 0.55  # minimum confidence of a line
_LEAST_OF_SECOND = 0.66  # the same for the second script of a page: a Greek word was read as Cyrillic letters with .64
_VIEWS: tuple[dict[str, Any], ...] = ({"height": HEIGHT * 9 // 7, "gap": 40}, {"height": HEIGHT, "stretch": 1.15})
# On 12 Arabic pages in six fonts, word F1 was .952 with the sizes and the vote of the other scripts and .966 with these. They
# were chosen on 12 other pages (.963 and .976).
_ARABIC_SHEET: dict[str, Any] = {"height": 52, "gap": 26}
_ARABIC_VIEWS: tuple[dict[str, Any], ...] = (
    {"height": 87, "gap": 40},
    {"height": 48, "gap": 24, "stretch": 1.15},
    {"height": 44, "gap": 26},
)
_VIEWS_OF_LOST: tuple[dict[str, Any], ...] = (*_VIEWS, {"height": HEIGHT * 9 // 7}, {"height": HEIGHT * 5 // 7})
_LOST_LINE = 0.65  # lines below this confidence are read a second time
_SURE_WORD = 0.9
_DOUBTFUL = 0.7  # confidence of lines with a number that was not read well
# Together with the English pack, these packs read many words of their own script as Latin ones.
_WITHOUT_ENGLISH = GREEK | ARABIC | HEBREW | DEVANAGARI


class OtherReading(NamedTuple):
    """The reading of a line. `confidence` is Tesseract's, 0..1; 0 if there is no text."""

    text: str
    confidence: float


class OtherScripts:
    def __init__(self, *, timeout_s: float = 180.0, tesseract: Tesseract | None = None) -> None:
        self._timeout_s = timeout_s
        self._tesseract = tesseract

    def is_upside_down(self, lines: Sequence[Any]) -> bool:
        """Returns whether gray pictures of lines certainly are upside down."""
        seen = orientation_of(lines, self._open())
        return seen is not None and seen.quarter_turns == _HALF_TURN and seen.turn_confidence >= _SURE_TURN

    def require(self, pack: str) -> None:
        """Raises LanguagePackMissing if the pack is not installed."""
        if pack not in self._open().languages():
            raise LanguagePackMissing(f"Tesseract has no pack {pack}. Install tesseract-ocr-{pack}.", pack=pack)

    def missing_pack(self, lines: Sequence[Any]) -> str:
        """Returns the pack for the most likely script of lines that no installed pack has read. Returns "" if the script cannot
        be detected or its pack is installed."""
        tesseract = self._open()
        seen = script_of(lines, tesseract)
        if seen is not None and seen.script not in LATIN:
            try:
                packs_for(seen, tesseract.languages(), sure=0.0)
            except LanguagePackMissing as error:
                return error.pack
        return ""

    def _open(self) -> Tesseract:
        self._tesseract = self._tesseract or find_tesseract(timeout_s=self._timeout_s)
        if self._tesseract is None:
            raise EngineUnavailable("tesseract is not installed.")
        return self._tesseract

    def read(self, lines: Sequence[Any], *, likely: str = "", read_latin: ReadsLatin | None = None) -> list[OtherReading]:
        """Reads gray pictures (rows, columns). `likely` is the pack to try first, if it is installed; `read_latin` reads words
        that Tesseract's packs misread. A second script must be more than digits: packs read words of other scripts as their own
        digits. Raises LanguagePackMissing if the script of most lines is known and has no pack."""
        tesseract = self._open()
        read = [OtherReading("", 0.0)] * len(lines)
        left = list(range(len(lines)))
        choice = ScriptChoice(tesseract, partial(self._confidence_of_sample, tesseract))
        for turn in range(_MOST_ROUNDS):
            try:
                known = turn == 0 and likely in tesseract.languages()
                packs = (likely,) if known else choice.packs_of([lines[index] for index in left])
            except LanguagePackMissing:
                if turn == 0:
                    raise
                break
            if not packs:
                break
            some = [lines[index] for index in left]
            found = self._read_with(packs if known else self._of_language(packs, some), some, tesseract, read_latin)
            for index, reading in zip(left, found, strict=True):
                is_sure = reading.confidence >= (_LEAST if turn == 0 else _LEAST_OF_SECOND)
                if is_sure and (turn == 0 or _has_letters(reading.text)):
                    read[index] = reading
            before, left = left, [index for index in left if not read[index].text]
            if not left:
                break
            if len(left) == len(before):
                choice.refuse(packs)
            else:
                choice.accept()
        return read

    def read_numbers(self, lines: Sequence[Any], digits: str) -> list[OtherReading]:
        """Reads gray pictures that contain one number each, in digits like these. Returns no text for other pictures."""
        return [OtherReading(text, probability) for text, probability in lone_numbers(lines, digits)]

    def read_words(self, lines: Sequence[Any], pack: str) -> list[list[tuple[str, float]]] | None:
        """Returns the words and their confidences, 0..1, of gray pictures in a language in Latin letters; None if neither the
        pack of the language nor one for all of them is installed. Lines are empty if Tesseract fails."""
        tesseract = self._open()
        installed = tesseract.languages()
        packs = [name for name in (pack, *sorted(WHOLE_LATIN)) if name in installed][:1]
        if not packs:
            return None
        try:
            read = LineSheet(lines).read(tesseract, packs)
        except EngineUnavailable:
            raise
        except EngineError:
            return [[] for _ in lines]
        return [[(word.text, word.confidence) for word in words] for words in read]

    def _confidence_of_sample(self, tesseract: Tesseract, packs: Sequence[str], lines: Sequence[Any]) -> float:
        return mean_of_sample(self._read_with(packs, lines, tesseract), _LEAST)

    def _of_language(self, packs: tuple[str, ...], lines: Sequence[Any]) -> tuple[str, ...]:
        try:
            return packs_of_language(packs, lines, self._open())
        except EngineUnavailable:
            raise
        except EngineError:
            return packs

    def _read_with(
        self, packs: Sequence[str], lines: Sequence[Any], tesseract: Tesseract, read_latin: ReadsLatin | None = None
    ) -> list[OtherReading]:
        """Returns the lines' texts. With `read_latin`, reads again for the best result; without it, reads once."""
        if read_latin is not None and packs[0] in _WITHOUT_ENGLISH and packs[-1] == "eng":
            packs = packs[:-1]
        classifier = classifier_of(packs[0]) if read_latin is not None else None
        numbers = NativeNumbers(lines, packs[0], classifier) if classifier is not None else None
        lines = numbers.pictures if numbers is not None else lines
        sheet = LineSheet(lines, **(_ARABIC_SHEET if packs[0] in ARABIC else {}))
        try:
            read = sheet.read(tesseract, packs)
            if read_latin is not None:
                read = self._refined(read, sheet, packs, lines, read_latin)
                read = _with_lost_lines(read, sheet, lines, packs, tesseract)
                read = with_lone_words(read, lines, packs, tesseract, confidence=_confidence, least=_LEAST)
            if numbers is not None:
                read = [numbers.with_numbers(index, words, sheet) for index, words in enumerate(read)]
        except EngineUnavailable:
            raise
        except EngineError:
            return [OtherReading("", 0.0)] * len(lines)
        found = [TsvLine(tuple(words)) if words else None for words in read]
        texts = corrected([line.text if line else "" for line in found], packs[0])
        readings = [OtherReading(text, line.confidence if line else 0.0) for text, line in zip(texts, found, strict=True)]
        if numbers is None:
            return readings
        all_doubtful = packs[0] in ARABIC and is_nastaliq(lines)  # the packs misread its numbers, too
        return [
            reading._replace(confidence=min(reading.confidence, _DOUBTFUL)) if all_doubtful or numbers.is_doubtful(n) else reading
            for n, reading in enumerate(readings)
        ]

    def _refined(
        self, read: list[list[TsvWord]], sheet: LineSheet, packs: Sequence[str], lines: Sequence[Any], read_latin: ReadsLatin
    ) -> list[list[TsvWord]]:
        if packs[0] in _WITHOUT_ENGLISH | KOREAN | VIETNAMESE:
            read = with_foreign_words(read, sheet, packs, read_latin)
        if packs[0] not in ARABIC | HEBREW | KOREAN | GREEK:
            return read
        read = [whole_words(words) for words in read]
        doubtful = [index for index, words in enumerate(read) if any(word.confidence < _SURE_WORD for word in words)]
        some = [lines[index] for index in doubtful]
        known = lexicon_of(self._open().data_folder(), packs[0]) if packs[0] in ARABIC else None
        sizes, choose = (_ARABIC_VIEWS, partial(agreed, known=known or ())) if packs[0] in ARABIC else (_VIEWS, voted)
        sheets = [LineSheet(some, **size) for size in sizes] if some else []
        views = [(view, view.read(self._open(), packs)) for view in sheets]
        for place, index in enumerate(doubtful):
            others = (whole_words(sheet.placed(words[place], view)) for view, words in views)
            read[index] = choose([read[index], *others])
        return [with_joined(words, known) for words in read] if known is not None else read


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _with_lost_lines(
    read: Sequence[list[TsvWord]], sheet: LineSheet, lines: Sequence[Any], packs: Sequence[str], tesseract: Tesseract
) -> list[list[TsvWord]]:
    """Returns the words, in the coordinates of `sheet`, with a second reading of lines that Tesseract read badly or not at all,
    if it is better. If no line was read well, the page is in another script, and nothing is read again."""
    better = list(read)
    if max(map(_confidence, read)) < _LOST_LINE:
        return better
    for view in _VIEWS_OF_LOST:
        lost = [index for index, words in enumerate(better) if _confidence(words) < _LOST_LINE]
        other = LineSheet([lines[index] for index in lost], **view) if lost else sheet
        again = other.read(tesseract, packs) if lost else []
        for index, words in zip(lost, again, strict=True):
            better[index] = max(better[index], whole_words(sheet.placed(words, other)), key=_confidence)
    return better


def _confidence(words: Sequence[TsvWord]) -> float:
    return TsvLine(tuple(words)).confidence if words else 0.0
