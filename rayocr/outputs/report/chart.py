"""Throughput over time as an SVG, drawn by hand: a library for one row of bars would be larger than the report."""

from __future__ import annotations

from collections.abc import Sequence

from rayocr.outputs.report.facts import Bin

_WIDTH, _HEIGHT, _BASE = 960, 150, 20  # units of the drawing; it scales to the page


def throughput_chart(bins: Sequence[Bin]) -> str:
    """Empty where there is nothing to tell."""
    if len(bins) < 2 or not any(bin_.pages for bin_ in bins):
        return ""
    seconds = (bins[1].start - bins[0].start).total_seconds()
    most = max(bin_.pages for bin_ in bins)
    step = _WIDTH / len(bins)
    bars = "".join(
        f'<rect x="{position * step:.1f}" width="{max(step - 1, 0.5):.1f}" y="{_HEIGHT - _high(bin_, most):.1f}"'
        f' height="{_high(bin_, most):.1f}"><title>{bin_.start:%H:%M:%S}: {bin_.pages:,} pages</title></rect>'
        for position, bin_ in enumerate(bins)
        if bin_.pages
    )
    y = _HEIGHT + _BASE - 5
    labels = (
        f'<text x="0" y="{y}">{bins[0].start:%Y-%m-%d %H:%M:%S}</text>'
        f'<text x="{_WIDTH}" y="{y}" text-anchor="end">{bins[-1].start:%Y-%m-%d %H:%M:%S} UTC</text>'
    )
    return (
        f"<section><h2>Throughput</h2><p>Pages of finished documents; the highest bar is {most / seconds:,.1f} pages/s over"
        f' {seconds:,.0f} s.</p><svg viewBox="0 0 {_WIDTH} {_HEIGHT + _BASE}" role="img" aria-label="pages over time">'
        f"{bars}{labels}</svg></section>"
    )


def _high(bin_: Bin, most: int) -> float:
    return (_HEIGHT - 5) * bin_.pages / most
