"""Converts a page's own text to Markdown, for text that does not run from left to right on every line."""

from __future__ import annotations

from rayocr.engines.textlayer import TextLayerEngine
from rayocr.pdf.document import PdfFile
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import HEBREW, page_with_font

JAPANESE = {chr(ord("a") + n): char for n, char in enumerate("いつもお世話になっております水道局")}


def markdown(data: bytes) -> str:
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(1) as page:
        answer = TextLayerEngine().recognize(page)
    assert answer is not None
    return answer.text


def test_a_hebrew_table_reads_from_the_right() -> None:
    rules = b"0.5 w " + b"".join(b"60 %d m 420 %d l S " % (y, y) for y in (720, 690, 660))
    rules += b"".join(b"%d 660 m %d 720 l S " % (x, x) for x in (60, 180, 300, 420))
    cells = b"BT /F2 12 Tf "
    for y, row in ((700, (b"cba", b"fed", b"ihg")), (670, (b"lkj", b"15", b"40"))):
        for x, cell in zip((340, 220, 90), row, strict=True):
            cells += b"1 0 0 1 %d %d Tm (%s) Tj " % (x, y, cell)
    text = markdown(page_with_font(rules + cells + b"ET", HEBREW | {n: n for n in "0145"}))
    assert text == "| אבג | דהו | זחט |\n| --- | --- | --- |\n| יךכ | 15 | 40 |"


def test_japanese_columns_come_from_the_right_whatever_the_order_of_the_file() -> None:
    left = b"".join(b"1 0 0 1 460 %d Tm (%c) Tj " % (700 - 16 * n, char) for n, char in enumerate(b"ghijklmn"))
    right = b"".join(b"1 0 0 1 490 %d Tm (%c) Tj " % (700 - 16 * n, char) for n, char in enumerate(b"abcdef"))
    heading = b"1 0 0 1 300 760 Tm (opq) Tj "
    text = markdown(page_with_font(b"BT /F2 16 Tf " + left + right + heading + b"ET", JAPANESE))
    assert "".join(text.split()) == "水道局いつもお世話になっております"


def test_a_page_number_that_runs_up_the_margin_is_in_no_row() -> None:
    rows = "".join(
        f"BT /F1 10 Tf 72 {500 - 12 * n} Td (Balance of June 30, 201{n}) Tj 300 0 Td (1,24{n}) Tj ET " for n in range(6)
    )
    text = markdown(pdfs.pages_of(content=f"{rows} BT /F1 10 Tf 0 1 -1 0 50 465 Tm (83) Tj ET".encode()))
    assert "83 " not in text
    assert text.endswith("\n\n83")
