"""Numbers of an invisible layer are compared with the scan under it."""

from __future__ import annotations

import pytest

from rayocr.engines.rapidocr.word_reader import RapidWordReader
from rayocr.engines.stages.number_proof import WordReader, value_of, with_right_numbers
from rayocr.errors import NoTextLayer, PageUnrenderable
from rayocr.messages import SUSPECT, PageText
from rayocr.pdf.document import PdfFile
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import scanned

ROWS = [
    "Invoice of the harbour office for 14 March 2023",
    "Timber from the northern mill, order 48213, at 318.50",
    "Ropes and chandlery of the second ship at 1,250.75",
    "Repair of the lighthouse, as agreed, at 930.00",
    *["The office asks the captain to pay before he leaves the harbour"] * 8,
]


def layered(rows: list[str], *, scan: list[str] | None = None) -> bytes:
    """A scan with an invisible layer, word by word at the places of the scan's words."""
    from PIL import ImageFont

    font = ImageFont.load_default(size=12 / 72 * 200)  # as on the scan
    texts = []
    for number, (row, shown) in enumerate(zip(rows, scan or rows, strict=True)):
        x = 72.0
        for word, place in zip(row.split(), shown.split(), strict=True):
            width = font.getlength(place) * 72 / 200
            texts.append(f"{width / len(word) / 6 * 100:.1f} Tz 1 0 0 1 {x:.1f} {730 - 30 * number} Tm ({word}) Tj")
            x += font.getlength(place + " ") * 72 / 200
    over = f"BT /F2 10 Tf 3 Tr {' '.join(texts)} ET".encode()
    places = {100 + 30 * number: row for number, row in enumerate(scan or rows)}
    data = pdfs.image_page(*scanned(places, dpi=200), over=over)
    return pdfs.reindexed(data.replace(b"/F1", b"/F2 << /Type /Font /Subtype /Type1 /BaseFont /Courier >> /F1", 1))


def asked(data: bytes, reader: WordReader | None) -> PageText:
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(1) as page:
        layer = page.text_layer()
        assert layer.is_reading and layer.verdict.trusted
        return with_right_numbers(page, PageText(text=layer.text, engine="textlayer", model="textlayer"), reader)


READER = RapidWordReader()  # loads its models once


class Words:
    def __init__(self, *, unsure: int = 0, fails: bool = False) -> None:
        self.unsure, self.fails, self.asked = unsure, fails, 0

    def misread(self, page: object, words: object, turns: int, key: object) -> list[tuple[int, str | None]]:
        self.asked += 1
        if self.fails:
            raise PageUnrenderable("It cannot be rendered.")
        return [(n, None) for n in range(self.unsure)]


def test_a_layer_with_the_numbers_of_its_scan_is_used() -> None:
    assert asked(layered(ROWS), READER).doubts == ()


@pytest.mark.parametrize(
    ("right", "wrong"), [("318.50", "813.50"), ("318.50", "31850"), ("48213", "48218"), ("930.00", "1,250.75")]
)
def test_a_layer_with_a_wrong_number_is_not_used(right: str, wrong: str) -> None:
    data = layered([row.replace(right, wrong) for row in ROWS], scan=ROWS)
    with pytest.raises(NoTextLayer, match="Numbers of the page's invisible text differ"):
        asked(data, READER)


def test_separators_of_thousands_and_kinds_of_separators_are_no_difference() -> None:
    assert value_of("1,250.75") == value_of("1250,75") == value_of("$1.250,75")
    assert value_of("12.50") != value_of("1250")
    assert value_of("30/07/2019") != value_of("30107/2019")


def test_many_unsure_readings_are_a_doubt() -> None:
    assert asked(layered(ROWS), Words(unsure=3)).doubts == (SUSPECT,)
    assert asked(layered(ROWS), Words(unsure=1)).doubts == ()


@pytest.mark.parametrize("reader", [None, Words(fails=True)])
def test_a_layer_whose_numbers_cannot_be_read_is_used(reader: WordReader | None) -> None:
    assert asked(layered(ROWS), reader).doubts == ()


def test_a_layer_without_numbers_is_not_read_again() -> None:
    reader = Words()
    asked(layered([ROWS[-1]] * 12), reader)
    assert reader.asked == 0
