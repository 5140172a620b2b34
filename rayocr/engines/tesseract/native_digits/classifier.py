"""Classifies shapes as digits of a script whose packs do not know all of its digits.

The networks (two hidden layers of 72) were trained on digits that were drawn in 79 free fonts for Arabic and 13 for Thai at 17 to
70 pixels per em, then turned, blurred and made noisy, and on letters of both scripts and Latin letters and digits
(`benchmarks.digits`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from rayocr.engines.tesseract.scripts import ARABIC, THAI

SIGNS = "/-,"
DOT, ONE, PERSIAN = "\u0660", "\u0661", "\u06f4\u06f5\u06f6"
_THAI = "".join(map(chr, range(0xE50, 0xE5A)))
DIGITS = {"arabic": "".join(map(chr, range(0x660, 0x66A))) + PERSIAN, "thai": _THAI}  # names of the weight files


class Classes(NamedTuple):
    """The most likely character of each shape, and its probability, 0..1. Letters have a low probability for all of them."""

    characters: list[str]
    probabilities: list[float]


class Classifier:
    """`classes` are the characters of the outputs; a further output stands for everything else."""

    def __init__(self, name: str, digits: str) -> None:
        import numpy as np

        self._classes = digits + SIGNS
        with (files(__package__) / f"{name}.npz").open("rb") as file, np.load(file) as weights:
            self._layers = [weights[key].astype(np.float32) for key in sorted(weights.files)]

    def classify(self, features: Any) -> Classes:
        """`features`: (shapes, `FEATURES`)."""
        likely = probabilities(self._layers, features)[:, : len(self._classes)]
        best = likely.argmax(axis=1)
        return Classes([self._classes[n] for n in best], [float(row[n]) for row, n in zip(likely, best, strict=True)])


def probabilities(layers: Sequence[Any], features: Any) -> Any:
    """Returns the probability of each class, (shapes, classes), for features (shapes, `FEATURES`). `layers`: the weights and the
    bias of each layer of the network."""
    import numpy as np

    values = features
    for weights, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        values = np.maximum(values @ weights + bias, 0)
    scores = values @ layers[-2] + layers[-1]
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def classifier_of(pack: str) -> Classifier | None:
    """Returns the classifier for the digits that the pack lacks; None for other packs."""
    if pack in ARABIC:
        return _load("arabic")
    return _load("thai") if pack in THAI else None


def classifier_of_digits(digits: str) -> Classifier | None:
    """Returns the classifier for the script of these digits."""
    if any("\u0660" <= digit <= "\u06f9" for digit in digits):
        return _load("arabic")
    return _load("thai") if any(digit in _THAI for digit in digits) else None


@lru_cache(maxsize=2)
def _load(name: str) -> Classifier:
    return Classifier(name, DIGITS[name])
