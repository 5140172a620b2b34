"""Finds the rulings of a scan as long dark runs of pixels. Takes 4 ms per page; needs OpenCV, which rapidocr installs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.tables.rulings.faint import faint_rulings, in_grids
from rayocr.pdf.shapes.components import components
from rayocr.pdf.shapes.reduced import reduced

_WORK_DPI = 100  # hairlines remain, since they are dilated first; letters do not
_LONGEST_LETTER_IN = 0.32  # rulings must be longer than the strokes of headline letters
_SHORTEST_IN = 0.15  # upright rulings within one row of a table, which reach from one level ruling to another
_MEET_PT = 3.0
_MAX_THICKNESS_IN = 0.06  # thicker shapes are bars and filled boxes
_MOST_CURVED = 2.5  # largest height of the box around a curved or slightly skewed ruling, as a multiple of the largest thickness
_THIN = 0.5  # largest share of its box that such a ruling fills
_MAX_FOUND = 1500
_MIDDLE, _SLACK = (0.3, 0.62), 0.3  # where the bars of letters are in their line, and how far they reach over it, in its heights
_MOST_PAIRS = 100_000  # of lines and rulings that are compared
_CROSSED, _NEAR_BLANK = 2, 1.5  # number of lines that show a false ruling; widths of a letter from a blank
_CELL = 0.3  # largest width of the narrower of two cells in a row, as a share of all lines' width; columns of text are wider
_LEAST_ROWS, _ROWS_SHARE = 3, 0.1  # least number of rows with cells, and their share of all rows
_LEAST_LEVEL = 3  # least number of level rulings of a table


def scan_rulings(gray: Any, *, dpi: float, angle_deg: float = 0.0, with_faint: bool = True) -> list[Ruling]:
    """Returns rulings in points. `gray`: 8-bit array (height, width); `angle_deg`: skew to correct first (counter-clockwise
    positive about the image's center, as in cv2.getRotationMatrix2D); `with_faint`: also those that are hardly visible."""
    import cv2
    import numpy as np

    small, factor = reduced(gray, _WORK_DPI / dpi)
    height, width = small.shape
    if angle_deg:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1.0)
        small = cv2.warpAffine(small, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=255)
    # The threshold is local, since scans are shaded and a hairline is gray at this size.
    dark = cv2.adaptiveThreshold(small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 18)
    work_dpi = dpi * factor
    length = max(int(_LONGEST_LETTER_IN * work_dpi), 8)
    to_pt = 72.0 / work_dpi
    thickest = max(int(_MAX_THICKNESS_IN * work_dpi), 3)
    rulings: list[Ruling] = []
    for across in (True, False):
        reach = np.ones((3, 1) if across else (1, 3), np.uint8)
        run = np.ones((1, length) if across else (length, 1), np.uint8)
        found = cv2.morphologyEx(cv2.dilate(dark, reach), cv2.MORPH_OPEN, run)
        stats, _ = components(found)
        if len(stats) >= _MAX_FOUND:
            continue
        for x, y, w, h, area in stats:
            height, width = (h, w) if across else (w, h)
            if height > (thickest + 2 if area > _THIN * height * width else _MOST_CURVED * thickest):
                continue
            x, y, w, h = float(x), float(y), float(w), float(h)
            if across:
                middle = (y + h / 2) * to_pt
                rulings.append(Ruling(x0=x * to_pt, y0=middle, x1=(x + w) * to_pt, y1=middle))
            else:
                middle = (x + w / 2) * to_pt
                rulings.append(Ruling(x0=middle, y0=y * to_pt, x1=middle, y1=(y + h) * to_pt))
    if with_faint:
        rulings += faint_rulings(small, dark, rulings, dpi=work_dpi)
    return rulings + _within_rows(dark, [ruling for ruling in rulings if ruling.is_horizontal], length, thickest, to_pt)


