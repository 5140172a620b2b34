"""Lines of a page, set in proportional and monospaced letters."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown

CHAR_PT = 5.0
# Letter widths of a proportional font; only their variation matters.
NARROW, WIDE = frozenset("ijltfr.,:;'|!()[] "), frozenset("mwMW@%")


def width(text: str) -> float:
    return sum(2.6 if c in NARROW else 7.8 if c in WIDE else 5.0 for c in text)


def proportional(texts: list[str], *, x: float = 60, y: float = 100, indent: float = 0) -> list[LayoutLine]:
    return [
        LayoutLine(text=text, x0=x + indent, y0=y + 14 * n, x1=x + indent + width(text), y1=y + 14 * n + 11)
        for n, text in enumerate(texts)
    ]


def monospaced(texts: list[str], *, x: float = 80, y: float = 100) -> list[LayoutLine]:
    lines = []
    for n, text in enumerate(texts):
        if text.strip():
            left = x + CHAR_PT * (len(text) - len(text.lstrip()))
            lines.append(
                LayoutLine(text=text.strip(), x0=left, y0=y + 12 * n, x1=left + CHAR_PT * len(text.strip()), y1=y + 12 * n + 10)
            )
    return lines


def markdown(lines: list[LayoutLine]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


PROSE = [
    "The water of the mill was measured every day at noon and written",
    "into a ledger that lay open on the sill, so that whoever came by",
    "could read what it had been on any day of the year before and",
    "compare it with what the river showed him.",
]
