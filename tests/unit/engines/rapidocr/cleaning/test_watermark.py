"""Watermarks of different levels and angles on drawn pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from rayocr.engines.rapidocr.cleaning.watermark import find_watermark
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.messages import LOW_CONFIDENCE, PageText

DPI = 100


def drawn(word: str, angle: float) -> np.ndarray:
    """Returns a mask (rows, columns) of a word in large letters."""
    mask = np.zeros((900, 800), np.uint8)
    (wide, high), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 4.0, 18)
    cv2.putText(mask, word, (400 - wide // 2, 450 + high // 2), cv2.FONT_HERSHEY_SIMPLEX, 4.0, 255, 18)
    return cv2.warpAffine(mask, cv2.getRotationMatrix2D((400, 450), angle, 1.0), (800, 900)) > 127


def print_on(image: np.ndarray) -> np.ndarray:
    for y in range(100, 850, 25):
        cv2.putText(image, "the lock at Harrow Vale leaks on both sides", (60, y), cv2.FONT_HERSHEY_PLAIN, 1.2, 0, 1)
    return image


def reads(text: str, score: float = 0.99) -> Any:
    def recognize(lines: Sequence[Any]) -> list[LineReading]:
        return [LineReading(text, score, score) for _ in lines]

    return recognize


@pytest.mark.parametrize(("level", "angle"), [(215, 45), (150, 30), (190, 0), (200, -40)])
def test_print_over_a_watermark_stays_and_the_watermark_becomes_a_line(level: int, angle: float) -> None:
    image = np.full((900, 800), 255, np.uint8)
    image[drawn("DRAFT", angle)] = level
    found = find_watermark(print_on(image), reads("DRAFT"), dpi=DPI)
    assert found is not None and not found.hides_text
    plain = print_on(np.full((900, 800), 255, np.uint8))
    assert found.cleaned[plain == 0].max() < 40 and np.abs(found.cleaned.astype(int) - plain).mean() < 0.5
    (line,) = found.lines
    assert line.text == "DRAFT" and abs(line.angle_deg + angle) < 8
    page = found.added_to(PageText(text="Body.", engine="rapidocr", model="m"))
    assert page.text == "Body.\n\nDRAFT" and page.doubts == () and page.boxes == (line,)


def test_a_watermark_that_covers_print_is_a_doubt() -> None:
    image = print_on(np.full((900, 800), 255, np.uint8))
    image[drawn("DRAFT", 45)] = 215
    found = find_watermark(image, reads("DRAFT"), dpi=DPI)
    assert found is not None
    assert found.added_to(PageText(text="Body.", engine="rapidocr", model="m")).doubts == (LOW_CONFIDENCE,)


def test_a_gray_heading_that_no_print_crosses_stays() -> None:
    image = np.full((900, 800), 255, np.uint8)
    image[drawn("DRAFT", 0)] = 190
    assert find_watermark(image, reads("DRAFT"), dpi=DPI) is None


def test_shaded_cells_stay() -> None:
    image = np.full((900, 800), 255, np.uint8)
    for top in range(80, 800, 100):
        image[top : top + 50, 50:750] = 200
    assert find_watermark(print_on(image), reads("DRAFT"), dpi=DPI) is None


def test_gray_shapes_without_text_stay() -> None:
    image = np.full((900, 800), 255, np.uint8)
    image[drawn("DRAFT", 45)] = 200
    assert find_watermark(print_on(image), reads("D4", 0.5), dpi=DPI) is None
