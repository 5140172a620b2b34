"""Splits off the running header and the footer of a page, which belong to no column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rayocr.engines.layout.lines import Boxed

SLACK_EM = 0.3  # boxes jitter, so smaller overlaps are ignored
_MARGIN_SHARE = 0.12  # share of the page's height at its top and bottom that may contain running headers and footers
_HEAD_EM, _FOOT_EM = 2.2, 3.8  # maximum height of a running header and of a footer
_IMPRINT_LINES = 3


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
    rest = ordered[len(head) :]
    upward = sorted(rest, key=lambda box: -box.y1)
    foot = _first_band([_Flipped(box) for box in upward], _FOOT_EM * em, em)
    lifted = [item.box for item in foot if isinstance(item, _Flipped)]
    if not lifted or len(lifted) == len(rest) or min(box.y0 for box in lifted) < page_height * (1 - _MARGIN_SHARE):
        lifted = []
    taken = {id(box) for box in lifted}
    return list(head), [box for box in rest if id(box) not in taken], lifted


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
