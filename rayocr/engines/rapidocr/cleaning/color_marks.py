"""Finds colored stamps and signatures that cross black print, and separates them: in gray, a red stamp is nearly as dark as the
print, and the detector loses both.

A pixel's brightest channel shows only the black print: it is 200 for a red or blue stamp and below 100 for print under it. Takes
20 to 40 ms for a page in color without such a mark.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rayocr.pdf.shapes.components import components

if TYPE_CHECKING:
    from rayocr.messages import PageText
    from rayocr.pdf.page import Page

_DPI = 75
_COLOR, _INK = 60, 110  # gray levels: range of the channels of a color; brightest channel of print
_SHARE = (0.0003, 0.1)  # share of the page; more is a picture
_LEAST_CROSSED_PT = 25.0  # least area of print inside a mark, in square points; a letter of 10 pt has 8
_BESIDE_PT, _LEAST_BESIDE_PT = 8.0, 5.0  # lines of print continue so near beside a mark, with this area; a logo is alone
_LEAST_HEIGHT_PT = 24.0  # lower marks are lines of print, such as entries in a form
_MOST_FILL = 0.5  # share of its rectangle; panels and pictures fill more
_JOINED_PT, _RULING_PT = 1.5, 24.0  # distance of parts of one mark; least length of rulings, which are no print
_SURE, _LEAST_LETTERS = 0.85, 3
_KEPT, _PAPER = 0.5, 0.85  # brightest channel of print that stays, and of what becomes paper, relative to the mark


class ColorMarks(NamedTuple):
    """`cleaned`: the gray page (height, width) without the marks, `alone`: the marks in black on white."""

    cleaned: Any
    alone: Any


def find_color_marks(page: Page, gray: Any, *, dpi: float) -> ColorMarks | None:
    """Returns the marks, or None if there are none. `gray`: the page (height, width) at this resolution."""
    import numpy as np

    if not page.may_have_color:
        return None
    small = np.asarray(page.thumbnail(_DPI, grayscale=False))
    brightest, colored = _channels(small)
    if not _SHARE[0] < colored.mean() < _SHARE[1] or not _marks(brightest, colored, small.shape[0] / gray.shape[0] * dpi).any():
        return None
    colors = np.asarray(page.render(dpi=round(dpi), grayscale=False).image)
    if colors.shape[:2] != gray.shape:
        return None
    brightest, colored = _channels(colors)
    marks = _marks(brightest, colored, dpi)
    own = marks & colored
    if not own.any():
        return None
    level, paper = float(np.median(brightest[own])), int(np.median(gray))
    steps = np.arange(256)
    lighter = np.interp(steps, [0, _KEPT * level, _PAPER * level, 255], [0, _KEPT * level, paper, paper]).astype(np.uint8)
    return ColorMarks(
        np.where(marks, lighter[brightest], gray), np.where(own & (brightest > _KEPT * level), 0, 255).astype(np.uint8)
    )


def with_mark_text(page: PageText, marks: PageText) -> PageText:
    """Returns the page with the text of its marks as the last paragraph. A signature is not read with high confidence."""
    lines = [
        line for line in marks.boxes or () if line.confidence >= _SURE and sum(map(str.isalnum, line.text)) >= _LEAST_LETTERS
    ]
    text = "\n\n".join(filter(None, (page.text, " ".join(line.text for line in lines))))
    return replace(page, text=text, boxes=(*(page.boxes or ()), *lines))


def _channels(colors: Any) -> tuple[Any, Any]:
    """Returns the brightest channel, and which pixels are colored."""
    import cv2

    red, green, blue = cv2.split(colors)
    brightest, darkest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return brightest, cv2.subtract(brightest, darkest) > _COLOR


def _marks(brightest: Any, colored: Any, dpi: float) -> Any:
    """Returns the pixels in and beside the colored marks that cross print."""
    import cv2
    import numpy as np

    scale = dpi / 72
    side = 2 * max(round(_JOINED_PT * scale), 1) + 1
    wide = cv2.dilate(colored.astype(np.uint8), np.ones((side, side), np.uint8))
    ink = ((brightest < _INK) & ~colored).astype(np.uint8)
    length = max(round(_RULING_PT * scale), 3)
    for kernel in ((1, length), (length, 1)):
        ink &= ~cv2.dilate(cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(kernel, np.uint8)), np.ones((3, 3), np.uint8))
    marks, reach = np.zeros(colored.shape, bool), round(_BESIDE_PT * scale)
    for left, top, across, down, _ in components(wide)[0].tolist():
        part = np.s_[top : top + down, left : left + across]
        if min(across, down) < _LEAST_HEIGHT_PT * scale or colored[part].mean() > _MOST_FILL:
            continue
        if np.count_nonzero(ink[part] & wide[part]) < _LEAST_CROSSED_PT * scale**2:
            continue
        beside = ink[top : top + down, max(left - reach, 0) : left], ink[top : top + down, left + across :][:, :reach]
        if sum(map(np.count_nonzero, beside)) >= _LEAST_BESIDE_PT * scale**2:
            marks[part] |= wide[part] > 0
    return marks
