"""A paragraph that is crossed out is read with a doubt; lines beside words and drawings with labels have none."""

from __future__ import annotations

import pytest

from rayocr.engines.textlayer import TextLayerEngine
from rayocr.messages import CROSSED_OUT
from rayocr.pdf.document import PdfFile
from tests.unit.pdf import pdfs

CLAUSE = "".join(
    f"BT /F1 12 Tf 72 {700 - 16 * n} Td (The tenant pays {1250 + n} euros on the first day of each month.) Tj ET\n"
    for n in range(4)
)
ZIGZAG = "70 698 m " + " ".join(f"{90 + 20 * n} {712 if n % 2 else 698} l" for n in range(14)) + " S"


def doubts(drawn: str, text: str = CLAUSE) -> tuple[str, ...]:
    with PdfFile(pdfs.pages_of(content=(text + drawn).encode()), max_pixels=4_000_000) as file, file.page(1) as page:
        engine = TextLayerEngine()
        read = engine.recognize(page) or engine.partial(page)
        assert read is not None and "1250 euros" in read.text
        return read.doubts


@pytest.mark.parametrize("drawn", ["70 640 m 380 716 l S 70 716 m 380 640 l S", "72 645 m 380 712 l S", ZIGZAG])
def test_a_crossed_out_paragraph_is_kept_with_a_doubt(drawn: str) -> None:
    assert CROSSED_OUT in doubts(drawn)


@pytest.mark.parametrize(
    "drawn",
    [
        "400 640 m 500 716 l S 400 716 m 500 640 l S",  # beside the text
        "72 400 m 380 500 l S 72 500 m 380 400 l S",  # below it
        "330 690 m 420 760 l S",  # a leader that touches one line
        "".join(f"{72 + n} {640 + n % 60} m {90 + n} {650 + n % 60} l S " for n in range(250)),  # a drawing
        "72 704 m 300 704 l S",
    ],
)
def test_other_lines_leave_no_doubt(drawn: str) -> None:
    assert CROSSED_OUT not in doubts(drawn)
