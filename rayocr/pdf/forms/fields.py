"""Reads the form fields of a page as text: values, and the state of check boxes and radio buttons as `[x]` and `[ ]`.

A field's text is read from its appearance, like the rest of the page. This module handles the exceptions: boxes, whose ticks are
glyphs of a symbol font or drawn paths; list boxes, whose appearance includes options that are not selected; combs, which have one
character per cell; and values with characters for which PDFium has no glyphs. Passwords are never read.
"""

from __future__ import annotations

import ctypes
import html
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from statistics import median
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.forms.annotations import annotation, annotation_count, is_shown
from rayocr.pdf.forms.box_states import settle_box_states
from rayocr.pdf.forms.strings import annotation_string, appearance_of, wide_string
from rayocr.pdf.geometry import Box, Upright, turn_box
from rayocr.pdf.guard import uninterrupted
from rayocr.pdf.textlayer.layer import TextLayer
from rayocr.pdf.textlayer.lines import TextLine, Word

TICKED, UNTICKED = "[x]", "[ ]"

_PASSWORD, _COMB = 1 << 13, 1 << 24  # flags of text fields (ISO 32000-1, table 228)
_PUSH_BUTTON = 1 << 16  # flags of buttons (table 226)
_MAX_OPTIONS = 1_000
_MAX_LINES = 60  # lines of a value without an appearance
_DEFAULT_SIZE_PT = 10.0
_LINE_HEIGHT = 1.2  # distance of the lines of a value, in font sizes
# Box characters in the page's text under a field, and their maximum distance from the field.
_BOX_GLYPHS, _GLYPH_PT = frozenset("☐□❏❐❑❒▢○☑☒"), 3.0
_SHOWS_TEXT = re.compile(r"T[jJ]|['\"]|\b(?:Do|EI)\b")  # text operators in an appearance
_TAG = re.compile(r"<[^<>]{0,1000}>")


