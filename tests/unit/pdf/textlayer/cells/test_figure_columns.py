"""Columns of figures so close that PDFium gives their texts as one."""

from __future__ import annotations

import pytest

from rayocr.pdf.textlayer.cells.figure_columns import split_at_figures
from rayocr.pdf.textlayer.lines import TextLine, Word
from tests.unit.pdf import pdfs
from tests.unit.pdf.forms.test_drawn_boxes import read
from tests.unit.pdf.textlayer.drawings import layer_of

HELVETICA_PT = 4.3  # the mean width of a letter of these texts
HEAD = ("Pos", "Item", "Qty", "Total")
ROWS = [("1", "Cable, black", "10", "49.00"), ("2", "Adapter", "3", "31.50"), ("3", "Lamp", "1", "7.00")]


def drawn(rows: list[tuple[str, ...]], places: tuple[float, ...], *, pitch: float = 17.0) -> bytes:
    content = ""
    for n, row in enumerate(rows):
        for x, text in zip(places, row, strict=True):
            content += f"BT /F1 10 Tf {x} {700 - pitch * n} Td ({text}) Tj ET "
    return content.encode()


@pytest.mark.parametrize("total", [497, 503, 509])
def test_figures_in_two_columns_are_two_cells(total: float) -> None:
    text = read(pdfs.pages_of(content=drawn([HEAD, *ROWS], (62, 89, 477, total))))
    assert "| Qty | Total |" in text
    assert "| 10 | 49.00 |" in text


def test_figures_that_end_at_the_same_place_are_a_column() -> None:
    content = ""
    for n, (row, (x, total)) in enumerate(
        zip([HEAD, *ROWS], [(502, "Total"), (498, "149.00"), (503.6, "31.50"), (509.1, "7.00")], strict=True)
    ):
        for place, text in zip((62, 89, 477, x), (*row[:3], total), strict=True):
            content += f"BT /F1 10 Tf {place} {700 - 17 * n} Td ({text}) Tj ET "
    assert "| 10 | 149.00 |" in read(pdfs.pages_of(content=content.encode()))


@pytest.mark.parametrize(
    "rows",
    [
        [("a.", "2024"), ("b.", "2023"), ("c.", "2022")],  # markers
        [("See line 27.", "5"), ("See line 28.", "6"), ("See line 29.", "7")],  # ends of sentences
        [("Methods ....", "10"), ("Results ....", "12"), ("Sources ....", "14")],  # leaders
    ],
)
def test_markers_sentences_and_leaders_stay_with_their_figures(rows: list[tuple[str, str]]) -> None:
    width = max(HELVETICA_PT * len(text) for text, _ in rows)
    layer = layer_of(pdfs.pages_of(content=drawn(rows, (72.0, 72.0 + width + 11))))
    assert [line.text for line in split_at_figures(layer.lines)] == [f"{before} {figure}" for before, figure in rows]


def test_figures_that_begin_a_line_from_the_right_stay_with_it() -> None:
    lines = []
    for n, figure in enumerate(["10", "20", "30", "40"]):
        y0, y1 = 100.0 + 15 * n, 110.0 + 15 * n
        words = (Word(figure, 300.0, y0, 312.0, y1, 0), Word("\u05de\u05d7\u05d9\u05e8", 200.0, y0, 240.0, y1, 3))
        text = " ".join(word.text for word in words)
        lines.append(TextLine(text=text, x0=200.0, y0=y0, x1=312.0, y1=y1, font_size_pt=10.0, bold=False, words=words))
    assert [line.text for line in split_at_figures(lines)] == [line.text for line in lines]
