"""Annotations that belong to a layer, which the reader may have switched off."""

from __future__ import annotations

import io

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from rayocr.pdf.cut.page_document import media_type, page_document
from rayocr.pdf.document import PdfFile
from rayocr.pdf.forms.optional_content import with_listed_groups
from tests.unit.counted_steps import steps_of
from tests.unit.pdf import pdfs
from tests.unit.pdf.form_pages import form_page, rect

LAYER = "<< /Type /OCG /Name (Review) >>"
ON, OFF = "/D << /ON [20 0 R] >>", "/D << /OFF [20 0 R] >>"
VALUE = f"/FT /Tx /T (name) /V (Ottoline Marsh) /DA (/F1 12 Tf 0 g) {rect(0)} /OC "


def page_with(content: str, configuration: str, group: str = LAYER) -> bytes:
    data = form_page([VALUE + content], catalog_entries=f"/OCProperties << /OCGs [20 0 R] {configuration} >>")
    added = data.replace(b"xref\n", b"20 0 obj\n%b\nendobj\nxref\n" % group.encode(), 1)
    return pdfs.reindexed(added)


USAGE = "<< /Type /OCG /Name (Review) /Usage << /View << /ViewState /OFF >> /Print << /PrintState /ON >> >> >>"
AUTOMATIC = "/D << /AS [ << /Event /View /Category [/View] /OCGs [20 0 R] >> ] >>"


@pytest.mark.parametrize(
    ("content", "configuration", "group", "shown"),
    [
        ("20 0 R", ON, LAYER, True),
        ("20 0 R", OFF, LAYER, False),
        ("20 0 R", "/D << /BaseState /OFF >>", LAYER, False),
        ("20 0 R", "/D << /BaseState /OFF /ON [20 0 R] >>", LAYER, True),
        ("20 0 R", AUTOMATIC, USAGE, False),
        ("<< /Type /OCMD /OCGs 20 0 R >>", OFF, LAYER, False),
        ("<< /Type /OCMD /OCGs [20 0 R] /P /AllOff >>", OFF, LAYER, True),
        ("<< /Type /OCMD /VE [/Not 20 0 R] >>", ON, LAYER, False),
        ("<< /Type /OCMD /VE [/Or [/Not 20 0 R] 20 0 R] >>", OFF, LAYER, True),
    ],
)
def test_a_field_of_a_hidden_layer_is_neither_read_nor_sent(content: str, configuration: str, group: str, shown: bool) -> None:
    with PdfFile(page_with(content, configuration, group), max_pixels=4_000_000) as file, file.page(1) as page:
        assert ("Ottoline" in page.text_layer().text) is shown
        sent = page_document(page)
        assert bool(page.fields) is shown
    with pypdfium2.PdfDocument(io.BytesIO(sent)) as cut:
        assert ("Ottoline" in cut[0].get_textpage().get_text_bounded()) is shown


def load(data: bytes) -> None:
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1):
        pass


def test_an_expression_that_contains_itself_ends() -> None:
    """3^16 evaluations would take minutes."""
    data = page_with("<< /Type /OCMD /VE 20 0 R >>", ON, "[/And 20 0 R 20 0 R 20 0 R]")
    steps_of(lambda: load(data), at_most=100_000)  # 14,000


def test_annotations_are_looked_up_in_their_layers_and_not_searched() -> None:
    annotations = f"/Annots [{'<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /OC 20 0 R >> ' * 300}]"
    layers = "/D << /OFF [" + "21 0 R " * 10_000 + "20 0 R] >>"
    catalog = f"<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [20 0 R 21 0 R] {layers} >> >>".encode()
    data = pdfs.pages_of((annotations,), extra={1: catalog, 20: LAYER.encode(), 21: LAYER.encode()})
    steps_of(lambda: load(data), at_most=600_000)  # 184,000, and 3,000,000 comparisons in a search


