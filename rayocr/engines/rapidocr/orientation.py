"""Finds out which way up a page is, and reads its boxes in that orientation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rayocr.engines.layout.quads import sides, turned
from rayocr.engines.rapidocr.columns_down import is_set_in_columns
from rayocr.engines.rapidocr.image import TurnedPage, turned_image
from rayocr.engines.rapidocr.recognizer.decoding import NOTHING_READ, LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines
from rayocr.engines.rapidocr.text import is_unread
from rayocr.engines.rapidocr.unknown_scripts import JUNK, ReadsOtherScripts

_SAMPLE_LINES = 5  # number of lines that are read first, to detect whether the page is upright
_MOST_SAMPLE_LINES = 20  # number of lines for Tesseract, which is uncertain about the orientation of a few lines in Korean
_SURE = 0.9  # above this mean score of the sample, no other orientation is tried
_BETTER = 1.1  # the score of the upside-down reading must be higher by this factor
_UPRIGHT_BOX = 1.5  # boxes with a larger ratio of height to width contain rotated text, or one narrow letter or digit
_LETTER_BOX = 3.0
_MIN_VERTICAL_SHARE = 0.6  # share of the length of all boxes, for the page to count as rotated


class OrientedReader:
    """Reads the boxes of a page that may be upside down, sideways or set in vertical columns."""

    def __init__(self, recognize: ReadsLines, other_scripts: ReadsOtherScripts | None) -> None:
        self._recognize = recognize
        self._other_scripts = other_scripts

    def read(self, page: TurnedPage, shown: Any) -> tuple[int, bool, list[LineReading]]:
        """Returns the page's rotation, whether its text is set in vertical columns, and the text of each box. Takes no extra time
        for an upright page with good scores."""
        import numpy as np

        widths, heights = sides(shown)
        lengths = np.maximum(widths, heights)
        sideways = lengths[heights > _UPRIGHT_BOX * widths].sum() > _MIN_VERTICAL_SHARE * lengths.sum()
        candidates = (1, 3) if sideways else (0, 2)
        sample = [int(index) for index in np.argsort(-lengths)[:_SAMPLE_LINES]]
        best, best_sum, best_read = candidates[0], -1.0, {}
        for turns in candidates:
            read = dict(zip(sample, self._read_boxes(page, shown, turns, sample), strict=True))
            total = sum(score * len(text) for text, score, *_ in read.values())
            if total > best_sum * (_BETTER if turns == 2 else 1.0):
                best, best_sum, best_read = turns, total, read
            if total / max(sum(len(text) for text, *_ in read.values()), 1) > _SURE:
                break
        if (turns := self._turns_of_unread(page, shown, best, sample, best_read)) != best:
            best, best_read = turns, {}
        columns_down = best == 1 and self._is_set_in_columns(page, shown, best_read)
        if columns_down:
            best, best_read = 0, {}
        rest = [index for index in range(len(shown)) if index not in best_read]
        best_read.update(zip(rest, self._read_boxes(page, shown, best, rest, columns_down=columns_down), strict=True))
        return best, columns_down, [best_read[index] for index in range(len(shown))]

    def _turns_of_unread(
        self, page: TurnedPage, shown: Any, turns: int, sample: Sequence[int], read: dict[int, LineReading]
    ) -> int:
        """Returns the page's rotation, as detected by Tesseract, since scores of lines in an unsupported script do not show it.
        If Tesseract is uncertain, the page counts as upright."""
        import numpy as np

        height, width = page.image(0).shape[:2]
        crops = [page.line(turns, quad) for quad in turned(shown[list(sample)], turns, width, height)]
        aspects = [crop.shape[1] / crop.shape[0] for crop in crops]
        unread = sum(read[i].score < JUNK or is_unread(read[i].text, aspect) for i, aspect in zip(sample, aspects, strict=True))
        if self._other_scripts is None or 2 * unread <= len(sample):
            return turns
        widths, heights = sides(shown)
        longest = np.argsort(-np.maximum(widths, heights))[:_MOST_SAMPLE_LINES]
        likely = turns if turns % 2 else 0
        crops = [page.line(likely, quad) for quad in turned(shown[longest], likely, width, height)]
        return (likely + 2) % 4 if self._other_scripts.is_upside_down(crops) else likely

    def _is_set_in_columns(self, page: TurnedPage, shown: Any, read: dict[int, LineReading]) -> bool:
        tall = [(page.line(0, shown[index]), reading.text) for index, reading in read.items()]
        return is_set_in_columns([(crop, text) for crop, text in tall if crop.shape[0] > crop.shape[1]], self._recognize)

    def _read_boxes(
        self, page: TurnedPage, shown: Any, quarter_turns: int, indices: Sequence[int], *, columns_down: bool = False
    ) -> list[LineReading]:
        """Returns texts and scores of the boxes, on the rotated image."""
        quads = turned(shown, quarter_turns, page.image(0).shape[1], page.image(0).shape[0])
        widths, heights = sides(quads)
        crops: list[Any] = []
        owners: list[int] = []
        for place, index in enumerate(indices):
            crop = page.line(quarter_turns, quads[index])
            aspect = heights[index] / max(widths[index], 1.0)
            if aspect < _LETTER_BOX:
                crops.append(crop)
                owners.append(place)
            # Text along a margin runs up or, less often, down. Both directions are read and compared. A single letter looks the
            # same in both directions.
            for turns in (1, 3) if aspect >= _LETTER_BOX and not columns_down else (1,) if aspect >= _UPRIGHT_BOX else ():
                crops.append(turned_image(crop, turns))
                owners.append(place)
        best = [NOTHING_READ] * len(indices)
        for place, reading in zip(owners, self._recognize(crops), strict=True):
            if reading.score > best[place].score:
                best[place] = reading
        return best
