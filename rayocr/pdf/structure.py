"""Reads page labels, hidden annotations, nested forms and the number of pages with qpdf, where PDFium has no data or crashes.

PDFium follows a /PageLabels tree that points to itself until the stack overflows; qpdf detects the loop.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pikepdf

from rayocr.pdf.forms.nested_forms import FormDraws, form_draws
from rayocr.pdf.forms.optional_content import OptionalContent

# pikepdf raises these for files that qpdf cannot read. PDFium opens some files for which qpdf asks for a password.
UNREADABLE = (pikepdf.PdfError, pikepdf.PasswordError, pikepdf.DataDecodingError, RuntimeError)

_MAX_NODES = 50_000  # maximum number of visited page tree nodes
_MAX_DEPTH = 60
_EMPTY_BYTES = 32  # bytes of a compressed stream without content
# An extracted page is among the first objects of its file. PDFium writes each object on one line. A note has a string.
_PAGE = re.compile(rb"^<<[^\r\n]*/Type/Page(?![A-Za-z])", re.MULTILINE)
_CONTENTS = re.compile(rb"/Contents(?: \d|\[)")
# What a dictionary with the first name has, too. Standard fonts, and fonts whose letters all have the default width, may lack it.
_BELONGS = ((b"/FirstChar ", (b"/Widths",)), (b"/Subtype/CIDFontType", (b"/W ", b"/W[")), (b"/Type/Encoding", (b"/Differences",)))
_COMMENT = re.compile(rb"%[^\r\n]*")
_DRAWS = re.compile(rb"(/[^\s/<>\[\](){}%]{1,127})\s+Do\b")


class PdfStructure:
    """Opens the document on first use. If qpdf cannot repair it, it has no labels and an unknown number of pages."""

    def __init__(self, data: Any) -> None:
        """`data`: a uint8 array, which is not copied and must stay valid until `close`."""
        self._data = data
        self._pdf: pikepdf.Pdf | None = None
        self._opened = False
        self._layers: OptionalContent | None = None

    def page_label(self, page_number: int) -> str:
        """Returns the page label that viewers show ("iv"); empty if the document has no labels."""
        pdf = self._open()
        try:
            if pdf is None or "/PageLabels" not in pdf.Root:
                return ""
            return str(pdf.pages[page_number - 1].label)
        except (*UNREADABLE, IndexError, TypeError, ValueError):
            return ""

    def hidden_annotations(self, page_number: int) -> frozenset[int]:
        """Returns the indexes of the page's annotations that belong to a hidden layer, or whose appearance does."""
        pdf = self._open()
        if pdf is None or "/OCProperties" not in pdf.Root:
            return frozenset()
        try:
            annotations = enumerate(list(pdf.pages[page_number - 1].get("/Annots", [])))
            layers = self._layers = self._layers or OptionalContent(pdf.Root)
            return frozenset(n for n, found in annotations if not all(map(layers.is_visible, _layers_of(found))))
        except (*UNREADABLE, IndexError, TypeError, ValueError, AttributeError):
            return frozenset()

    def lost_content(self, page_number: int) -> str:
        """Returns why the page is blank although it should not be: its content is missing or damaged, or it draws missing
        objects. Returns "" if no content is lost. Call it only for pages on which PDFium finds no objects."""
        pdf = self._open()
        try:
            if pdf is None:
                return ""
            page = pdf.pages[page_number - 1].obj
            return _lost_content(page) if "/Contents" in page else ""
        except (*UNREADABLE, IndexError, TypeError, ValueError, AttributeError):
            return ""

    def form_draws(self, page_number: int) -> FormDraws:
        """Returns how often the page draws forms, and why PDFium must not load it: its forms draw each other too often."""
        pdf = self._open()
        try:
            return form_draws(pdf.pages[page_number - 1].obj) if pdf is not None else FormDraws()
        except (*UNREADABLE, IndexError, TypeError, ValueError, AttributeError):
            return FormDraws()

    def page_references(self) -> int | None:
        """Returns the maximum number of pages in the page tree's /Kids arrays, independent of /Count. Returns None if it is
        unknown or requires visiting more than 50,000 nodes."""
        pdf = self._open()
        if pdf is None:
            return None
        try:
            return _leaves(pdf.Root.get("/Pages"))
        except (*UNREADABLE, TypeError, ValueError):
            return None

    def close(self) -> None:
        """Closes the document. Idempotent."""
        if self._pdf is not None:
            self._pdf.close()
            self._pdf = None

    def _open(self) -> pikepdf.Pdf | None:
        if not self._opened:
            self._opened = True
            try:
                self._pdf = pikepdf.open(io.BufferedReader(_View(self._data)), suppress_warnings=True)
            except (*UNREADABLE, OSError):
                self._pdf = None
        return self._pdf


