"""Finds notes in the margin of running text, which are read after the paragraph that they are beside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import MARKER

_EDGE_EM = 2.0  # lines that begin and end within this distance from the edges of the text are full
_LEAST_LINES = 8
_TEXT_SHARE = 0.6  # least share of the page's letters in the column of text
_NOTE_WIDTH = 0.4  # largest width of a note, as a share of the width of the text
_NOTE_LINES = 5  # longer notes are sidebars
_NOTES_SHARE = 0.25  # largest share of the page's letters in notes
_APART_EM = 0.7  # least white space between two notes
_LONGEST_NUMBER = 3  # maximum number of digits of a number in the margin
_LETTERED, _LEAST_LETTERED = re.compile(r"\d{1,2}[a-z]"), 3
_SIDEBAR_EM = 2.0  # largest white space between the paragraphs of a sidebar


def take_margin_notes(lines: Sequence[LayoutLine], em: float) -> tuple[list[list[LayoutLine]], list[LayoutLine]]:
    """Returns the notes, each with its lines, and the lines outside them. Only pages with one column of text have notes."""
    edges = _text_edges(lines, em)
    if edges is None:
        return [], list(lines)
    x0, x1, top, bottom = edges
    beside = [line for line in lines if (line.x0 > x1 or line.x1 < x0) and top - em < line.center_y < bottom + em]
    beside = [line for line in beside if MARKER.match(line.text.strip()) is None]  # omits markers of list items and clauses
    letters = sum(len(line.text) for line in lines)
    if not beside or max(line.width for line in beside) > _NOTE_WIDTH * (x1 - x0):
        return [], list(lines)
    if sum(len(line.text) for line in beside) > _NOTES_SHARE * letters:
        return [], list(lines)
    if max(map(len, _grouped(beside, _SIDEBAR_EM * em, x1))) > _NOTE_LINES:
        return [], list(lines)
    if _are_figures_of_text(beside):
        return [], list(lines)
    notes = _grouped(beside, _APART_EM * em, x1)
    taken = {id(line) for line in beside}
    return notes, [line for line in lines if id(line) not in taken]


def _are_figures_of_text(lines: Sequence[LayoutLine]) -> bool:
    """Returns whether the lines number items (1, 2, 3; 4a, 4b), or some are amounts or times. Line numbers in steps of five are
    neither."""
    texts = [line.text.strip() for line in sorted(lines, key=lambda line: line.y0)]
    if sum(_LETTERED.fullmatch(text) is not None for text in texts) >= _LEAST_LETTERED:
        return True
    if any(not text.isdecimal() and not any(map(str.isalpha, text)) for text in texts):
        return True
    if len(texts) < 2 or not all(text.isdecimal() and len(text) <= _LONGEST_NUMBER for text in texts):
        return False
    return all(int(below) - int(above) == 1 for above, below in pairwise(texts))


def _text_edges(lines: Sequence[LayoutLine], em: float) -> tuple[float, float, float, float] | None:
    """Returns left, right, top and bottom of the text in full lines, if the page has one column of it."""
    if len(lines) < _LEAST_LINES:
        return None
    widest = sorted(lines, key=lambda line: line.width)[-max(_LEAST_LINES // 2, len(lines) // 4) :]
    x0 = sorted(line.x0 for line in widest)[len(widest) // 2]
    x1 = sorted(line.x1 for line in widest)[len(widest) // 2]
    text = [line for line in lines if line.x0 > x0 - _EDGE_EM * em and line.x1 < x1 + _EDGE_EM * em]
    full = [line for line in text if line.x0 < x0 + _EDGE_EM * em and line.x1 > x1 - 2 * _EDGE_EM * em]
    if len(full) < _LEAST_LINES or sum(len(line.text) for line in text) < _TEXT_SHARE * sum(len(line.text) for line in lines):
        return None
    if sum(len(line.text) for line in full) < _TEXT_SHARE * sum(len(line.text) for line in text):
        return None
    return (
        min(line.x0 for line in full),
        max(line.x1 for line in full),
        min(line.y0 for line in full),
        max(line.y1 for line in full),
    )


def _grouped(lines: Sequence[LayoutLine], apart: float, right: float) -> list[list[LayoutLine]]:
    """Returns the notes from top to bottom. `apart`: the least white space between two of them."""
    ordered = sorted(lines, key=lambda line: (line.x0 > right, line.y0))
    notes = [[ordered[0]]]
    for above, line in pairwise(ordered):
        if (line.x0 > right) == (above.x0 > right) and line.y0 - above.y1 < apart:
            notes[-1].append(line)
        else:
            notes.append([line])
    return sorted(notes, key=lambda note: note[0].y0)
