"""Completes a partial text layer: an OCR engine reads the page without its own text, and both are put in one reading order.

The layer's words are exact and win where both exist. What the engine reads is taken where it is sure; it sees photographs and
drawings too, and makes letters of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from rayocr.messages import PageText, TextBox
from rayocr.pdf.geometry import Box, turn_box

if TYPE_CHECKING:
    from rayocr.engines.base import ComputeEngine
    from rayocr.pdf.page import Page
    from rayocr.pdf.textlayer.layer import TextLayer

UNREAD_INK = "unread_ink"  # a doubt: the page shows lines that its text layer does not have, and no engine read them
HIDDEN_TEXT = "hidden_text"  # a doubt: the file has text on this page that nobody sees; it was left out

_SURE = 0.75  # confidence of a line
_COVERED = 0.5  # of a line's box by the layer's words: it has been read
_DOUBTFUL_CHARS = 20  # of lines that the engine is not sure of, where the page has lines without text


@dataclass(frozen=True, slots=True)
class Completion:
    """`is_sure`: nothing that looks like a line of text was left out."""

    answer: PageText
    is_sure: bool


def doubts_of(layer: TextLayer) -> tuple[str, ...]:
    return (HIDDEN_TEXT,) if layer.hides_text else ()


def layer_alone(page: Page) -> PageText:
    """The text of a partial layer as it is, with the doubt on record."""
    layer = page.text_layer()
    text = _markdown(page, layer, [], [])
    return PageText(
        text=text, engine="textlayer", model="textlayer", confidence=0.0, boxes=(), doubts=(UNREAD_INK, *doubts_of(layer))
    )


def complete(page: Page, engine: ComputeEngine) -> Completion | None:
    """`page` has a partial layer. None where the engine does not read this page. Raises EngineError."""
    layer = page.text_layer()
    with page.without_own_text():
        answer = engine.recognize(page)
        if answer is None:
            return None
        rulings = _drawn_rulings(page)
    read = [box for box in answer.boxes or () if box.text.strip() and not _is_covered(box, layer)]
    sure = [box for box in read if box.confidence >= _SURE]
    doubtful = sum(len(box.text) for box in read if box.confidence < _SURE and _overlaps_any(box, layer.unread))
    text = _markdown(page, layer, sure, rulings)
    weights = sum(len(line.text) for line in layer.lines) + sum(len(box.text) for box in sure)
    confidence = (weights - sum((1 - box.confidence) * len(box.text) for box in sure)) / max(weights, 1)
    made = replace(answer, text=text, boxes=tuple(sure), confidence=confidence, doubts=doubts_of(layer))
    if not sure:
        made = replace(made, engine="textlayer", model="textlayer")
    return Completion(made, is_sure=doubtful <= max(_DOUBTFUL_CHARS, sum(len(box.text) for box in sure)))


def _markdown(page: Page, layer: TextLayer, read: Sequence[TextBox], rulings: Sequence[Ruling]) -> str:
    size_pt = (page.width_pt, page.height_pt)
    own = sum(len(line.text) for line in layer.lines)
    mostly_own = own >= sum(len(box.text) for box in read)  # the sizes of fonts say nothing of a heading in a scan
    lines = [
        LayoutLine(
            text=line.text,
            x0=line.x0,
            y0=line.y0,
            x1=line.x1,
            y1=line.y1,
            font_size_pt=line.font_size_pt if mostly_own else None,
            bold=line.bold and mostly_own,
        )
        for line in layer.lines
    ]
    lines += [_layout_line(box, layer.turns, size_pt) for box in read]
    own_rulings = [Ruling(x0=r.x0, y0=r.y0, x1=r.x1, y1=r.y1) for r in page.rulings()]
    turned = [turn_box((r.x0, r.y0, r.x1, r.y1), layer.turns, size_pt) for r in [*own_rulings, *rulings]]
    return layout_markdown(
        lines,
        page_width=layer.width_pt,
        page_height=layer.height_pt,
        rulings=[Ruling(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in turned],
    )


def _layout_line(box: TextBox, turns: int, size_pt: tuple[float, float]) -> LayoutLine:
    x0, y0, x1, y1 = turn_box(_levelled(box), turns, size_pt)
    return LayoutLine(text=box.text, x0=x0, y0=y0, x1=x1, y1=y1, confidence=box.confidence)


def _levelled(box: TextBox) -> Box:
    """The box of a line of a skewed scan, as high as its letters: around the same middle, without the slope."""
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
    """The rulings of the picture that the engine saw, in points of the page as it is shown."""
    if find_spec("cv2") is None:
        return []
    import numpy as np

    from rayocr.engines.layout.scan_rulings import scan_rulings

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
