"""Computes a hash that is equal for identical pages, so that each distinct page is read once."""

from __future__ import annotations

import hashlib
import re

_TRAILER_BYTES = 512  # only `startxref` follows the trailer
_BIRTH = re.compile(rb"/CreationDate\([^)]{0,40}\)/Creator\(PDFium\)")


def content_hash(page_pdf: bytes) -> str:
    """Returns 32 hex digits: the hash of the sent page (see `page_document`), without the date and the file identifier that
    PDFium generates at every save. The hash does not depend on the file's name."""
    digest = hashlib.sha256()
    view, position = memoryview(page_pdf), 0
    for start, end in (_birth(page_pdf), _identifier(page_pdf)):
        if position <= start < end:
            digest.update(view[position:start])
            position = end
    digest.update(view[position:])
    return digest.hexdigest()[:32]


def _birth(page_pdf: bytes) -> tuple[int, int]:
    match = _BIRTH.search(page_pdf)
    return match.span() if match else (0, 0)


def _identifier(page_pdf: bytes) -> tuple[int, int]:
    start = page_pdf.rfind(b"/ID", max(0, len(page_pdf) - _TRAILER_BYTES))
    return (start, page_pdf.find(b"]", start) + 1) if start >= 0 else (0, 0)
