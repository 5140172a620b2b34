"""Pages whose letters mean what a test wants: fonts with a ToUnicode map of their own, over hand-written content."""

from __future__ import annotations

from collections.abc import Mapping

from rayocr.pdf.document import PdfFile
from rayocr.pdf.textlayer.layer import TextLayer
from tests.unit.pdf import pdfs

HEBREW = {chr(ord("a") + n): chr(0x5D0 + n) for n in range(27)}  # a is alef, b is bet …


def to_unicode(mapping: Mapping[str, str]) -> bytes:
    rows = " ".join(f"<{ord(code):02x}> <{text.encode('utf-16-be').hex()}>" for code, text in mapping.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        f"1 begincodespacerange <00> <FF> endcodespacerange {len(mapping)} beginbfchar {rows} endbfchar endcmap end end"
    )
    return pdfs.stream(cmap.encode())


def page_with_font(
    content: bytes, mapping: Mapping[str, str], *, entries: str = "", font: str = "", name: str = "Helvetica"
) -> bytes:
    """A page on which F2 is a font whose codes mean what `mapping` says; `font` has further entries of its dictionary."""
    data = pdfs.pages_of((entries,), content=content, extra={6: to_unicode(mapping)})
    named = f"<< /F2 << /Type /Font /Subtype /Type1 /BaseFont /{name} /ToUnicode 6 0 R {font} >> /F1".encode()
    return pdfs.reindexed(data.replace(b"<< /F1", named))


def layer_of(data: bytes, page_number: int = 1) -> TextLayer:
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(page_number) as page:
        return page.text_layer()


def texts_of(data: bytes) -> list[str]:
    return [line.text for line in layer_of(data).lines]
