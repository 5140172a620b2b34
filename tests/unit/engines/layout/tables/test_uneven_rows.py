"""Tables whose cells are in the middle or at the bottom of their rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rayocr.engines.layout import LayoutLine, layout_markdown
from tests.unit.engines.layout.pages import LEADING_PT, column, line

ROWS = [
    (["Pump"], ["The engineer inspects the", "pump and the hose before", "the winter begins."], ["Ogilvie"]),
    (["Boiler and", "chimney"], ["The chimney sweep cleans", "both once a year."], ["Jessop"]),
    (["Roof"], ["The roofer replaces loose", "slates and clears the", "gutters in November."], ["Drummond"]),
    (["Gate"], ["The gate is painted."], ["Wexford"]),
]
X = (60.0, 160.0, 330.0)


def table(place: float, *, y: float = 120.0, gap: float = 9.0) -> list[LayoutLine]:
    """Draws the rows; `place`: 0 puts cells at the top of their row, .5 in the middle, 1 at the bottom."""
    lines: list[LayoutLine] = []
    for row in ROWS:
        height = LEADING_PT * max(map(len, row))
        for texts, x in zip(row, X, strict=True):
            lines += column(texts, x, y + place * (height - LEADING_PT * len(texts)))
        y += height + gap
    return lines


def markdown(lines: list[LayoutLine]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


@pytest.mark.parametrize("place", [0.5, 1])
def test_cells_in_the_middle_or_at_the_bottom_of_their_rows_are_a_table(place: float) -> None:
    above = line("Everything on this list is inspected by the persons that are named beside it.", 60, 80)
    below = line("The treasurer pays the bills, and keeps them for seven years in the office.", 60, 120 + 10 * LEADING_PT + 36)
    text = markdown([above, *table(place), below])
    assert text.splitlines()[2:] == [
        "| Pump | The engineer inspects the pump and the hose before the winter begins. | Ogilvie |",
        "| --- | --- | --- |",
        "| Boiler and chimney | The chimney sweep cleans both once a year. | Jessop |",
        "| Roof | The roofer replaces loose slates and clears the gutters in November. | Drummond |",
        "| Gate | The gate is painted. | Wexford |",
        "",
        below.text,
    ]


def test_boxes_of_a_scan_that_almost_touch_are_rows_if_their_lines_are_further_apart_than_those_of_a_cell() -> None:
    lines = [replace(it, y0=it.y0 - 2, y1=it.y1 + 2) for it in table(0.5, gap=5.0)]
    assert "| Boiler and chimney | The chimney sweep cleans both once a year. | Jessop |" in markdown(lines)


def test_text_close_below_the_table_is_not_part_of_it() -> None:
    below = line("The treasurer pays the bills, and keeps them for seven years in the office.", 60, 120 + 10 * LEADING_PT + 29)
    assert markdown([*table(0.5), below]).endswith(f"| Gate | The gate is painted. | Wexford |\n\n{below.text}")


def test_figures_below_each_other_are_rows_and_not_one_cell() -> None:
    lines: list[LayoutLine] = []
    for number in range(3):
        y = 100.0 + 60 * number
        lines += [
            line("North", 60, y + LEADING_PT),
            *column(["Pumps", "Lamps", "Hoses"], 160, y),
            *column(["12", "31", "7"], 330, y),
        ]
    assert "12 31" not in markdown(lines)


def test_amounts_of_a_receipt_are_rows_also_below_a_word() -> None:
    lines: list[LayoutLine] = []
    for number, labels in enumerate((["TOTAL", "Cash", "CHANGE"], ["Tax", "Code S", "Code Z"], ["Points", "Member", "Till"])):
        y = 100.0 + 60 * number
        lines += [*column(labels, 60, y), *column(["3.70", "10.00"], 330, y), line("GST(RM)", 330, y + 2 * LEADING_PT)]
        lines += [line("Aisle", 200, y + LEADING_PT)]
    assert "3.70 10.00" not in markdown(lines)


def test_columns_of_text_with_paragraphs_at_other_heights_are_no_table() -> None:
    left = [
        it
        for n in range(3)
        for it in column(["The council met on the first", "Monday of the month and", "agreed."], 60, 100 + 56 * n)
    ]
    right = [it for n in range(4) for it in column(["Every visitor signs the", "book at the gate."], 320, 100 + 42 * n)]
    assert "|" not in markdown([*left, *right])


@pytest.mark.parametrize("text", [["It is closed before", "April or May."], ["It is closed before April or May."]])
def test_terms_beside_explanations_of_several_lines_are_a_table(text: list[str]) -> None:
    terms = [
        (["Boiler"], ["The boiler heats the water for the whole", "house and is inspected every year."]),
        (["Main valve of the", "garden"], text),
        (["Chimney"], ["The sweep cleans it."]),
        (["Gutters"], ["Leaves are removed in November and in the", "last week of March."]),
    ]
    lines, y = [], 100.0
    for term, explanation in terms:
        lines += [*column(term, 60, y), *column(explanation, 200, y)]
        y += LEADING_PT * max(len(term), len(explanation)) + 9
    assert "| Main valve of the garden | It is closed before April or May. |" in markdown(lines)


def test_headings_directly_below_the_table_are_not_part_of_it() -> None:
    below = [line("Paint", 60, 120 + 9 * LEADING_PT + 36, height=18), line("Timber", 60, 120 + 9 * LEADING_PT + 62, height=16)]
    text = markdown([*table(0.5), *below])
    assert "| Gate | The gate is painted. | Wexford |\n\n" in text and "Timber |" not in text


def test_tables_with_much_white_space_between_them_are_two() -> None:
    text = markdown([*table(0.5), *table(0.5, y=420)])
    assert text.count("| --- | --- | --- |") == 2


def test_names_in_lower_case_are_cells() -> None:
    names = {"Pump": "pump", "Boiler and": "boiler", "chimney": "stove", "Roof": "roof", "Gate": "gate"}
    lines = [replace(it, text=names.get(it.text, it.text)) for it in table(0.5)]
    assert "| gate | The gate is painted. | Wexford |" in markdown(lines)


def test_two_columns_of_paragraphs_that_are_level_by_chance_are_no_table() -> None:
    lines: list[LayoutLine] = []
    y = 120.0
    for left, right, shift in ((2, 2, 4.0), (2, 3, 0.0), (5, 5, 4.0), (6, 4, 0.0)):
        height = LEADING_PT * max(left, right)
        for count, x, down in ((left, 60, 0.0), (right, 330, shift)):
            texts = [f"{100 * count + n} Scope of part {n}." for n in range(count)]
            lines += column(texts, x, y + down + height - LEADING_PT * count)
        y += height + 12
    assert "|" not in markdown(lines)
