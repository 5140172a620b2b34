"""Finds printed radio buttons in the picture of a line: a round ring, empty or with a dot in it, or a solid disc.

An empty ring looks like the letter O, and a solid disc like a bullet. A ring counts only on a page that also shows a chosen
button of the same size, and a disc only on a page with rings of its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

_ROUND = 1.15  # the longer side relative to the shorter one
_RING = (0.72, 1.06)  # distance of the ring from the center, in its radius
_CLOSED = 0.95  # least share of the directions in which the ring has ink
_OUTSIDE = 1.12  # ink farther from the center belongs to a square
_EMPTY, _EMPTY_SHARE = 0.6, 0.06  # the inside of an empty ring, and its largest share of ink
_DOT, _DOT_SHARE = 0.25, 0.85  # the middle of a dot, and its least share of ink
_GAP, _GAP_SHARE = (0.35, 0.85), 0.25  # where the white around a dot is, and its largest share of ink
_BAR = 0.35  # rows this close to the middle have a bar from side to side in letters such as e and Θ
_SAME_SIZE = 0.18  # largest difference of two buttons of a page, as a share of the larger one
_SECTORS, _RINGS = 32, 10


class Button(Enum):
    EMPTY = "a ring"
    CHOSEN = "a ring with a dot"
    DISC = "a disc"


def button_in(ink: Any) -> Button | None:
    """Returns the button that fills the picture (height, width; 0 for paper), or None."""
    import numpy as np

    height, width = ink.shape
    if max(height, width) > _ROUND * min(height, width):
        return None
    rows, columns = np.mgrid[0:height, 0:width]
    down, beside = (rows - (height - 1) / 2) / (height / 2), (columns - (width - 1) / 2) / (width / 2)
    far, inked = np.hypot(down, beside), ink > 0
    if inked[far > _OUTSIDE].any():
        return None
    sector = ((np.arctan2(down, beside) / (2 * np.pi) + 0.5) * _SECTORS).astype(int) % _SECTORS
    on_ring = inked & (far > _RING[0]) & (far < _RING[1])
    if len(np.unique(sector[on_ring])) < _CLOSED * _SECTORS:
        return None
    if inked[far < _EMPTY].mean() < _EMPTY_SHARE:
        return Button.EMPTY
    if inked[far < _DOT].mean() < _DOT_SHARE:
        return None
    edges = np.linspace(*_GAP, _RINGS)
    shares = [inked[(far >= edge) & (far < edge + 0.12)].mean() for edge in edges]
    middle = slice(round((1 - _BAR) * height / 2), round((1 + _BAR) * height / 2))
    if min(shares) < _GAP_SHARE:
        if (inked | (far > _RING[0]))[middle].all(axis=1).any():
            return None
        return Button.CHOSEN
    return Button.DISC if inked[far < _EMPTY].all() else None


def confirmed(buttons: Sequence[tuple[Button, float]]) -> list[bool]:
    """Returns which buttons of a page, given with their sizes, are radio buttons."""

    def has(kinds: tuple[Button, ...], size: float) -> bool:
        return any(kind in kinds and abs(other - size) <= _SAME_SIZE * max(other, size) for kind, other in buttons)

    needs = {Button.EMPTY: (Button.CHOSEN, Button.DISC), Button.DISC: (Button.EMPTY,)}
    return [kind is Button.CHOSEN or has(needs[kind], size) for kind, size in buttons]
