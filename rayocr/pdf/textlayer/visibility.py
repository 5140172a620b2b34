"""Compares a page's text with its ink: which words are visible, and which lines of ink have no text.

The page is rendered with and without its text. Text is visible where the two renderings differ. Ink in the second one is a
picture, a drawing or outlined text. Takes 1 to 2 ms for a page without pictures; a page covered by a picture costs two
renderings.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from rayocr.pdf.dark_lines import dark_lines
from rayocr.pdf.geometry import Box, turn_box, turned_size
from rayocr.pdf.line_boxes import DETECTION_DPI, line_boxes
from rayocr.pdf.textlayer.glyphs.actual_text import is_replaced
from rayocr.pdf.textlayer.lines import TextLine, Word
from rayocr.pdf.textlayer.overprinted import hidden_behind_others
from rayocr.pdf.textlayer.reading.lost_hyphens import with_lost_hyphens
from rayocr.pdf.textlayer.rendered_text import TextObjects, address_of, gray_picture, letter_scale

_DPI = 60
_LEAST_SCALE = 0.25  # pixels per point; at a smaller scale, ordinary letters are invisible
_SEEN = 10  # gray levels (0 to 255): the smallest difference that a person sees
# Gray levels (0 to 255): the brightness of white text, and a contrast that a person does not see on the paper of a scan.
_WHITE, _PALE = 240, 28
# Minimum pixels and letters of a visible word; the visible share of a word that is covered.
_DENSE, _LONG_WORD, _SLIVER = 1.5, 4, 0.15
_THIN, _CLIPPED = 0.09, 0.18  # if smaller shares of the box's area and height are drawn, a clip shows only the tips of letters
_TALL = 4.0  # largest ratio of a box's height to the width of a letter; some fonts declare taller boxes
_LATIN = "\u024f"
_LEAST_CONTRAST = 15  # gray levels (0 to 255) between the color of a text and its ground
_STROKE = 40  # gray levels (0 to 255) between a picture's paper and its ink
_TINY_PT = 2.0
_TINY_SHARE = 1 / 400  # share of the page's longer side; a small page may have small letters
_TILE_PX = 8
_LINES_IN_TILE = 4  # least number of columns and of rows with strokes; crossing rules have fewer
_LEAST_TILES = 3  # least number of such tiles; a corner or a bullet has fewer
_LEAST_LIGHT = 3  # least number of lines of light text in a dark picture
_TEXTURE = 0.3  # share of a box's columns that must have strokes, for it to contain a line of letters
_LEAST_BAND_PX, _LEAST_BARS, _LEVEL_STROKES = 4, 16, 0.01  # for a barcode: rows, columns with strokes, share of level strokes
# Strokes of a label on a bar; gray level of paper (0 to 255), and that of a bar as a share of it.
_LABEL, _LIGHT, _BAR = 0.6, 160, 0.45
_FAINT_STROKE = 25  # gray levels (0 to 255) above the noise of a scan
_FEW_STROKES = 0.04  # the share of columns with strokes is at most this at a place without ink
_LEAST_BLANK_PX = 5  # letters in a lower box show no strokes at this resolution
_COVERED = 0.5  # least share of a line of ink that words must cover
_LEAST_REST_PX = 40  # least number of pixels of visible text outside all boxes that counts: three letters


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a comparison. `seen[n]`: the n-th word is visible. `read[n]`: the word is invisible but lies on ink, like the
    words of an OCR layer. `blank[n]`: the word is invisible, and its place is blank or shows a bar. `ink_lines`: boxes of lines
    of ink on the page without its text, in points of the displayed page, each with a flag that invisible words cover it.
    `unnamed`: the share of visible text that has no Unicode characters. `lacking`: the number of text pieces that PDFium can
    neither draw nor map to characters. `unreadable`: addresses of text objects without known characters, which count as a
    drawing. `picture`: the page without its text, in gray, with `scale` pixels per point, rotated like the lines.
    `lines`: the lines with hyphens that replacements of their text lack; empty if they were not compared."""

    seen: Any
    read: Any
    blank: Any
    ink_lines: tuple[tuple[Box, bool], ...]
    unnamed: float
    lacking: int
    picture: Any
    scale: float
    unreadable: frozenset[int] = frozenset()
    lines: tuple[TextLine, ...] = ()


