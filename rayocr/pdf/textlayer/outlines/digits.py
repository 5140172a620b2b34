"""Tells digits from each other by their outlines: 0, 4, 6, 8 and 9 by their counters, the white areas that they enclose, the
others by level edges at their top and their foot. In many fonts, digits are equally large."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

_DIGITS = "0123456789"
_LEAST_SEGMENTS, _MOST_SEGMENTS = 6, 200  # path segments per digit; a drawing has more
_LEAST_ROUND = 13  # path segments of a digit with counters; the box of a missing glyph has fewer
_LOW, _HIGH = 0.42, 0.58  # middle of the counter of a 6 and of a 9, as a share of the digit's height
_TALL, _SHORT = 0.62, 0.58  # height of the counter of a 0, and of a 6 or 9
_LEAST = 0.1  # least height of a counter, as a share of the digit's height
_STROKE = 0.04  # least thickness of the strokes beside a counter, as a share of the digit's width
_DEPTH, _LEVEL = 0.015, 0.4  # largest depth of a level edge, in heights of the digit, and its least length, in widths
_WITH_COUNTERS = "0689"
# Digits that may have level edges at the top and at the foot or none, at the top only, at the foot only, and at the top only with
# a bow at the right below it.
_BY_EDGES = ("123457", "57", "124", "357")
_UPPER, _LOWER = 0.7, 0.25  # heights where a 3 with a level top is further right than the stem of a 5, and than that of a 7
_UPPER_REACH, _LOWER_REACH = 0.5, 0.7  # how far it reaches there at least, as shares of its width


class _Outline(NamedTuple):
    spans: list[tuple[float, float, float, float]]  # the lowest and the highest point of each contour, its left and right side
    edges: list[tuple[float, float, float]]  # straight lines: their lowest and their highest point, and their length along x
    width: float
    has_curves: bool
    reach: tuple[float, float]  # its right end at the upper and at the lower height, as shares of its width


_NOTHING = _Outline([], [], 0.0, False, (0.0, 0.0))
_known: dict[tuple[Any, ...], _Outline] = {}  # by the number of segments and some points; pages of a document have equal fonts
_MOST_KNOWN, _PARTS = 2_000, 6
_FUNCTIONS = (
    pdfium.FPDFGlyphPath_GetGlyphPathSegment,
    pdfium.FPDFPathSegment_GetPoint,
    pdfium.FPDFPathSegment_GetType,
)


def has_other_digits(font: Any, digits: Collection[str]) -> bool:
    """Returns whether the raw font draws one of these digits with the outline of another digit. Some outlines are a reason only
    if they belong to a digit that has a wrong outline, too, or that is not among these. Takes 15 µs per digit, 100 µs if
    it is new."""
    outlines = {digit: _outline(font, digit) for digit in _DIGITS if digit in digits}
    shown = {digit: _shown_digits(outline) or digit for digit, outline in outlines.items()}
    wrong = {digit for digit, seen in shown.items() if digit not in seen}
    certain = {*_BY_EDGES[1:3]}
    if list(shown.values()).count("4") == 1:  # others of an angular font show a 4
        certain.add("4")
    unused = set(_DIGITS).difference(shown)
    return any(
        not wrong.isdisjoint(shown[digit])
        or (shown[digit] in certain and digit != "1")  # its stem is as wide as a level edge
        or (digit in _WITH_COUNTERS and shown[digit] not in _BY_EDGES and not unused.isdisjoint(shown[digit]))
        for digit in wrong
    )


def _shown_digits(outline: _Outline) -> str:
    """Returns the digits that the outline may show; empty if it is unusual or is not a digit."""
    spans = sorted(outline.spans, key=lambda span: span[0] - span[1])
    if not 1 <= len(spans) <= 3:
        return ""
    (low, high, left, right), *inner = spans
    margin = _STROKE * (right - left)
    if any(x0 < left + margin or x1 > right - margin for _, _, x0, x1 in inner):
        return ""  # strokes that overlap
    counters = [(bottom, top) for bottom, top, _, _ in inner]
    height = high - low
    if not counters:
        return _by_edges(outline, low, high)
    if not outline.has_curves:
        return "4" if len(counters) == 1 else ""
    if any(bottom < low or top > high or top - bottom < _LEAST * height for bottom, top in counters):
        return ""
    if len(counters) == 2:
        (one_low, one_high), (other_low, other_high) = sorted(counters)
        return "8" if one_high <= other_low and one_low < other_high else ""
    bottom, top = counters[0]
    share, middle = (top - bottom) / height, ((top + bottom) / 2 - low) / height
    if share > _TALL:
        return "0" if _LOW < middle < _HIGH else ""
    return "" if share > _SHORT or _LOW <= middle <= _HIGH else "6" if middle < _LOW else "49"


def _by_edges(outline: _Outline, low: float, high: float) -> str:
    """Returns the digits without counters that the outline may show. Some fonts have no level edges."""
    depth = _DEPTH * (high - low)
    top = max((length for bottom, _, length in outline.edges if bottom > high - depth), default=0.0) > _LEVEL * outline.width
    foot = max((length for _, upper, length in outline.edges if upper < low + depth), default=0.0) > _LEVEL * outline.width
    if top == foot:
        return _BY_EDGES[0]
    if foot:
        return _BY_EDGES[2]
    return _BY_EDGES[3] if outline.reach[0] > _UPPER_REACH and outline.reach[1] > _LOWER_REACH else _BY_EDGES[1]


def _outline(font: Any, digit: str) -> _Outline:
    path = pdfium.FPDFFont_GetGlyphPath(font, ord(digit), 1000.0)
    count = pdfium.FPDFGlyphPath_CountGlyphSegments(path) if path else 0
    if not _LEAST_SEGMENTS <= count <= _MOST_SEGMENTS:
        return _NOTHING
    key = (count, *(_point(path, count * part // _PARTS) for part in range(_PARTS)))
    if key not in _known:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[key] = _outline_of(path, count)
    return _known[key]


def _point(path: Any, number: int) -> tuple[float, float]:
    x, y = ctypes.c_float(), ctypes.c_float()
    pdfium.FPDFPathSegment_GetPoint(pdfium.FPDFGlyphPath_GetGlyphPathSegment(path, number), x, y)
    return x.value, y.value


def _outline_of(path: Any, count: int) -> _Outline:
    get_segment, get_point, get_kind = _FUNCTIONS
    x, y = ctypes.c_float(), ctypes.c_float()
    at = ctypes.byref(x), ctypes.byref(y)
    contours: list[list[tuple[float, float]]] = []
    edges: list[tuple[float, float, float]] = []
    has_curves = False
    for number in range(count):
        segment = get_segment(path, number)
        if not get_point(segment, *at):
            return _NOTHING
        kind = get_kind(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            contours.append([])
        elif not contours:
            return _NOTHING
        contours[-1].append((x.value, y.value))
        if kind == pdfium.FPDF_SEGMENT_LINETO:
            edges.append(_edge(*contours[-1][-2:]))
        has_curves |= kind == pdfium.FPDF_SEGMENT_BEZIERTO
    if count < _LEAST_ROUND and len(contours) > 1:
        return _NOTHING
    edges += [_edge(points[-1], points[0]) for points in contours]  # all outlines of letters are closed
    spans = []
    for points in contours:
        xs, ys = zip(*points, strict=True)
        spans.append((min(ys), max(ys), min(xs), max(xs)))
    left, low, high = min(span[2] for span in spans), min(span[0] for span in spans), max(span[1] for span in spans)
    width = max(span[3] for span in spans) - left
    ends = [_right_end(contours, low + share * (high - low)) for share in (_UPPER, _LOWER)]
    upper, lower = ((end - left) / width if width else 0.0 for end in ends)
    return _Outline([span for span in spans if span[1] > span[0]], edges, width, has_curves, (upper, lower))


def _right_end(contours: Sequence[Sequence[tuple[float, float]]], at: float) -> float:
    """Returns the largest x at which a line of the outlines, with its curves as polygons, crosses this height."""
    lines = (line for points in contours for line in zip(points, (*points[1:], points[0]), strict=True))
    return max((x0 + (at - y0) / (y1 - y0) * (x1 - x0) for (x0, y0), (x1, y1) in lines if (y0 > at) != (y1 > at)), default=0.0)


def _edge(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float, float]:
    return min(one[1], other[1]), max(one[1], other[1]), abs(one[0] - other[0])
