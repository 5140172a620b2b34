from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from rayocr.engines.layout.tables.grid import Grid, grids_of
from rayocr.engines.layout.tables.recognition import take_ruled_tables
from tests.unit.engines.layout.pages import line

XS = [60.0, 160.0, 300.0, 400.0]


def markdown(lines: list[LayoutLine], rulings: list[Ruling]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842, rulings=rulings)


def grid(xs: list[float], ys: list[float]) -> list[Ruling]:
    across = [Ruling(x0=xs[0], y0=y, x1=xs[-1], y1=y) for y in ys]
    return across + [Ruling(x0=x, y0=ys[0], x1=x, y1=ys[-1]) for x in xs]


def cells(rows: list[list[str]], *, top: float = 100, height: float = 20) -> list[LayoutLine]:
    return [
        line(text, XS[column] + 5, top + height * row + 4)
        for row, texts in enumerate(rows)
        for column, text in enumerate(texts)
        if text
    ]


def ys(rows: int) -> list[float]:
    return [100.0 + 20 * row for row in range(rows + 1)]


def test_a_ruled_table_becomes_a_markdown_table() -> None:
    rows = [["No.", "Item", "Price"], ["1", "Cement", "12.00"], ["2", "Sand", "0.00"]]
    text = markdown(cells(rows), grid(XS, ys(3)))
    assert text == "| No. | Item | Price |\n| --- | --- | --- |\n| 1 | Cement | 12.00 |\n| 2 | Sand | 0.00 |"


def test_a_table_without_one_outer_border_is_a_table() -> None:
    rows = [["1. Name", "2. Born in", "3. Street"], ["4. Town", "5. Code", "6. Phone"]]
    rulings = [ruling for ruling in grid(XS, ys(2)) if ruling.is_horizontal or ruling.x0 != XS[0]]
    assert markdown(cells(rows), rulings).startswith("| 1. Name | 2. Born in | 3. Street |\n")


def test_a_table_without_both_outer_borders_needs_more_rows() -> None:
    def grid_of(rows: int) -> list[Grid]:
        return grids_of([ruling for ruling in grid(XS, ys(rows)) if ruling.is_horizontal or ruling.x0 in XS[1:-1]])

    assert [found.xs for found in grid_of(3)] == [XS]
    assert grid_of(2) == []


def test_an_open_grid_around_several_lines_is_not_a_table() -> None:
    rulings = [Ruling(x0=60, y0=y, x1=400, y1=y) for y in (100.0, 170.0, 240.0, 310.0)]
    rulings.append(Ruling(x0=160, y0=100, x1=160, y1=310))
    lines = [
        line(text, x, 104 + 14 * row)
        for row in range(14)
        for text, x in (("Region and year", 65), ("amount in tons of this year", 165))
    ]
    assert len(grids_of(rulings)) == 1
    assert take_ruled_tables(lines, grids_of(rulings))[0] == []


def test_an_open_table_without_rulings_between_its_rows_is_a_table() -> None:
    rulings = [Ruling(x0=60, y0=y, x1=400, y1=y) for y in (100.0, 120.0, 220.0)]
    rulings += [Ruling(x0=x, y0=100, x1=x, y1=220) for x in (*XS[1:-1], 350.0)]
    rows = [["Item", "Hours", "Amount"], *(["Travel", f"{n}.00", f"{n},120.50"] for n in range(1, 6))]
    (table,), _ = take_ruled_tables(cells(rows), grids_of(rulings))
    assert table.cells(frozenset()) == rows


def broken_rulings(places: list[float]) -> list[Ruling]:
    rulings = [Ruling(x0=x, y0=places[0], x1=x, y1=places[-1]) for x in (160.0, 230.0, 300.0)]
    for n, y in enumerate(places):
        gap = 210.0 if n % 2 else 280.0
        rulings += [Ruling(x0=60, y0=y, x1=gap, y1=y), Ruling(x0=gap + 12, y0=y, x1=400, y1=y)]
    return rulings


def test_broken_rulings_show_outer_borders_that_a_scan_lacks() -> None:
    (found,) = grids_of(broken_rulings(ys(3)))
    assert found.xs == [60, 160, 230, 300, 400]


