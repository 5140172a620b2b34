"""Are two cut-out pages the same bytes? Then they need not be read twice."""

from __future__ import annotations

import hashlib

_TRAILER_BYTES = 512  # the trailer is the last thing but `startxref`


def content_hash(page_pdf: bytes) -> str:
    """32 hex digits over a page that PDFium cut out, without the file identifier: PDFium makes that up anew at every saving, and
    all else is the same for the same page of the same file, wherever and under whatever name the file lies."""
    digest = hashlib.sha256()
    start = page_pdf.rfind(b"/ID", max(0, len(page_pdf) - _TRAILER_BYTES))
    end = page_pdf.find(b"]", start) + 1 if start >= 0 else 0
    if start >= 0 and end > 0:
        view = memoryview(page_pdf)
        digest.update(view[:start])
        digest.update(view[end:])
    else:
        digest.update(page_pdf)
    return digest.hexdigest()[:32]
