"""Scores a text against the ground truth: character error rate, ordered and order-free, and word F1.

Ignores Markdown syntax, case and the width of white space on both sides; letters and their order count.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz.distance import Levenshtein

Table = Sequence[Sequence[str]]

_COMMENT = re.compile(r"<!--.*?-->", re.S)
_LINE_SIGNS = re.compile(r"^\s*(?:#{1,6}\s+|>\s?|[-*+•]\s+|\|?(?:\s*:?-{3,}:?\s*\|)+\s*$)", re.M)
_SIGNS = re.compile(r"[*_`|\\]+")
_TABLE = re.compile(r"(?:^\|.*\|[ ]*(?:\n|$))+", re.M)
_BORDER = re.compile(r"(?<!\\)\|")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`cer`: edit distance over the truth's length, at most 1. `order_free_cer`: the same over sorted words. `cell_f1`: of the
    pairs of neighboring cells in tables; None for pages without measured tables."""

    cer: float
    order_free_cer: float
    word_f1: float
    cell_f1: float | None = None


def plain(markdown: str) -> str:
    text = _LINE_SIGNS.sub("", _COMMENT.sub("", markdown))
    return _SPACE.sub(" ", _SIGNS.sub(" ", unicodedata.normalize("NFKC", text))).strip().casefold()


def score(text: str, truth: str, tables: Sequence[Table] = ()) -> Score:
    got, wanted = plain(text), plain(truth)
    return Score(
        cer=_error(got, wanted),
        order_free_cer=_error(" ".join(sorted(got.split())), " ".join(sorted(wanted.split()))),
        word_f1=_word_f1(got, wanted),
        cell_f1=_cell_f1(text, tables) if tables else None,
    )


def _cell_f1(text: str, tables: Sequence[Table]) -> float:
    """Returns the F1 of pairs of neighboring cells that are not empty, as in the table competition of ICDAR 2013. It detects
    cells that were divided, joined, or put into a wrong row or column."""
    got = sum((_neighbors(table) for table in _tables_in(text)), Counter[tuple[str, str, str]]())
    wanted = sum((_neighbors(table) for table in tables), Counter[tuple[str, str, str]]())
    return 2 * (got & wanted).total() / max(got.total() + wanted.total(), 1)


def _tables_in(markdown: str) -> Iterator[Table]:
    for block in _TABLE.findall(markdown):
        rows = [row for row in block.splitlines() if not _LINE_SIGNS.match(row)]
        yield [_BORDER.split(row.strip().removeprefix("|").removesuffix("|")) for row in rows]


def _neighbors(table: Table) -> Counter[tuple[str, str, str]]:
    cells = [[plain(cell) for cell in row] for row in table]
    pairs: Counter[tuple[str, str, str]] = Counter()
    for number, row in enumerate(cells):
        filled = [(column, cell) for column, cell in enumerate(row) if cell]
        pairs.update(("beside", left, right) for (_, left), (_, right) in pairwise(filled))
        for column, cell in filled:
            below = next((other[column] for other in cells[number + 1 :] if len(other) > column and other[column]), "")
            if below:
                pairs["below", cell, below] += 1
    return pairs


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
