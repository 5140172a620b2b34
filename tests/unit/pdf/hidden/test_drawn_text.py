"""Which pages may have text that a person does not see, judged by their objects alone."""

from __future__ import annotations

import math

import pytest

from rayocr.pdf.document import PdfFile
from rayocr.pdf.hidden.covering import TextArea
from tests.unit.pdf import pdfs

TEXT = b"BT /F1 12 Tf 72 700 Td (seen by everyone) Tj ET "


def may_hide(content: bytes) -> bool:
    with PdfFile(pdfs.pages_of(("",), content=content), max_pixels=1_000_000) as file, file.page(1) as page:
        return page._objects.text.may_be_hidden or not page._raw.is_inked


@pytest.mark.parametrize(
    "later",
    [
        b"",
        b".9 g 60 600 300 80 re f",  # the background of another line
        b".9 g 60 713 300 12 re f",  # directly above the letters
        b"10 w 60 650 m 300 650 l S",
        b"0 0 1 rg 400 600 m 500 650 l 450 690 l h f",
        b"/F1 12 Tf q 60 600 300 20 re W n BT 72 604 Td (in a rectangle) Tj ET Q",
        b"BT /F1 12 Tf 72 500 Td (   ) Tj ET",
    ],
)
def test_what_is_drawn_beside_the_text_hides_nothing(later: bytes) -> None:
    assert not may_hide(TEXT + later)


@pytest.mark.parametrize(
    "later",
    [
        b"1 g 60 690 300 30 re f",
        b"1 g 60 705 300 30 re f",  # the upper half of the letters
        b"1 G 10 w 60 704 m 300 704 l S",
        b"q 1 0 0 1 0 100 cm 1 g 60 590 300 30 re f Q",  # under a matrix
        b"q 60 600 300 20 re W n BT /F1 12 Tf 72 630 Td (cut off) Tj ET Q",
        b"q 60 600 m 360 600 l 60 640 l h W n BT /F1 12 Tf 72 604 Td (in a triangle) Tj ET Q",
        b"BT /F1 12 Tf 3 Tr 72 500 Td (unseen) Tj ET",
        b"BT /F1 1 Tf 72 500 Td (too small to read) Tj ET",
        b"1 g BT /F1 12 Tf 72 500 Td (white) Tj ET",
    ],
)
def test_what_may_hide_text_is_reported(later: bytes) -> None:
    assert may_hide(TEXT + later)


def test_objects_that_are_not_examined_are_not_trusted() -> None:
    lines = b"".join(b"50 %d m 60 %d l S " % (n % 800, n % 800) for n in range(5_001))
    assert may_hide(TEXT + lines + b"1 g 60 690 300 30 re f")  # no more rulings are kept by then
    assert may_hide(TEXT + b"50 50 m 60 50 l S " * 20_001)


@pytest.mark.parametrize(("scale", "hidden"), [(10, False), (1, True)])
def test_letters_of_a_type_3_font_are_measured_not_computed(scale: int, hidden: bool) -> None:
    """The font defines its own scale, so a font size of 1 says nothing about the size on the page."""
    font = (
        f"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [{scale} 0 0 {scale} 0 0] /FirstChar 65 /LastChar 66"
        " /Widths [1 1] /Encoding << /Differences [65 /A /B] >> /CharProcs << /A 6 0 R /B 7 0 R >> /Resources << >> >>"
    )
    square = pdfs.stream(b"1 0 0 0 1 1 d1 0 0 1 1 re f")
    dot = pdfs.stream(b"1 0 0 0 .1 .1 d1 0 0 .1 .1 re f")
    content = TEXT + b"BT /T3 1 Tf 72 500 Td (A) Tj ET BT /T3 1 Tf 172 500 Td (B) Tj ET"
    data = pdfs.pages_of(("",), content=content, resources="", extra={5: font.encode(), 6: square, 7: dot})
    data = data.replace(b"/F1 3 0 R", b"/F1 3 0 R /T3 5 0 R")
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        assert page._objects.text.may_be_hidden == hidden


def test_an_area_is_never_rounded_to_less() -> None:
    area = TextArea(842)
    area.add((100, 100, 200, 110))
    assert area.touches((150, 105, 151, 106)) and area.touches((0, 0, 600, 800)) and area.touches((200.4, 100, 300, 110))
    assert not area.touches((100, 113, 200, 120)) and not area.touches((203, 100, 300, 110))
    area.add((1e9, 1e9, 1e10, 1e10))
    assert area.touches((5e9, 5e9, 6e9, 6e9))
    area.add((math.nan, math.inf, math.inf, math.inf))  # must not raise
