"""Joins the lines of table cells. A narrow cell breaks a number after a comma, or between two digits."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rayocr.engines.layout.joining import join_lines

_AROUND = r"[^\w\s]{0,2}"
_NUMBER = re.compile(rf"{_AROUND}\d{{1,3}}(?:(?:,\d{{3}})+(?:\.\d{{1,2}})?|(?:\.\d{{3}})+(?:,\d{{1,2}})?){_AROUND}")
_GROUP = re.compile(r"\d[.,]\d{3}(?!\d)")
_ENDS_OPEN = re.compile(r"\d[.,]$")


def cell_texts(rows: Sequence[Sequence[Sequence[str]]], known_words: frozenset[str]) -> list[list[str]]:
    """Returns the texts of cells, which are given by their lines. Lines of a number become one number if a
    cell of their column has a line with a group of three digits. Otherwise, "12," above "500" may be a list."""
    grouped = {column for row in rows for column, cell in enumerate(row) if any(map(_GROUP.search, cell))}
    return [[_cell_text(lines, known_words, grouped=column in grouped) for column, lines in enumerate(row)] for row in rows]


def _cell_text(lines: Sequence[str], known_words: frozenset[str], *, grouped: bool) -> str:
    whole = "".join(line.strip() for line in lines) if len(lines) > 1 and grouped else ""
    if whole and _NUMBER.fullmatch(whole) and all(map(_is_open, lines[:-1])):
        return whole
    return join_lines(lines, known_words=known_words)


def _is_open(line: str) -> bool:
    """Returns whether a number continues on the next line: after a comma or point, or within a group."""
    line = line.strip()
    return _ENDS_OPEN.search(line) is not None or not (line.isdigit() or _NUMBER.fullmatch(line))
