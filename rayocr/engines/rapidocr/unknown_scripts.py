"""Reads the lines of a page in scripts that rapidocr's models do not support, with Tesseract, and reports the packs that are
missing for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from rayocr.engines.rapidocr.accented_languages import language_of
from rayocr.engines.rapidocr.accented_words import with_accents
from rayocr.engines.rapidocr.cleaning.show_through import without_faint
from rayocr.engines.rapidocr.image import cut_out, with_margin
from rayocr.engines.rapidocr.other_lines import (
    LEAST_ASPECT,
    as_own_score,
    is_all_zeros,
    is_better,
    lines_to_compare,
    misread_lines,
    native_digits,
    weight,
    with_our_numbers,
)
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines
from rayocr.engines.rapidocr.text import UNKNOWN_SCORE, VIETNAMESE, is_unread, pack_of_half_known, pack_of_page
from rayocr.errors import LanguagePackMissing
from rayocr.messages import LOW_CONFIDENCE, PACK_MISSING

UNREAD_ASPECT = 4.0  # longer boxes always contain text; many shorter ones are specks
JUNK = 0.8  # below this score, a line may be in a script that the models mistake for Latin
_UNREAD_LINE = 8.0  # longer unread boxes contain a line of print; shorter ones may be signatures or ornaments
_FEWEST_UNREAD = 2  # least number of unread lines that counts; a single one may be a signature or an ornament
_MUCH_UNREAD = 0.1  # share of the print; without a language pack, a page with more unread print fails, one with less gets a doubt
_DOUBTFUL = 0.75  # Tesseract's confidence of a line; misread words of another script that look like numbers have less
_LONGEST_NUMBER = 16  # largest number of characters of a line that may be a number in other digits
_MOST_UNREAD = 0.7  # share of the print; Tesseract reads all of a page that lacks more because a pack is missing


class ReadsOtherScripts(Protocol):
    def read(
        self, lines: Sequence[Any], *, likely: str = "", read_latin: ReadsLines | None = None
    ) -> Sequence[tuple[str, float]]:
        """Returns text and confidence, 0..1, of gray pictures. `likely`: the pack to try first. `read_latin` reads Latin words in
        other scripts. Raises LanguagePackMissing."""

    def read_numbers(self, lines: Sequence[Any], digits: str) -> Sequence[tuple[str, float]]:
        """Returns text and confidence, 0..1, of gray pictures that contain a number in digits like these, and no other text."""

    def read_words(self, lines: Sequence[Any], pack: str) -> Sequence[Sequence[tuple[str, float]]] | None:
        """Returns the words and their confidences, 0..1, of gray pictures in a language in Latin letters; None without a pack
        for it."""

    def is_upside_down(self, lines: Sequence[Any]) -> bool:
        """Returns whether gray pictures of lines certainly are upside down."""

    def require(self, pack: str) -> None:
        """Raises LanguagePackMissing if the pack is not installed."""

    def missing_pack(self, lines: Sequence[Any]) -> str:
        """Returns the pack for the most likely script of lines that were not read; "" if it is not known or is installed."""


class UnknownScripts:
    """Reads lines in other scripts than those of rapidocr's models."""

    def __init__(self, reader: ReadsOtherScripts | None, recognize: ReadsLines) -> None:
        """`reader`: None if Tesseract is not installed. `recognize`: the models, for Latin words in lines of other scripts."""
        self._reader = reader
        self._recognize = recognize

    def read(
        self, upright: Any, quads: Any, read: Sequence[LineReading], aspects: list[float]
    ) -> tuple[list[LineReading], tuple[str, ...]]:
        """Returns the readings, with Tesseract's accents in languages whose accents the models misread, and its text for lines in
        scripts that they do not support, and the doubts: the packs that are missing for accents or a few lines. Raises
        LanguagePackMissing if a pack is missing for more than a few lines."""
        pack = language_of(reading.text for reading in read)
        accented, doubts = with_accents(self._reader, upright, quads, read, pack) if pack else (read, ())
        ignored = VIETNAMESE if pack else ""  # Romanian has one of its letters, and the models read others
        ours = [
            reading._replace(score=min(reading.score, UNKNOWN_SCORE))
            if pack_of_half_known(reading.text) not in ("", ignored)
            else reading
            for reading in accented
        ]
        better, more = self._with_other_scripts(upright, quads, ours, aspects, ignored)
        return better, tuple(dict.fromkeys((*doubts, *more)))

    def _with_other_scripts(
        self, upright: Any, quads: Any, read: list[LineReading], aspects: list[float], ignored: str
    ) -> tuple[list[LineReading], tuple[str, ...]]:
        """`ignored`: a pack for which the page has no text, although its letters suggest it."""
        half_known = [pack_of_half_known(reading.text) for reading in read]
        unread = [
            index
            for index, (text, score, *_) in enumerate(read)
            if aspects[index] > UNREAD_ASPECT
            and (score < JUNK or is_unread(text, aspects[index]) or half_known[index] not in ("", ignored))
        ]
        unread = without_faint(upright, quads, unread, aspects)
        misread = misread_lines(read, aspects, unread)
        share = sum(weight(aspects[index]) for index in {*unread, *misread}) / max(sum(map(weight, aspects)), 1.0)
        packs = [pack for index in unread if (pack := half_known[index]) not in ("", ignored)]
        likely = max(packs, key=packs.count) if packs else pack_of_page([reading.text for reading in read])
        likely = "" if likely == ignored else likely
        if self._reader is None or not (unread or misread or likely):
            return read, (LOW_CONFIDENCE,) if misread else ()
        compared = lines_to_compare(read, aspects, unread, misread, likely)
        unread += sorted(compared)
        if len(unread) < _FEWEST_UNREAD and not likely:
            return read, self._doubts_of_unread(upright, quads, read, aspects)
        pictures = [cut_out(upright, with_margin(quads[index])) for index in unread]
        again, doubts = self._read_again(pictures, likely, share)
        if again is None:
            return read, ()
        if _take_better(read, unread, again, aspects, compared):
            doubts[LOW_CONFIDENCE] = None
        if self._read_numbers(upright, quads, read, unread):
            doubts[LOW_CONFIDENCE] = None
        if not any(doubt.startswith(PACK_MISSING) for doubt in doubts):
            doubts |= dict.fromkeys(self._doubts_of_unread(upright, quads, read, aspects))
        return read, tuple(doubts)

    def _read_again(
        self, pictures: Sequence[Any], likely: str, share: float
    ) -> tuple[Sequence[tuple[str, float]] | None, dict[str, None]]:
        """Returns the readings of lines that are this share of the page's print, and doubts that name missing packs. The readings
        are None if the packs for most of the page are missing. Raises LanguagePackMissing if they are missing for much of it."""
        assert self._reader is not None
        doubts: dict[str, None] = {}
        try:
            if likely:
                self._reader.require(likely)
        except LanguagePackMissing as error:
            if share > _MUCH_UNREAD:
                raise
            doubts[f"{PACK_MISSING}:{error.pack}"] = None
        try:
            return self._reader.read(pictures, likely=likely, read_latin=self._recognize), doubts
        except LanguagePackMissing as error:
            if share > _MOST_UNREAD:
                return None, doubts
            if share > _MUCH_UNREAD:
                raise
            return [("", 0.0)] * len(pictures), doubts | {f"{PACK_MISSING}:{error.pack}": None}

    def _read_numbers(self, upright: Any, quads: Any, read: list[LineReading], unread: Collection[int]) -> bool:
        """Replaces the models' readings of other lines that are numbers, if the page has digits that they do not know. Returns
        whether one of them remains doubtful."""
        assert self._reader is not None
        digits = native_digits("".join(read[index].text for index in unread))
        others = [n for n, reading in enumerate(read) if digits and n not in unread and len(reading.text) <= _LONGEST_NUMBER]
        numbers = self._reader.read_numbers([cut_out(upright, with_margin(quads[n])) for n in others], digits) if others else ()
        for index, (text, confidence) in zip(others, numbers, strict=True):
            if text:
                read[index] = LineReading(text, as_own_score(confidence), 0.0)
        return any(text and confidence < _DOUBTFUL for text, confidence in numbers)

    def _doubts_of_unread(self, upright: Any, quads: Any, read: list[LineReading], aspects: list[float]) -> tuple[str, ...]:
        """Returns the doubt for lines that were almost unread, with the pack for their script as far as Tesseract can detect it.
        Raises LanguagePackMissing if Tesseract detects the script and more than a few lines are unread."""
        unread = [i for i, aspect in enumerate(aspects) if aspect > _UNREAD_LINE and is_unread(read[i].text, aspect)]
        unread = without_faint(upright, quads, unread, aspects)
        if not unread or self._reader is None:
            return ()
        pack = self._reader.missing_pack([cut_out(upright, quads[index]) for index in unread])
        share = sum(weight(aspects[index]) for index in unread) / max(sum(map(weight, aspects)), 1.0)
        if pack and share > _MUCH_UNREAD:
            self._reader.require(pack)
        return (f"{PACK_MISSING}:{pack or 'unknown'}",)


def _take_better(
    read: list[LineReading],
    unread: Sequence[int],
    again: Sequence[tuple[str, float]],
    aspects: Sequence[float],
    compared: Collection[int],
) -> bool:
    """Replaces readings of the models by better ones of Tesseract. Returns whether a line remains doubtful. `unread`: the lines
    that Tesseract read; `compared`: those that the models read, too."""
    is_doubtful = False
    for index, (text, confidence) in zip(unread, again, strict=True):
        ours, is_lost = read[index], not text and aspects[index] > LEAST_ASPECT
        if is_better(text, confidence, ours, aspects[index], compared=index in compared):
            text, is_lost = with_our_numbers(text, ours)
            read[index] = LineReading(text, as_own_score(confidence), 0.0)
            is_lost |= confidence < _DOUBTFUL
        elif not is_lost:
            is_lost = is_all_zeros(ours.text)
        is_doubtful |= is_lost and (index in compared or bool(text))
    return is_doubtful
