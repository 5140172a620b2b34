"""Makes typeset lines as an engine returns them, for tests of layout."""

from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.layout import LayoutLine

CHAR_PT = 5.0
LEADING_PT = 14.0
HEIGHT_PT = 11.0


def line(
    text: str, x: float, y: float, *, size: float | None = None, height: float = HEIGHT_PT, bold: bool = False
) -> LayoutLine:
    width = len(text) * CHAR_PT * height / HEIGHT_PT
    return LayoutLine(text=text, x0=x, y0=y, x1=x + width, y1=y + height, font_size_pt=size, bold=bold)


def column(texts: Sequence[str], x: float, y: float, *, width: float | None = None) -> list[LayoutLine]:
    """Stacks the lines. With a width, every line except the last is justified to it."""
    lines = [line(text, x, y + number * LEADING_PT) for number, text in enumerate(texts)]
    if width is None:
        return lines
    justified = [LayoutLine(text=it.text, x0=it.x0, y0=it.y0, x1=x + width, y1=it.y1) for it in lines[:-1]]
    return [*justified, lines[-1]]
