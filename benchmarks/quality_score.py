"""Scores a text against the ground truth: character error rate, ordered and order-free, and word F1.

Ignores Markdown syntax, case and the width of white space on both sides; letters and their order count.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

_COMMENT = re.compile(r"<!--.*?-->", re.S)
_LINE_SIGNS = re.compile(r"^\s*(?:#{1,6}\s+|>\s?|[-*+•]\s+|\|?(?:\s*:?-{3,}:?\s*\|)+\s*$)", re.M)
_SIGNS = re.compile(r"[*_`|\\]+")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`cer`: edit distance over the truth's length, at most 1. `order_free_cer`: the same over sorted words."""

    cer: float
    order_free_cer: float
    word_f1: float


def plain(markdown: str) -> str:
    text = _LINE_SIGNS.sub("", _COMMENT.sub("", markdown))
    return _SPACE.sub(" ", _SIGNS.sub(" ", unicodedata.normalize("NFKC", text))).strip().casefold()


def score(text: str, truth: str) -> Score:
    got, wanted = plain(text), plain(truth)
    return Score(
        cer=_error(got, wanted),
        order_free_cer=_error(" ".join(sorted(got.split())), " ".join(sorted(wanted.split()))),
        word_f1=_word_f1(got, wanted),
    )


def _error(got: str, wanted: str) -> float:
    if not wanted:
        return float(bool(got))
    return min(1.0, Levenshtein.distance(got, wanted) / len(wanted))


def _word_f1(got: str, wanted: str) -> float:
    a, b = Counter(_WORD.findall(got)), Counter(_WORD.findall(wanted))
    if not a and not b:
        return 1.0
    common = (a & b).total()
    return 2 * common / (a.total() + b.total())
