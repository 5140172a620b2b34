"""Finds bullets that are drawn as shapes or small pictures before list items, as browsers print them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rayocr.pdf.forms.fields import FieldKind, FormField
from rayocr.pdf.geometry import Box
from rayocr.pdf.textlayer.lines import TextLine
from rayocr.pdf.textlayer.right_to_left import is_right_to_left

BULLET = "•"
_SIDES_EM = (0.12, 0.75)
_SQUARE = 1.6  # largest ratio of a bullet's sides
_GAP_EM = (0.12, 3.2)  # maximum gap between the bullet and the item
_TEXT_BEFORE_EM = 1.5  # a shape with text as close as this before it is a dot of a leader or of a letter
_ROW_OF_DOTS_EM = 3.0  # if another shape is as close as this, both belong to a leader, a rating, or letters drawn as outlines
_MOST_IN_ROW = 12
_MOST = 150  # a page with more small shapes is a drawing
_LONG = 25  # number of letters; a shorter text beside a single shape may be a label of a drawing
_OWN_MARKERS = frozenset("•●▪■◦○‣∙·⁃➢➤❖✓✔✗✘☐☑☒□▢[")


def drawn_bullets(shapes: Iterable[Box], lines: Sequence[TextLine]) -> list[FormField]:
    """Finds bullets. `shapes`: the bounds of paths and pictures, in points of the upright page, as are `lines`."""
    sizes = [line.font_size_pt for line in lines]
    most = _SIDES_EM[1] * max(sizes, default=0.0)
    small = _outside_rows(box for box in dict.fromkeys(shapes) if _is_compact(box, most))
    if not small or len(small) > _MOST:
        return []
    found = [(box, line, gap) for box in small for line, gap in _items_at(box, lines) if _is_alone(box, line, small, lines)]
    return [
        FormField(index=-1, kind=FieldKind.BULLET, text=BULLET, box=(box[0], line.y0, box[2], line.y1))
        for box, line, gap in found
        if len(line.text) >= _LONG or sum(_are_alike(box, gap, other, beside) for other, _, beside in found) > 1
    ]


def _is_compact(box: Box, most: float) -> bool:
    low, high = sorted((box[2] - box[0], box[3] - box[1]))
    return low > 0.5 and high <= most and high <= _SQUARE * low


def _outside_rows(boxes: Iterable[Box]) -> list[Box]:
    """Omits rows of many shapes, such as dotted lines."""
    rows: dict[int, list[Box]] = {}
    for box in boxes:
        rows.setdefault(round(box[1] + box[3]), []).append(box)
    return [box for row in rows.values() if len(row) <= _MOST_IN_ROW for box in row]


def _items_at(box: Box, lines: Sequence[TextLine]) -> Iterable[tuple[TextLine, float]]:
    """Yields the line that begins after the shape, with the gap between them."""
    side, middle = max(box[2] - box[0], box[3] - box[1]), (box[1] + box[3]) / 2
    for line in lines:
        em, height = line.font_size_pt, line.y1 - line.y0
        if not line.y0 + 0.1 * height < middle < line.y1 - 0.1 * height or not _SIDES_EM[0] * em <= side <= _SIDES_EM[1] * em:
            continue
        gap = box[0] - line.x1 if any(map(is_right_to_left, line.text)) else line.x0 - box[2]
        if _GAP_EM[0] * em <= gap <= _GAP_EM[1] * em and line.text[:1] not in _OWN_MARKERS and not line.vertical:
            yield line, gap
            return


def _is_alone(box: Box, item: TextLine, shapes: Sequence[Box], lines: Sequence[TextLine]) -> bool:
    em, middle = item.font_size_pt, (box[1] + box[3]) / 2
    for other in shapes:
        overlaps = other[0] < box[2] and other[2] > box[0]
        is_in_row = other is not box and other[1] < middle < other[3] and not overlaps
        if is_in_row and max(box[0] - other[2], other[0] - box[2]) < _ROW_OF_DOTS_EM * em:
            return False
    row = [line for line in lines if line is not item and line.y0 < middle < line.y1]
    before = _TEXT_BEFORE_EM * em
    if item.x0 > box[2]:
        return not any(line.x1 > box[0] - before and line.x0 < box[2] for line in row)
    return not any(line.x0 < box[2] + before and line.x1 > box[0] for line in row)


def _are_alike(box: Box, gap: float, other: Box, beside: float) -> bool:
    same_size = abs((box[2] - box[0]) - (other[2] - other[0])) < 0.5 and abs((box[3] - box[1]) - (other[3] - other[1])) < 0.5
    return same_size and abs(gap - beside) < 2.0