def has_contents(cut: bytes) -> bool:
    """Returns whether the page of `cut`, a PDF of one page that PDFium wrote, has a content stream; True if this is unknown.
    PDFium omits a whole array if the file lacks an object that it refers to, such as `/Contents [4 0 R 99 0 R]`, although
    viewers show the other parts."""
    page = _PAGE.search(cut)
    return page is None or _CONTENTS.search(page[0]) is not None


def may_lack_arrays(cut: bytes) -> bool:
    """Returns whether a font of `cut`, a PDF that PDFium wrote, has no widths or no differences of its encoding. PDFium omits an
    array that refers to a missing object, such as `/Widths [500 99 0 R 500]`, and then places or draws other glyphs."""
    for name, needed in _BELONGS:
        start = cut.find(name)
        while start >= 0:
            end = cut.find(b"\n", start)
            line = cut[cut.rfind(b"\n", 0, start) + 1 : end if end >= 0 else len(cut)]
            if not any(key in line for key in needed):
                return True
            start = cut.find(name, max(end, start + 1))
    return False


def _layers_of(annotation: Any) -> Iterator[Any]:
    """Yields the layer of the annotation, and that of its current appearance."""
    if "/OC" in annotation:
        yield annotation["/OC"]
    appearances = annotation.get("/AP")
    shown = appearances.get("/N") if isinstance(appearances, pikepdf.Dictionary) else None
    if isinstance(shown, pikepdf.Dictionary) and not isinstance(shown, pikepdf.Stream):
        shown = shown.get(str(annotation.get("/AS", "/Off")))
    if isinstance(shown, pikepdf.Stream) and "/OC" in shown:
        yield shown["/OC"]


def _lost_content(page: Any) -> str:
    contents = page.get("/Contents")
    parts = list(contents)[:_MAX_NODES] if isinstance(contents, pikepdf.Array) else [contents]
    if not all(isinstance(part, pikepdf.Stream) for part in parts):
        return "the file lacks its content."
    decoded = []
    for part in parts:
        try:
            decoded.append(part.read_bytes())
        except UNREADABLE:
            return "its content is damaged and cannot be decoded."
        if not decoded[-1] and len(part.read_raw_bytes()) > _EMPTY_BYTES:
            return "its content is damaged and cannot be decoded."
    objects = page.get("/Resources", {}).get("/XObject", {})
    names = (match[1].decode("latin-1") for match in _DRAWS.finditer(_COMMENT.sub(b"", b"\n".join(decoded))))
    lacking = next((name for name in names if not isinstance(objects.get(name), pikepdf.Stream)), "")
    return f"the file lacks the picture or form {lacking} that it draws." if lacking else ""


def _leaves(root: Any) -> int | None:
    count, nodes = 0, 0
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if nodes > _MAX_NODES or depth > _MAX_DEPTH:
            return None
        kids = node.get("/Kids") if isinstance(node, pikepdf.Dictionary) else None
        if isinstance(kids, pikepdf.Array):
            waiting += [(kid, depth + 1) for kid in kids]
        else:
            count += 1
    return count


class _View(io.RawIOBase):
    """Reads from memory without copying it."""

    def __init__(self, data: Any) -> None:
        self._view = memoryview(data)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._view)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        part = self._view[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
