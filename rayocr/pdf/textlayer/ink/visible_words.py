"""Decides which words of a page are visible, and which invisible words lie on ink or on blank ground."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.ink.strokes import TEXTURE, strokes_along
from rayocr.pdf.textlayer.lines import Word
from rayocr.pdf.textlayer.rendered_text import TextObjects, address_of

_SEEN = 10  # gray levels (0 to 255): the smallest difference that a person sees
# Gray levels (0 to 255): the brightness of white text, and a contrast that a person does not see on the paper of a scan.
_WHITE, _PALE = 240, 28
# Minimum pixels and letters of a visible word; the visible share of a word that is covered.
_DENSE, _LONG_WORD, _SLIVER = 1.5, 4, 0.15
_THIN, _CLIPPED = 0.09, 0.18  # if smaller shares of the box's area and height are drawn, a clip shows only the tips of letters
_TALL = 4.0  # largest ratio of a box's height to the width of a letter; some fonts declare taller boxes
_LATIN = "\u024f"
_LEAST_CONTRAST = 15  # gray levels (0 to 255) between the color of a text and its ground
_TINY_PT = 2.0
_TINY_SHARE = 1 / 400  # share of the page's longer side; a small page may have small letters
# Strokes of a label on a bar; gray level of paper (0 to 255), and that of a bar as a share of it.
_LABEL, _LIGHT, _BAR = 0.6, 160, 0.45
_FAINT_STROKE = 25  # gray levels (0 to 255) above the noise of a scan
_FEW_STROKES = 0.04  # the share of columns with strokes is at most this at a place without ink
_LEAST_BLANK_PX = 5  # letters in a lower box show no strokes at this resolution


def visible_words(whole: Any, without: Any, corners: Any, words: Sequence[Word]) -> tuple[Any, float, Any]:
    """Returns which boxes contain visible text, the share of visible text outside all boxes, and a mask of that text."""
    import cv2

    lengths = [len(word.text) for word in words]
    if whole is without:
        return np.zeros(len(corners), bool), 0.0, np.zeros(whole.shape, np.uint8)
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
    thin = np.flatnonzero((counts > 0) & (counts < _THIN * sides.prod(axis=1)) & is_wide).tolist()
    counts[[n for n in thin if _shows_only_tips(drawn, boxes[n], words[n].text)]] = 0
    total = cv2.countNonZero(drawn)
    for left, top, right, bottom in boxes:
        drawn[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = 0
    rest = cv2.countNonZero(drawn)
    unnamed = rest / total if total and counts.sum() < 0.9 * total else 0.0
    visible = counts >= np.maximum(1.0, 0.5 * np.array(lengths, float))
    return visible, unnamed, drawn


def _shows_only_tips(drawn: Any, box: Sequence[int], text: str) -> bool:
    """Returns whether a clip shows only the tips of the word's letters. `drawn`: mask of visible text."""
    x0, y0, x1, y1 = box
    is_upright = len(text) > 1 and y1 - y0 > 1.5 * (x1 - x0)
    height, length = (x1 - x0, y1 - y0) if is_upright else (y1 - y0, x1 - x0)
    if 2 * sum(map(str.isalnum, text)) <= len(text) or height * len(text) >= _TALL * length:
        return False
    across = drawn[y0:y1, x0:x1].sum(axis=int(not is_upright))
    return bool((across >= min(len(text), 2)).mean() < _CLIPPED)  # one pixel may be the tip of a comma


def _is_white_on_paper(whole: Any, without: Any, box: Sequence[int]) -> bool:
    """Returns whether the text of the box is white and its ground is nearly white, like the paper of a scan."""
    x0, y0, x1, y1 = box
    shown, ground = whole[y0:y1, x0:x1].astype(np.int16), without[y0:y1, x0:x1]
    difference = shown - ground
    drawn = np.abs(difference) > _SEEN
    return bool(difference[drawn].min() > 0 and difference.max() < _PALE and shown[drawn].max() >= _WHITE)


def are_unseen(objects: TextObjects, text_page: Any, words: Sequence[Word]) -> Any:
    """Returns for each word whether its text object draws nothing."""
    if not objects.unseen:
        return np.zeros(len(words), bool)
    return np.array([address_of(pdfium.FPDFText_GetTextObject(text_page, word.first)) in objects.unseen for word in words], bool)


def lacks_font(text_page: Any, words: Sequence[Word], settled: Any, objects: TextObjects, ground: Any, corners: Any) -> Any:
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


def are_tiny(words: Sequence[Word], boxes: Any, size_pt: tuple[float, float]) -> Any:
    """Returns for each word whether its letters are too small to read. Compares the smaller side of the word's box; for a single
    character the larger one, since an I is narrow and a dash is flat. `size_pt`: of the page."""
    sides = boxes[:, 2:] - boxes[:, :2]
    alone = np.array([len(word.text) == 1 for word in words], bool)
    sizes = np.where(alone, sides.max(axis=1, initial=0.0), sides.min(axis=1, initial=np.inf))
    return sizes < min(_TINY_PT, max(size_pt) * _TINY_SHARE)


def on_ink(picture: Any, ink: tuple[Any, Any] | None, words: Sequence[Word], corners: Any, invisible: Any) -> tuple[Any, Any]:
    """Returns which of the invisible words lie on ink, and which lie on blank ground. A single character never counts as being on
    blank ground, since it may be a speck that an OCR engine misread."""
    read, blank = np.zeros(len(words), bool), np.zeros(len(words), bool)
    paper = float(np.median(picture[::8, ::8]))
    for n in np.flatnonzero(invisible).tolist():
        if ink is not None:
            strokes = strokes_along(ink, *corners[n])
            share = float(strokes.mean()) if strokes.size else 0.0
            read[n] = share >= TEXTURE
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
