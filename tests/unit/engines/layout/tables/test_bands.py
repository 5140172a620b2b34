from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from tests.unit.engines.layout.pages import LEADING_PT, line

XS = [60.0, 120.0, 300.0, 360.0, 440.0]


def frame(rows: Sequence[float], xs: Sequence[float] = XS) -> list[Ruling]:
    across = [Ruling(x0=xs[0], y0=y, x1=xs[-1], y1=y) for y in rows]
    return across + [Ruling(x0=x, y0=rows[0], x1=x, y1=rows[-1]) for x in xs]


def body(rows: Sequence[Sequence[str]], top: float = 124) -> list[LayoutLine]:
    return [
        line(text, XS[column] + 4, top + LEADING_PT * number)
        for number, row in enumerate(rows)
        for column, text in enumerate(row)
        if text
    ]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    bottom = 128 + LEADING_PT * len(rows)
    lines = [*body([head], 104), *body(rows)]
    return layout_markdown(lines, page_width=595, page_height=842, rulings=frame([100, 120, bottom])).splitlines()


def test_rows_without_rulings_between_them_are_rows_of_the_table() -> None:
    rows = [["1", "Cement", "12", "8.50"], ["2", "River sand", "3", "17.25"], ["3", "Lime", "", "4.00"]]
    text = markdown(["No.", "Item", "Qty", "Price"], rows)
    assert text[2:] == ["| 1 | Cement | 12 | 8.50 |", "| 2 | River sand | 3 | 17.25 |", "| 3 | Lime |  | 4.00 |"]


def test_a_line_without_figures_continues_the_row_above() -> None:
    rows = [
        ["1", "Cement, in paper", "12", "8.50"],
        ["", "sacks of 25 kg", "", ""],
        ["2", "Sand", "3", "1.25"],
        ["3", "Lime", "9", "4.00"],
    ]
    text = markdown(["No.", "Item", "Qty", "Price"], rows)
    assert text[2:] == [
        "| 1 | Cement, in paper sacks of 25 kg | 12 | 8.50 |",
        "| 2 | Sand | 3 | 1.25 |",
        "| 3 | Lime | 9 | 4.00 |",
    ]


def test_rows_of_names_below_a_head_are_rows_of_the_table() -> None:
    rows = [[f"{place}{n}", f"{place} Office", "Open", "Staff"] for n, place in enumerate(["Whitby", "Ripon", "York", "Selby"])]
    text = markdown(["Town", "Name", "State", "Kind"], rows)
    assert text[2] == "| Whitby0 | Whitby Office | Open | Staff |"
    assert len(text) == 6


def test_lines_of_one_cell_stay_in_their_cell() -> None:
    rows = [["A", "The wall of the", "12", "(0.4)"], ["", "harbour and the", "", "(0.5)"], ["", "lamps of its pier", "", "(0.6)"]]
    text = markdown(["No.", "Item", "Qty", "Price"], rows)
    assert text[2] == "| A | The wall of the harbour and the lamps of its pier | 12 | (0.4) (0.5) (0.6) |"


def test_addresses_side_by_side_stay_in_their_cells() -> None:
    streets = [
        ["Anna Ellis", "Paul Gray", "Mary Shaw"],
        ["12 Mill Lane", "4 Park Road", "9 High Street"],
        ["York YO1 7AB", "Hull HU2 9QT", "Ripon HG4 1AA"],
    ]
    xs = [60.0, 180.0, 300.0, 440.0]
    lines = [line(text, xs[n] + 4, 104) for n, text in enumerate(["Sender", "Recipient", "Carrier"])]
    lines += [line(text, xs[n] + 4, 124 + LEADING_PT * row) for row, texts in enumerate(streets) for n, text in enumerate(texts)]
    text = layout_markdown(lines, page_width=595, page_height=842, rulings=frame([100, 120, 170], xs))
    assert "| Anna Ellis 12 Mill Lane York YO1 7AB | Paul Gray 4 Park Road Hull HU2 9QT |" in text


def test_heads_of_groups_are_rows_between_rows_of_figures() -> None:
    rows = [["Castings", "", "", ""], ["Revenue", "573.3", "619.7", "-1%"], ["Margin", "33.1", "33.3", "84%"]]
    rows += [["Forgings", "", "", ""], ["Revenue", "801.4", "857.2", "-11%"], ["Margin", "20.5", "22.8", "9%"]]
    text = markdown(["Segment", "2011", "2012", "Change"], rows)
    assert text[2:] == ["| " + " | ".join(row) + " |" for row in rows]


def test_symbols_in_lower_case_are_no_running_text() -> None:
    names = ("Window size", "Color difference", "Strength of color", "Strength of grouping")
    rows = [
        [symbol, name, f"0.{n}3", f"{n} px"] for n, (symbol, name) in enumerate(zip(("ω", "τ", "γc", "k"), names, strict=True))
    ]
    text = markdown(["Symbol", "Description", "Value", "Unit"], rows)
    assert text[2:] == ["| " + " | ".join(row) + " |" for row in rows]
