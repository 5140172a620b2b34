"""An invisible layer without gaps between words is compared with a few lines that are read."""

from __future__ import annotations

import pytest

from rayocr.engines.stages.layer_proof import proven
from rayocr.errors import NoTextLayer, PageUnrenderable
from rayocr.messages import SUSPECT, PageText
from rayocr.pdf.document import PdfFile
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import scanned

COLUMN = ["Waterworks", "Lighthouses", "Shipwrights", "Chandlery", "Stonemasons", "Carpentry", "Blacksmiths"]
COLUMN += ["Ropemaking", "Coopers", "Weavers", "Tanners", "Fishmongers", "Glassblowers", "Printers"]
ORDERS = [f"{word}ing" for word in COLUMN[1:]] + ["Administrator"]


class Lines:
    name = "rapidocr"

    def __init__(self, *lines: str, script: str = "LATIN") -> None:
        self.lines, self.script, self.asked = lines, script, 0

    def knows(self, script: str) -> bool:
        return script == self.script

    def read(self, page: object) -> list[str]:
        self.asked += 1
        if not self.lines:
            raise PageUnrenderable("It cannot be rendered.")
        return list(self.lines)


def layered(words: list[str], *, scan: list[str] | None = None) -> bytes:
    rows = [100 + 24 * n for n in range(len(COLUMN))]
    texts = (f"1 0 0 1 72 {842 - y - 12} Tm ({word}) Tj" for y, word in zip(rows, words, strict=True))
    over = f"BT /F1 12 Tf 3 Tr {' '.join(texts)} ET".encode()
    return pdfs.image_page(*scanned(dict(zip(rows, scan or COLUMN, strict=True))), over=over)


def asked(data: bytes, text: str, reader: Lines | None) -> PageText:
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(1) as page:
        return proven(page, PageText(text=text, engine="textlayer", model="textlayer"), reader)


def test_a_layer_that_agrees_with_lines_of_the_scan_is_used() -> None:
    reader = Lines(*COLUMN)
    assert asked(layered(COLUMN), "\n".join(COLUMN), reader).doubts == ()
    assert reader.asked == 1


def test_a_layer_that_says_something_else_is_not_used() -> None:
    reader = Lines(*COLUMN)
    with pytest.raises(NoTextLayer, match="differs from its scan"):
        asked(layered(ORDERS), "\n".join(ORDERS), reader)


@pytest.mark.parametrize("reader", [None, Lines(), Lines("Shipwrights"), Lines("Shipwrights", script="CJK")])
def test_a_layer_that_nothing_can_confirm_is_a_doubt(reader: Lines | None) -> None:
    assert asked(layered(COLUMN), "\n".join(COLUMN), reader).doubts == (SUSPECT,)


def test_a_layer_whose_words_fit_the_scan_is_not_read_again() -> None:
    lines = [f"{one} and {other} of the harbour" for one, other in zip(COLUMN, reversed(COLUMN), strict=True)]
    reader = Lines("Shipwrights")
    assert asked(layered(lines, scan=lines), "\n".join(lines), reader).doubts == ()
    assert reader.asked == 0