class FieldKind(Enum):
    TEXT = auto()
    COMB = auto()
    PASSWORD = auto()
    BOX = auto()
    BULLET = auto()  # a shape that is drawn before a list item
    LIST = auto()
    OTHER = auto()  # push buttons and signatures, whose appearance is their only text


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field that viewers show. `index`: the index of its annotation on the page. `text`: its value, empty for passwords. `box`:
    its box on the upright page, in points. `orphan`: the document's form does not list it, so PDFium does not draw it, but other
    viewers do. `index` is negative for a box or a bullet that is drawn on the page without an annotation. `undrawn`: the file has
    an appearance for the field, but it draws no text. Some viewers then show the value, and others show nothing."""

    index: int
    kind: FieldKind
    text: str
    box: Box
    orphan: bool = False
    undrawn: bool = False

    @property
    def replaces_appearance(self) -> bool:
        return self.kind in (FieldKind.BOX, FieldKind.BULLET, FieldKind.LIST)


def read_fields(page: Any, form: Any, upright: Upright, size_pt: tuple[float, float]) -> tuple[FormField, ...]:
    """Reads the visible fields of a page. `page`: a raw FPDF_PAGE. `form`: the document's raw form handle, or None for a document
    without a form, whose pages may still have widgets. Omits fields that are hidden or outside the page."""
    found = []
    for index in range(annotation_count(page)):
        with annotation(page, index) as widget:
            if not widget or pdfium.FPDFAnnot_GetSubtype(widget) != pdfium.FPDF_ANNOT_WIDGET or not is_shown(widget):
                continue
            rect = pdfium.FS_RECTF()
            if not pdfium.FPDFAnnot_GetRect(widget, rect):
                continue
            box = upright.box(rect.left, rect.bottom, rect.right, rect.top)
            if box[2] - box[0] < 1 or box[3] - box[1] < 1 or not overlaps(box, (0, 0, *size_pt)):
                continue
            kind, orphan = _kind(widget, form), not _is_known(widget, form)
            text = _text(widget, form, kind)
            undrawn = bool(text) and kind in (FieldKind.TEXT, FieldKind.COMB) and _draws_no_text(widget)
            found.append(FormField(index=index, kind=kind, text=text, box=box, orphan=orphan, undrawn=undrawn))
    return tuple(found)


def has_drawn_password(page: Any, form: Any) -> bool:
    """Returns whether a password field has an appearance, which may show the password. Removes the appearance, so that PDFium
    draws asterisks after the page is reloaded."""
    removed = False
    for index in range(annotation_count(page)):
        with annotation(page, index) as widget:
            if not widget or pdfium.FPDFAnnot_GetSubtype(widget) != pdfium.FPDF_ANNOT_WIDGET:
                continue
            if _kind(widget, form) is FieldKind.PASSWORD and pdfium.FPDFAnnot_HasKey(widget, b"AP"):
                removed |= bool(pdfium.FPDFAnnot_SetAP(widget, pdfium.FPDF_ANNOT_APPEARANCEMODE_NORMAL, None))
    return removed


def with_fields(layer: TextLayer, fields: Sequence[FormField], size_pt: tuple[float, float]) -> TextLayer:
    """Adds field values to the layer of a page of this size, unless the layer already has them. `layer` contains the text of all
    appearances except those that this module replaces."""
    if not fields:
        return layer
    size = median(line.font_size_pt for line in layer.lines) if layer.lines else _DEFAULT_SIZE_PT
    lines, hidden = list(layer.lines), list(layer.hidden)
    for field in fields:
        box = turn_box(field.box, layer.turns, size_pt)
        if field.replaces_appearance:
            if field.index < 0:  # the page's own text may contain the tick
                lines = _without_words_in(lines, box)
            elif field.kind is FieldKind.BOX:
                lines = _without_words_in(lines, _widened(box), _BOX_GLYPHS)
            lines += _lines_in(box, field.text, size)
        elif field.kind in (FieldKind.TEXT, FieldKind.COMB) and field.text.strip():
            shown = [line for line in lines if _holds(box, line)]
            if not shown and not _is_hidden(field.text, box, layer):
                lines += _lines_in(box, field.text, size)
                hidden += _lines_in(box, field.text, size) if field.undrawn else ()  # so that the text counts as doubtful
            elif field.kind is FieldKind.COMB and _same(field.text, (line.text for line in shown)):
                at = lines.index(shown[0])
                lines = [line for line in lines if line not in shown]
                lines.insert(at, replace(shown[0], text=field.text, x1=max(line.x1 for line in shown)))
    return replace(layer, lines=tuple(lines), hidden=tuple(hidden))


def _is_hidden(value: str, box: Box, layer: TextLayer) -> bool:
    """Returns whether the field draws its value invisibly: in white, or under something else."""
    found = " ".join(line.text for line in layer.hidden if _holds(box, line))
    return bool(found.strip()) and Counter(found.split()) <= Counter(value.split())


def value_lines(field: FormField) -> list[TextLine]:
    """Returns the value at the field's position on the displayed page."""
    return _lines_in(field.box, field.text, _DEFAULT_SIZE_PT)


# -- reading -----------------------------------------------------------------------------------------------------------------


def _kind(widget: Any, form: Any) -> FieldKind:
    known = pdfium.FPDFAnnot_GetFormFieldType(form, widget) if form else -1
    if known in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        return FieldKind.BOX
    if known == pdfium.FPDF_FORMFIELD_LISTBOX:
        return FieldKind.LIST
    if known == pdfium.FPDF_FORMFIELD_COMBOBOX:
        return FieldKind.TEXT
    if known == pdfium.FPDF_FORMFIELD_TEXTFIELD:
        return _text_kind(pdfium.FPDFAnnot_GetFormFieldFlags(form, widget))
    if known > 0:
        return FieldKind.OTHER
    # A widget that the document's form does not list. Viewers show its appearance.
    kind, flags = annotation_string(widget, b"FT"), ctypes.c_float()
    pdfium.FPDFAnnot_GetNumberValue(widget, b"Ff", flags)
    if kind == "Tx":
        return _text_kind(int(flags.value))
    is_box = kind == "Btn" and not int(flags.value) & _PUSH_BUTTON and pdfium.FPDFAnnot_HasKey(widget, b"AS")
    return FieldKind.BOX if is_box else FieldKind.OTHER


