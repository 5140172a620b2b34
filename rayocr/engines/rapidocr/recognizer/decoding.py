"""Converts the recognizer's output to text, and restores spaces between words that standard decoding loses.

CTC decoding takes the most likely symbol of each step. In blurred or tight print, the step between two words has "no symbol" at
.6 and a space at .4, so the words are joined ("Theminister"). Joined words are the most frequent error on Latin pages, and each
makes two words wrong. Within words, the probability of a space is below .01 with the small model (measured at 5,900 places; the
four places between letters above .2 were lost spaces), so a threshold of .2 is enough. With the tiny model, it is up to .5 within
words ("o f"), so its spaces are not restored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

LOST_BLANK = 0.2
_NO_SIGN = 0  # CTC's index of "no symbol"
_FIRST_WIDE = "\u2e80"  # Chinese and Japanese have no spaces between words
_WORDS_OF_ONE = frozenset("aAIàÀyYeEoOuUiéÉvVwWzZkKsS")
_AFTER = frozenset(",;:)]!?%’”»")
_BEFORE = frozenset("([“‘«£€$&")
_ALIKE_SIGNS = frozenset("0O1Il|")
# Of 161 misread look-alikes on drawn pages, 158 had a probability below .999; 5 % of the correct digits 0 and 1 in numbers had.
_SURE_SIGN = 0.999
_SEPARATORS = ".,"
_WEAK_DIGIT = 0.8  # of 10,000 correct digits in numbers, 16 had a probability below .9


class LineReading(NamedTuple):
    """The reading of a line. `score` is the mean probability of the symbols. `weakest` is the lowest probability of any symbol,
    and of the decision that no space is between two symbols. Both values are 0 if there is no text. `places`: for each character
    of the text, about where its middle is, as a share of the picture's width; empty where it is not known. `lost`: a sign of the
    picture could not be read. `look_alikes`: the indexes of 0, O, 1, I and l whose probability leaves room for another of them,
    with the probability. `weak_digits`: the indexes of digits, points and commas with a low
    probability."""

    text: str
    score: float
    weakest: float
    places: tuple[float, ...] = ()
    lost: bool = False
    look_alikes: tuple[tuple[int, float], ...] = ()
    weak_digits: tuple[int, ...] = ()


NOTHING_READ = LineReading("", 0.0, 0.0)


class BlankKeepingDecoder:
    def __init__(self, characters: Sequence[str], *, lost_blank: float = LOST_BLANK) -> None:
        """`characters` by class, "no symbol" first. Spaces between words with a probability above `lost_blank` are restored."""
        self._characters = list(characters)
        self._blank = self._characters.index(" ") if " " in self._characters else None
        self._lost_blank = lost_blank
        self._look_alikes = {n for n, character in enumerate(characters) if character in _ALIKE_SIGNS}
        self._digits = {n for n, character in enumerate(characters) if character.isdecimal() or character in _SEPARATORS}

    def decode(self, steps: Any) -> LineReading:
        """Decodes the probabilities of one line (steps, classes)."""
        import numpy as np

        signs = steps.argmax(axis=1)
        chosen = signs != _NO_SIGN
        chosen[1:] &= signs[1:] != signs[:-1]
        places = np.flatnonzero(chosen)
        if not len(places):
            return NOTHING_READ
        best = steps[np.arange(len(signs)), signs]
        own = signs == np.concatenate([signs[: places[0]], np.repeat(signs[places], np.diff(places, append=len(signs)))])
        surest = np.maximum.reduceat(np.where(own, best, 0), places)
        doubt = 1.0 - float(surest.min())
        blanks = self._blanks_before(steps, signs, places)
        text: list[str] = []
        steps_of: list[float] = []
        look_alikes: list[tuple[int, float]] = []
        weak_digits: list[int] = []
        for number, blank, step, sure in zip(
            signs[places].tolist(), blanks.tolist(), places.tolist(), surest.tolist(), strict=True
        ):
            sign = self._characters[number]
            if blank > self._lost_blank and _may_part(text, sign):
                text.append(" ")
                steps_of.append((steps_of[-1] + step) / 2)
            if sure < _SURE_SIGN and number in self._look_alikes:
                look_alikes.append((len(text), sure))
            if sure < _WEAK_DIGIT and number in self._digits:
                weak_digits.append(len(text))
            text.append(sign)
            steps_of.append(step)
        weakest = 1.0 - max(doubt, float(blanks.max()))
        at = tuple(step + 0.5 for step in steps_of)
        return LineReading("".join(text), float(best[places].mean()), weakest, at, False, tuple(look_alikes), tuple(weak_digits))

    def _blanks_before(self, steps: Any, signs: Any, places: Any) -> Any:
        """Returns the probability of a space before each symbol that is decoded; 0 for the first one and beside a space."""
        import numpy as np

        if self._blank is None:
            return np.zeros(len(places))
        column = steps[:, self._blank]
        between = np.maximum(np.maximum.reduceat(column, places)[:-1], column[places[1:]])
        spaces = signs[places] == self._blank
        return np.concatenate([[0.0], np.where(spaces[1:] | spaces[:-1], 0.0, between)])


def _may_part(text: list[str], after: str) -> bool:
    """Returns whether a space can be missing between `text`, the text so far, and the symbol `after`."""
    before = text[-1]
    if before >= _FIRST_WIDE or after >= _FIRST_WIDE or (before.isdigit() and after.isdigit()):
        return False
    if before == ".":
        return after.isupper()
    if before.isalpha() and before not in _WORDS_OF_ONE and (len(text) == 1 or text[-2] == " "):
        return False  # a ligature was misread: "f ll" for "fill"
    return (before.isalnum() or before in _AFTER) and (after.isalnum() or after in _BEFORE)
