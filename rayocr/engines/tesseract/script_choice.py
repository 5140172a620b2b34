"""Chooses the packs for the lines of one page: those of the script that Tesseract detects or, if that is uncertain, those that
read a sample of the lines best.

Every pack takes about 0.2 s to load and read a sample, and some 30 may be installed. So few lines are read with each, and after
the first script of a page only packs of frequent scripts are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

from rayocr.engines.tesseract.line_sheet import LineSheet
from rayocr.engines.tesseract.program import FEW_LETTERS, Orientation, Tesseract
from rayocr.engines.tesseract.script_shapes.correction import with_shown_script
from rayocr.engines.tesseract.scripts import (
    CERTAIN_SCRIPT,
    FREQUENT,
    HAN,
    KOREAN_SCRIPTS,
    LATIN,
    groups_of,
    packs_for,
    packs_of_script,
)
from rayocr.errors import LanguagePackMissing

_SAMPLE, _SMALL_SAMPLE = 8, 3  # number of the longest lines, for the packs of the detected script and for other packs
_SURE_SCRIPT = 1.0
_HALF_SURE_SCRIPT = 0.5  # confidence of the script that is enough to name a pack that should be installed
_SURE_SAMPLE = 0.85  # mean confidence of a sample whose script is certain
_LEAST_SAMPLE = 0.3  # mean confidence of a sample that may contain a second script
_LEAST_DETECTED = 0.4  # the same for the detected script; lines in Korean and English had .55, and .64 with the Thai pack

ReadsSample = Callable[[Sequence[str], Sequence[Any]], float]


class ScriptChoice:
    """Chooses the packs for the lines of one page that are left, one script after the other. `read_sample` returns the mean
    confidence, 0..1, of a pack's readings of gray pictures; readings without letters count as 0."""

    def __init__(self, tesseract: Tesseract, read_sample: ReadsSample) -> None:
        self._tesseract = tesseract
        self._read_sample = read_sample
        self._refused: set[tuple[str, ...]] = set()
        self._has_read = False

    def refuse(self, packs: tuple[str, ...]) -> None:
        """Notes that the packs read none of the lines: the script was detected wrongly, Korean as Arabic, for example."""
        self._refused.add(packs)

    def accept(self) -> None:
        """Notes that some lines were read, so that the others are tried with frequent scripts only."""
        self._has_read = True

    def packs_of(self, lines: Sequence[Any]) -> tuple[str, ...]:
        """Returns the packs for gray pictures (rows, columns); none if no pack reads them. Raises LanguagePackMissing."""
        longest = sorted(lines, key=lambda line: -line.shape[1] / line.shape[0])[:_SAMPLE]
        seen = script_of(longest, self._tesseract)
        detected = self._detected(seen, longest)
        if detected:
            return detected
        packs = self._best(longest, seen)
        if packs:
            return packs
        if seen is not None and seen.script not in LATIN:
            packs_for(seen, self._tesseract.languages(), sure=_HALF_SURE_SCRIPT)  # raises if the script has no pack
        return ()

    def _detected(self, seen: Orientation | None, lines: Sequence[Any]) -> tuple[str, ...]:
        """Returns the packs of the detected script, if it is certain or they read a sample; none otherwise."""
        if seen is None or seen.script in LATIN:
            return ()
        is_sure = seen.script_confidence >= _SURE_SCRIPT
        try:
            packs = packs_for(seen, self._tesseract.languages(), sure=_SURE_SCRIPT if is_sure else 0.0)
        except LanguagePackMissing:
            if is_sure:
                raise
            return ()
        if packs in self._refused:
            return ()
        if seen.script_confidence >= CERTAIN_SCRIPT:
            return packs
        # Tesseract knows the Korean script under two names, so that its confidence is almost zero.
        is_likely = is_sure or seen.script_confidence >= _HALF_SURE_SCRIPT or seen.script in KOREAN_SCRIPTS
        least = _LEAST_DETECTED if is_likely else _SURE_SAMPLE
        return packs if self._read_sample(packs[:1], lines) >= least else ()

    def _best(self, longest: Sequence[Any], seen: Orientation | None) -> tuple[str, ...]:
        likely = packs_of_script(seen.script) if seen is not None else ()
        tried: list[tuple[float, tuple[str, ...]]] = []
        for packs in _frequent_first(groups_of(self._tesseract.languages())):
            if packs[0] in HAN or packs in self._refused or (self._has_read and packs[0] not in (*FREQUENT, *likely)):
                continue
            tried.append((self._read_sample(packs[:1], longest[:_SMALL_SAMPLE]), packs))
            if tried[-1][0] > _SURE_SAMPLE:
                break
        confidence, packs = max(tried, default=(0.0, ()))
        return packs if confidence >= _LEAST_SAMPLE else ()


def orientation_of(lines: Sequence[Any], tesseract: Tesseract) -> Orientation | None:
    """Returns what Tesseract detects in gray pictures (rows, columns) of lines."""
    sheet = LineSheet(lines)
    return sheet.orientation(tesseract) or sheet.orientation(tesseract, least_letters=FEW_LETTERS)


def script_of(lines: Sequence[Any], tesseract: Tesseract) -> Orientation | None:
    """Returns what Tesseract detects in gray pictures of lines, with the script that their shapes show where Tesseract errs."""
    return with_shown_script(orientation_of(lines, tesseract), lines)


def mean_of_sample(readings: Sequence[tuple[str, float]], least: float) -> float:
    """Returns the mean confidence of readings (text, confidence). Those without letters or below `least` count as 0."""
    return mean(confidence if confidence >= least and any(map(str.isalpha, text)) else 0.0 for text, confidence in readings)


def _frequent_first(groups: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return sorted(groups, key=lambda packs: FREQUENT.index(packs[0]) if packs[0] in FREQUENT else len(FREQUENT))
