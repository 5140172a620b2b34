"""Writes the Thai vowel "am" as one character, in place of its two parts, which the pack reads around a tone mark."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PARTS = re.compile("\u0e4d([\u0e48-\u0e4b]?)\u0e32")
_AM = "\u0e33"


def with_whole_vowels(texts: Sequence[str]) -> list[str]:
    return [_PARTS.sub(rf"\g<1>{_AM}", text) for text in texts]
