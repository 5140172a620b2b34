"""Removes from a cut-out page what the page does not draw: PDFium copies every resource that the page's dictionary names."""

from __future__ import annotations

import io
from typing import Any

# Bytes beyond content streams and drawn pictures that are worth a look: fonts of an ordinary page stay below.
_WORTH_PRUNING_BYTES = 65_536
# Entries of a page that nobody who looks at the page needs; some hold a copy of it in another format.
_NOT_SHOWN = ("/PieceInfo", "/Metadata", "/Thumb", "/B", "/AA", "/StructParents", "/LastModified", "/SeparationInfo")


def pruned(cut: bytes, *, drawn_bytes: int, always: bool = False) -> bytes | None:
    """The same page without unused resources and unreferenced objects, or None where that is not worthwhile.

    `cut` is a PDF of one page, `drawn_bytes` the encoded size of the pictures that the page draws. `always` prunes however small
    the file is: PDFium leaves the objects of removed annotations in it, passwords typed into a form included. Takes 0.2 ms, and
    more for long content streams, which are only parsed where much else is in the file. The result has no date and a fixed
    identifier, so equal pages stay equal. Raises pikepdf.PdfError for a page that qpdf cannot parse.
    """
    if not always and len(cut) - drawn_bytes < _WORTH_PRUNING_BYTES:
        return None
    import pikepdf

    with pikepdf.open(io.BytesIO(cut)) as pdf:
        page = pdf.pages[0]
        if not always and len(cut) - drawn_bytes - _content_bytes(page) < _WORTH_PRUNING_BYTES:
            return None
        page.remove_unreferenced_resources()
        for name in _NOT_SHOWN:
            if name in page:
                del page[name]
        if "/Info" in pdf.trailer:
            del pdf.trailer["/Info"]
        smaller = io.BytesIO()
        pdf.save(smaller, static_id=True, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return smaller.getvalue() if always or smaller.tell() < 0.9 * len(cut) else None


def _content_bytes(page: Any) -> int:
    import pikepdf

    contents = page.get("/Contents")
    parts = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
    return sum(int(part.get("/Length", 0)) for part in parts if isinstance(part, pikepdf.Stream))
