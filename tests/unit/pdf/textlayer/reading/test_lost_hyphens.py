"""A replacement of a line's text without the hyphen that divides its last word."""

from __future__ import annotations

import pytest

from rayocr.engines.textlayer import TextLayerEngine
from rayocr.pdf.document import PdfFile
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import texts_of


def page(first: str, replacement: str) -> bytes:
    """Two lines, the first of them replaced."""
    lines = f"/P << /ActualText ({replacement}) >> BDC BT /F1 12 Tf 72 700 Td ({first}) Tj ET EMC "
    return pdfs.pages_of(content=lines.encode() + b"BT /F1 12 Tf 72 684 Td (en by the objects of the page) Tj ET")


def test_a_hyphen_that_is_drawn_but_not_in_the_replacement_divides_the_word() -> None:
    data = page("It is a print formatter driv-", "It is a print formatter driv")
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(1) as opened:
        answer = TextLayerEngine().recognize(opened)
    assert answer is not None and answer.text == "It is a print formatter driven by the objects of the page"


@pytest.mark.parametrize(
    "first", ["It is a print formatter driv", "It is a print formatter driv.", "It is a print formatter DRIV_"]
)
def test_other_ends_of_a_line_are_no_hyphens(first: str) -> None:
    assert texts_of(page(first, "It is a print formatter driv"))[0] == "It is a print formatter driv"


def test_the_replacement_of_a_word_on_two_lines_has_no_hyphen() -> None:
    data = pdfs.pages_of(
        content=b"/P << /ActualText (It is a print formatter driven) >> BDC BT /F1 12 Tf 72 700 Td "
        b"(It is a print formatter driv-) Tj 0 -16 Td (en) Tj ET EMC BT /F1 12 Tf 92 684 Td (by the objects of the page) Tj ET"
    )
    assert texts_of(data) == ["It is a print formatter driven", "by the objects of the page"]


@pytest.mark.parametrize("sign", ["一", "ー", "ـ"])
def test_a_letter_that_looks_like_a_hyphen_is_no_hyphen(sign: str) -> None:
    text = f"It is a print formatter driv{sign}"
    data = page("It is a print formatter driv-", "@").replace(b"(@)", b"<feff" + text.encode("utf-16-be").hex().encode() + b">")
    assert texts_of(data)[0] == text
