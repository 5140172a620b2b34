"""Splits off the running header and the footer of a page, which belong to no column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rayocr.engines.layout.lines import Boxed, LayoutLine

SLACK_EM = 0.3  # boxes jitter, so smaller overlaps are ignored
_MARGIN_SHARE = 0.12  # share of the page's height at its top and bottom that may contain running headers and footers
_HEAD_EM, _FOOT_EM = 2.2, 3.8  # maximum height of a running header and of a footer
_IMPRINT_LINES = 3
# Taller footers with the addresses of a firm: height, share of the page, least number of columns, white space above.
_IMPRINT_EM, _IMPRINT_SHARE, _IMPRINT_COLUMNS, _IMPRINT_FREE_EM = 6.5, 0.17, 3, 2.0
_REACHED_BY = re.compile(r"@\w|www\.|\b(?:IBAN|BIC|SWIFT|Tel|Fax|Phone|E-?[Mm]ail)\b")
_LARGE_TITLE, _CLOSE = 1.2, 1.05  # title: least height in ems; largest distance of its lines, relative to its height
_LARGE, _LEAST_BELOW = 1.25, 4  # headings of columns: least height in ems, least number of lines with their left edges


def columns_of_footer(foot: list[Boxed], em: float) -> list[list[Boxed]]:
    """Returns the columns of a footer of three lines or more, such as the address, the bank and the register of a firm."""
    columns: list[list[Boxed]] = []
    for box in sorted(foot, key=lambda box: box.x0):
        if columns and box.x0 < max(other.x1 for other in columns[-1]) + SLACK_EM * em:
            columns[-1].append(box)
        else:
            columns.append([box])
    lines = [len(column) for column in columns]
    return columns if len(columns) > 1 and max(lines) >= _IMPRINT_LINES and min(lines) > 1 else [foot]


def split_margins(boxes: Sequence[Boxed], page_height: float, em: float) -> tuple[list[Boxed], list[Boxed], list[Boxed]]:
    """Splits off one running header and one footer if white space separates them; their pieces belong to no column."""
    ordered = sorted(boxes, key=lambda box: box.y0)
    head = _first_band(ordered, _HEAD_EM * em, em)
    if not head or len(head) == len(ordered) or max(box.y1 for box in head) > page_height * _MARGIN_SHARE:
        head = []
    if _are_headings_of_columns(head, ordered[len(head) :], em) or _is_part_of_title(head, ordered[len(head) :], em):
        head = []
    rest = ordered[len(head) :]
    upward = sorted(rest, key=lambda box: -box.y1)
    foot = _first_band([_Flipped(box) for box in upward], _FOOT_EM * em, em)
    lifted = [item.box for item in foot if isinstance(item, _Flipped)]
    if not lifted or len(lifted) == len(rest) or min(box.y0 for box in lifted) < page_height * (1 - _MARGIN_SHARE):
        lifted = _imprint(upward, page_height, em)
    taken = {id(box) for box in lifted}
    return list(head), [box for box in rest if id(box) not in taken], lifted


def _imprint(upward: Sequence[Boxed], page_height: float, em: float) -> list[Boxed]:
    """Returns the boxes of a footer of several columns with the addresses of a firm, which is taller than others; else none."""
    band = _first_band([_Flipped(box) for box in upward], _IMPRINT_EM * em, em)
    foot: list[Boxed] = [item.box for item in band if isinstance(item, _Flipped)]
    lines = [box for box in foot if isinstance(box, LayoutLine)]
    if not lines or len(lines) < len(foot) or len(foot) == len(upward):
        return []
    top = min(box.y0 for box in foot)
    free = top - max(box.y1 for box in upward[len(foot) :])
    if top < page_height * (1 - _IMPRINT_SHARE) or free < _IMPRINT_FREE_EM * em:
        return []
    is_imprint = len(columns_of_footer(foot, em)) >= _IMPRINT_COLUMNS and any(_REACHED_BY.search(line.text) for line in lines)
    return foot if is_imprint else []


def _are_headings_of_columns(head: Sequence[Boxed], rest: Sequence[Boxed], em: float) -> bool:
    """Returns whether the first row of the page consists of the headings of its columns: large or bold lines, each with the left
    edge of lines below it."""
    if len(head) < 2 or not all(isinstance(box, LayoutLine) and (box.bold or box.height > _LARGE * em) for box in head):
        return False
    if max(box.y0 for box in head) > min(box.y1 for box in head):
        return False
    edges = [sum(abs(box.x0 - other.x0) < SLACK_EM * em for other in rest) for box in head]
    return min(edges) >= _LEAST_BELOW and max(edges) < len(rest)


def _is_part_of_title(head: Sequence[Boxed], rest: Sequence[Boxed], em: float) -> bool:
    """Returns whether the first line of the page is the first line of a title, whose second line is close and has its style."""
    if len(head) != 1 or not isinstance(head[0], LayoutLine) or not isinstance(rest[0], LayoutLine):
        return False
    first, second = head[0], rest[0]
    size = first.font_size_pt
    if not size or not second.font_size_pt or first.height < _LARGE_TITLE * em or first.bold != second.bold:
        return False
    if first.text[:1].islower() or first.text.endswith(tuple(".,;:")):
        return False
    is_alone = len(rest) < 2 or rest[1].y0 > second.center_y
    return is_alone and abs(size - second.font_size_pt) < 0.1 and second.y0 - first.y1 < _CLOSE * first.height


@dataclass(frozen=True, slots=True)
class _Flipped:
    """A box on the page turned upside down, so one function finds headers and footers."""

    box: Boxed

    @property
    def x0(self) -> float:
        return self.box.x0

    @property
    def x1(self) -> float:
        return self.box.x1

    @property
    def y0(self) -> float:
        return -self.box.y1

    @property
    def y1(self) -> float:
        return -self.box.y0


def _first_band(ordered: Sequence[Boxed], most_height: float, em: float) -> list[Boxed]:
    """Returns the boxes of the first rows, up to this height, if a gap follows them."""
    band = [ordered[0]] if ordered else []
    bottom = ordered[0].y1 if ordered else 0.0
    for box in ordered[1:]:
        if box.y0 > bottom + 0.6 * em:
            break
        band.append(box)
        bottom = max(bottom, box.y1)
    top = min((box.y0 for box in band), default=0.0)
    return band if bottom - top < most_height else []
