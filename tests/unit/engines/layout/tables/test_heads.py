"""Heads of tables without a grid that do not fit the columns."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.tables.alignment import AlignedTable, take_aligned_tables
from rayocr.engines.layout.tables.unruled.heads import with_heads
from tests.unit.engines.layout.pages import LEADING_PT, line

TOWNS = ("Kendal", "Evesham", "Frome", "Hexham", "Dunbar")
PITCH = LEADING_PT + 4


def right(text: str, x1: float, y: float) -> LayoutLine:
    made = line(text, 0, y)
    return line(text, x1 - made.width, y)


def body(y: float) -> list[LayoutLine]:
    lines: list[LayoutLine] = []
    for n, town in enumerate(TOWNS):
        at = y + PITCH * n
        lines += [line(town, 60, at), *(right(f"{n + 3},{n}{n + 1}7", x1, at) for x1 in (200.0, 280.0, 360.0, 440.0))]
    return lines


def markdown(lines: list[LayoutLine]) -> list[str]:
    return layout_markdown(lines, page_width=595, page_height=842).splitlines()


def test_heads_over_several_columns_are_in_the_first_of_them() -> None:
    heads = [line("Region", 60, 100), line("2019", 220, 100), line("2020", 380, 100)]
    units = [
        right(text, x1, 100 + PITCH) for text, x1 in (("Units", 200.0), ("Value", 280.0), ("Units", 360.0), ("Value", 440.0))
    ]
    text = markdown(
        [
            line("The towns sold more in the second year of the survey than in the first one.", 60, 60),
            *heads,
            *units,
            *body(100 + 2 * PITCH),
        ]
    )
    assert "| Region | 2019 |  | 2020 |  |" in text
    assert "|  | Units | Value | Units | Value |" in text


def test_the_head_of_a_group_below_heads_that_were_read_as_one_line_is_a_row() -> None:
    close = LayoutLine(text="Budget Actual", x0=172, x1=282, y0=100, y1=111)
    heads = [line("Position", 60, 100), close, line("Left", 340, 100), line("Sum", 425, 100)]
    text = markdown([*heads, line("Staff", 60, 100 + PITCH), *body(100 + 2 * PITCH)])
    assert text[:3] == ["| Position | Budget | Actual | Left | Sum |", "| --- | --- | --- | --- | --- |", "| Staff |  |  |  |  |"]


@pytest.mark.parametrize("text", ["These are the figures of the year", "Sold,"])
def test_text_above_the_table_is_not_a_head(text: str) -> None:
    lines = [line(text, 60, 100), line("and of all towns.", 300, 100), *body(100 + PITCH)]
    assert markdown(lines)[0] != f"| {text} |  | and of all towns. |  |"
    assert not any(row.startswith("|") and text in row for row in markdown(lines))


def test_two_heads_that_were_read_as_one_line_are_divided_above_groups_of_cells() -> None:
    lines = [line("No.", 60, 100), line("Name", 110, 100), LayoutLine(text="Open Note", x0=300, x1=360, y0=100, y1=111)]
    for n, town in enumerate(TOWNS):
        y = 100 + PITCH * (n + 1)
        lines += [line(str(n + 1), 60, y), line(f"{town} and sons", 110, y)]
        lines.append(line("left", 338, y) if n % 2 else right(f"4{n}.50", 326, y))
    assert markdown(lines)[0] == "| No. | Name | Open | Note |"
    assert markdown(lines)[3] == "| 2 | Evesham and sons |  | left |"


def test_numbered_goods_below_their_head_are_no_address() -> None:
    goods = ("Super Kite", "Turbo Flyer", "Giga Trash", "Bare Bone Kit", "Nitty Gritty", "Pretty Dark Flyer", "Free Gift")
    heads = (("QUANTITY", 300.0), ("PRICE", 370.0), ("AMOUNT", 440.0))
    lines = [line("ITEM DESCRIPTION", 60, 100), *(right(text, x1, 100) for text, x1 in heads)]
    for n, name in enumerate(goods, start=1):
        figures = ((f"{n}", 300.0), ("20.00", 370.0), (f"{20 * n}.00", 440.0))
        lines += [line(f"{n} {name}", 75, 100 + PITCH * n), *(right(text, x1, 100 + PITCH * n) for text, x1 in figures)]
    tables, rest = take_aligned_tables(lines, [], em=11.0)
    assert [len(table.rows) for table in tables] == [8]
    assert not rest


@pytest.mark.parametrize(("values", "rows"), [(("3,017", "4,127", "5,237"), 4), (("east", "west", "north"), 3)])
def test_only_a_table_with_figures_has_heads_above_it(values: Sequence[str], rows: int) -> None:
    body = [[[line(town, 60, 120 + PITCH * n)], [right(values[n], 240, 120 + PITCH * n)]] for n, town in enumerate(TOWNS[:3])]
    heads = [line("Region", 60, 120 - PITCH), right("Sum", 240, 120 - PITCH)]
    ((table,), _) = with_heads([AlignedTable(body)], heads, 11.0)
    assert len(table.rows) == rows


def test_the_second_row_of_heads_is_a_row_if_the_first_has_heads_over_columns() -> None:
    lines = [line("Item", 70, 100), line("2000", 262, 100), line("2001", 434, 100)]
    lines += [right(text, x1, 118) for text, x1 in (("Number", 267.0), ("Value", 354.0), ("Number", 440.0), ("Value", 527.0))]
    for n, town in enumerate(TOWNS):
        y = 136.0 + 18 * n
        lines += [line(town, 70, y), *(right(text, x1, y) for text, x1 in ((f"3{n}1", 267.0), (f"9.{n}7", 354.0)))]
        lines += [right(text, x1, y) for text, x1 in ((f"4{n}2", 440.0), (f"8.{n}5", 527.0))]
    assert markdown(lines)[0] == "| Item | 2000 |  | 2001 |  |"
    assert "|  | Number | Value | Number | Value |" in markdown(lines)


def test_the_header_of_a_page_is_no_row_of_heads() -> None:
    lines = [line("RUN DATE:11/15/10 10:17", 60, 100), line("PAGE 0031", 395, 100), *body(100 + PITCH)]
    assert markdown(lines)[0] == "RUN DATE:11/15/10 10:17 PAGE 0031"