def compare_with_ink(
    page: Any,
    text_page: Any,
    lines: Sequence[TextLine],
    *,
    turns: int,
    size_pt: tuple[float, float],
    unreadable: frozenset[int] = frozenset(),
) -> Comparison | None:
    """Compares the text of a page with its ink. `page` and `text_page` are raw handles of one page. `lines` are on the page after
    `turns` quarter turns, which then has `size_pt`. `unreadable`: addresses of text objects whose characters are unknown.

    Returns None if the page is too large to compare, cannot be rendered, or has too many text objects."""
    shown_pt = turned_size(-turns, size_pt)
    objects = TextObjects(page)
    if not objects.complete or not (shown_pt[0] > 0 and shown_pt[1] > 0):
        return None
    # Each rendering decodes a scan again, so a scan without visible text is rendered only once.
    scale = letter_scale(shown_pt, _DPI if objects.are_drawn else DETECTION_DPI)
    if scale < _LEAST_SCALE:
        return None
    unreadable -= objects.unseen
    try:
        whole = without = gray_picture(page, shown_pt, scale)
        if objects.are_drawn:
            with objects.without_text(kept=unreadable):
                without = gray_picture(page, shown_pt, scale)
        if whole is not without and not turns:
            lines = with_lost_hyphens(lines, page, text_page, whole, without, scale)
        words = [word for line in lines for word in line.words]
        placed = [word[1:5] if not turns else turn_box(word[1:5], -turns, size_pt) for word in words]
        boxes = np.array(placed, float).reshape(-1, 4)
        corners = _pixels(boxes, scale, whole.shape)
        seen, unnamed, rest = _seen(whole, without, corners, words)
        if not (nameless := _nameless(objects, text_page, rest)) <= unreadable:
            unreadable |= nameless
            with objects.without_text(kept=unreadable):
                without = gray_picture(page, shown_pt, scale)
        tiny = _letter_sizes(words, boxes) < min(_TINY_PT, max(size_pt) * _TINY_SHARE)
        seen &= ~tiny
        seen &= ~_are_unseen(objects, text_page, words)
        render = partial(gray_picture, page, shown_pt, scale)
        seen[hidden_behind_others(text_page, words, seen, render, corners.tolist(), objects.drawn)] = False
        seen |= _lacks_font(text_page, words, seen | tiny, objects, without, corners)
        ink_lines: tuple[tuple[Box, bool], ...] = ()
        ink = _strokes(without)
        read, blank = _on_ink(without, ink, words, corners, ~seen & ~tiny)
        if ink is not None and _may_hold_lines(ink):
            if objects.are_drawn:
                scale = letter_scale(shown_pt, DETECTION_DPI)
                with objects.without_text(kept=unreadable):
                    without = gray_picture(page, shown_pt, scale)
            ink_lines = _ink_lines(without, scale, boxes[read])
    except (pypdfium2.PdfiumError, MemoryError, ValueError):
        return None
    picture = np.rot90(without, -turns)
    lacking = objects.without_characters(text_page)
    return Comparison(seen, read, blank, ink_lines, unnamed, lacking, picture, scale, unreadable, tuple(lines))


def _nameless(objects: TextObjects, text_page: Any, rest: Any) -> frozenset[int]:
    """Returns the addresses of text objects without known characters, if `rest`, the ink without the text, may hold lines."""
    if rest is None or not _may_hold_lines((rest[:, 1:] != rest[:, :-1], rest[1:] != rest[:-1])):
        return frozenset()
    return frozenset(address_of(item) for item in objects.without_meaning(text_page) if not is_replaced(item))


def _are_unseen(objects: TextObjects, text_page: Any, words: Sequence[Word]) -> Any:
    """Returns for each word whether its text object draws nothing."""
    if not objects.unseen:
        return np.zeros(len(words), bool)
    return np.array([address_of(pdfium.FPDFText_GetTextObject(text_page, word.first)) in objects.unseen for word in words], bool)


