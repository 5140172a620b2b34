"""Which way up a page is whose script the models do not know: their scores do not tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rayocr.engines.rapidocr.image import TurnedPage
from rayocr.engines.rapidocr.orientation import OrientedReader
from rayocr.engines.rapidocr.recognizer.decoding import LineReading

# Five lines; the first pixel of each is its mark, and it is at the other end when the page is turned by half.
IMAGE = np.full((300, 500), 255, np.uint8)
IMAGE[20:270:50, 20] = 1
QUADS = np.array([[(20, y), (420, y), (420, y + 30), (20, y + 30)] for y in range(20, 270, 50)], np.float32)


class Scripts:
    def __init__(self, *, certain: bool) -> None:
        self.certain = certain

    def is_upside_down(self, lines: Sequence[Any]) -> bool:
        """Is certain of lines that were turned by half."""
        return self.certain and not _is_upright(lines[0])


def _is_upright(line: Any) -> bool:
    return bool(line[:, :2].min() == 1)


def _read_junk(lines: Sequence[Any]) -> list[LineReading]:
    """Reads a little more in lines that are upside down, as of Korean."""
    return [LineReading("", 0.0, 0.0) if _is_upright(line) else LineReading("0 0", 0.55, 0.3) for line in lines]


@pytest.mark.parametrize(("is_turned", "certain", "turns"), [(False, True, 0), (False, False, 0), (True, True, 2)])
def test_a_page_that_is_not_certainly_upside_down_is_upright(is_turned: bool, certain: bool, turns: int) -> None:
    reader = OrientedReader(_read_junk, Scripts(certain=certain))  # type: ignore[arg-type]
    image = np.ascontiguousarray(np.rot90(IMAGE, 2)) if is_turned else IMAGE
    quads = (np.array([499, 299], np.float32) - QUADS)[:, [2, 3, 0, 1]] if is_turned else QUADS
    assert reader.read(TurnedPage(image), quads)[0] == turns
