"""Running text beside a table, whose lines are at the heights of the table's rows by chance."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.rows import rows_of
from rayocr.engines.layout.tables.page_columns import page_column
from rayocr.engines.layout.tables.table_rules import Column
from tests.unit.engines.layout.pages import HEIGHT_PT, LEADING_PT, column, line

PROSE = [
    "The company digs for gold in two mines in the north of",
    "the province, one of which was opened a hundred years",
    "ago and then closed for a time. The other is a young",
    "mine in the hills, whose rich veins were found by",
    "accident when a road was built through the forest and",
    "the workers saw yellow stones in the gravel. Both of",
    "them are expected to yield more in the next years than",
    "in the last, as long as the price of gold remains high.",
]
LABELS = ["Revenue", "Depreciation", "Interest", "Income taxes", "Net income", "Assets", "Liabilities", "Net debt"]


def figures(first: int, labels: list[str]) -> list[LayoutLine]:
    lines: list[LayoutLine] = []
    for n, label in enumerate(labels):
        y = 120 + n * LEADING_PT
        lines += [line(label, 50, y), *(line(f"{first + 37 * n + 11 * c}.{n}", 130 + 45 * c, y) for c in range(3))]
    return lines


def paragraph(texts: list[str], y: float) -> list[LayoutLine]:
    return column(texts, 290, y, width=280)


def test_a_sentence_that_continues_through_rows_of_figures_is_beside_the_table() -> None:
    headed = [line("Company Background", 290, 121), line("Share price", 290, 121 + 5 * LEADING_PT), line("60", 290, 205)]
    page = [*figures(210, LABELS), *headed, *paragraph(PROSE[:4], 121 + LEADING_PT)]
    columns = [Column(50, 110), Column(130, 155), Column(175, 200), Column(220, 245), Column(290, 570)]
    assert page_column(rows_of(page), 0, len(LABELS), columns, HEIGHT_PT) is columns[-1]
    text = layout_markdown(page, page_width=612, page_height=792)
    assert "north of the province, one of which was opened a hundred years ago and then" in text
    assert "| Liabilities | 432.6 | 443.6 | 454.6 |" in text


def test_a_short_table_beside_a_column_with_a_heading_does_not_take_its_lines() -> None:
    texts = ["Key points:", "Mines were sold in the south, and others in the north of", *PROSE[1:]]
    page = [*figures(210, LABELS[:4]), *paragraph(texts, 120)]
    columns = [Column(50, 110), Column(130, 155), Column(175, 200), Column(220, 245), Column(290, 570)]
    assert page_column(rows_of(page), 0, 3, columns, HEIGHT_PT) is columns[-1]
    text = layout_markdown(page, page_width=612, page_height=792)
    assert "in the north of the province, one of which was opened a hundred years ago and then closed" in text
    assert not any("|" in row and "province" in row for row in text.splitlines())


def test_remarks_of_two_lines_stay_in_the_table() -> None:
    page: list[LayoutLine] = []
    remarks = [("Small screws that are used for the", "wooden housing"), ("Large nuts that are used for the", "metal housing")]
    for n, (first, second) in enumerate([*remarks, *remarks]):
        y = 120 + 34 * n
        page += [line(f"A-{n}", 50, y), line(f"{n}2.50", 130, y), line(f"{n}7", 200, y), line(first, 290, y)]
        page.append(line(second, 290, y + LEADING_PT))
    text = layout_markdown(page, page_width=612, page_height=792)
    assert "| A-2 | 22.50 | 27 | Small screws that are used for the wooden housing |" in text


def test_texts_in_lower_case_below_a_head_stay_in_the_table() -> None:
    heads = [line(text, x, 120) for text, x in (("Soil test", 50), ("Slight risk", 130), ("Moderate risk", 200))]
    page = [*heads, line("Severe runoff potential of fields", 290, 120)]
    texts = ["crop needs, in split applications", "not to exceed 67 kg in two years", "no application on such a field"]
    for n, text in enumerate(texts):
        y = 120 + (n + 1) * LEADING_PT
        page += [line(f"{n}0", 50, y), line(f"{n}01", 130, y), line(f"{n}7", 200, y), line(text, 290, y)]
    columns = [Column(50, 110), Column(130, 185), Column(200, 265), Column(290, 480)]
    assert page_column(rows_of(page), 0, 4, columns, HEIGHT_PT) is None