def compare_with_picture(
    picture: Any, scale: float, lines: Sequence[TextLine], *, turns: int, size_pt: tuple[float, float]
) -> Comparison:
    """Does the same for a page with invisible text only, without `ink_lines`. `picture`: the displayed page in gray."""
    words = [word for line in lines for word in line.words]
    placed = [word[1:5] if not turns else turn_box(word[1:5], -turns, size_pt) for word in words]
    boxes = np.array(placed, float).reshape(-1, 4)
    corners = _pixels(boxes, scale, picture.shape)
    tiny = _letter_sizes(words, boxes) < min(_TINY_PT, max(size_pt) * _TINY_SHARE)
    read, blank = _on_ink(picture, _strokes(picture), words, corners, ~tiny)
    return Comparison(np.zeros(len(words), bool), read, blank, (), 0.0, 0, np.rot90(picture, -turns), scale)


def _on_ink(picture: Any, ink: tuple[Any, Any] | None, words: Sequence[Word], corners: Any, invisible: Any) -> tuple[Any, Any]:
    """Returns which of the invisible words lie on ink, and which lie on blank ground. A single character never counts as being on
    blank ground, since it may be a speck that an OCR engine misread."""
    read, blank = np.zeros(len(words), bool), np.zeros(len(words), bool)
    paper = float(np.median(picture[::8, ::8]))
    for n in np.flatnonzero(invisible).tolist():
        if ink is not None:
            strokes = _strokes_along(ink, *corners[n])
            share = float(strokes.mean()) if strokes.size else 0.0
            read[n] = share >= _TEXTURE
            blank[n] = share < _LABEL and _is_bar(picture, paper, *corners[n])
            read[n] &= not blank[n]
        if not read[n] and sum(char.isalnum() for char in words[n].text) > 1:
            blank[n] |= _is_blank(picture, *corners[n])
    return read, blank


def _is_bar(picture: Any, paper: float, x0: int, y0: int, x1: int, y1: int) -> bool:
    """Returns whether the box is mostly dark on a light page, like a word that was blacked out and got a label."""
    return paper > _LIGHT and float(picture[y0:y1, x0:x1].mean()) < _BAR * paper


def _is_blank(picture: Any, x0: int, y0: int, x1: int, y1: int) -> bool:
    """Returns whether the box has no strokes, not even faint ones. Ignores its ends, since the end of a bar looks like a
    stroke."""
    inside = picture[y0:y1, x0:x1] if x1 - x0 >= y1 - y0 else picture[y0:y1, x0:x1].T
    if min(inside.shape) < _LEAST_BLANK_PX:
        return False
    inner = inside[:, 1:-1].astype(np.int16)
    return float((np.abs(np.diff(inner, axis=1)) > _FAINT_STROKE).any(axis=0).mean()) <= _FEW_STROKES


def _letter_sizes(words: Sequence[Word], boxes: Any) -> Any:
    """Returns the smaller side of a word's box; for a single character the larger one, since an I is narrow and a dash is
    flat."""
    sides = boxes[:, 2:] - boxes[:, :2]
    alone = np.array([len(word.text) == 1 for word in words], bool)
    return np.where(alone, sides.max(axis=1, initial=0.0), sides.min(axis=1, initial=np.inf))


def _pixels(boxes: Any, scale: float, shape: tuple[int, int]) -> Any:
    """Returns the corners x0, y0, x1, y1 of boxes in whole pixels, within the picture and at least one pixel apart."""
    height, width = shape
    low = np.clip(np.floor(boxes[:, :2] * scale).astype(int), 0, (width - 1, height - 1))
    high = np.clip(np.ceil(boxes[:, 2:] * scale).astype(int), low + 1, (width, height))
    return np.hstack([low, high])


