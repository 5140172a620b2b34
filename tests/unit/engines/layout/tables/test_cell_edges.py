"""Tables with rulings between their rows only, where each cell draws its own part of a ruling."""

from __future__ import annotations

from itertools import pairwise

from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown

EDGES = (96.0, 212.0, 270.0, 500.0)


def line(text: str, x: float, y: float) -> LayoutLine:
    return LayoutLine(text=text, x0=x, y0=y, x1=x + 5.0 * len(text), y1=y + 10, font_size_pt=10)


def row_of(y: float, *, edges: tuple[float, ...] = EDGES) -> list[Ruling]:
    return [Ruling(x0=x0, y0=y, x1=x1, y1=y) for x0, x1 in pairwise(edges)]


def markdown(lines: list[LayoutLine], rulings: list[Ruling]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842, rulings=rulings)


ROWS = (100.0, 160.0, 220.0, 280.0)
LINES = [
    *(line(text, 100, 105 + 12 * n) for n, text in enumerate(["Government", "Management", "Reform Act of", "1994"])),
    line("GMRA", 220, 123),
    *(
        line(text, 275, 110 + 12 * n)
        for n, text in enumerate(["It requires the independent audit", "of financial statements", "by agencies."])
    ),
    *(line(text, 100, 170 + 12 * n) for n, text in enumerate(["Circular", "A-136"])),
    line("A-136", 220, 183),
    *(
        line(text, 275, 165 + 12 * n)
        for n, text in enumerate(["Guidance for reports, given once", "a year, for all agencies", "of the government."])
    ),
]
NOTE = line("A note that reaches over all of the columns of the table above it.", 100, 240)


def test_lines_of_one_cell_stay_in_it_although_no_upright_border_is_drawn() -> None:
    text = markdown(LINES, [ruling for y in ROWS[:3] for ruling in row_of(y)])
    assert "| Government Management Reform Act of 1994 | GMRA | It requires the independent audit of financial statements" in text
    assert "| Circular A-136 | A-136 | Guidance for reports" in text


def test_a_line_over_all_columns_below_the_table_is_text() -> None:
    text = markdown([*LINES, NOTE], [ruling for y in ROWS for ruling in row_of(y)])
    assert text.endswith(f"\n\n{NOTE.text}")


def test_rulings_in_one_piece_or_with_other_ends_have_no_columns() -> None:
    pieces = [(96.0, 500.0), (96.0, 150.0, 500.0), (96.0, 300.0, 500.0)]
    assert "| Circular A-136 |" not in markdown(
        LINES, [ruling for y, edges in zip(ROWS, pieces, strict=False) for ruling in row_of(y, edges=edges)]
    )


def test_dashes_are_no_cells() -> None:
    dashes = tuple(96.0 + 10 * n for n in range(41))
    assert "|" not in markdown(
        [NOTE, line("Another line of text.", 100, 120)], [ruling for y in ROWS for ruling in row_of(y, edges=dashes)]
    )


def test_text_of_two_cells_in_one_line_is_divided_at_the_blank() -> None:
    lines = [*LINES, line("Order of the board and A-140", 100, 240), line("Minutes", 275, 240)]
    text = markdown(lines, [ruling for y in ROWS for ruling in row_of(y)])
    assert "| Order of the board and | A-140 | Minutes |" in text


def test_the_head_and_the_last_row_may_have_no_ruling_beyond_them() -> None:
    rows = [(f"06/{n:02}", f"{1240 + n}", f"Check for {n} crowns") for n in range(1, 6)]
    lines = [line(text, x, 82) for text, x in zip(("Date", "Check", "Description"), (100, 220, 275), strict=True)]
    lines += [line(text, x, 105 + 20 * n) for n, row in enumerate(rows) for text, x in zip(row, (100, 220, 275), strict=True)]
    text = markdown(
        [*lines, line("A line of text below the table that is no row of it.", 100, 225)],
        [r for n in range(5) for r in row_of(100 + 20 * n)],
    )
    assert text.startswith("| Date | Check | Description |")
    assert "| 06/05 | 1245 | Check for 5 crowns |\n\nA line of text below" in text
