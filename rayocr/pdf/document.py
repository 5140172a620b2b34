"""Opens and checks PDFs. PDFium is not thread-safe: one thread of a process may use it at a time.

A hostile file can make PDFium crash or loop, so `validate` runs in a process that may die, within `guard.bounded`.
"""

from __future__ import annotations

import ctypes
import logging
import re
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from rayocr.errors import CorruptPdf, DocumentError, DocumentTooLarge, EmptyPdf, EncryptedPdf, NotAPdf, PageUnrenderable
from rayocr.pdf.drawing.rendering import SlowPages
from rayocr.pdf.forms.nested_forms import FormDraws
from rayocr.pdf.forms.nested_groups import MAX_GROUPS, excessive_groups
from rayocr.pdf.forms.optional_content import with_listed_groups
from rayocr.pdf.page import Page
from rayocr.pdf.structure import PdfStructure

logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # pypdfium2 warns about XFA forms; rayocr reads their AcroForm instead

_HEADER_BYTES = 1024  # readers look for %PDF- there (ISO 32000-1, Annex H, implementation note 13)
_TAIL_BYTES = 4096  # bytes at the end that are searched for %%EOF, since junk follows it in many files
_SAMPLED_PAGES = 8  # number of pages that `validate` loads: first, last and some between; loading all of 10,000 takes seconds
_OTHER_KINDS = {  # kinds of files by their first bytes
    b"\xff\xd8\xff": "JPEG picture",
    b"\x89PNG": "PNG picture",
    b"II*\0": "TIFF picture",
    b"MM\0*": "TIFF picture",
    b"GIF8": "GIF picture",
    b"PK\3\4": "a ZIP archive or an Office document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"%!PS": "PostScript",
    b"{\\rtf": "an RTF document",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
}
_UNSUPPORTED_ENCRYPTION = "The document uses an encryption that is not supported."
_MAX_TITLE_CHARS = 500
_NO_TITLE = re.compile(r"untitled(?:[ -]?document)?(?:[ -]?\d+)?|\(?unspecified\)?", re.IGNORECASE)
_MAX_LABEL_CHARS = 50
_MOST_LOST, _FEW_PAGES = 2, 100  # a page count above _MOST_LOST x (named pages) + _FEW_PAGES is rejected
# Control characters, and those that change the direction of the text after them. Joiners select the form of a letter.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_MANY_FIELDS_BYTES = 200_000  # smaller documents have less than 20,000 form fields
_FORM = re.compile(rb"/Subtype\s*/Form\b|/CharProcs\b|/PatternType\b")
_LAYERED = re.compile(rb"/OC\s*(?:\d|<<)")
_MASK = re.compile(rb"/S?Mask\b")
_COUNT = re.compile(rb"/Type\s*/Pages\b[^>]{0,400}?/Count\s+(\d{1,9})|/Count\s+(\d{1,9})[^>]{0,400}?/Type\s*/Pages\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfFacts:
    page_count: int
    title: str | None


class PdfFile:
    """An open document. `data` (bytes or a uint8 array) is usually not copied and must stay valid until `close`."""

    def __init__(self, data: Any, *, max_pixels: int) -> None:
        self.refused = ""  # the reason why `page` refused the last hostile page
        self._max_pixels = max_pixels
        self._slow_pages = SlowPages()
        self._data = with_listed_groups(np.frombuffer(data, dtype=np.uint8))
        self._structure = PdfStructure(self._data)
        self._document = _open(self._data)

    @property
    def data(self) -> Any:
        """The whole file, a uint8 array."""
        return self._data

    @property
    def page_count(self) -> int:
        return len(self._document)

    @property
    def title(self) -> str | None:
        """Returns one line with at most 500 characters; None for the placeholder that a program writes for no title."""
        size = pdfium.FPDF_GetMetaText(self._document.raw, b"Title", None, 0)
        raw = ctypes.create_string_buffer(max(size, 2))
        pdfium.FPDF_GetMetaText(self._document.raw, b"Title", raw, size)
        # pypdfium2's own method raises an error on half a surrogate pair.
        title = raw.raw.decode("utf-16-le", "replace").replace("\0", " ")
        line = " ".join(_CONTROLS.sub("", " ".join(title.split())).split())[:_MAX_TITLE_CHARS]
        return None if not line or _NO_TITLE.fullmatch(line) else line

    def page_size(self, page_number: int) -> tuple[float, float]:
        """Returns the upright size in points, without loading the page. Takes 0.02 ms. (0, 0) if unknown."""
        size = pdfium.FS_SIZEF()
        found = pdfium.FPDF_GetPageSizeByIndexF(self._document.raw, page_number - 1, size)
        return (size.width, size.height) if found else (0.0, 0.0)

    def page_label(self, page_number: int) -> str:
        """Returns the label that viewers show for the page ("iv"); empty if the document has no labels."""
        return _CONTROLS.sub("", self._structure.page_label(page_number))[:_MAX_LABEL_CHARS]

    def page_references(self) -> int | None:
        """Returns the maximum number of pages; see `PdfStructure.page_references`."""
        return self._structure.page_references()

    def page(self, page_number: int) -> Page:
        """Loads a page. `page_number` is 1-based. Raises PageUnrenderable if PDFium cannot load the page, or would need hours for
        it."""
        may_have_many_fields = self._document.formenv is not None and self._data.size > _MANY_FIELDS_BYTES
        draws = self._structure.form_draws(page_number) if may_have_many_fields or self._has_forms else FormDraws()
        why = draws.why or (draws.count > MAX_GROUPS and excessive_groups(self._document, page_number - 1))
        if why:
            self.refused = f"Page {page_number} cannot be loaded: {why}"
            raise PageUnrenderable(self.refused)
        return Page(
            self._document,
            page_number,
            max_pixels=self._max_pixels,
            may_have_masks=lambda: self._has_masks,
            hidden_annotations=lambda: self._structure.hidden_annotations(page_number),
            may_have_layered_forms=lambda: self._has_layered_forms,
            lost_content=lambda: self._structure.lost_content(page_number),
            is_placeholder=self._is_dynamic_form,
            slow_pages=self._slow_pages,
        )

    @cached_property
    def _is_dynamic_form(self) -> bool:
        """Returns whether the document is an XFA form whose pages Adobe Acrobat makes when it opens the file. Other programs show
        a placeholder."""
        return bool(pdfium.FPDF_GetFormType(self._document.raw) == pdfium.FORMTYPE_XFA_FULL)

    @cached_property
    def _has_forms(self) -> bool:
        """Returns whether the document has form XObjects, glyphs or patterns. Takes 1 ms per megabyte, like the next method."""
        return _FORM.search(self._data.data) is not None

    @cached_property
    def _has_layered_forms(self) -> bool:
        """Returns whether any form may belong to a layer. Dictionaries of forms are never compressed. Takes 1 ms per megabyte."""
        return _LAYERED.search(self._data.data) is not None

    @cached_property
    def _has_masks(self) -> bool:
        """Returns whether any picture may have a mask. Dictionaries of pictures are never compressed. Takes 1 ms per megabyte."""
        return _MASK.search(self._data.data) is not None

    def close(self) -> None:
        """Closes the document. Idempotent. Close all pages first."""
        self._document.close()
        self._structure.close()

    def __enter__(self) -> PdfFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def validate(data: Any, *, max_pages: int, max_bytes: int, load_pages: bool = True) -> PdfFacts:
    """Returns the facts of a readable document. `load_pages`: loads some pages to check them. Raises a DocumentError that
    explains why a document cannot be read."""
    array = np.frombuffer(data, dtype=np.uint8)
    if array.size > max_bytes:
        raise DocumentTooLarge(f"The document has {array.size:,} bytes; limits.max_document_bytes allows {max_bytes:,}.")
    if b"%PDF-" not in array[:_HEADER_BYTES].tobytes():
        raise not_a_pdf(array[:_HEADER_BYTES].tobytes())
    with PdfFile(array, max_pixels=1_000_000) as file:
        count = file.page_count
        if count > max_pages:
            raise DocumentTooLarge(f"The document has {count:,} pages; limits.max_document_pages allows {max_pages:,}.")
        whole = _ends_properly(array)
        if not whole and _declared_pages(array) > count:
            raise _cut_off()
        if load_pages:
            _check_some_pages(file, whole=whole)
        return PdfFacts(page_count=count, title=file.title)


def not_a_pdf(beginning: bytes) -> NotAPdf:
    """Returns the error for a file that begins like this. It names the actual kind of the file."""
    if not beginning:
        return NotAPdf("The file is empty (0 bytes).")
    kind = next((kind for start, kind in _OTHER_KINDS.items() if beginning.startswith(start)), "")
    if kind.endswith("picture"):
        return NotAPdf(f"The file is not a PDF but a {kind}. To convert it: img2pdf PICTURE -o NAME.pdf")
    return NotAPdf(f"The file is not a PDF but {kind}." if kind else "The file is not a PDF (no %PDF- header).")


def _open(data: Any) -> pypdfium2.PdfDocument:
    # PDFium reads directly from the array, which may be a read-only view into the object store, so its address is passed.
    # pypdfium2 is not used here because it treats a document without pages as a failure and reports the error of an earlier
    # document.
    buffer = (ctypes.c_ubyte * data.size).from_address(data.ctypes.data) if data.size else b""
    document = pdfium.FPDF_LoadMemDocument64(buffer, data.size, None)
    if not document:
        code = pdfium.FPDF_GetLastError()
        if code == pdfium.FPDF_ERR_PASSWORD:
            raise EncryptedPdf("The document is encrypted and needs a password.")
        if code == pdfium.FPDF_ERR_SECURITY:
            raise EncryptedPdf(_UNSUPPORTED_ENCRYPTION)
        raise _corrupt() if _ends_properly(data) else _cut_off()
    if pdfium.FPDF_GetPageCount(document) < 1:
        is_encrypted = pdfium.FPDF_GetSecurityHandlerRevision(document) >= 0
        pdfium.FPDF_CloseDocument(document)
        if (
            is_encrypted and PdfStructure(data).page_references() != 0
        ):  # the password is right, and the page tree is not decrypted
            raise EncryptedPdf(_UNSUPPORTED_ENCRYPTION)
        if not _ends_properly(data):
            raise _cut_off()
        raise _corrupt() if _declared_pages(data) else EmptyPdf("The document has no pages.")
    opened = pypdfium2.PdfDocument(document)
    opened.init_forms()  # must be called before the first page is loaded; does nothing for a document without a form
    return opened


def _check_some_pages(file: PdfFile, *, whole: bool) -> None:
    """Loads a sample of pages. Raises an error only if none of them can be loaded; a single damaged page fails by itself
    later."""
    count = file.page_count
    numbers = sorted({1 + round(i * (count - 1) / max(1, _SAMPLED_PAGES - 1)) for i in range(_SAMPLED_PAGES)})
    failed = 0
    for number in numbers:
        try:
            file.page(number).close()
        except Exception:  # failed pages are counted, and the code below the loop decides
            failed += 1
    if failed == len(numbers) and file.refused:
        raise CorruptPdf(f"No page of the document can be read. {file.refused}")
    if failed == len(numbers) or (failed and not whole):
        raise _corrupt() if whole else _cut_off()
    if failed and (named := file.page_references()) is not None and count > _MOST_LOST * named + _FEW_PAGES:
        raise CorruptPdf(f"The document claims {count:,} pages, but its page tree lists only {named:,}.")


def _ends_properly(data: Any) -> bool:
    return b"%%EOF" in data[-_TAIL_BYTES:].tobytes()


def _declared_pages(data: Any) -> int:
    """Returns the largest /Count of a page tree that is not compressed in the file; 0 if there is none."""
    counts = (int(a or b) for a, b in _COUNT.findall(data))
    return max(counts, default=0)


def _corrupt() -> DocumentError:
    return CorruptPdf("The document is damaged: it has no readable pages.")


def _cut_off() -> DocumentError:
    return CorruptPdf("The document is truncated: its end is missing.")
