"""Writes one page as a Typst program: its size, its language, and its content scaled to fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rayocr.outputs.typeset.literal import literal, statements

_A4_SHORT_PT = 595.0
_MIN_SHORT_PT, _MAX_LONG_PT = 144.0, 3370.0  # points: two inches, so that a word fits on a line; long side of A0
_MAX_RATIO = 20.0  # maximum ratio of the long side to the short one
_DEFAULT_PT = (595.28, 841.89)  # A4, used if the source has no size

# `fit` reduces the font size until the content fits: first by the square root of the excess, since half the size gives twice the
# characters per line and twice the lines, then in small steps. Text below 5 pt is unreadable, so the page grows instead. Tables
# in the content use `w`. The date is fixed, so that equal pages give equal bytes; the joined file has its own date.
TEMPLATE = """
#set document(date: datetime(year: 2000, month: 1, day: 1))
#set par(spacing: 1em, leading: 0.6em, justify: false)
#set text(hyphenate: false, ligatures: false, fallback: true, overhang: false)
#set list(spacing: 0.7em, indent: 0.6em, marker: ([•], [–], [◦]))
#set enum(spacing: 0.7em, indent: 0.6em)
#show list: set block(above: 0.9em)
#show enum: set block(above: 0.9em)
#set heading(bookmarked: false, outlined: false)
#show heading: set text(weight: "bold")
#show heading: set block(above: 1.1em, below: 0.65em)
#show heading.where(level: 1): set text(size: 1.15em)
#show heading.where(level: 3): set text(size: 0.95em)
#show heading.where(level: 4): set text(size: 0.95em)
#show link: set text(fill: rgb("#1a4f8a"))
#set table(stroke: 0.5pt + luma(150), inset: (x: 0.4em, y: 0.35em), fill: none)
#set table.cell(breakable: false)
#let plain(it) = it
#let rule = line(length: 100%, stroke: 0.5pt + luma(140))
#let mono(it) = text(font: ("DejaVu Sans Mono", "Noto Sans"), size: 0.85em, it)
#let small(it) = text(size: 0.85em, it)
#let left-out(it) = text(fill: luma(90), style: "italic", it)
#let quotation(it) = block(inset: (left: 0.9em, y: 0.1em), stroke: (left: 1.5pt + luma(180)), it)
#let code(it) = block(width: 100%, fill: luma(245), inset: 0.6em, raw(it, block: true))
#let leftwards(language, it) = { set text(dir: rtl, lang: language); it }
#let notice(it) = block(width: 100%, stroke: 1pt + rgb("#b00020"), inset: 0.9em, radius: 2pt, text(fill: rgb("#b00020"), it))
#let wide-table(w, need, columns, ..cells) = context {
  let factor = calc.min(1, (w / text.size.to-absolute()) / need)
  set text(size: calc.max(factor, 0.05) * 1em)
  set par(leading: 0.45em)
  block(table(columns: columns, ..cells))
}
#let wide-maths(w, it) = context {
  let has = measure(it).width
  set text(size: calc.max(calc.min(1, w / calc.max(has, 1pt)), 0.3) * 1em)
  it
}
#let sized(size, body) = { set text(size: size); body }
#let fit(width, height, margin, size, families, language, body) = {
  set text(font: families, lang: language)
  let w = width - 2 * margin
  let most = height - 2 * margin
  context {
    let high(s) = measure(block(width: w, sized(s, body(w)))).height
    let chosen = size
    let has = high(chosen)
    if has > most {
      chosen = calc.max(5pt, size * calc.min(0.97, calc.sqrt(most / has)))
      has = high(chosen)
      while has > most and chosen > 5pt {
        chosen = calc.max(5pt, chosen * 0.94)
        has = high(chosen)
      }
    }
    let tall = if has > most { calc.min(has + 2 * margin + 1pt, 14400pt) } else { height }
    page(width: width, height: tall, margin: margin, block(width: w, sized(chosen, body(w))))
  }
}
"""


@dataclass(frozen=True, slots=True)
class PageSize:
    """Size of the upright page, in points."""

    width_pt: float
    height_pt: float


def sensible_size(width_pt: float, height_pt: float) -> PageSize:
    """Returns the source's size, limited to 2 inches to A0 and a ratio of 20; A4 if the source has no size."""
    if not (0 < width_pt < float("inf") and 0 < height_pt < float("inf")):
        return PageSize(*_DEFAULT_PT)
    width_pt, height_pt = max(width_pt, height_pt / _MAX_RATIO), max(height_pt, width_pt / _MAX_RATIO)
    factor = max(1.0, _MIN_SHORT_PT / min(width_pt, height_pt))
    factor = min(factor, _MAX_LONG_PT / max(width_pt, height_pt))
    return PageSize(width_pt * factor, height_pt * factor)


def page_program(content: str, size: PageSize, families: Sequence[str], language: str) -> str:
    """Returns the program of a page. `content`: Typst statements."""
    short = min(size.width_pt, size.height_pt)
    margin = min(56.0, 0.08 * short)
    letters = max(7.0, min(16.0, 10.5 * (short / _A4_SHORT_PT) ** 0.5))
    fonts = "".join(f"{literal(family)}," for family in families)
    return (
        f"#fit({size.width_pt:.3f}pt,{size.height_pt:.3f}pt,{margin:.2f}pt,{letters:.2f}pt,({fonts}),"
        f"{literal(language)},w=>{{[];{content}}})\n"
    )


def notice(text: str, *, image: str | None = None) -> str:
    """Returns a framed sentence in place of a page that could not be read, above the picture of the page if there is one."""
    picture = f"align(center,image({literal(image)},width:100%,height:78%,fit:{literal('contain')}));" if image else ""
    return f"notice({{[];{statements(text)}}});{picture}"
