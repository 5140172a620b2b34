"""Reads single lines in scripts that rapidocr does not support, for pages that mix scripts.

The lines are stacked and read as one block, since every Tesseract call takes 0.1 s to start. The script comes from Tesseract's
detection or, if that is uncertain, from the installed packs that read a sample best.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

from rayocr.engines.tesseract.lines import TsvLine, lines_of_tsv, mean_confidence
from rayocr.engines.tesseract.program import FEW_LETTERS, Orientation, Tesseract, find_tesseract
from rayocr.engines.tesseract.scripts import LATIN, groups_of, packs_for
from rayocr.errors import EngineError, EngineUnavailable, LanguagePackMissing

if TYPE_CHECKING:
    from PIL.Image import Image

_HEIGHT = 56  # pixels, of a line with its margins: letters of 10 pt at 300 dpi
_GAP = 28
_DPI = 300
_MOST_ROUNDS = 2  # scripts besides those that rapidocr supports
_SAMPLE = 8  # lines
_SURE_SCRIPT = 1.0
_HALF_SURE_SCRIPT = 0.5  # enough to name the pack for lines that no installed pack reads
_LEAST = 0.55  # minimum confidence of a line
_LEAST_SAMPLE = 0.3  # mean confidence of a sample that may contain a second script


class OtherReading(NamedTuple):
    """`confidence` is Tesseract's, 0..1; 0 if there is no text."""

    text: str
    confidence: float


class OtherScripts:
    def __init__(self, *, timeout_s: float = 180.0, tesseract: Tesseract | None = None) -> None:
        self._timeout_s = timeout_s
        self._tesseract = tesseract

    def require(self, pack: str) -> None:
        """Raises LanguagePackMissing."""
        if pack not in self._open().languages():
            raise LanguagePackMissing(f"Tesseract has no pack {pack}. Install tesseract-ocr-{pack}.", pack=pack)

    def missing_pack(self, lines: Sequence[Any]) -> str:
        """The pack for the most likely script of lines that no installed pack has read. Returns "" if the script cannot be
        detected or its pack is installed."""
        tesseract = self._open()
        seen = _script_of(lines, tesseract)
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

    def read(self, lines: Sequence[Any], *, likely: str = "") -> list[OtherReading]:
        """Reads gray pictures (rows, columns). `likely` is the pack to try first, if it is installed. Raises LanguagePackMissing
        if the script of most lines is known and has no pack."""
        tesseract = self._open()
        read = [OtherReading("", 0.0)] * len(lines)
        left = list(range(len(lines)))
        for turn in range(_MOST_ROUNDS):
            try:
                known = turn == 0 and likely in tesseract.languages()
                packs = (likely,) if known else self._packs_of([lines[index] for index in left], tesseract)
            except LanguagePackMissing:
                if turn == 0:
                    raise
                break
            if not packs:
                break
            found = self._read_with(packs, [lines[index] for index in left], tesseract)
            for index, reading in zip(left, found, strict=True):
                if reading.confidence >= _LEAST:
                    read[index] = reading
            before, left = left, [index for index in left if not read[index].text]
            if not left or len(left) == len(before):
                break
        return read

    def _packs_of(self, lines: Sequence[Any], tesseract: Tesseract) -> tuple[str, ...]:
        longest = sorted(lines, key=lambda line: -line.shape[1] / line.shape[0])[:_SAMPLE]
        seen = _script_of(longest, tesseract)
        if seen is not None and seen.script not in LATIN and seen.script_confidence >= _SURE_SCRIPT:
            return packs_for(seen, tesseract.languages(), sure=_SURE_SCRIPT)
        tried = []
        for packs in groups_of(tesseract.languages()):
            found = self._read_with(packs, longest, tesseract)
            tried.append((mean(reading.confidence if reading.confidence >= _LEAST else 0.0 for reading in found), packs))
        confidence, packs = max(tried, default=(0.0, ()))
        if confidence >= _LEAST_SAMPLE:
            return packs
        if seen is not None and seen.script not in LATIN:
            packs_for(seen, tesseract.languages(), sure=_HALF_SURE_SCRIPT)  # raises if the script has no pack
        return ()

    def _read_with(self, packs: Sequence[str], lines: Sequence[Any], tesseract: Tesseract) -> list[OtherReading]:
        block, tops = _below_each_other(lines)
        try:
            read = lines_of_tsv(tesseract.read_tsv(block, languages="+".join(packs), dpi=_DPI, as_block=True))
        except EngineUnavailable:
            raise
        except EngineError:
            return [OtherReading("", 0.0)] * len(lines)
        return [_joined([line for line in read if top <= _middle(line) < top + _HEIGHT + _GAP]) for top in tops]


def _script_of(lines: Sequence[Any], tesseract: Tesseract) -> Orientation | None:
    sheet = _below_each_other(lines)[0]
    return tesseract.detect_orientation(sheet, dpi=_DPI) or tesseract.detect_orientation(
        sheet, dpi=_DPI, least_letters=FEW_LETTERS
    )


def _below_each_other(lines: Sequence[Any]) -> tuple[Image, list[int]]:
    """Returns one picture, and the row at which each line begins."""
    import cv2
    import numpy as np
    from PIL import Image

    scaled = [cv2.resize(line, (max(round(line.shape[1] * _HEIGHT / line.shape[0]), 1), _HEIGHT)) for line in lines]
    sheet = np.full((len(lines) * (_HEIGHT + _GAP) + _GAP, max(line.shape[1] for line in scaled) + 2 * _GAP), 255, np.uint8)
    tops = [_GAP + index * (_HEIGHT + _GAP) for index in range(len(lines))]
    for line, top in zip(scaled, tops, strict=True):
        sheet[top : top + _HEIGHT, _GAP : _GAP + line.shape[1]] = line
    return Image.fromarray(sheet), [top - _GAP // 2 for top in tops]


def _middle(line: TsvLine) -> float:
    return mean(word.top + word.height / 2 for word in line.words)


def _joined(parts: Sequence[TsvLine]) -> OtherReading:
    ordered = sorted(parts, key=lambda part: part.words[0].left)
    return OtherReading(" ".join(part.text for part in ordered), mean_confidence(ordered) or 0.0)
