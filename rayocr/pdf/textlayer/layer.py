"""Reads a page's own text as lines with boxes, compares it with the page's ink, and judges whether it can be used. Takes 2 to 6
ms."""

from __future__ import annotations

import ctypes
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import cache, cached_property
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Box, Upright, turned_size
from rayocr.pdf.guard import uninterrupted
from rayocr.pdf.shapes.small_shapes import SmallShapes
from rayocr.pdf.textlayer.cells.omitted_letters import before_omitted_letters
from rayocr.pdf.textlayer.cells.overlapping_digits import beside_omitted_digits, over_other_digits
from rayocr.pdf.textlayer.direction import is_level, quarter_turns, slant
from rayocr.pdf.textlayer.glyphs.accents import with_accents
from rayocr.pdf.textlayer.glyphs.characters import Characters, read_characters
from rayocr.pdf.textlayer.glyphs.fonts import PageFonts
from rayocr.pdf.textlayer.glyphs.mac_ligatures import with_mac_ligatures
from rayocr.pdf.textlayer.glyphs.superscripts import with_superscripts
from rayocr.pdf.textlayer.glyphs.symbol_fonts import with_symbols
from rayocr.pdf.textlayer.glyphs.wrong_digits import visible_objects
from rayocr.pdf.textlayer.ink.comparison import Comparison, compare_with_ink, compare_with_picture
from rayocr.pdf.textlayer.lines import TextLine, Word, WordIndex, is_same_place, lines_of, without_second_drawings
from rayocr.pdf.textlayer.reading.alignment import fits
from rayocr.pdf.textlayer.reading.drawn_signs import with_drawn_signs
from rayocr.pdf.textlayer.reading.late_digits import with_late_digits
from rayocr.pdf.textlayer.reading.scattered_letters import are_scattered
from rayocr.pdf.textlayer.rendered_text import TextObjects
from rayocr.pdf.textlayer.spaces.spurious_spaces import drop_spurious_spaces
from rayocr.pdf.textlayer.trust import Verdict, is_word, judge

_UPSIDE_DOWN = 2  # quarter turns
_SCAN_SHARE = 0.5  # with images over a larger share of the page, the page is a scan
_HIDDEN_CHARS = 12  # number of letters and digits over a picture; fewer are specks that an OCR engine misread
_BLANK_CHARS = 3  # the same where nothing is drawn, not even a speck
_HIDDEN_CHARS_ELSEWHERE = 4  # one or two may be a bullet or a dash in an odd font
_ON_INK = 0.6  # share of the invisible letters that must lie on ink; otherwise the text is not a reading of it
_MAX_MIXED = 3  # number of lines with words on ink and words on blank ground; with more, the words are not at their places
_MAX_MISSED = 0.15  # largest share of the lines of a scan without text; an OCR engine that missed more did not read the page
_MAX_UNNAMED = 0.1
_MAX_LACKING = 1
_MAX_STEEP = 0.2  # share of the letters in lines at 45 to 135 degrees that are neither level nor upright, whose spaces get lost


class _Kind(Enum):
    SEEN = auto()
    READING = auto()
    HIDDEN = auto()


