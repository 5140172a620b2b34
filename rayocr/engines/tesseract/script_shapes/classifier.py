"""Detects the script of lines from the shapes of their letters.

Tesseract's own detection does not know about a third of the scripts that it has packs for: it took Armenian and Khmer pages for
Latin with confidences of 20 and 11, a Burmese page for Arabic with 9.2, and a Punjabi page for Devanagari with 7.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from rayocr.engines.tesseract.native_digits.classifier import probabilities
from rayocr.engines.tesseract.script_shapes.pieces import pieces_of

NASTALIQ = "Nastaliq"  # the style of most Urdu print, which the packs for Arabic script misread
# The names are Tesseract's own, in the order of the network's outputs.
_NAMES = """Latin Cyrillic Greek Arabic Nastaliq Hebrew Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam
    Sinhala Thai Lao Khmer Myanmar Tibetan Georgian Armenian Ethiopic Korean Han Syriac Thaana Cherokee Canadian_Aboriginal"""
SCRIPTS = tuple(_NAMES.split())
_LEAST = 1e-4  # the least probability of a script for one piece, so that a single piece does not decide
_FEWEST = 20  # least number of pieces


class Likelihood(NamedTuple):
    """A script and how likely it is: the mean of the logarithm of its probability for the pieces of ink."""

    script: str
    score: float


def likely_scripts(lines: Sequence[Any]) -> list[Likelihood]:
    """Returns the scripts of gray pictures (rows, columns) of lines, the most likely one first.
    Returns none if the lines have too little ink."""
    import numpy as np

    pieces = [pieces_of(line) for line in lines]
    if sum(map(len, pieces)) < _FEWEST:
        return []
    scores = np.log(probabilities(_layers(), np.concatenate(pieces)) + _LEAST).mean(axis=0)
    found = [Likelihood(script, float(score)) for script, score in zip(SCRIPTS, scores, strict=True)]
    return sorted(found, key=lambda likelihood: -likelihood.score)


@lru_cache(maxsize=1)
def _layers() -> list[Any]:
    import numpy as np

    with (files(__package__) / "scripts.npz").open("rb") as file, np.load(file) as weights:
        return [weights[key].astype(np.float32) for key in sorted(weights.files)]