def test_a_table_with_a_high_head_keeps_the_borders_that_are_drawn_if_it_needs_no_others() -> None:
    head = [line(text, 165, 104 + 14 * n) for n, text in enumerate(("Basis for", "depreciation", "(business", "use only)"))]
    below = [
        line(text, x, 164 + 20 * n) for n, texts in enumerate(("ab", "cd")) for text, x in zip(texts, (165, 235), strict=True)
    ]
    (table,), rest = take_ruled_tables([*head, line("Period", 235, 104), *below], grids_of(broken_rulings([100, 160, 180, 200])))
    assert rest == []
    assert table.cells(frozenset()) == [["Basis for depreciation (business use only)", "Period"], ["a", "b"], ["c", "d"]]


def test_lines_within_a_cell_are_joined_and_pipes_escaped() -> None:
    lines = [*cells([["a", "", "c|d"], ["e", "f", "g"]]), line("two", 165, 101), line("lines", 165, 110)]
    assert "| a | two lines | c\\|d |" in markdown(lines, grid(XS, ys(2)))


def test_a_frame_with_several_fields_above_a_table_is_not_part_of_it() -> None:
    rulings = [ruling for ruling in grid(XS, ys(6)) if ruling.is_horizontal or ruling.x0 in (XS[0], XS[-1])]
    rulings += [Ruling(x0=x, y0=140, x1=x, y1=200) for x in XS[1:-1]]  # the frame has two fields above the table, one below it
    (found,) = grids_of(rulings)
    assert (found.ys, found.rows, found.columns) == (ys(6)[2:], 4, 3)
    assert len({found.root[1, column] for column in range(3)}) == 3
    assert len({found.root[3, column] for column in range(3)}) == 1


def test_a_cell_over_several_columns_keeps_its_text_once() -> None:
    rulings = [r for r in grid(XS, ys(3)) if r.is_horizontal or r.x0 not in (160.0, 300.0)]
    rulings += [Ruling(x0=x, y0=120, x1=x, y1=160) for x in (160.0, 300.0)]  # the first row is one cell
    lines = [line("A caption over all of the columns", 80, 104), *cells([["a", "b", "c"], ["d", "e", "f"]], top=120)]
    text = markdown(lines, rulings)
    assert text.count("A caption over all of the columns") == 1
    assert "| a | b | c |" in text


def merged_row(*texts: LayoutLine) -> str:
    """Reads the second row of a table of measured values, whose three last cells have no borders between them."""
    xs = [60.0, 160.0, 240.0, 320.0, 400.0]
    rows = [["Value", "MIN", "NOM", "MAX"], ["Supply"], ["Load", "1", "2", "3"]]
    lines = [line(text, xs[n] + 5, 104 + 20 * row) for row, names in enumerate(rows) for n, text in enumerate(names)]
    borders = [Ruling(x0=x, y0=y, x1=x, y1=y + 20) for x in xs for y in (100, 120, 140) if y != 120 or x not in xs[2:4]]
    across = [Ruling(x0=60, y0=y, x1=400, y1=y) for y in ys(3)]
    return markdown([*lines, *texts], across + borders).splitlines()[2]


def test_a_number_in_a_merged_cell_is_in_the_column_where_it_is_printed() -> None:
    assert merged_row(line("18", 340, 124)) == "| Supply |  |  | 18 |"
    assert merged_row(line("0", 165, 124), line("-70.5", 340, 124)) == "| Supply | 0 |  | -70.5 |"


def test_a_word_or_a_centered_number_in_a_merged_cell_is_in_its_first_column() -> None:
    assert merged_row(line("none", 340, 124)) == "| Supply | none |  |  |"
    assert merged_row(line("18", 275, 124)) == "| Supply | 18 |  |  |"


def test_two_cells_read_as_one_line_are_parted_at_the_border() -> None:
    merged = LayoutLine(text="cement 53 grade", x0=105, y0=124, x1=265, y1=135)
    lines = [*cells([["a", "b", "c"]]), merged, line("9", 305, 124), *cells([["d", "e", "f"]], top=140)]
    assert "| cement | 53 grade | 9 |" in markdown(lines, grid(XS, ys(3)))


def test_text_around_a_table_stays_around_it() -> None:
    above, below = line("Text above the table.", 60, 60), line("Text below the table.", 60, 180)
    text = markdown([below, *cells([["a", "b", "c"], ["d", "e", "f"]]), above], grid(XS, ys(2)))
    assert text.index("above") < text.index("| a |") < text.index("below")


