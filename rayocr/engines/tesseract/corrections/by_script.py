"""Corrects systematic errors of a pack on whole pages, by script."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rayocr.engines.tesseract.corrections.arabic import with_arabic_letters, with_commas
from rayocr.engines.tesseract.corrections.greek import modern_greek
from rayocr.engines.tesseract.corrections.hebrew import with_final_mems
from rayocr.engines.tesseract.corrections.persian import with_persian_letters
from rayocr.engines.tesseract.corrections.thai import with_whole_vowels
from rayocr.engines.tesseract.scripts import ARABIC, GREEK, HEBREW, KOREAN, PERSIAN, THAI

_KOREAN_BULLET = re.compile("^[\u318d\uff0a*]\\s+(?=\uff08?[\uac00-\ud7a3])")  # how the pack reads "•" before a Korean word


def corrected(texts: Sequence[str], pack: str) -> list[str]:
    """Returns the corrected lines of a page that `pack` has read."""
    if pack in GREEK:
        return modern_greek(texts)
    if pack == PERSIAN:
        return with_persian_letters(with_commas(texts))
    if pack in ARABIC:
        return with_arabic_letters(with_commas(texts))
    if pack in HEBREW:
        return with_final_mems(texts)
    if pack in KOREAN:
        return [_KOREAN_BULLET.sub("• ", text) for text in texts]
    if pack in THAI:
        return with_whole_vowels(texts)
    return list(texts)