@dataclass(frozen=True)
class TextLayer:
    """The visible part of the page's own text.

    `lines` are in content-stream order, which may differ from the reading order. Coordinates of sideways or upside-down text
    refer to the page after `turns` clockwise quarter turns, where the text runs from left to right; `width_pt` and `height_pt`
    are that page's size. `hidden`: invisible lines. `unread`: boxes of lines of ink without text, in points of the displayed
    page. `is_reading`: the text is invisible and transcribes the picture under it; None if this was not checked. `is_proven`:
    False if it has too few gaps between words for a decision. `on_blank`: the number of letters and digits in invisible words
    on blank ground or on a bar. `ink_lines`: the number of lines of ink on the page without its text. `unnamed`: the share of
    visible text whose glyphs have no characters. `lacking`: the number of text pieces in unavailable fonts, which cannot be
    read at all. `steep`: the number of letters and digits in lines that are nearly upright. `contradicted`: the text differs
    from its glyphs. `scattered`: its letters are not drawn in reading order. `unreadable`: addresses of visible raw text objects
    without known characters; valid while the page is open. `characters`: the characters of all lines, including words that were
    dropped.
    """

    lines: tuple[TextLine, ...]
    image_share: float
    height_pt: float
    width_pt: float = 0.0
    turns: int = 0
    hidden: tuple[TextLine, ...] = ()
    unread: tuple[Box, ...] = ()
    is_reading: bool | None = None
    is_proven: bool = True
    on_blank: int = 0
    ink_lines: int = 0
    unnamed: float = 0.0
    lacking: int = 0
    steep: int = 0
    contradicted: bool = False
    scattered: bool = False
    unreadable: frozenset[int] = frozenset()
    characters: Characters | None = field(default=None, repr=False, compare=False)

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @property
    def is_over_scan(self) -> bool:
        """Returns whether the text is an OCR engine's reading of a picture."""
        return self.image_share > _SCAN_SHARE if self.is_reading is None else self.is_reading

    @property
    def hides_text(self) -> bool:
        """Returns whether the page has invisible text, beyond specks that an OCR engine misread as letters."""
        least = _HIDDEN_CHARS if self.is_over_scan or self.image_share > _SCAN_SHARE else _HIDDEN_CHARS_ELSEWHERE
        return self.contradicted or self.on_blank >= _BLANK_CHARS or sum(_letters(line.text) for line in self.hidden) >= least

    @property
    def shows_all_text(self) -> bool:
        """Returns whether all text of the page is visible and its characters are known, as far as this can be proven."""
        return not self.hides_text and self.is_proven and not self.unreadable

    @cached_property
    def verdict(self) -> Verdict:
        if self.contradicted:
            return Verdict(kind="bad", reason="The text in the file differs from its glyphs.")
        if self.scattered:
            return Verdict(kind="bad", reason="The letters are drawn in another order than they are read.")
        if self.unnamed > _MAX_UNNAMED:
            return Verdict(kind="bad", reason=f"{self.unnamed:.0%} of the visible text has no characters.")
        if self.steep > _MAX_STEEP * sum(_letters(line.text) for line in self.lines):
            return Verdict(kind="bad", reason=f"{self.steep} letters are in lines at a steep angle.")
        lines = self.lines + self.hidden if self.is_reading else self.lines  # words beside the ink show a bad OCR engine
        text = "\n".join(line.text for line in lines)
        verdict = judge(text, image_share=float(self.is_over_scan), text_share=self._text_share())
        if verdict.trusted and self.lacking > _MAX_LACKING:
            return Verdict(kind="partial", reason=f"{self.lacking} pieces of text use fonts that are unavailable.")
        if verdict.trusted and self.unreadable and not self.unread:
            return Verdict(
                kind="bad" if self.is_reading else "partial",
                reason=f"Number of text pieces with unknown characters: {len(self.unreadable)}.",
            )
        if not verdict.trusted or not self.unread:
            return verdict
        count = len(self.unread)
        if self.is_reading:
            if self.unreadable:
                return Verdict(kind="bad", reason=f"Number of text pieces with unknown characters: {len(self.unreadable)}.")
            if count <= max(1, _MAX_MISSED * self.ink_lines):
                return verdict
            return Verdict(kind="bad", reason=f"{count} of {self.ink_lines} lines of the scan are not in the text layer.")
        lines_have = "lines of ink on the page have" if count > 1 else "line of ink on the page has"
        return Verdict(kind="partial", reason=f"{count} {lines_have} no text.")

    def _text_share(self) -> float:
        """Returns the share of the page's height that has text."""
        spans = sorted((line.y0, line.y1) for line in self.lines)
        covered, end = 0.0, float("-inf")
        for y0, y1 in spans:
            covered += max(0.0, y1 - max(y0, end))
            end = max(end, y1)
        return covered / self.height_pt if self.height_pt else 0.0


def read_text_layer(
    page: Any, upright: Upright, size_pt: tuple[float, float], *, image_share: float, shapes: SmallShapes | None = None
) -> TextLayer:
    """Reads the text layer of a raw FPDF_PAGE. `size_pt`: the size of the upright page. `shapes`: what may be signs of numbers.
    Omits text outside the page, since two pages cropped from one sheet contain the text of both."""
    text_page, turns = _load_text(page, upright)
    if not text_page:
        return TextLayer(lines=(), image_share=image_share, height_pt=size_pt[1], width_pt=size_pt[0])
    try:
        layer = replace(_lines_on(page, text_page, upright, size_pt, turns, shapes), image_share=image_share)
        if not layer.lines:
            return replace(layer, lacking=TextObjects(page).without_characters(text_page))
        found = compare_with_ink(
            page,
            text_page,
            layer.lines,
            turns=layer.turns,
            size_pt=(layer.width_pt, layer.height_pt),
            unreadable=layer.unreadable,
        )
        return replace(layer, lines=tuple(without_second_drawings(layer.lines))) if found is None else _as_seen(layer, found)
    finally:
        pdfium.FPDFText_ClosePage(text_page)


