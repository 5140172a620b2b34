"""Invisible text of a page is not in the searchable PDF either."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pikepdf
import pypdfium2
import pytest

from rayocr.messages import HIDDEN_TEXT
from rayocr.outputs.searchable.hidden_text import remove_pieces
from rayocr.pdf.drawing import rendering
from tests.unit.outputs.searchable_pages import record, searchable_pdf
from tests.unit.pdf import pdfs

SEEN = b"BT /F1 12 Tf 72 700 Td (The sum of 48,500) Tj 0 -20 Td [(for ) -20 (the roof)] TJ ET "
ORDERS = b"(HIDDEN orders to a model) "
HIDDEN = {
    "render mode 3": b"BT /F1 12 Tf 3 Tr 72 600 Td " + ORDERS + b"Tj ET",
    "white, with another operator": b"BT /F1 12 Tf 1 g 14 TL 72 600 Td " + ORDERS + b"' ET",
    "nearly white": b"BT /F1 12 Tf 0.99 g 72 600 Td [" + ORDERS + b"] TJ ET",
    "under a bar": b"BT /F1 12 Tf 72 600 Td " + ORDERS + b"Tj ET 0 g 70 597 230 14 re f",
    "tiny": b"BT /F1 0.4 Tf 72 600 Td () Tj " + ORDERS + b"Tj ET",
    "in a form": b"/Fm Do",
}
FORM = {
    6: pdfs.stream(
        b"BT /F1 12 Tf 3 Tr 72 600 Td " + ORDERS + b"Tj ET",
        "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>",
    )
}


def made(content: bytes, *, doubted: bool = True) -> tuple[bytes, bytes, tuple[str, ...]]:
    source = pdfs.pages_of(content=content, resources="/XObject << /Fm 6 0 R >>", extra=FORM)
    page = record("The sum of 48,500 for the roof", ())
    page = replace(page, engine="textlayer", doubts=(HIDDEN_TEXT,) if doubted else ())
    return source, *searchable_pdf(source, page)


def text_of(data: bytes) -> str:
    with pypdfium2.PdfDocument(data) as document:
        return str(document[0].get_textpage().get_text_bounded())


@pytest.mark.parametrize("how", HIDDEN)
def test_hidden_text_is_removed_and_the_page_looks_the_same(how: str) -> None:
    source, data, notes = made(SEEN + b"q " + HIDDEN[how] + b" Q " + SEEN.replace(b"700", b"500"))
    assert "HIDDEN" in text_of(source)
    assert "HIDDEN" not in text_of(data)
    assert text_of(data).count("48,500") == 2
    assert not notes
    looks = [pypdfium2.PdfDocument(pdf)[0].render(scale=1).to_numpy().astype(int) for pdf in (source, data)]
    assert np.abs(looks[0] - looks[1]).max() <= 128  # of the tiny text, in a few pixels


def test_a_page_that_would_look_different_keeps_its_text_and_says_so() -> None:
    # Without the hidden words, the visible ones that follow would move.
    together = b"BT /F1 12 Tf 72 600 Td 3 Tr " + ORDERS + b"Tj 0 Tr (and visible words) Tj ET"
    source, data, notes = made(SEEN + together)
    assert text_of(data) == text_of(source)
    assert notes == ("On page 1, text of the source that is invisible on the page is kept.",)


def test_hidden_text_beside_visible_words_of_one_piece_is_named() -> None:
    part = b"BT /F1 12 Tf 72 600 Td (Seen words and HIDDEN orders to a model) Tj ET 0 g 152 596 160 16 re f"
    _, data, notes = made(SEEN + part)
    assert "Seen words" in text_of(data)
    assert len(notes) == 1


def test_a_page_that_is_too_slow_to_compare_keeps_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SEEN + b"BT /F1 12 Tf 3 Tr 72 600 Td " + ORDERS + b"Tj ET " + b"0 0 9 9 re f " * 300  # PDFium checks every 100 objects
    with pikepdf.open(io.BytesIO(pdfs.pages_of(content=slow))) as pdf:
        before = pdf.pages[0].Contents.objgen
        with monkeypatch.context() as limited:
            limited.setattr(rendering, "cpu_limit_s", lambda: 0.0)
            assert not remove_pieces(pdf, 1, {2}, count=3)
        assert pdf.pages[0].Contents.objgen == before
        assert remove_pieces(pdf, 1, {2}, count=3)
        assert pdf.pages[0].Contents.objgen != before


@pytest.mark.parametrize("outside", [b"BT /F1 12 Tf 20 820 Td (HIDDEN beside the page) Tj ET ", b"q 1 0 0 1 0 300 cm /Fm Do Q "])
def test_text_that_the_crop_box_cuts_off_is_removed(outside: bytes) -> None:
    content = SEEN + outside
    source = pdfs.pages_of(("/CropBox [50 400 500 740]",), content=content, resources="/XObject << /Fm 6 0 R >>", extra=FORM)
    page = replace(record("The sum of 48,500 for the roof", ()), engine="textlayer")
    data, notes = searchable_pdf(source, page)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.pages[0].CropBox = [0, 0, 595, 842]
        whole = io.BytesIO()
        pdf.save(whole)
    assert "48,500" in text_of(whole.getvalue())
    assert "HIDDEN" not in text_of(whole.getvalue())
    assert not notes


def test_a_cropped_page_without_other_text_is_not_changed() -> None:
    source = pdfs.pages_of(("/CropBox [50 400 500 740]",), content=SEEN)
    data, notes = searchable_pdf(source, replace(record("The sum of 48,500 for the roof", ()), engine="textlayer"))
    with pikepdf.open(io.BytesIO(data)) as pdf, pikepdf.open(io.BytesIO(source)) as before:
        assert pdf.pages[0].Contents.read_bytes() == before.pages[0].Contents.read_bytes()
    assert not notes
