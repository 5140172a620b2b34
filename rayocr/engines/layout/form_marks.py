"""Handles the check boxes and radio buttons of a form for engines that read pixels, which misread or miss a tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rayocr.engines.layout.lines import LayoutLine
from rayocr.messages import TextBox
from rayocr.pdf.forms.fields import FieldKind, FormField
from rayocr.pdf.geometry import Box, turn_box

if TYPE_CHECKING:
    from PIL.Image import Image

_TEXT_PT = 10.0  # larger lines would become headings


def box_fields(fields: Sequence[FormField]) -> list[FormField]:
    return [field for field in fields if field.kind is FieldKind.BOX]


def without_boxes(image: Image, fields: Sequence[FormField], scale: float) -> Image:
    """Returns the image with the boxes painted white. `image` shows the page as displayed, at `scale` pixels per point."""
    from PIL import ImageDraw

    if fields:
        image = image.copy()
        draw = ImageDraw.Draw(image)
        for field in fields:
            draw.rectangle(tuple(round(at * scale) for at in field.box), fill="white")
    return image


def mark_lines(fields: Sequence[FormField], quarter_turns: int, size_pt: tuple[float, float]) -> list[LayoutLine]:
    """Returns lines `[x]` and `[ ]` at the boxes' positions on a page of this size after counter-clockwise quarter turns."""
    return [
        LayoutLine(text=field.text, x0=x0, y0=y0, x1=x1, y1=y1, confidence=1.0)
        for field in fields
        for x0, y0, x1, y1 in [_line_in(turn_box(field.box, -quarter_turns, size_pt))]
    ]


def mark_boxes(fields: Sequence[FormField]) -> list[TextBox]:
    return [TextBox(text=f.text, x0=f.box[0], y0=f.box[1], x1=f.box[2], y1=f.box[3], confidence=1.0) for f in fields]


def _line_in(box: Box) -> Box:
    x0, y0, x1, y1 = box
    middle, half = (y0 + y1) / 2, min(y1 - y0, _TEXT_PT) / 2
    return x0, middle - half, x1, middle + half