def is_reading_of(page: Any, upright: Upright, picture: Any, scale: float) -> bool:
    """Returns whether the text of a raw FPDF_PAGE, all of it invisible, is a reading of this picture of the displayed page,
    without other text. `picture`: a gray array; `scale`: its pixels per point. Takes 3 to 8 ms and does not render the page."""
    text_page, turns = _load_text(page, upright)
    if not text_page:
        return False
    try:
        layer = _lines_on(page, text_page, upright, (picture.shape[1] / scale, picture.shape[0] / scale), turns)
    finally:
        pdfium.FPDFText_ClosePage(text_page)
    size_pt = (layer.width_pt, layer.height_pt)
    found = compare_with_picture(picture, scale, layer.lines, turns=layer.turns, size_pt=size_pt)
    seen = _as_seen(replace(layer, image_share=1.0), found)
    return seen.is_proven and not seen.hides_text


def _load_text(page: Any, upright: Upright) -> tuple[Any, int]:
    """Returns the FPDF_TEXTPAGE of a raw FPDF_PAGE, and the quarter turns after which most text runs from left to right.

    PDFium sorts the texts of a line from left to right as displayed, which reverses lines that are displayed upside down, so it
    loads such a page with another half turn."""
    with uninterrupted():
        text_page = pdfium.FPDFText_LoadPage(page)
    turns = quarter_turns(text_page, upright) if text_page else 0
    if turns != _UPSIDE_DOWN:
        return text_page, turns
    pdfium.FPDFText_ClosePage(text_page)
    rotation = pdfium.FPDFPage_GetRotation(page)
    pdfium.FPDFPage_SetRotation(page, (rotation + _UPSIDE_DOWN) % 4)
    try:
        return pdfium.FPDFText_LoadPage(page), turns
    finally:
        pdfium.FPDFPage_SetRotation(page, rotation)


def _lines_on(
    page: Any, text_page: Any, upright: Upright, size_pt: tuple[float, float], turns: int, shapes: SmallShapes | None = None
) -> TextLayer:
    turned, turned_pt = upright.turned(turns, size_pt), turned_size(turns, size_pt)
    characters = read_characters(page, text_page, turned, turned_pt, is_word=is_word)
    drop_spurious_spaces(text_page, characters, turned)
    characters = with_accents(characters)
    fonts = PageFonts(text_page)
    with_symbols(characters, fonts.name)
    with_mac_ligatures(characters)
    with_superscripts(characters, lambda index: _origin_of(text_page, index, turned, fonts))
    baseline_of = cache(lambda index: _baseline_of(text_page, index, turned))
    if shapes and not turns:
        with_drawn_signs(characters, shapes, baseline_of)
    lines = lines_of(
        characters,
        font_of=cache(fonts.size_and_weight),
        is_level=cache(lambda index: is_level(text_page, index, turned)),
        slant=cache(lambda index: slant(text_page, index, turned)),
        baseline_of=baseline_of,
    )
    lines = with_late_digits(lines, baseline_of)
    omitted = beside_omitted_digits(characters) + before_omitted_letters(text_page, characters, turned, fonts)
    omitted += over_other_digits(text_page, characters, turned)
    columns = (line for line in lines if line.vertical and line.words)
    steep = (line for line in columns if slant(text_page, line.words[0].first, turned) is not None)
    return TextLayer(
        lines=tuple(lines),
        steep=sum(_letters(line.text) for line in steep),
        scattered=are_scattered(characters),
        image_share=0.0,
        height_pt=turned_pt[1],
        width_pt=turned_pt[0],
        turns=turns,
        unreadable=characters.unreadable | visible_objects(text_page, omitted),
        characters=characters,
    )


def without_hidden(layer: TextLayer, hidden: Sequence[TextLine]) -> TextLayer:
    """Returns the layer without the words of these lines. `layer` belongs to a copy of the page, which may show hidden
    content."""
    words: dict[str, list[Word]] = {}
    for word in (word for line in hidden for word in line.words):
        words.setdefault(word.text, []).append(word)
    kept: list[TextLine] = []
    for line in layer.lines:
        left = [word for word in line.words if not any(is_same_place(word, other) for other in words.get(word.text, ()))]
        if left or not line.words:
            kept.append(line if len(left) == len(line.words) else line.of_words(left))
    known = WordIndex(word for line in hidden for word in line.words)
    others = [line for line in layer.hidden if not any(map(known.has_at_same_place, line.words))]
    return replace(layer, lines=tuple(kept), hidden=(*hidden, *others))