def _within_rows(dark: Any, across: Sequence[Ruling], length: int, thickest: int, to_pt: float) -> list[Ruling]:
    """Returns the upright rulings that are shorter than `length`, in pixels, and end at two of the level ones, unlike letters."""
    import cv2
    import numpy as np

    if len(across) < _LEAST_LEVEL:
        return []
    shortest = int(_SHORTEST_IN * 72 / to_pt)
    found = cv2.morphologyEx(cv2.dilate(dark, np.ones((1, 3), np.uint8)), cv2.MORPH_OPEN, np.ones((shortest, 1), np.uint8))
    stats, _ = components(found)
    rulings: list[Ruling] = []
    for x, y, w, h, _area in stats if len(stats) < _MAX_FOUND else ():
        middle, ends = float(x + w / 2) * to_pt, (float(y) * to_pt, float(y + h) * to_pt)
        if h < length and w <= thickest and all(_ends_at(middle, end, across) for end in ends):
            rulings.append(Ruling(x0=middle, y0=ends[0], x1=middle, y1=ends[1]))
    return rulings


def _ends_at(x: float, y: float, across: Sequence[Ruling]) -> bool:
    return any(abs(ruling.y0 - y) < _MEET_PT and ruling.x0 - _MEET_PT < x < ruling.x1 + _MEET_PT for ruling in across)


def has_cells(lines: Sequence[LayoutLine]) -> bool:
    """Returns whether the lines may be cells of a table: several rows have short lines side by side."""
    rows: list[list[LayoutLine]] = []
    for line in sorted(lines, key=lambda line: line.center_y):
        if rows and line.center_y < rows[-1][0].y1:
            rows[-1].append(line)
        else:
            rows.append([line])
    width = max((line.x1 for line in lines), default=0.0) - min((line.x0 for line in lines), default=0.0)
    of_cells = sum(len(row) > 2 or (len(row) == 2 and min(line.width for line in row) < _CELL * width) for row in rows)
    return of_cells >= max(_LEAST_ROWS, _ROWS_SHARE * len(rows))


def outside_letters(rulings: Sequence[Ruling], lines: Sequence[LayoutLine]) -> list[Ruling]:
    """Returns the rulings without those in the middle of a line of text and no longer than it: in coarse print, the bars of a
    row of letters look like a ruling. Nor are faint uprights through words, which are strokes of letters below each other."""
    if len(rulings) * len(lines) > _MOST_PAIRS:
        return list(rulings)
    kept = [ruling for ruling in rulings if not (ruling.is_horizontal and any(_is_in_letters(ruling, line) for line in lines))]
    faint = [ruling for ruling in kept if ruling.is_faint and (ruling.is_horizontal or not _crosses_words(ruling, lines))]
    known = [ruling for ruling in kept if not ruling.is_faint]
    return known + in_grids(faint, known)


def _is_in_letters(ruling: Ruling, line: LayoutLine) -> bool:
    slack = _SLACK * line.height
    is_middle = line.y0 + _MIDDLE[0] * line.height < ruling.y0 < line.y0 + _MIDDLE[1] * line.height
    return is_middle and ruling.x0 > line.x0 - slack and ruling.x1 < line.x1 + slack


def _crosses_words(ruling: Ruling, lines: Sequence[LayoutLine]) -> bool:
    """Returns whether an upright ruling crosses several lines of text at places without a blank."""
    return sum(_is_through(ruling, line) for line in lines) >= _CROSSED


def _is_through(ruling: Ruling, line: LayoutLine) -> bool:
    slack = _SLACK * line.height
    if not (ruling.y0 < line.center_y < ruling.y1 and line.x0 + slack < ruling.x0 < line.x1 - slack) or line.is_vertical:
        return False
    letter = line.width / max(len(line.text), 1)
    blanks = (line.x0 + letter * (place + 0.5) for place, char in enumerate(line.text) if char == " ")
    return all(abs(x - ruling.x0) > _NEAR_BLANK * letter for x in blanks)
