"""Opens and checks PDFs. All calls of a process must come from one thread: PDFium has no locks of its own.

Hostile files can make PDFium crash or spin, so `validate` runs where the process may be ended, and under `guard.deadline`.
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

from rayocr.errors import CorruptPdf, DocumentError, DocumentTooLarge, EmptyPdf, EncryptedPdf, NotAPdf
from rayocr.pdf.page import Page
from rayocr.pdf.structure import PdfStructure

logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # it warns of XFA forms, of which the plain form within is read

_HEADER_BYTES = 1024  # where readers look for %PDF- (ISO 32000-1, Annex H, implementation note 13)
_TAIL_BYTES = 4096  # where %%EOF is looked for: files in the wild carry some junk behind it
_SAMPLED_PAGES = 8  # loaded by validate: the first, the last and some between; all of 10,000 would take seconds
_MAX_TITLE_CHARS = 500
_MAX_LABEL_CHARS = 50
_MOST_LOST, _FEW_PAGES = 2, 100  # pages claimed for each that is there, and besides, before the count is called a lie
_MASK = re.compile(rb"/S?Mask\b")
_COUNT = re.compile(rb"/Type\s*/Pages\b[^>]{0,400}?/Count\s+(\d{1,9})|/Count\s+(\d{1,9})[^>]{0,400}?/Type\s*/Pages\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfFacts:
    page_count: int
    title: str | None


class PdfFile:
    """An open document over bytes that are not copied: `data` (bytes or a uint8 array) is kept until `close`."""

    def __init__(self, data: Any, *, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._data = np.frombuffer(data, dtype=np.uint8)
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
        """In one line, shortened where it is absurd."""
        size = pdfium.FPDF_GetMetaText(self._document.raw, b"Title", None, 0)
        raw = ctypes.create_string_buffer(max(size, 2))
        pdfium.FPDF_GetMetaText(self._document.raw, b"Title", raw, size)
        # Not pypdfium2's own reading, which raises on half a surrogate pair.
        title = raw.raw.decode("utf-16-le", "replace").replace("\0", " ")
        return " ".join(title.split())[:_MAX_TITLE_CHARS] or None

    def page_size(self, page_number: int) -> tuple[float, float]:
        """Upright, in points; without looking into the page, 0.02 ms. (0, 0) where it cannot be known."""
        size = pdfium.FS_SIZEF()
        found = pdfium.FPDF_GetPageSizeByIndexF(self._document.raw, page_number - 1, size)
        return (size.width, size.height) if found else (0.0, 0.0)

    def page_label(self, page_number: int) -> str:
        """What readers show for the page ("iv"); empty where the document has no labels."""
        return self._structure.page_label(page_number)[:_MAX_LABEL_CHARS]

    def page_references(self) -> int | None:
        """See `PdfStructure.page_references`."""
        return self._structure.page_references()

    def page(self, page_number: int) -> Page:
        """1-based. Raises PageUnrenderable when PDFium cannot load it."""
        return Page(self._document, page_number, max_pixels=self._max_pixels, may_have_masks=lambda: self._has_masks)

    @cached_property
    def _has_masks(self) -> bool:
        """Whether any picture may have a mask. Dictionaries of pictures are never compressed. 1 ms for a megabyte."""
        return _MASK.search(self._data.data) is not None

    def close(self) -> None:
        """Idempotent. Pages must be closed before."""
        self._document.close()
        self._structure.close()

    def __enter__(self) -> PdfFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def validate(data: Any, *, max_pages: int, max_bytes: int) -> PdfFacts:
    """The facts of a document that can be worked on. Raises the DocumentError that says why it cannot."""
    array = np.frombuffer(data, dtype=np.uint8)
    if array.size > max_bytes:
        raise DocumentTooLarge(f"The document has {array.size:,} bytes; limits.max_document_bytes allows {max_bytes:,}.")
    if b"%PDF-" not in array[:_HEADER_BYTES].tobytes():
        raise NotAPdf("The file is empty." if not array.size else "The file does not begin like a PDF (no %PDF- header).")
    with PdfFile(array, max_pixels=1_000_000) as file:
        count = file.page_count
        if count > max_pages:
            raise DocumentTooLarge(f"The document has {count:,} pages; limits.max_document_pages allows {max_pages:,}.")
        whole = _ends_properly(array)
        if not whole and _declared_pages(array) > count:
            raise _cut_off()
        _check_some_pages(file, whole=whole)
        return PdfFacts(page_count=count, title=file.title)


def _open(data: Any) -> pypdfium2.PdfDocument:
    # PDFium reads straight from the array, which may be a read-only view into the object store: hence the address. And it is
    # called here and not by pypdfium2, which takes a document without pages for a failure and gives the error of an earlier one.
    buffer = (ctypes.c_ubyte * data.size).from_address(data.ctypes.data) if data.size else b""
    document = pdfium.FPDF_LoadMemDocument64(buffer, data.size, None)
    if not document:
        code = pdfium.FPDF_GetLastError()
        if code == pdfium.FPDF_ERR_PASSWORD:
            raise EncryptedPdf("The document is encrypted and needs a password.")
        if code == pdfium.FPDF_ERR_SECURITY:
            raise EncryptedPdf("The document is encrypted in a way that cannot be read.")
        raise _corrupt() if _ends_properly(data) else _cut_off()
    if pdfium.FPDF_GetPageCount(document) < 1:
        pdfium.FPDF_CloseDocument(document)
        if not _ends_properly(data):
            raise _cut_off()
        raise _corrupt() if _declared_pages(data) else EmptyPdf("The document has no pages.")
    opened = pypdfium2.PdfDocument(document)
    opened.init_forms()  # nothing for a document without a form; before any page is loaded
    return opened


def _check_some_pages(file: PdfFile, *, whole: bool) -> None:
    """Load pages over the length of the document. One that cannot be loaded is a page's failure, unless none can be."""
    count = file.page_count
    numbers = sorted({1 + round(i * (count - 1) / max(1, _SAMPLED_PAGES - 1)) for i in range(_SAMPLED_PAGES)})
    failed = 0
    for number in numbers:
        try:
            file.page(number).close()
        except Exception:  # counted: the outcome is decided below
            failed += 1
    if failed == len(numbers) or (failed and not whole):
        raise _corrupt() if whole else _cut_off()
    if failed and (named := file.page_references()) is not None and count > _MOST_LOST * named + _FEW_PAGES:
        raise CorruptPdf(f"The document claims {count:,} pages, and its page tree names {named:,}.")


def _ends_properly(data: Any) -> bool:
    return b"%%EOF" in data[-_TAIL_BYTES:].tobytes()


def _declared_pages(data: Any) -> int:
    """The largest /Count of a page tree that stands uncompressed in the file; 0 when there is none."""
    counts = (int(a or b) for a, b in _COUNT.findall(data))
    return max(counts, default=0)


def _corrupt() -> DocumentError:
    return CorruptPdf("The document is damaged: its pages cannot be found.")


def _cut_off() -> DocumentError:
    return CorruptPdf("The document looks cut off: its end is missing.")