def _as_seen(layer: TextLayer, found: Comparison) -> TextLayer:
    """Returns the layer without invisible text. Invisible text counts as a reading of the ink under it if the page has little
    other text. Next to visible text, invisible text may be anything, so OCR reads the ink."""
    parts: list[tuple[_Kind, TextLine]] = []
    position = on_blank = mixed = 0
    seen, read, blank = found.seen.tolist(), found.read.tolist(), found.blank.tolist()
    for line in found.lines or layer.lines:
        own = slice(position, position + len(line.words))
        position += len(line.words)
        parts += _parts(line, seen[own], read[own], blank[own])
        if any(blank[own]):
            mixed += any(read[own])
            on_blank += sum(_letters(word.text) for word, empty in zip(line.words, blank[own], strict=True) if empty)
    letters = {kind: sum(len(line.text) for other, line in parts if other is kind) for kind in _Kind}
    not_drawn = letters[_Kind.READING] + letters[_Kind.HIDDEN]
    is_reading = letters[_Kind.READING] > max(letters[_Kind.SEEN], _ON_INK * not_drawn) and mixed <= _MAX_MIXED
    fit = fits(found.picture, found.scale, [line for kind, line in parts if kind is _Kind.READING]) if is_reading else False
    is_reading = fit is not False
    used = (_Kind.SEEN, _Kind.READING) if is_reading else (_Kind.SEEN,)
    rest = [line for kind, line in parts if kind not in used]
    kept = _split_where_retyped(without_second_drawings([line for kind, line in parts if kind in used]), rest)
    return replace(
        layer,
        lines=tuple(kept),
        hidden=tuple(without_second_drawings([*kept, *rest])[len(kept) :]) if rest else (),
        unread=tuple(box for box, is_covered in found.ink_lines if not (is_covered and is_reading)),
        is_reading=is_reading,
        is_proven=fit is not None,
        on_blank=on_blank,
        ink_lines=len(found.ink_lines),
        unnamed=found.unnamed,
        lacking=found.lacking,
        unreadable=found.unreadable,
    )


def _split_where_retyped(lines: Sequence[TextLine], hidden: Sequence[TextLine]) -> list[TextLine]:
    """Splits a line where one of its words was painted over and another line's word is in the gap."""
    if not hidden:
        return list(lines)
    shown = WordIndex(word for line in lines for word in line.words)
    retyped = WordIndex(word for line in hidden for word in line.words if shown.has_at_same_place(word))
    made: list[TextLine] = []
    for line in lines:
        middle = (line.y0 + line.y1) / 2
        within = (word for word in retyped.near(line) if word.y0 < middle < word.y1 and line.x0 < word.x0 < line.x1)
        cuts = sorted({(word.x0 + word.x1) / 2 for word in within})
        groups: dict[int, list[Word]] = {}
        for word in line.words if cuts and not line.vertical else ():
            groups.setdefault(bisect_left(cuts, word.x0), []).append(word)
        is_cut = len(groups) > 1 and not any(map(retyped.has_at_same_place, line.words))
        made += [line.of_words(group) for group in groups.values()] if is_cut else [line]
    return made


def _parts(line: TextLine, shown: list[bool], inked: list[bool], blank: list[bool]) -> Iterator[tuple[_Kind, TextLine]]:
    """Yields the visible and the invisible words of a line. A word on blank ground is not a reading even if its line is one: the
    word was blacked out, or it was never there."""
    if all(shown):
        yield _Kind.SEEN, line
        return
    if any(shown):  # a full stop within a visible line may be too faint to detect
        shown = [show or not any(char.isalnum() for char in word.text) for word, show in zip(line.words, shown, strict=True)]
        yield _Kind.SEEN, line.of_words([word for word, show in zip(line.words, shown, strict=True) if show])
    if any(blank):
        yield _Kind.HIDDEN, line.of_words([word for word, empty in zip(line.words, blank, strict=True) if empty])
    marks = zip(line.words, shown, inked, blank, strict=True)
    rest = [(word, ink) for word, show, ink, empty in marks if not show and not empty]
    if rest:
        on_ink = 2 * sum(len(word.text) for word, ink in rest if ink) >= sum(len(word.text) for word, _ in rest)
        yield _Kind.READING if on_ink else _Kind.HIDDEN, line.of_words([word for word, _ in rest])


def _letters(text: str) -> int:
    return sum(char.isalnum() for char in text)


def _origin_of(text_page: Any, index: int, upright: Upright, fonts: PageFonts) -> tuple[float, float]:
    """Returns the height of the character's baseline on the upright page, and its displayed size, both in points."""
    base = _baseline_of(text_page, index, upright)
    return (0.0, 0.0) if base is None else (base, fonts.size_pt(index))


def _baseline_of(text_page: Any, index: int, upright: Upright) -> float | None:
    x, y = ctypes.c_double(), ctypes.c_double()
    if not pdfium.FPDFText_GetCharOrigin(text_page, index, x, y):
        return None
    return upright.b * x.value + upright.d * y.value + upright.f
