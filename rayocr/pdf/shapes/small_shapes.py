"""Small shapes that are drawn on a page: dots, short lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from rayocr.pdf.geometry import Box


@dataclass(slots=True)
class SmallShapes:
    """Small shapes on the upright page, in points."""

    dots: list[Box] = field(default_factory=list)
    bars: list[Box] = field(default_factory=list)  # level lines; their height is their thickness
    uprights: list[Box] = field(default_factory=list)  # vertical lines