OPENING = b"BT /F1 14 Tf 72 700 Td (The opening sentence of the page) Tj ET "
MARKED = b"/OC /M BDC BT /F1 14 Tf 72 600 Td (Lanterns are cleaned on Mondays) Tj ET EMC"
NOTE = "<< /Type /Annot /Subtype /FreeText /F 4 /Rect [72 390 400 420] /Contents (Note) /AP << /N 9 0 R >> >>"


def page_in_layer(membership: str, configuration: str, *, annotated: bool) -> bytes:
    """A page with a line in a membership of the groups 20, which is on, and 21, which is off."""
    extra = {
        5: membership.encode(),
        20: LAYER.encode(),
        21: LAYER.encode(),
        8: NOTE.encode(),
        9: pdfs.stream(
            b"BT /F1 9 Tf (Note) Tj ET", "/Type /XObject /Subtype /Form /BBox [0 0 99 30] /Resources << /Font << /F1 3 0 R >> >>"
        ),
    }
    data = pdfs.pages_of(
        ("/Annots [8 0 R]" if annotated else "",), content=OPENING + MARKED, resources="/Properties << /M 5 0 R >>", extra=extra
    )
    root = f"<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [20 0 R 21 0 R] {configuration} >> >>".encode()
    return pdfs.with_update(data, {1: root}, size=30)


@pytest.mark.parametrize("annotated", [False, True])
@pytest.mark.parametrize("configuration", ["/D << /OFF [21 0 R] >>", "/D << /BaseState /OFF /ON [20 0 R] >>"])
@pytest.mark.parametrize(
    ("membership", "shown"),
    [
        ("<< /Type /OCMD /P /AllOff /OCGs 20 0 R >>", False),
        ("<< /Type /OCMD /P /AllOff /OCGs 21 0 R >>", True),
        ("<< /OCGs 20 0 R /P /AnyOff /Type /OCMD >>", False),
        ("<< /Type /OCMD /P /AllOff /OCGs [21 0 R] >>", True),
        ("<< /Type /OCMD /P /AnyOff /OCGs [20 0 R 21 0 R] >>", True),
        ("<< /Type /OCMD /P /AllOn /OCGs [20 0 R 21 0 R] >>", False),
        ("<< /Type /OCMD /VE [/And 20 0 R [/Not 21 0 R]] /P /AllOff /OCGs [20 0 R] >>", True),
        ("<< /Type /OCMD /VE [/Not 20 0 R] >>", False),
    ],
)
def test_text_rendering_and_sent_page_agree_on_memberships(
    membership: str, shown: bool, configuration: str, annotated: bool
) -> None:
    data = page_in_layer(membership, configuration, annotated=annotated)
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(1) as page:
        assert ("Lanterns" in page.text_layer().text) is shown
        assert "opening sentence" in page.text_layer().text
        rendered = np.asarray(page.render(dpi=72, grayscale=True).image)
        sent = page_document(page)
    rows = slice(round(rendered.shape[0] * (842 - 612) / 842), round(rendered.shape[0] * (842 - 596) / 842))
    assert bool((rendered[rows] < 128).any()) is shown
    if media_type(sent) == "application/pdf":
        with pypdfium2.PdfDocument(io.BytesIO(sent)) as cut:
            picture = cut[0].render(scale=1).to_pil()
    else:
        picture = Image.open(io.BytesIO(sent))
    received = np.asarray(picture.convert("L").resize(rendered.shape[::-1]))
    assert bool((received[rows] < 128).any()) is shown


def test_a_file_without_such_memberships_is_not_copied() -> None:
    for membership in ("<< /Type /OCMD /P /AllOff /OCGs [20 0 R] >>", "<< /Type /OCMD /OCGs 20 0 R >>"):
        data = np.frombuffer(page_in_layer(membership, "/D << >>", annotated=False), dtype=np.uint8)
        assert with_listed_groups(data) is data
