"""Finds what is drawn on a page: images and their resolution, visible text, and the straight lines of tables."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import PAGE_SPACE, Box, Matrix, Upright
from rayocr.pdf.hidden.drawn_text import DrawnText, around
from rayocr.pdf.hidden.text_style import TextStyle
from rayocr.pdf.shapes.frames import sides_of_frame
from rayocr.pdf.shapes.small_shapes import SmallShapes
from rayocr.pdf.textlayer.struck.crossed import MAX_STROKES

_MAX_OBJECTS = 20_000  # maximum number of visited objects; maps and plots have millions of paths and no tables
_MAX_DEPTH = 4  # levels of forms within forms
_MAX_SEGMENTS = 500  # maximum number of segments per path; a path with more is a drawing
_MAX_RULINGS = 5_000
_MAX_SHAPES = 1_000
_LARGEST_BOX_PT = 24.0
_STRAIGHT_PT = 1.0  # a line that deviates more from its axis is oblique
_SLOPE, _LARGEST_FALL_PT = 0.06, 8.0  # limits of a line that is nearly level, such as one that strikes a word out
_MIN_RULING_PT = 6.0
_MIN_BAR_PT, _MOST_BARS = 3.5, 40  # least length of a fraction bar; more short lines on a page are dashes or ticks of an axis
_LARGEST_POINT_PT, _LONGEST_MINUS_PT = 6.0, 24.0
_THIN_PT = 3.0  # a filled rectangle as thin as this is a line
_HAIRLINE_PT = 0.1  # a line without thickness is drawn as thin as possible
_STRIPES_PT = 2.0  # thickness of two such rectangles side by side
_DOT_GAP_PT, _LEAST_DOTS = 5.0, 6  # largest gap and least number of dots in a line that is drawn dot by dot


@dataclass(frozen=True, slots=True)
class Ruling:
    """A horizontal (y0 = y1) or vertical (x0 = x1) line in points of the upright page, origin top left."""

    x0: float
    y0: float
    x1: float
    y1: float
    thickness: float = 0.0  # in points; 0 if unknown


@dataclass(slots=True)
class PageObjects:
    count: int = 0
    image_area: float = 0.0  # total area of the images, in square points
    page_area: float = 1.0
    native_dpi: float = 0.0  # resolution of the largest image if images cover half of the page
    detail_dpi: float = 0.0  # highest resolution of the images that span half of the page's longer side
    largest_image: Any = None  # a raw object, valid while the page is open
    largest_image_area: float = 0.0  # area of the part of the image that is on the page
    largest_image_box: Box = (0.0, 0.0, 0.0, 0.0)
    largest_image_turns: int | None = (
        None  # clockwise quarter turns from the stored image to the upright page; None if skewed or mirrored
    )
    cover_count: int = 0  # number of paths and shadings, which can hide an image
    text: DrawnText = field(default_factory=DrawnText)
    pictures: list[tuple[Any, Box]] = field(default_factory=list)  # raw objects, and their uncropped boxes
    picture_sizes: set[tuple[int, int, int]] = field(default_factory=set)  # columns, rows and encoded bytes of each picture
    ruling_list: list[Ruling] = field(default_factory=list)
    short_bars: list[Ruling] = field(default_factory=list)
    short_uprights: list[Ruling] = field(default_factory=list)
    sloping: list[tuple[Box, float, float]] = field(default_factory=list)  # nearly level lines, their thickness, and their fall
    oblique: list[tuple[Box, bool]] = field(default_factory=list)  # steeper lines, and whether they fall from left to right
    small_shapes: list[Box] = field(default_factory=list)  # bounds of paths as small as a check box

    @property
    def image_share(self) -> float:
        return min(1.0, self.image_area / self.page_area)

    @property
    def picture_bytes(self) -> int:
        return sum(size for _, _, size in self.picture_sizes)

    @property
    def rulings(self) -> tuple[Ruling, ...]:
        return tuple(self.ruling_list)

    @property
    def signs(self) -> SmallShapes:
        """The shapes that may be points and minus signs of numbers, and the lines that may cross them."""
        level = dict.fromkeys(line for line in (*self.ruling_list, *self.short_bars) if line.y0 == line.y1)
        upright = [line for line in (*self.ruling_list, *self.short_uprights) if line.x0 == line.x1]
        return SmallShapes(
            dots=[box for box in self.small_shapes if max(box[2] - box[0], box[3] - box[1]) < _LARGEST_POINT_PT],
            bars=[_with_thickness(line) for line in level if line.x1 - line.x0 < _LONGEST_MINUS_PT],
            uprights=[_with_thickness(line) for line in upright],
        )


def _with_thickness(line: Ruling) -> Box:
    half = line.thickness / 2
    return (
        (line.x0, line.y0 - half, line.x1, line.y1 + half)
        if line.y0 == line.y1
        else (line.x0 - half, line.y0, line.x1 + half, line.y1)
    )


def inspect_objects(page: Any, upright: Upright, width_pt: float, height_pt: float) -> PageObjects:
    """Lists what is drawn on a raw FPDF_PAGE. Visits at most 20,000 objects, to limit the time."""
    found = PageObjects(page_area=max(width_pt * height_pt, 1.0), text=DrawnText(max(width_pt, height_pt)))
    inspector = _Inspector(found, upright, (width_pt, height_pt))
    for index in range(min(pdfium.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        inspector.visit(pdfium.FPDFPage_GetObject(page, index), PAGE_SPACE, depth=0)
        if found.count >= _MAX_OBJECTS:
            found.text.distrust()  # the rest is not examined
            break
    if found.image_share < 0.5:
        found.native_dpi = 0.0
    found.ruling_list += _dotted_rulings(found.small_shapes)
    found.ruling_list += found.short_bars if len(found.short_bars) <= _MOST_BARS else []
    return found


def _dotted_rulings(shapes: Sequence[Box]) -> list[Ruling]:
    """Returns the lines that are drawn dot by dot, as browsers print dotted borders."""
    dots = [box for box in shapes if max(box[2] - box[0], box[3] - box[1]) <= _THIN_PT]
    level = [Ruling(start, at, end, at) for at, start, end in _rows_of_dots(dots, 0, 1)]
    return level + [Ruling(at, start, at, end) for at, start, end in _rows_of_dots(dots, 1, 0)]


def _rows_of_dots(dots: Sequence[Box], along: int, across: int) -> Iterator[tuple[float, float, float]]:
    """Yields the position, the start and the end of each row of dots."""
    if len(dots) < _LEAST_DOTS:
        return
    rows: dict[int, list[Box]] = {}
    for dot in dots:
        rows.setdefault(round(dot[across] + dot[across + 2]), []).append(dot)
    for row in rows.values():
        row.sort(key=lambda dot: dot[along])
        first = 0
        for n in range(1, len(row) + 1):
            if n == len(row) or row[n][along] - row[n - 1][along + 2] > _DOT_GAP_PT:
                if n - first >= _LEAST_DOTS:
                    yield (row[first][across] + row[first][across + 2]) / 2, row[first][along], row[n - 1][along + 2]
                first = n


class _Inspector:
    def __init__(self, found: PageObjects, upright: Upright, size_pt: tuple[float, float]) -> None:
        self._found = found
        self._upright = upright
        self._size_pt = size_pt
        self._last_filled: Box = (0.0, 0.0, 0.0, 0.0)

    def visit(self, item: Any, outer: Matrix, *, depth: int) -> None:
        self._found.count += 1
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            self._image(item, _matrix_of(item).then(outer))
        elif kind == pdfium.FPDF_PAGEOBJ_TEXT:
            self._found.text.add(item, outer)
        elif kind in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING):
            self._found.cover_count += 1
            if kind == pdfium.FPDF_PAGEOBJ_SHADING:
                self._found.text.cover_with(item, outer)
            elif len(self._found.ruling_list) < _MAX_RULINGS:
                self._path(item, outer)
            else:
                self._found.text.cover_with(item, outer)
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
            self._form(item, _matrix_of(item).then(outer), depth)
        elif kind == pdfium.FPDF_PAGEOBJ_FORM:
            self._found.text.distrust()  # the objects in the form are not examined

    def _form(self, item: Any, inner: Matrix, depth: int) -> None:
        drawn_before = self._found.text.visible
        for index in range(pdfium.FPDFFormObj_CountObjects(item)):
            if self._found.count >= _MAX_OBJECTS:
                break
            self.visit(pdfium.FPDFFormObj_GetObject(item, index), inner, depth=depth + 1)
        self._found.text.add_form(item, drawn_before)

    def _image(self, item: Any, matrix: Matrix) -> None:
        """Reads one image. Its place is the unit square under its matrix. The part outside the page does not count."""
        corners = [matrix.point(x, y) for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        x0, y0, x1, y1 = self._upright.box(min(xs), min(ys), max(xs), max(ys))
        width = min(x1, self._size_pt[0]) - max(x0, 0.0)
        height = min(y1, self._size_pt[1]) - max(y0, 0.0)
        if width <= 0 or height <= 0:
            return
        self._found.text.cover(around(corners))
        area = width * height
        self._found.image_area += area
        self._found.pictures.append((item, (x0, y0, x1, y1)))
        columns, rows = ctypes.c_uint(), ctypes.c_uint()
        has_size = pdfium.FPDFImageObj_GetImagePixelSize(item, columns, rows)
        self._found.picture_sizes.add((columns.value, rows.value, pdfium.FPDFImageObj_GetImageDataRaw(item, None, 0)))
        long_pt = max(x1 - x0, y1 - y0)
        native_dpi = max(columns.value, rows.value) / long_pt * 72 if has_size and long_pt > 0 else 0.0
        if max(width, height) > max(self._size_pt) / 2:
            self._found.detail_dpi = max(self._found.detail_dpi, native_dpi)
        if area > self._found.largest_image_area:
            self._found.largest_image_area = area
            self._found.largest_image = item
            self._found.largest_image_box = (x0, y0, x1, y1)
            self._found.largest_image_turns = self._turns(corners)
            self._found.native_dpi = native_dpi or self._found.native_dpi

    def _turns(self, corners: list[tuple[float, float]]) -> int | None:
        """Returns the quarter turns of an image; see `largest_image_turns`. `corners`: bottom left, bottom right and top left, in
        page space."""
        (x, y), (right_x, right_y), (top_x, top_y), _ = corners
        along_x, along_y = self._upright.direction(right_x - x, right_y - y)
        up_x, up_y = self._upright.direction(top_x - x, top_y - y)
        for turns in range(4):
            if along_x > 50 * abs(along_y) and -up_y > 50 * abs(up_x):
                return turns
            along_x, along_y, up_x, up_y = along_y, -along_x, up_y, -up_x  # turns both directions back by a quarter
        return None

    def _path(self, item: Any, outer: Matrix) -> None:
        matrix = _matrix_of(item).then(outer)
        count = pdfium.FPDFPath_CountSegments(item)
        if not 2 <= count <= _MAX_SEGMENTS:
            self._found.text.cover_with(item, outer)
            return
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDFPath_GetDrawMode(item, fill, stroke)
        points = _points(item, count, matrix)
        self._shape(points)
        thick = max(_stroke_width(item) * matrix.scale(), _HAIRLINE_PT) if stroke.value else 0.0
        if thick > _THIN_PT and not self._found.text.may_be_hidden:
            left, bottom, right, top = around([(x, y) for x, y, _ in points])
            self._found.text.cover((left - thick, bottom - thick, right + thick, top + thick))
        if fill.value:
            self._filled(points)
        if stroke.value:
            for (x0, y0, _), (x1, y1, moves) in pairwise(points):
                if not moves:
                    self._ruling(x0, y0, x1, y1, thick)
        elif fill.value:
            xs, ys = [p[0] for p in points], [p[1] for p in points]
            width, height = max(xs) - min(xs), max(ys) - min(ys)
            if height <= _THIN_PT < width:
                self._ruling(min(xs), (min(ys) + max(ys)) / 2, max(xs), (min(ys) + max(ys)) / 2, height)
            elif width <= _THIN_PT < height:
                self._ruling((min(xs) + max(xs)) / 2, min(ys), (min(xs) + max(xs)) / 2, max(ys), width)
            elif fill.value == pdfium.FPDF_FILLMODE_ALTERNATE:
                for side in sides_of_frame(points):
                    self._ruling(*side)

    def _filled(self, points: list[tuple[float, float, bool]]) -> None:
        box = around([(x, y) for x, y, _ in points])
        if min(box[2] - box[0], box[3] - box[1]) > _THIN_PT:
            self._found.text.cover(box)
        elif _are_stripes(self._last_filled, box):
            self._found.text.cover(around([self._last_filled[:2], self._last_filled[2:], box[:2], box[2:]]))
        self._last_filled = box

    def _shape(self, points: list[tuple[float, float, bool]]) -> None:
        if len(points) > 2 and len(self._found.small_shapes) < _MAX_SHAPES:
            xs, ys = [point[0] for point in points], [point[1] for point in points]
            if max(max(xs) - min(xs), max(ys) - min(ys)) <= _LARGEST_BOX_PT:
                self._found.small_shapes.append(self._upright.box(min(xs), min(ys), max(xs), max(ys)))

    def _ruling(self, x0: float, y0: float, x1: float, y1: float, thickness: float) -> None:
        left, top, right, bottom = self._upright.box(x0, y0, x1, y1)
        if bottom - top <= _STRAIGHT_PT and right - left >= _MIN_BAR_PT:
            middle = (top + bottom) / 2
            found = self._found.ruling_list if right - left >= _MIN_RULING_PT else self._found.short_bars
            if len(found) < _MAX_RULINGS:
                found.append(Ruling(left, middle, right, middle, thickness))
        elif right - left <= _STRAIGHT_PT and bottom - top >= _MIN_RULING_PT:
            middle = (left + right) / 2
            self._found.ruling_list.append(Ruling(middle, top, middle, bottom, thickness))
        elif right - left <= _STRAIGHT_PT and bottom - top >= _MIN_BAR_PT and len(self._found.short_uprights) < _MAX_RULINGS:
            self._found.short_uprights.append(Ruling((left + right) / 2, top, (left + right) / 2, bottom, thickness))
        elif bottom - top <= min(_SLOPE * (right - left), _LARGEST_FALL_PT) and len(self._found.sloping) < _MAX_RULINGS:
            along, down = self._upright.direction(x1 - x0, y1 - y0)
            self._found.sloping.append(((left, top, right, bottom), thickness, down if along > 0 else -down))
        elif right - left >= _MIN_RULING_PT and bottom - top > _STRAIGHT_PT and len(self._found.oblique) <= MAX_STROKES:
            along, down = self._upright.direction(x1 - x0, y1 - y0)
            self._found.oblique.append(((left, top, right, bottom), along * down > 0))


def has_text_in_foreign_fonts(page: Any) -> bool:
    """Returns whether a raw FPDF_PAGE has text that is not white and whose font is not embedded. Does not check text within
    forms."""
    style = TextStyle()
    for index in range(min(pdfium.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        item = pdfium.FPDFPage_GetObject(page, index)
        if pdfium.FPDFPageObj_GetType(item) == pdfium.FPDF_PAGEOBJ_TEXT and style.has_ink_color(item):
            font = pdfium.FPDFTextObj_GetFont(item)
            if font and not pdfium.FPDFFont_GetIsEmbedded(font):
                return True
    return False


def _are_stripes(one: Box, other: Box) -> bool:
    """Returns whether two thin rectangles lie side by side and cover an area together."""
    for along, across in ((0, 1), (1, 0)):
        common = min(one[along + 2], other[along + 2]) - max(one[along], other[along])
        touch = one[across] <= other[across + 2] and other[across] <= one[across + 2]
        thickness = max(one[across + 2], other[across + 2]) - min(one[across], other[across])
        if touch and common > thickness > max(one[across + 2] - one[across], other[across + 2] - other[across], _STRIPES_PT):
            return True
    return False


def _stroke_width(item: Any) -> float:
    width = ctypes.c_float()
    pdfium.FPDFPageObj_GetStrokeWidth(item, width)
    return width.value


def _points(item: Any, count: int, matrix: Matrix) -> list[tuple[float, float, bool]]:
    """Returns the path's points in page space as x, y and a flag that is true if no straight line ends at the point. Includes
    closing lines."""
    points: list[tuple[float, float, bool]] = []
    start: tuple[float, float] | None = None
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(item, index)
        if not segment or not pdfium.FPDFPathSegment_GetPoint(segment, x, y):
            continue
        point = matrix.point(x.value, y.value)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        moves = kind != pdfium.FPDF_SEGMENT_LINETO  # a table has no curves
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            start = point
        points.append((*point, moves))
        if pdfium.FPDFPathSegment_GetClose(segment) and start is not None:
            points.append((*start, False))
    return points


def _matrix_of(item: Any) -> Matrix:
    raw = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(item, raw):
        return Matrix()
    return Matrix(raw.a, raw.b, raw.c, raw.d, raw.e, raw.f)
