"""The recognizer's output to text, with the blanks between words that the usual decoding loses.

Of each step, CTC decoding takes the likeliest sign. Where a print is blurred or set tight, the step between two words goes to
"no sign" at .6 against a blank at .4, and the words run together ("Theminister"): the most frequent error on Latin pages, two
words lost each time. Within words, the probability of a blank stays below .01 (5,900 places, November 2026; the four places
between letters that were above .2 were lost blanks), so that a far lower one than a half is enough to put it back. Between digits
and in addresses it is not: "1 0 pt", "example. org".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

_LOST_BLANK = 0.2
_NO_SIGN = 0  # CTC's index for it
_FIRST_WIDE = "\u2e80"  # Chinese and Japanese put no blanks between words
_WORDS_OF_ONE = frozenset("aAIàÀyYeEoOuUiéÉvVwWzZkKsS")
_AFTER = frozenset(",;:)]!?%’”»")
_BEFORE = frozenset("([“‘«£€$&")


class BlankKeepingDecoder:
    """Stands in for `rapidocr.ch_ppocr_rec.utils.CTCLabelDecode`: called with predictions (lines, steps, signs)."""

    def __init__(self, characters: Sequence[str]) -> None:
        self.character = list(characters)  # the name that rapidocr uses
        self._blank = self.character.index(" ") if " " in self.character else None

    def __call__(self, preds: Any, return_word_box: bool = False, **_: object) -> tuple[list[tuple[str, float]], list[Any]]:
        return [self.decode(line) for line in preds], []

    def decode(self, steps: Any) -> tuple[str, float]:
        """Text and mean score of one line (steps, signs)."""
        import numpy as np

        signs = steps.argmax(axis=1)
        chosen = signs != _NO_SIGN
        chosen[1:] &= signs[1:] != signs[:-1]
        places = np.flatnonzero(chosen)
        if not len(places):
            return "", 0.0
        text = [self.character[signs[places[0]]]]
        for before, place in pairwise(places):
            sign = self.character[signs[place]]
            if self._blank is not None and _may_part(text, sign):
                between = steps[before : place + 1, self._blank]
                if between.max() > _LOST_BLANK:
                    text.append(" ")
            text.append(sign)
        return "".join(text), float(steps[places, signs[places]].mean())


def _may_part(text: list[str], after: str) -> bool:
    """Whether a blank can have been lost between what was read so far and the sign `after`."""
    before = text[-1]
    if before >= _FIRST_WIDE or after >= _FIRST_WIDE or (before.isdigit() and after.isdigit()):
        return False
    if before == ".":
        return after.isupper()
    if before.isalpha() and before not in _WORDS_OF_ONE and (len(text) == 1 or text[-2] == " "):
        return False  # the f of a ligature that was not read: "f ll" for "fill"
    return (before.isalnum() or before in _AFTER) and (after.isalnum() or after in _BEFORE)
