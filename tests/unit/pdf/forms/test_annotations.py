from __future__ import annotations

import io

import pikepdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from rayocr.engines.textlayer import TextLayerEngine
from rayocr.pdf.cut.page_document import page_document
from rayocr.pdf.document import PdfFile
from tests.unit.pdf import pdfs


@pytest.fixture
def form() -> bytes:
    """A printed page with two fields that were filled in, a hidden one, and a link."""
    data = io.BytesIO()
    canvas = Canvas(data, invariant=1)
    for number in range(8):
        canvas.drawString(
            72, 760 - 18 * number, f"Printed line {number} of a form, with words enough for its layer to be trusted."
        )
    canvas.drawString(72, 560, "Name of the applicant:")
    canvas.acroForm.textfield(name="name", value="Savitribai Phule", x=220, y=552, width=200, height=20)
    canvas.acroForm.textfield(name="place", value="Pune", x=220, y=522, width=200, height=20)
    canvas.acroForm.textfield(name="secret", value="unseen", x=220, y=492, width=200, height=20, annotationFlags="hidden")
    canvas.linkURL("https://example.org", (72, 400, 200, 420))
    canvas.showPage()
    canvas.drawString(72, 760, "A page without fields.")
    canvas.linkURL("https://example.org", (72, 400, 200, 420))
    canvas.showPage()
    canvas.save()
    return data.getvalue()


def test_what_was_filled_into_a_form_is_read_where_it_stands(form: bytes) -> None:
    with PdfFile(form, max_pixels=1_000_000) as file, file.page(1) as page:
        read = TextLayerEngine().recognize(page)
    assert read is not None
    assert "Name of the applicant: Savitribai Phule" in " ".join(read.text.split())
    assert "Pune" in read.text
    assert "unseen" not in read.text


def test_a_page_that_is_cut_out_shows_what_was_filled_in_to_any_reader(form: bytes) -> None:
    with PdfFile(form, max_pixels=1_000_000) as file:
        with file.page(1) as page:
            cut = page.cut_out()
        with file.page(2) as page:
            bare = page.cut_out()
    with PdfFile(cut, max_pixels=1_000_000) as single, single.page(1) as page:
        assert "Savitribai Phule" in page.text_layer().text
    with pikepdf.open(io.BytesIO(cut)) as single_pdf:
        assert "/Widget" not in [str(a.get("/Subtype")) for a in single_pdf.pages[0].get("/Annots", [])]
    assert b"/Link" in bare  # nothing to do there


def test_the_document_itself_stays_as_it_is(form: bytes) -> None:
    with PdfFile(form, max_pixels=1_000_000) as file, file.page(1) as page:
        before = page.render(dpi=72).image.tobytes()
        assert page.text_layer().text == page.text_layer().text
        page.cut_out()
        assert page.render(dpi=72).image.tobytes() == before


@pytest.mark.parametrize("kind", ["Watermark", "Line", "Square", "Stamp", "FreeText"])
def test_the_text_of_an_annotation_is_read(kind: str) -> None:
    appearance = pdfs.stream(
        b"BT /F1 10 Tf 2 5 Td (Depth 4.25 m) Tj ET",
        "/Type /XObject /Subtype /Form /BBox [0 0 100 20] /Resources << /Font << /F1 3 0 R >> >>",
    )
    annotation = f"<< /Type /Annot /Subtype /{kind} /Rect [400 600 500 620] /L [400 610 500 610] /F 4 /AP << /N 8 0 R >> >>"
    data = pdfs.pages_of(("/Annots [7 0 R]",), extra={7: annotation.encode(), 8: appearance})
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        layer = page.text_layer()
    assert "Depth 4.25 m" in layer.text
    assert layer.verdict.trusted


def test_the_contents_of_a_note_are_not_read() -> None:
    note = b"<< /Type /Annot /Subtype /Text /Rect [400 600 420 620] /F 4 /Contents (For the editor only) >>"
    data = pdfs.pages_of(("/Annots [7 0 R]",), extra={7: note})
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        assert "editor" not in page.text_layer().text


def correction(
    words: bytes, entries: str = "/Subtype /FreeText", *, content: bytes = b"", layer: str = "", other: str = ""
) -> bytes:
    """A page whose second line an annotation covers with other words."""
    look = b"1 g 0 0 220 16 re f 0 g BT /F1 12 Tf 2 4 Td (%b) Tj ET" % words if words else b""
    page = (
        b"BT /F1 12 Tf 72 700 Td (The tenant pays 1250 euros each month.) Tj 0 -20 Td (Deposit: 3060 euros in 30 days.) Tj "
        b"0 -20 Td (Third line about delivery and terms.) Tj ET " + content
    )
    form = f"/Type /XObject /Subtype /Form /BBox [0 0 220 16] /Resources << /Font << /F1 3 0 R >> >> {layer}"
    annotation = f"<< /Type /Annot {entries} /F 4 /Rect [70 676 290 692] /AP << /N 50 0 R >> >>"
    catalog = b"<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [52 0 R] /D << /OFF [52 0 R] >> >> >>"
    extra = {1: catalog, 50: pdfs.stream(look, form), 51: annotation.encode(), 52: b"<< /Type /OCG /Name (notes) >>"}
    return pdfs.pages_of((f"/Annots [51 0 R {other}]",), content=page, resources="/Properties << /L 52 0 R >>", extra=extra)


def read_text(data: bytes) -> str:
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        read = TextLayerEngine().recognize(page)
    assert read is not None
    return " ".join(read.text.split())


@pytest.mark.parametrize("kind", ["/Subtype /FreeText", "/Subtype /Stamp"])
def test_a_correction_keeps_the_words_that_it_repeats_at_the_same_place(kind: str) -> None:
    text = read_text(correction(b"Deposit: 9999 euros", kind))
    assert "Deposit: 9999 euros" in text
    assert "3060" not in text


def test_text_of_a_hidden_layer_below_a_highlight_is_not_read() -> None:
    hidden = b"/OC /L BDC BT /F1 12 Tf 140 660 Td (unseen) Tj ET EMC"
    assert "unseen" not in read_text(
        correction(b"", "/Subtype /Highlight /QuadPoints [70 692 290 692 70 676 290 676]", content=hidden)
    )


@pytest.mark.parametrize("kind", ["/Subtype /FreeText", "/Subtype /Widget /FT /Tx /T (a) /V (Changed 99)"])
def test_an_appearance_in_a_hidden_layer_is_neither_drawn_nor_read_nor_sent(kind: str) -> None:
    damaged = "<< /Type /Annot /Subtype /Text /Rect [0 0 5 5] /AP 7 >>"
    data = correction(b"Changed 99", kind, layer="/OC 52 0 R", other=damaged)
    text = read_text(data)
    assert "Deposit: 3060 euros" in text
    assert "Changed" not in text
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        sent = page_document(page)
        with PdfFile(sent, max_pixels=1_000_000) as alone, alone.page(1) as copy:
            assert "Changed" not in copy.raw_text
            assert copy.render(dpi=50).image.tobytes() == page.render(dpi=50).image.tobytes()
    assert "Changed 99" in read_text(data.replace(b"/OFF [52 0 R]", b"/ON  [52 0 R]"))
