"""Annotations that belong to a layer, which the reader may have switched off."""

from __future__ import annotations

import io

import pypdfium2
import pytest

from rayocr.pdf.cut.page_document import page_document
from rayocr.pdf.document import PdfFile
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
