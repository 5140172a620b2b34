"""Compares a page's text with its ink: which words are visible, and which lines of ink have no text.

The page is rendered with and without its text. Text is visible where the two renderings differ. Ink in the second one is a
picture, a drawing or outlined text. Takes 1 to 2 ms for a page without pictures; a page covered by a picture costs two
renderings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2

from rayocr.pdf.geometry import Box, turn_box, turned_size
from rayocr.pdf.line_boxes import DETECTION_DPI
from rayocr.pdf.textlayer.glyphs.actual_text import is_replaced
from rayocr.pdf.textlayer.ink.ink_lines import ink_lines
from rayocr.pdf.textlayer.ink.overprinted import hidden_behind_others
from rayocr.pdf.textlayer.ink.strokes import may_hold_lines, pixels, strokes_in
from rayocr.pdf.textlayer.ink.visible_words import are_tiny, are_unseen, lacks_font, on_ink, visible_words
from rayocr.pdf.textlayer.lines import TextLine, Word
from rayocr.pdf.textlayer.reading.lost_hyphens import with_lost_hyphens
from rayocr.pdf.textlayer.reading.lost_signs import with_lost_signs
from rayocr.pdf.textlayer.rendered_text import TextObjects, address_of, gray_picture, letter_scale

_DPI = 60
_LEAST_REST_PX = 40  # least number of pixels of visible text outside all boxes that counts: three letters
_LEAST_SCALE = 0.25  # pixels per point; at a smaller scale, ordinary letters are invisible


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
    try:
        return _compare(_Renderer(page, text_page, objects, shown_pt, scale, unreadable - objects.unseen), lines, turns, size_pt)
    except (pypdfium2.PdfiumError, MemoryError, ValueError):
        return None


def compare_with_picture(
    picture: Any, scale: float, lines: Sequence[TextLine], *, turns: int, size_pt: tuple[float, float]
) -> Comparison:
    """Does the same for a page with invisible text only, without `ink_lines`. `picture`: the displayed page in gray."""
    words, boxes = _words(lines, turns, size_pt)
    corners = pixels(boxes, scale, picture.shape)
    read, blank = on_ink(picture, strokes_in(picture), words, corners, ~are_tiny(words, boxes, size_pt))
    return Comparison(np.zeros(len(words), bool), read, blank, (), 0.0, 0, np.rot90(picture, -turns), scale)


@dataclass(slots=True)
class _Renderer:
    """Renders a page in gray at `scale`, with and without its text. `kept`: addresses of text objects without known characters,
    which count as a drawing."""

    page: Any
    text_page: Any
    objects: TextObjects
    size_pt: tuple[float, float]
    scale: float
    kept: frozenset[int]

    def whole(self) -> Any:
        return gray_picture(self.page, self.size_pt, self.scale)

    def without_text(self) -> Any:
        with self.objects.without_text(kept=self.kept):
            return self.whole()

    def nameless(self, rest: Any) -> frozenset[int]:
        """Returns the addresses of text objects without known characters, if `rest`, the ink without the text, may hold lines."""
        if np.count_nonzero(rest) < _LEAST_REST_PX or not may_hold_lines((rest[:, 1:] != rest[:, :-1], rest[1:] != rest[:-1])):
            return frozenset()
        return frozenset(address_of(item) for item in self.objects.without_meaning(self.text_page) if not is_replaced(item))


def _compare(renderer: _Renderer, lines: Sequence[TextLine], turns: int, size_pt: tuple[float, float]) -> Comparison:
    objects, text_page = renderer.objects, renderer.text_page
    whole = ground = renderer.whole()
    if objects.are_drawn:
        ground = renderer.without_text()
        if not turns:
            lines = with_lost_hyphens(lines, renderer.page, text_page, whole, ground, renderer.scale)
    words, boxes = _words(lines, turns, size_pt)
    corners = pixels(boxes, renderer.scale, whole.shape)
    seen, unnamed, rest = visible_words(whole, ground, corners, words)
    if objects.are_drawn and not turns:
        lines = with_lost_signs(lines, rest, renderer.scale)
    if not (nameless := renderer.nameless(rest)) <= renderer.kept:
        renderer.kept |= nameless
        ground = renderer.without_text()
    tiny = are_tiny(words, boxes, size_pt)
    seen &= ~tiny & ~are_unseen(objects, text_page, words)
    seen[hidden_behind_others(text_page, words, seen, renderer.whole, corners.tolist(), objects.drawn)] = False
    seen |= lacks_font(text_page, words, seen | tiny, objects, ground, corners)
    strokes = strokes_in(ground)
    found: tuple[tuple[Box, bool], ...] = ()
    read, blank = on_ink(ground, strokes, words, corners, ~seen & ~tiny)
    if strokes is not None and may_hold_lines(strokes):
        if objects.are_drawn:
            renderer.scale = letter_scale(renderer.size_pt, DETECTION_DPI)
            ground = renderer.without_text()
        found = ink_lines(ground, renderer.scale, boxes[read])
    lacking, picture = objects.without_characters(text_page), np.rot90(ground, -turns)
    return Comparison(seen, read, blank, found, unnamed, lacking, picture, renderer.scale, renderer.kept, tuple(lines))


def _words(lines: Sequence[TextLine], turns: int, size_pt: tuple[float, float]) -> tuple[list[Word], Any]:
    """Returns the words and their boxes (n, 4) on the displayed page, in points."""
    words = [word for line in lines for word in line.words]
    placed = [word[1:5] if not turns else turn_box(word[1:5], -turns, size_pt) for word in words]
    return words, np.array(placed, float).reshape(-1, 4)
