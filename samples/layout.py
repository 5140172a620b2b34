"""Lays out the lines of a sample, including line breaks. It knows neither PDF nor pixels, so that born-digital pages, scans and
Devanagari share one layout. Every drawing module here uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

SOFT_HYPHEN = "\u00ad"  # marks where a word in the texts may be broken; it is never part of the truth

Kind = Literal["title", "heading", "paragraph", "bullet", "row"]
Measure = Callable[[str, float, bool], float]  # text, size_pt, bold: width in points


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    size_pt: float
    leading: float = 1.45  # line height as a multiple of the font size
    above_pt: float = 0.0
    indent_pt: float = 0.0
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`x_pt` from the left, `y_pt` of the baseline from the TOP of the page."""

    x_pt: float
    y_pt: float
    text: str
    size_pt: float
    bold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    left_pt: float
    top_pt: float
    width_pt: float
    height_pt: float


def styles(body_pt: float, *, leading: float = 1.45) -> dict[Kind, Style]:
    return {
        "title": Style(size_pt=body_pt * 1.8, leading=1.3, above_pt=0.0, bold=True),
        "heading": Style(size_pt=body_pt * 1.2, leading=1.3, above_pt=body_pt * 1.2, bold=True),
        "paragraph": Style(size_pt=body_pt, leading=leading, above_pt=body_pt * 0.7),
        "bullet": Style(size_pt=body_pt, leading=leading, above_pt=body_pt * 0.3, indent_pt=body_pt * 1.4),
        "row": Style(size_pt=body_pt, leading=leading),
    }


def lay_out(blocks: Sequence[Block], frames: Sequence[Frame], looks: dict[Kind, Style], measure: Measure) -> list[Line]:
    """Fills the frames in order. Raises ValueError if the text does not fit, since a sample must not lose a word."""
    lines: list[Line] = []
    queue = list(frames)
    frame = queue.pop(0)
    y_pt = frame.top_pt
    for block in blocks:
        look = looks[block.kind]
        if y_pt > frame.top_pt:
            y_pt += look.above_pt
        for number, text in enumerate(_broken(block.text, frame.width_pt - look.indent_pt, look, measure)):
            if y_pt + look.size_pt * look.leading > frame.top_pt + frame.height_pt:
                if not queue:
                    raise ValueError(f"no room for {text!r}")
                frame = queue.pop(0)
                y_pt = frame.top_pt
            y_pt += look.size_pt * look.leading
            if block.kind == "bullet" and number == 0:
                lines.append(Line(x_pt=frame.left_pt, y_pt=y_pt, text="•", size_pt=look.size_pt, bold=look.bold))
            lines.append(Line(x_pt=frame.left_pt + look.indent_pt, y_pt=y_pt, text=text, size_pt=look.size_pt, bold=look.bold))
    return lines


def truth(blocks: Sequence[Block]) -> str:
    """Returns the text of the page in reading order: one line per block, with whole words."""
    return "\n".join(("• " if b.kind == "bullet" else "") + b.text.replace(SOFT_HYPHEN, "") for b in blocks)


def _broken(text: str, width_pt: float, look: Style, measure: Measure) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        rest = word
        while rest:
            head, tail = _fitting(line, rest, width_pt, look, measure)
            line += head
            if tail:
                lines.append(line)
                line = ""
            rest = tail
    return [*lines, line]


def _fitting(line: str, word: str, width_pt: float, look: Style, measure: Measure) -> tuple[str, str]:
    """Returns the part of `word` that fits on `line` (with its space or hyphen), and the rest for the next line."""
    gap = " " if line else ""
    parts = word.split(SOFT_HYPHEN)
    for count in range(len(parts), 0, -1):
        tail = SOFT_HYPHEN.join(parts[count:])
        head = gap + "".join(parts[:count]) + ("-" if tail else "")
        if measure(line + head, look.size_pt, look.bold) <= width_pt:
            return head, tail
    if not line:
        raise ValueError(f"{word!r} is wider than its column")
    return "", word