def _is_known(widget: Any, form: Any) -> bool:
    return bool(form) and pdfium.FPDFAnnot_GetFormFieldType(form, widget) > 0


def _draws_no_text(widget: Any) -> bool:
    return pdfium.FPDFAnnot_HasKey(widget, b"AP") and not _SHOWS_TEXT.search(appearance_of(widget))


def _text_kind(flags: int) -> FieldKind:
    if flags & _PASSWORD:
        return FieldKind.PASSWORD
    return FieldKind.COMB if flags & _COMB else FieldKind.TEXT


def _text(widget: Any, form: Any, kind: FieldKind) -> str:
    if kind is FieldKind.BOX:
        return TICKED if _is_ticked(widget, form) else UNTICKED
    if kind is FieldKind.LIST:
        return ", ".join(_selected(widget, form))
    if kind not in (FieldKind.TEXT, FieldKind.COMB):
        return ""
    value = wide_string(lambda buffer, size: pdfium.FPDFAnnot_GetFormFieldValue(form, widget, buffer, size)) if form else ""
    return value or annotation_string(widget, b"V") or html.unescape(_TAG.sub(" ", annotation_string(widget, b"RV"))).strip()


def _is_ticked(widget: Any, form: Any) -> bool:
    if _is_known(widget, form):
        return bool(pdfium.FPDFAnnot_IsChecked(form, widget))
    return annotation_string(widget, b"AS") not in ("", "Off")


def _selected(widget: Any, form: Any) -> list[str]:
    count = min(pdfium.FPDFAnnot_GetOptionCount(form, widget), _MAX_OPTIONS)
    chosen = [index for index in range(count) if pdfium.FPDFAnnot_IsOptionSelected(form, widget, index)]
    return [
        wide_string(lambda buffer, size, index=index: pdfium.FPDFAnnot_GetOptionLabel(form, widget, index, buffer, size))  # type: ignore[misc]
        for index in chosen
    ]


# -- placing -----------------------------------------------------------------------------------------------------------------


def _lines_in(box: Box, text: str, size_pt: float) -> list[TextLine]:
    """Returns the text at the field's position, from its left edge. A single line is vertically centered; several lines start at
    the top."""
    texts = [part.strip() for part in text.splitlines() if part.strip()][:_MAX_LINES]
    x0, y0, x1, y1 = box
    size = min(size_pt, max(y1 - y0, 4.0))
    height = size * _LINE_HEIGHT
    top = (y0 + y1 - height) / 2 if len(texts) == 1 else y0
    return [
        TextLine(
            text=part,
            x0=x0,
            y0=top + height * n,
            x1=min(x1, x0 + max(len(part), 1) * 0.6 * size),
            y1=top + height * (n + 1),
            font_size_pt=size,
            bold=False,
        )
        for n, part in enumerate(texts)
    ]


def _widened(box: Box) -> Box:
    x0, y0, x1, y1 = box
    return x0 - _GLYPH_PT, y0 - _GLYPH_PT, x1 + _GLYPH_PT, y1 + _GLYPH_PT


def _without_words_in(lines: Sequence[TextLine], box: Box, texts: Collection[str] | None = None) -> list[TextLine]:
    """Removes words in the box: all, or those with one of these texts."""
    kept = []
    for line in lines:
        words = [word for word in line.words if not _holds(box, word) or (texts is not None and word.text not in texts)]
        if words or not line.words:
            kept.append(line if len(words) == len(line.words) else line.of_words(words))
    return kept


def _holds(box: Box, line: TextLine | Word) -> bool:
    x, y = (line.x0 + line.x1) / 2, (line.y0 + line.y1) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def overlaps(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _same(value: str, shown: Iterable[str]) -> bool:
    return "".join(value.split()) == "".join("".join(shown).split())


def loaded_page(document: Any, index: int) -> Any:
    """Loads the page. In a document with a form, PDFium also creates missing field appearances in memory."""
    with uninterrupted():
        page = document[index]
    if document.formenv is not None and has_drawn_password(page.raw, document.formenv.raw):
        page.close()
        page = document[index]
    if document.formenv is not None:
        settle_box_states(page.raw, document.formenv.raw)
    return page
