"""Recognizes two paragraphs of a few lines beside each other, which are too short to be measured as columns of prose."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rayocr.engines.layout.joining import ends_in_broken_word
from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.order.prose import is_dense
from rayocr.engines.layout.units.breaks import SENTENCE_CHARS, SENTENCE_END

_MOST_LINES = 6  # longer paragraphs are measured as prose
_SAME_EDGE_EM = 0.6  # largest distance of the left edges of a paragraph's lines
_HEAD_CHARS = 40


def are_short_paragraphs(left: Sequence[LayoutLine], right: Sequence[LayoutLine], em: float) -> bool:
    """Returns whether each side is one paragraph, with or without a bold line above it, whose sentence continues from line to
    line. The cells of one row of a table are read one after the other, too."""
    return all(_is_paragraph(side, em) for side in (left, right))


def _is_paragraph(lines: Sequence[LayoutLine], em: float) -> bool:
    if not 2 <= len(lines) <= _MOST_LINES or not is_dense(lines, em):
        return False
    down = sorted(lines, key=lambda line: line.y0)
    if len(down) > 2 and down[0].bold and not down[1].bold and len(down[0].text) <= _HEAD_CHARS:
        down = down[1:]
    return all(
        above.y1 < below.center_y and abs(above.x0 - below.x0) < _SAME_EDGE_EM * em and _runs_on(above.text, below.text)
        for above, below in pairwise(down)
    )


def _runs_on(above: str, below: str) -> bool:
    if not below[:1].islower():
        return False
    return ends_in_broken_word(above) or (len(above) > SENTENCE_CHARS and not above.endswith(SENTENCE_END))
