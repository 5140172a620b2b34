"""Check boxes and radio buttons are read, drawn and sent with the state that viewers show, whatever names it."""

from __future__ import annotations

import pytest

from rayocr.pdf.cut.page_document import media_type, page_document
from rayocr.pdf.document import PdfFile
from tests.unit.pdf.form_pages import form_page, rect

ON, OFF = b"2 2 16 16 re f", b".5 .5 17 17 re S"
RADIO = "/FT /Btn /Ff 32768 /T (choice) /MK << /CA (l) /BC [0] >>"
CHECK = "/FT /Btn /T (box) /MK << /CA (4) /BC [0] >>"
DRAWN = "/AP << /N << /A 40 0 R /Off 41 0 R >> >>"


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        (f"{RADIO} /V /A /AS /A", "[x]"),  # without an appearance, PDFium names the state "Yes"
        (f"{RADIO} /V /Off /AS /Off", "[ ]"),
        (f"{RADIO} /V /A /AS /A /Opt [(one) (two)]", "[x]"),
        (f"{CHECK} /V /On /AS /On", "[x]"),
        (f"{CHECK} /AS /On", "[x]"),
        (f"{CHECK} /V /On /AS /Off", "[ ]"),
        (f"{CHECK} /V /A {DRAWN}", "[x]"),  # without a state, the value counts
        (f"{CHECK} /V /Off {DRAWN}", "[ ]"),
        (f"{CHECK} /V /B {DRAWN}", "[ ]"),
        (f"{CHECK} {DRAWN}", "[ ]"),
    ],
)
def test_a_state_that_pdfium_does_not_find_is_read_and_sent(entries: str, wanted: str) -> None:
    data = form_page([f"{entries} {rect(0)}"], appearances={40: ON, 41: OFF})
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        assert [field.text for field in page.fields] == [wanted]
        assert media_type(page_document(page)) == "application/pdf"  # the page and its cut look alike