def _seen(whole: Any, without: Any, corners: Any, words: Sequence[Word]) -> tuple[Any, float, Any]:
    """Returns which boxes contain visible text, the share of visible text outside all boxes, and a mask of that text (None if
    there is none)."""
    import cv2

    lengths = [len(word.text) for word in words]
    if whole is without:
        return np.zeros(len(corners), bool), 0.0, None
    _, drawn = cv2.threshold(cv2.absdiff(whole, without), _SEEN, 1, cv2.THRESH_BINARY)
    # Boxes are summed one by one, since computing sums for the whole picture first takes five times as long.
    boxes = corners.tolist()
    counts = np.array([cv2.countNonZero(drawn[y0:y1, x0:x1]) for x0, y0, x1, y1 in boxes], int)
    lightened = cv2.subtract(whole, without)
    if cv2.minMaxLoc(lightened)[1] > _SEEN:
        counts[[n for n in np.flatnonzero(counts) if _is_white_on_paper(whole, without, boxes[n])]] = 0
    for n in np.flatnonzero(counts < _DENSE * np.array(lengths)).tolist():
        x0, y0, x1, y1 = boxes[n]
        if lengths[n] >= _LONG_WORD and drawn[y0:y1, x0:x1].any(axis=int(y1 - y0 > x1 - x0)).mean() < _SLIVER:
            counts[n] = 0
    sides = corners[:, 2:] - corners[:, :2]
    is_wide = (3 * sides[:, 0] > sides[:, 1]) | (np.array(lengths) > 1)
    for n in np.flatnonzero((counts > 0) & (counts < _THIN * sides.prod(axis=1)) & is_wide).tolist():
        x0, y0, x1, y1 = boxes[n]
        text, is_upright = words[n].text, lengths[n] > 1 and y1 - y0 > 1.5 * (x1 - x0)
        height, length = (x1 - x0, y1 - y0) if is_upright else (y1 - y0, x1 - x0)
        is_text = 2 * sum(map(str.isalnum, text)) > lengths[n] and height * lengths[n] < _TALL * length
        across = drawn[y0:y1, x0:x1].sum(axis=int(not is_upright))
        if is_text and (across >= min(lengths[n], 2)).mean() < _CLIPPED:  # one pixel may be the tip of a comma
            counts[n] = 0
    total = cv2.countNonZero(drawn)
    for left, top, right, bottom in boxes:
        drawn[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = 0
    rest = cv2.countNonZero(drawn)
    unnamed = rest / total if total and counts.sum() < 0.9 * total else 0.0
    visible = counts >= np.maximum(1.0, 0.5 * np.array(lengths, float))
    return visible, unnamed, drawn if rest >= _LEAST_REST_PX else None


def _is_white_on_paper(whole: Any, without: Any, box: Sequence[int]) -> bool:
    """Returns whether the text of the box is white and its ground is nearly white, like the paper of a scan."""
    x0, y0, x1, y1 = box
    shown, ground = whole[y0:y1, x0:x1].astype(np.int16), without[y0:y1, x0:x1]
    difference = shown - ground
    drawn = np.abs(difference) > _SEEN
    return bool(difference[drawn].min() > 0 and difference.max() < _PALE and shown[drawn].max() >= _WHITE)


def _lacks_font(text_page: Any, words: Sequence[Word], settled: Any, objects: TextObjects, ground: Any, corners: Any) -> Any:
    """Finds words that PDFium cannot draw because their font is not embedded, and whose color differs from their ground. Other
    viewers have fonts for Chinese, Japanese and Korean. `ground`: the page without its text."""
    lacking = np.zeros(len(words), bool)
    for n in np.flatnonzero(~settled).tolist():
        if not any(char.isalnum() and char > _LATIN for char in words[n].text):
            continue
        item = pdfium.FPDFText_GetTextObject(text_page, words[n].first)
        if (
            item
            and address_of(item) not in objects.unseen
            and not pdfium.FPDFFont_GetIsEmbedded(pdfium.FPDFTextObj_GetFont(item))
        ):
            red, green, blue, alpha = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint(255)
            known = pdfium.FPDFPageObj_GetFillColor(item, red, green, blue, alpha)
            x0, y0, x1, y1 = corners[n]
            contrast = abs((red.value + green.value + blue.value) / 3 - float(np.median(ground[y0:y1, x0:x1])))
            lacking[n] = not known or (contrast > _LEAST_CONTRAST and alpha.value > _SEEN)
    return lacking


def _strokes(picture: Any) -> tuple[Any, Any] | None:
    """Returns where neighboring pixels differ, horizontally and vertically; None for an empty picture."""
    import cv2

    low, high, _, _ = cv2.minMaxLoc(picture)
    if high - low <= _STROKE:
        return None
    sideways = cv2.absdiff(picture[:, 1:], picture[:, :-1]) > _STROKE
    downward = cv2.absdiff(picture[1:], picture[:-1]) > _STROKE
    return sideways, downward


def _strokes_along(ink: tuple[Any, Any], x0: int, y0: int, x1: int, y1: int) -> Any:
    """Returns, for each pixel of the box's length, whether a stroke crosses it."""
    inside = ink[0][y0:y1, x0:x1] if x1 - x0 >= y1 - y0 else ink[1][y0:y1, x0:x1].T
    return inside.any(axis=0)


def _may_hold_lines(ink: tuple[Any, Any]) -> bool:
    """Returns whether some tiles have strokes in many columns and many rows. Crossing rules have them in two or three."""
    rows, columns = (min(mask.shape[side] for mask in ink) // _TILE_PX for side in (0, 1))
    if not (rows and columns):
        return False
    sideways, downward = (
        np.ascontiguousarray(mask[: rows * _TILE_PX, : columns * _TILE_PX]).view(np.uint64).reshape(rows, _TILE_PX, columns)
        for mask in ink
    )  # eight pixels at a time, one byte each
    inked_columns = np.bitwise_count(np.bitwise_or.reduce(sideways, axis=1))
    inked_rows = np.count_nonzero(downward, axis=1)
    return int(((inked_columns >= _LINES_IN_TILE) & (inked_rows >= _LINES_IN_TILE)).sum()) >= _LEAST_TILES


def _ink_lines(picture: Any, scale: float, read: Any) -> tuple[tuple[Box, bool], ...]:
    """Returns the boxes of lines of ink, in points, each with a flag that the boxes of `read` cover it."""
    ink = _strokes(picture)
    if ink is None:
        return ()
    covered = np.zeros(picture.shape, bool)
    for x0, y0, x1, y1 in _pixels(read, scale, picture.shape).tolist():
        covered[y0:y1, x0:x1] = True
    return tuple(
        (
            (x / scale, y / scale, (x + width) / scale, (y + height) / scale),
            bool(covered[y : y + height, x : x + width].mean() >= _COVERED),
        )
        for x, y, width, height in (*_lines_beside_barcodes(picture, scale, ink), *_lines_of_screenshots(picture, scale, ink))
        if _looks_like_text(ink, x, y, width, height)
    )


def _lines_of_screenshots(picture: Any, scale: float, ink: tuple[Any, Any]) -> Iterator[tuple[int, int, int, int]]:
    """Yields the boxes of light lines in dark pictures that have several of them."""
    for boxes in dark_lines(picture, scale):
        if sum(_looks_like_text(ink, *box) for box in boxes) >= _LEAST_LIGHT:
            yield from boxes


def _lines_beside_barcodes(picture: Any, scale: float, ink: tuple[Any, Any]) -> list[tuple[int, int, int, int]]:
    """Returns the boxes of lines. The bars of a code are higher than its number, which is found only without them."""
    from PIL import Image

    boxes = line_boxes(Image.fromarray(picture), scale * 72)
    codes = [box for box in boxes if _is_barcode(ink, *box)]
    if not codes:
        return boxes
    rest = picture.copy()
    for x, y, width, height in codes:
        rest[y : y + height, x : x + width] = np.median(picture)
    return line_boxes(Image.fromarray(rest), scale * 72)


def _looks_like_text(ink: tuple[Any, Any], x: int, y: int, width: int, height: int) -> bool:
    """Returns whether the box is at least two letters wide and has strokes along its whole length."""
    if max(width, height) < 1.8 * min(width, height) or min(width, height) < 4:
        return False
    if float(_strokes_along(ink, x, y, x + width, y + height).mean()) < _TEXTURE:
        return False
    return not _is_barcode(ink, x, y, width, height)


def _is_barcode(ink: tuple[Any, Any], x: int, y: int, width: int, height: int) -> bool:
    """Returns whether the middle of the box has many strokes across its length and none along it, unlike letters."""
    across, along = ink if width >= height else (ink[1].T, ink[0].T)
    if width < height:
        x, y, width, height = y, x, height, width
    band = slice(y + height // 3, y + height - height // 3)
    across, along = across[band, x : x + width], along[band, x : x + width]
    if len(across) < _LEAST_BAND_PX or int(across.any(axis=0).sum()) < _LEAST_BARS:
        return False
    return float(along.mean()) <= _LEVEL_STROKES
