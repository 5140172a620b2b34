"""Reads every line with the tiny model, and again with the small model if the tiny one has low confidence.

The tiny model takes a fifth of the time. If it misreads a line of clean print, a letter has a low probability or a space is just
below the threshold. Of 10,800 words on 34 pages, the small model alone misread 74 and the tiny model 84. The cascade misread 74
with a limit of .7 for the letters (10 % of the print was read again), and 78 with a limit of .6 (4 %).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rayocr.engines.rapidocr.recognizer.combining import combined
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines
from rayocr.engines.rapidocr.text import is_unread

# For each speed setting, limits on the least certain letter and on the mean.
_LIMITS = {"auto": (0.65, 0.93), "fast": (0.3, 0.8), "best": (0.8, 0.97)}
_LAST_LATIN = "\u024f"
_MARKS = "\u1e00", "\u20cf"  # range of more Latin letters with accents, general punctuation, currencies


class CascadeRecognizer:
    def __init__(self, tiny: ReadsLines, small: ReadsLines, *, speed: str) -> None:
        self._tiny = tiny
        self._small = small
        self._limits = _LIMITS[speed]

    def __call__(self, lines: Sequence[Any]) -> list[LineReading]:
        """Reads each gray picture (rows, columns)."""
        read = self._tiny(lines)
        again = [index for index, line in enumerate(lines) if self._is_doubtful(read[index], line.shape[1] / line.shape[0])]
        for index, reading in zip(again, self._small([lines[index] for index in again]), strict=True):
            read[index] = combined(read[index], reading)
        return read

    def _is_doubtful(self, reading: LineReading, aspect: float) -> bool:
        weakest, mean = self._limits
        if reading.weakest < weakest or reading.score < mean or not reading.text.strip() or is_unread(reading.text, aspect):
            return True
        # The tiny model supports a third of the Chinese characters and misreads the others as supported ones.
        return any(sign > _LAST_LATIN and sign.isalpha() and not _MARKS[0] <= sign <= _MARKS[1] for sign in reading.text)
