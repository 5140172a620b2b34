"""Completes a partial text layer: an OCR engine reads the page without its own text, and both texts are merged in reading order.

The layer's words are exact and take precedence. The engine's text is used only with high confidence, since the engine also
misreads photographs and drawings as letters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from rayocr.engines.textlayer import doubts_of, layer_lines, rulings_of
from rayocr.messages import UNREAD_INK, PageText, TextBox
from rayocr.pdf.geometry import Box, turn_box

if TYPE_CHECKING:
    from rayocr.engines.base import ComputeEngine
    from rayocr.pdf.page import Page
    from rayocr.pdf.textlayer.layer import TextLayer

_SURE = 0.75  # minimum confidence of a line where ink looked like text
_VERY_SURE, _WORD_CHARS = 0.9, 3  # minimum confidence of a line where no ink looked like text
_UNREADABLE = 0.5  # with less confidence and no certain line, the engine does not support the script of the page
_COVERED = 0.5  # a line is already in the layer if the layer's words cover more than this share of its box
_PAGE_SHARE = 0.6  # a larger picture is a scan of the page
_ROWS_SHARE = 0.15  # least distance between the first and the last line in a picture, as a share of the picture's height
_STRIP_PT, _MOST_PICTURES = 1.0, 200
_DOUBTFUL_CHARS = 20  # with more characters in lines of low confidence, the page has text that was not read


def complete(page: Page, engine: ComputeEngine) -> PageText | None:
    """Completes the partial layer of a page. Returns None if the engine does not read this page. The answer has the doubt
    `unread_ink` if something that looks like text could not be read reliably. Raises EngineError."""
    layer = page.text_layer()
    if not any(char.isalnum() for line in layer.lines for char in line.text):
        return engine.recognize(page)  # hyphens in a font whose other characters are unknown
    with page.without_own_text():
        answer = engine.recognize(page)
        if answer is None:
            return None
        rulings = _drawn_rulings(page)
    read = [box for box in answer.boxes or () if not _is_covered(box, layer)]
    sure = [box for box in read if _is_sure(box, layer.unread)]
    missed = [box for box in read if box.confidence < _SURE and _overlaps_any(box, layer.unread)]
    is_sure = not layer.lacking and _chars(missed) <= max(_DOUBTFUL_CHARS, _chars(sure))
    if not sure and answer.confidence is not None and answer.confidence < _UNREADABLE:
        is_sure = False
    own = sum(len(line.text) for line in layer.lines)
    weights = [(1.0, own), *((box.confidence, len(box.text)) for box in sure + ([] if is_sure else missed))]
    made = replace(
        answer,
        text=_markdown(page, layer, sure, rulings),
        boxes=tuple(sure),
        confidence=sum(score * chars for score, chars in weights) / max(sum(chars for _, chars in weights), 1),
        doubts=(*(() if is_sure else (UNREAD_INK,)), *doubts_of(layer)),
    )
    return made if sure else replace(made, engine="textlayer", model="textlayer")


def _chars(boxes: Sequence[TextBox]) -> int:
    return sum(len(box.text) for box in boxes)


def _is_sure(box: TextBox, unread: Sequence[Box]) -> bool:
    letters = sum(char.isalnum() for char in box.text)
    if _overlaps_any(box, unread):
        return box.confidence >= _SURE and letters > 0
    return box.confidence >= _VERY_SURE and letters >= _WORD_CHARS


def _markdown(page: Page, layer: TextLayer, read: Sequence[TextBox], rulings: Sequence[Ruling]) -> str:
    own = sum(len(line.text) for line in layer.lines)
    # If the picture has most of the text, the layer's font sizes do not identify headings.
    lines = layer_lines(layer, sizes_are_real=own >= _chars(read))
    size_pt = (page.width_pt, page.height_pt)
    seen = [_layout_line(box, layer.turns, size_pt) for box in read]
    turned = (turn_box((ruling.x0, ruling.y0, ruling.x1, ruling.y1), layer.turns, size_pt) for ruling in rulings)
    all_rulings = [*rulings_of(page, layer), *(Ruling(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in turned)]
    texts: list[str] = []
    for x0, y0, x1, y1 in _pictures_beside_text(page, layer, lines, seen):
        inside = [line for line in seen if _is_inside(line, (x0, y0, x1, y1))]
        within = [ruling for ruling in all_rulings if _is_inside(ruling, (x0, y0, x1, y1))]
        seen = [line for line in seen if line not in inside]
        all_rulings = [ruling for ruling in all_rulings if ruling not in within]
        texts.append(_arranged(inside, within, layer))
    return "\n\n".join(text for text in (_arranged([*lines, *seen], all_rulings, layer), *texts) if text)


def _arranged(lines: Sequence[LayoutLine], rulings: Sequence[Ruling], layer: TextLayer) -> str:
    return layout_markdown(lines, page_width=layer.width_pt, page_height=layer.height_pt, rulings=rulings)


def _pictures_beside_text(page: Page, layer: TextLayer, own: Sequence[LayoutLine], seen: Sequence[LayoutLine]) -> list[Box]:
    """Returns the boxes of pictures, such as screenshots, whose text must not form rows with the page's own text beside them. The
    engine read several lines in such a picture, and none of the page's own lines is on it. The boxes are ordered from top to
    bottom and rotated like the layer."""
    size_pt = (page.width_pt, page.height_pt)
    boxes = _joined([turn_box(box, layer.turns, size_pt) for box in page.picture_boxes])
    most = _PAGE_SHARE * page.width_pt * page.height_pt
    found: list[Box] = []
    for box in sorted(boxes, key=lambda box: box[1]):
        x0, y0, x1, y1 = box
        rows = sorted(line.center_y for line in seen if _is_inside(line, box))
        is_beside = any(y0 < line.center_y < y1 for line in own) and not any(_is_inside(line, box) for line in own)
        if is_beside and (x1 - x0) * (y1 - y0) < most and len(rows) > 1 and rows[-1] - rows[0] > _ROWS_SHARE * (y1 - y0):
            found.append(box)
    return found


def _joined(boxes: Sequence[Box]) -> list[Box]:
    """Joins boxes that touch, since a picture may be stored in strips."""
    if len(boxes) > _MOST_PICTURES:
        return []
    joined: list[Box] = []
    for box in boxes:
        while touching := [other for other in joined if _touch(box, other)]:
            joined = [other for other in joined if other not in touching]
            sides = list(zip(box, *touching, strict=True))
            box = (min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3]))
        joined.append(box)
    return joined


def _touch(one: Box, other: Box) -> bool:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return min(across, down) > -_STRIP_PT


def _is_inside(item: LayoutLine | Ruling, box: Box) -> bool:
    return box[0] < (item.x0 + item.x1) / 2 < box[2] and box[1] < (item.y0 + item.y1) / 2 < box[3]


def _layout_line(box: TextBox, turns: int, size_pt: tuple[float, float]) -> LayoutLine:
    x0, y0, x1, y1 = turn_box(_levelled(box), turns, size_pt)
    return LayoutLine(text=box.text, x0=x0, y0=y0, x1=x1, y1=y1, confidence=box.confidence)


def _levelled(box: TextBox) -> Box:
    """Returns the box of a line in a skewed scan, as high as its letters: same center, without the slope."""
    skew = math.radians(box.angle_deg - 90 * round(box.angle_deg / 90))
    width, height = box.x1 - box.x0, box.y1 - box.y0
    cosine, sine = math.cos(skew), abs(math.sin(skew))
    if not 0.002 < sine < 0.5:
        return box.x0, box.y0, box.x1, box.y1
    level_width = (width * cosine - height * sine) / (cosine**2 - sine**2)
    level_height = (height * cosine - width * sine) / (cosine**2 - sine**2)
    if level_width <= 0 or level_height <= 0:
        return box.x0, box.y0, box.x1, box.y1
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return x - level_width / 2, y - level_height / 2, x + level_width / 2, y + level_height / 2


def _drawn_rulings(page: Page) -> list[Ruling]:
    """Returns the rules in the picture that the engine saw, in points of the displayed page."""
    if find_spec("cv2") is None:
        return []
    import numpy as np

    from rayocr.engines.layout.tables.scan_rulings import scan_rulings

    rendering = page.render(dpi=200, grayscale=True)
    gray: Any = np.asarray(rendering.image)
    return scan_rulings(gray, dpi=rendering.scale * 72, angle_deg=0.0)


def _is_covered(box: TextBox, layer: TextLayer) -> bool:
    area = max((box.x1 - box.x0) * (box.y1 - box.y0), 0.01)
    shown_pt = (layer.width_pt, layer.height_pt)
    common = 0.0
    for line in layer.lines:
        x0, y0, x1, y1 = turn_box((line.x0, line.y0, line.x1, line.y1), -layer.turns, shown_pt)
        common += max(0.0, min(x1, box.x1) - max(x0, box.x0)) * max(0.0, min(y1, box.y1) - max(y0, box.y0))
    return common >= _COVERED * area


def _overlaps_any(box: TextBox, others: Sequence[Box]) -> bool:
    return any(min(x1, box.x1) > max(x0, box.x0) and min(y1, box.y1) > max(y0, box.y0) for x0, y0, x1, y1 in others)
