"""Pages with form fields, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.unit.pdf.pdfs import A4, FONT, HELLO, file_of, stream

DINGBATS = b"<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>"


def form_page(
    fields: Sequence[str],
    *,
    appearances: Mapping[int, bytes] | None = None,
    content: bytes = HELLO,
    form_entries: str = "",
    page_entries: str = "",
    catalog_entries: str = "",
) -> bytes:
    """One page with these fields, each merged with its widget; /F1 is Helvetica and /ZaDb ZapfDingbats. `appearances`: object
    number (40 and up) to the stream's content, in a box of 100 x 20 with both fonts."""
    first = 10
    kids = " ".join(f"{first + n} 0 R" for n in range(len(fields)))
    fonts = "/Font << /F1 3 0 R /ZaDb 5 0 R >>"
    objects = {
        1: (
            f"<< /Type /Catalog /Pages 2 0 R {catalog_entries} "
            f"/AcroForm << /Fields [{kids}] /DR << {fonts} >> /DA (/F1 12 Tf 0 g) {form_entries} >> >>"
        ).encode(),
        2: b"<< /Type /Pages /Kids [6 0 R] /Count 1 >>",
        3: FONT,
        4: stream(content),
        5: DINGBATS,
        6: (
            f"<< /Type /Page /Parent 2 0 R /MediaBox {A4} /Contents 4 0 R /Annots [{kids}] "
            f"/Resources << {fonts} >> {page_entries} >>"
        ).encode(),
    }
    for n, entries in enumerate(fields):
        flags = "" if "/F " in entries else "/F 4"
        objects[first + n] = f"<< /Type /Annot /Subtype /Widget /P 6 0 R {flags} {entries} >>".encode()
    for number, drawn in (appearances or {}).items():
        objects[number] = stream(drawn, f"/Type /XObject /Subtype /Form /BBox [0 0 100 20] /Resources << {fonts} >>")
    return file_of(objects)


def rect(row: int, *, width: int = 200, height: int = 20) -> str:
    """The box of a field in this row, from the top."""
    y = 640 - 40 * row
    return f"/Rect [100 {y} {100 + width} {y + height}]"


def drawn_text(text: str, font: str = "F1") -> bytes:
    """The appearance of a field that shows this text."""
    return f"/Tx BMC q BT /{font} 12 Tf 2 5 Td ({text}) Tj ET Q EMC".encode()