def test_a_frame_around_text_is_not_a_table() -> None:
    frame = grid([50.0, 540.0], [90.0, 300.0])
    text = markdown([line("Only framed.", 60, 100), line("Still text.", 60, 200)], frame)
    assert "|" not in text


def test_rows_of_short_aligned_segments_are_a_table_without_rulings() -> None:
    rows = [["Item", "Unit", "Rate"], ["Cement", "bag", "350"], ["Sand", "m3", "900"], ["Steel", "kg", "62"]]
    text = markdown(cells(rows), [])
    assert "| Cement | bag | 350 |" in text


def test_labels_and_values_are_not_a_table() -> None:
    rows = [["Name:", "Anita"], ["City:", "Pune"], ["PIN:", "411001"], ["State:", "MH"]]
    assert "|" not in markdown(cells(rows), [])


table_words = st.text(alphabet="abcdefg", min_size=0, max_size=6)


@settings(deadline=None)
@given(st.lists(st.lists(table_words, min_size=3, max_size=3), min_size=1, max_size=6), st.booleans())
def test_no_letter_of_a_table_is_lost_or_read_twice(rows: list[list[str]], ruled: bool) -> None:
    text = markdown(cells(rows), grid(XS, ys(len(rows))) if ruled else [])
    letters = sorted(char for char in text if char.isalpha())
    assert letters == sorted("".join("".join(row) for row in rows))


coordinates = st.integers(0, 500)


@settings(deadline=None)
@given(
    st.lists(st.tuples(coordinates, coordinates, coordinates, st.booleans()), max_size=30),
    st.lists(st.tuples(table_words, coordinates, coordinates, st.integers(5, 200)), max_size=20),
)
def test_random_rulings_lose_no_letter(strokes: list[tuple[int, int, int, bool]], texts: list[tuple[str, int, int, int]]) -> None:
    rulings = [
        Ruling(x0=a, y0=b, x1=a + c, y1=b) if across else Ruling(x0=a, y0=b, x1=a, y1=b + c) for a, b, c, across in strokes
    ]
    lines = [LayoutLine(text=f"{text} {text}", x0=x, y0=y, x1=x + width, y1=y + 11) for text, x, y, width in texts]
    letters = sorted(char for char in markdown(lines, rulings) if char.isalpha())
    assert letters == sorted("".join(text + text for text, *_ in texts))


def test_heads_that_run_up_the_page_are_in_their_cells() -> None:
    heads = [
        LayoutLine(text=text, x0=x, y0=104, x1=x + 10, y1=150) for text, x in (("Quantity", 70), ("in bags", 82), ("Item", 200))
    ]
    rows = [["12", "Cement"], ["15", "Sand"]]
    text = markdown([*heads, *cells(rows, top=160)], grid(XS[:3], [100, 160, 180, 200]))
    assert text == "| Quantity in bags | Item |\n| --- | --- |\n| 12 | Cement |\n| 15 | Sand |"


def test_graph_paper_is_not_a_table() -> None:
    ends = [4.0 * n for n in range(900)]
    assert grids_of(grid(ends, ends)) == []


def test_a_table_with_rulings_above_and_below_it_has_the_columns_outside_its_upright_rulings() -> None:
    rows = [
        ["Dataset", "Base Model", "Large Model", "Notes"],
        ["PubLayNet", "F / M", "M", "Layouts of modern scientific documents"],
        ["PRImA", "M", "-", "Layouts of scanned modern magazines and reports"],
        ["Newspaper", "F", "-", "Layouts of scanned newspapers from the US"],
        ["TableBank", "F", "F", "Regions of tables on scientific documents"],
        ["HJDataset", "F / M", "-", "Layouts of Japanese documents"],
    ]
    lines = [
        line(text, x, 100 + 12 * row, height=9)
        for row, texts in enumerate(rows)
        for text, x in zip(texts, (60, 115, 167, 226), strict=True)
    ]
    rulings = [Ruling(x0=56, y0=y, x1=460, y1=y) for y in (98.0, 110.5, 171.0)]
    rulings += [Ruling(x0=x, y0=98, x1=x, y1=171) for x in (111.0, 163.0, 222.0)]
    text = markdown(lines, rulings)
    assert text.splitlines() == [
        "| " + " | ".join(rows[0]) + " |",
        "| --- | --- | --- | --- |",
        *("| " + " | ".join(row) + " |" for row in rows[1:]),
    ]
