"""A lone word at the end of a paragraph is read beside well-read lines of its page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from rayocr.engines.tesseract.line_sheet import HEIGHT
from rayocr.engines.tesseract.lines import TsvWord
from rayocr.engines.tesseract.lone_words import with_lone_words
from rayocr.engines.tesseract.program import Orientation
from tests.unit.engines.tesseract.test_other_scripts import GAP, tsv

LINE, WORD = np.full((40, 400), 255, np.uint8), np.full((40, 60), 255, np.uint8)
READ_WELL = [[TsvWord("شهر", 0, 0, 60, 40, 0.9, True)]] * 3


class Reader:
    version = "5"

    def __init__(self, answer: str) -> None:
        self.answer, self.asked = answer, 0

    def languages(self) -> tuple[str, ...]:
        return ("ara", "hin")

    def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
        self.asked += 1
        return self.answer

    def detect_orientation(self, image: Image.Image, *, dpi: int, least_letters: int = 50) -> Orientation | None:
        return None


def confidence(words: Sequence[TsvWord]) -> float:
    return min((word.confidence for word in words), default=0.0)


def read(tesseract: Reader, lines: list[list[TsvWord]], pack: str) -> list[str]:
    pictures = [LINE] * (len(lines) - 1) + [WORD]
    found = with_lone_words(lines, pictures, (pack,), tesseract, confidence=confidence, least=0.55)
    return [" ".join(word.text for word in words) for words in found]


def test_an_arabic_word_is_read_at_the_left_of_other_lines() -> None:
    rows = [((row, 200, 90, 90, "شهر"), (row, GAP, 80, 70, "سبتمبر.")) for row in range(3)]
    tesseract = Reader(tsv(*(word for row in rows for word in row)))
    assert read(tesseract, [*READ_WELL, []], "ara") == ["شهر", "شهر", "شهر", "سبتمبر."]
    assert tesseract.asked == 1


def test_a_hindi_word_is_read_at_the_right_of_other_lines() -> None:
    right = GAP + round((400 + 0.35 * 40) * HEIGHT / 40)
    rows = [((row, GAP, 90, 90, "नगर"), (row, right, 80, 70, "शासन।")) for row in range(3)]
    assert read(Reader(tsv(*(word for row in rows for word in row))), [*READ_WELL, []], "hin")[-1] == "शासन।"


def test_words_that_were_read_and_words_beside_bad_lines_are_not_read_again() -> None:
    tesseract = Reader("")
    assert read(tesseract, [*READ_WELL, READ_WELL[0]], "ara")[-1] == "شهر"
    assert read(tesseract, [[], [], [], []], "ara") == ["", "", "", ""]
    assert tesseract.asked == 0
