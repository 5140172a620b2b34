"""Records where a page's text has been drawn so far, to find the objects that are drawn over text.

The area is recorded in cells, so that a page with thousands of text objects and paths takes milliseconds. Cells are rounded
outward: an object beside a text may count as over it, never the reverse.
"""

from __future__ import annotations

import math

from rayocr.pdf.geometry import Box

_CELL_PT = 1.0
_MAX_CELLS = 2048  # number of cells per side; boxes beyond them share the outermost cells
_MARGIN_PT = 0.5  # letters may extend this far beyond the bounds that PDFium returns


class TextArea:
    """The area covered by text so far. All boxes are (left, bottom, right, top) in points of the page's own space."""

    def __init__(self, long_side_pt: float) -> None:
        self._cell_pt = max(_CELL_PT, long_side_pt / (_MAX_CELLS // 2))
        self._rows: dict[int, int] = {}  # for each row, the columns with text, as bits
        self._added: list[Box] = []  # boxes that are not yet in `_rows`, because on most pages the text is drawn last

    def add(self, box: Box) -> None:
        self._added.append(box)

    def touches(self, box: Box) -> bool:
        for left, bottom, right, top in self._added:
            rows, columns = self._cells((left - _MARGIN_PT, bottom - _MARGIN_PT, right + _MARGIN_PT, top + _MARGIN_PT))
            for row in rows:
                self._rows[row] = self._rows.get(row, 0) | columns
        self._added.clear()
        rows, columns = self._cells(box)
        return any(self._rows.get(row, 0) & columns for row in rows)

    def _cells(self, box: Box) -> tuple[range, int]:
        first_column, first_row, last_column, last_row = (self._cell(at) for at in box)
        return range(first_row, last_row + 1), (1 << last_column + 1) - (1 << first_column)

    def _cell(self, at: float) -> int:
        """Returns the cell of a coordinate, which may not be finite."""
        cell = at / self._cell_pt + _MAX_CELLS // 4
        return min(max(math.floor(cell), 0), _MAX_CELLS) if math.isfinite(cell) else 0 if cell < 0 else _MAX_CELLS
