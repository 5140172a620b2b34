from __future__ import annotations

from dataclasses import replace

from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from rayocr.engines.layout.tables.alignment import take_aligned_tables
from tests.unit.counted_steps import steps_of
from tests.unit.engines.layout.pages import column, line

X = (60.0, 90.0, 220.0, 440.0)


def markdown(lines: list[LayoutLine], rulings: list[Ruling] | None = None) -> str:
    return layout_markdown(lines, page_width=595, page_height=842, rulings=rulings or [])


def rows_of_cells(rows: list[list[list[str]]], *, gap: float) -> list[LayoutLine]:
    """Sets rows of cells, each with its lines, at the columns of X; `gap` is the white space between rows."""
    lines: list[LayoutLine] = []
    y = 100.0
    for cells in rows:
        for x, texts in zip(X, cells, strict=False):
            lines += column(texts, x, y)
        y += 14.0 * max(map(len, cells)) + gap
    return lines


def test_cells_of_several_lines_without_rulings_stay_whole() -> None:
    rows = [
        [["No."], ["Subject"], ["Decision"], ["By"]],
        [["1"], ["Harbour"], ["The committee met on Tuesday to", "discuss the repair of the wall."], ["A. Hall"]],
        [["2"], ["Bees and", "honey"], ["Her grandmother kept bees behind the", "orchard and sold the honey."], ["B. Reed"]],
        [["3"], ["Ferry"], ["Old maps show a ferry at this place."], []],
    ]
    text = markdown(rows_of_cells(rows, gap=9))
    assert "| 1 | Harbour | The committee met on Tuesday to discuss the repair of the wall. | A. Hall |" in text
    assert "| 2 | Bees and honey | Her grandmother kept bees behind the orchard and sold the honey. | B. Reed |" in text


def test_rulings_between_rows_tell_which_lines_are_one_row() -> None:
    rows = [
        [["a1"], ["one"], ["The first cell has a", "second line"]],
        [["a2"], ["two"], ["The second cell has a", "second line"]],
        [["a3"], ["three"], ["The third cell has a", "second line"]],
    ]
    lines = rows_of_cells(rows, gap=0)
    rulings = [Ruling(x0=58, y0=y, x1=420, y1=y) for y in (98, 126, 154, 182)]
    assert "| a2 | two | The second cell has a second line |" in markdown(lines, rulings)


def test_two_heads_that_were_read_as_one_line_are_divided() -> None:
    lines = [line("No. Subject", 60, 100), line("Amount", 260, 100)]
    for number, good in enumerate(["Rye bread", "Lamp oil", "Copper wire", "Oak planks"]):
        y = 120 + 16 * number
        lines += [line(str(number + 1), 60, y), line(good, 84, y), line(f"{number}.50", 260, y)]
    text = markdown(lines)
    assert "| No. | Subject | Amount |" in text
    assert "| 2 | Lamp oil | 1.50 |" in text


def test_columns_of_prose_are_not_a_table() -> None:
    left = [f"{word} words of running text" for word in ("some", "more", "other", "and", "few", "then", "last")]
    right = [f"{word} lines of another text" for word in ("with", "from", "that", "under", "over", "into", "near")]
    third = [f"{word} ends of a third text" for word in ("the", "its", "our", "all", "two", "six", "ten")]
    text = markdown(column(left, 60, 100, width=150) + column(right, 230, 100, width=150) + column(third, 400, 100, width=150))
    assert "|" not in text
    assert text.index("last words") < text.index("with lines") < text.index("near lines") < text.index("the ends")


def test_amounts_below_each_other_are_rows_of_their_own() -> None:
    lines: list[LayoutLine] = []
    for number, (good, amount) in enumerate([("Bread", "2.50"), ("Oil", "4.00"), ("Wire", "9.75")]):
        lines += [line(good, 60, 100 + 24 * number), line("1", 200, 100 + 24 * number), line(amount, 300, 100 + 24 * number)]
    for number, (label, amount) in enumerate([("Subtotal", "16.25"), ("Tax", "1.30"), ("Total", "17.55")]):
        lines += [line(label, 190, 176 + 13 * number), line(amount, 300, 176 + 13 * number)]
    text = markdown(lines)
    assert "Subtotal | 16.25" in text and "Tax | 1.30" in text and "Total | 17.55" in text


def test_a_table_in_one_column_of_the_page_does_not_take_the_text_beside_it() -> None:
    prose = [
        f"{word} line of the text in the other column" for word in ("a", "first", "one", "this", "that", "each", "any", "no")
    ]
    text = column(prose, 320, 100, width=210)
    cells: list[LayoutLine] = []
    for number, name in enumerate(("Rita", "Wilma", "Katrina", "Ophelia")):
        y = 114 + 14 * number
        cells += [line(name, 60, y), line(f"{number}0", 160, y), line(f"{number}.5", 230, y)]
    read = markdown(text + cells)
    positions = [read.index(f"{word} line of the text") for word in ("a", "first", "one", "this", "that", "each", "any", "no")]
    between = read[positions[0] : positions[-1]]
    assert positions == sorted(positions)
    assert "Wilma" not in between


def test_amounts_below_the_last_ruling_are_rows_of_their_own_too() -> None:
    lines: list[LayoutLine] = []
    for number, good in enumerate(["Bread", "Oil", "Wire", "Planks"]):
        y = 100 + 24 * number
        lines += [line(good, 60, y), line(f"{number}0", 200, y), line(f"{number}.50", 300, y)]
    for number, label in enumerate(["Subtotal", "Tax", "Total"]):
        lines += [line(label, 190, 198 + 13 * number), line(f"{number}1.25", 300, 198 + 13 * number)]
    rulings = [Ruling(x0=58, y0=y, x1=330, y1=y) for y in (117, 141, 165, 191)]
    text = markdown(lines, rulings)
    assert "Subtotal | 01.25" in text and "Tax | 11.25" in text and "Total | 21.25" in text


def test_tables_in_two_columns_of_the_page_are_two_tables() -> None:
    prose = [f"{word} of running text that goes on" for word in ("some", "more", "other", "and", "few", "then", "last", "lines")]
    lines: list[LayoutLine] = []
    for x, name in ((60, "left"), (320, "right")):
        lines += column([f"{text} {name}" for text in prose], x, 100, width=220)
        for row in range(4):
            y = 230 + 14 * row
            lines += [line(f"{name}{row}", x, y), line(f"{row}7", x + 110, y), line(f"{row}.5", x + 180, y)]
        lines += column([f"{text} below {name}" for text in prose], x, 300, width=220)
    text = markdown(lines)
    assert "| left0 | 07 | 0.5 |" in text and "| right0 | 07 | 0.5 |" in text
    assert text.index("left3") < text.index("lines of running text that goes on below left") < text.index("right0")


def test_the_head_of_a_group_of_rows_is_a_row_of_its_own() -> None:
    rows = [("Income", ""), ("Sales", "93,504"), ("Rents received", "56,738"), ("Total income", "150,242")]
    rows += [("Expenses", ""), ("Wages", "47,930"), ("Total expenses", "47,930")]
    lines: list[LayoutLine] = []
    for number, (text, amount) in enumerate(rows):
        y = 100 + 14 * number + 6 * (number > 0) + 6 * (number > 4)
        lines += [line(text, 60, y), *([line(amount, 300, y), line(amount, 400, y)] if amount else [])]
    text = markdown(lines)
    assert "| Expenses |  |  |" in text and "| Total income | 150,242 | 150,242 |" in text


def test_addresses_above_a_table_are_not_part_of_it() -> None:
    lines = column(["Bill to", "Anna Whitfield", "90 Old Market", "Ashford 72897"], 60, 100)
    lines += column(["Ship to", "Boris Lindqvist", "Harbour & Sons", "Kingsbury 97526"], 250, 100)
    for number in range(6):
        y = 176 + 20 * number
        cells = ("Pos", "Article", "Qty", "Price", "Amount") if not number else (f"{number}", "Lamp oil", "3", "2.10", "6.30")
        lines += [line(text, x, y) for text, x in zip(cells, (60, 100, 250, 330, 420), strict=True)]
    text = markdown(lines)
    assert "| Pos | Article | Qty | Price | Amount |" in text and "| 5 | Lamp oil | 3 | 2.10 | 6.30 |" in text
    assert text.index("Ashford") < text.index("Ship to")


def test_a_sidebar_beside_text_is_not_a_table() -> None:
    lines: list[LayoutLine] = []
    for number, name in enumerate(("Contact", "Languages", "Skills", "Hobbies")):
        y = 100 + 40 * number
        lines += [
            line(name, 60, y + 4),
            *column([f"Part {number} of the text, that runs", "on with small letters below it."], 200, y),
        ]
    assert "|" not in markdown(lines)


def test_a_note_below_the_first_column_does_not_take_that_column_out_of_the_table() -> None:
    lines: list[LayoutLine] = []
    for number in range(8):
        y = 100 + 16 * number
        lines += [line(f"Northampton, Bishop Walk {number}", 60, y), line(f"5:1{number}", 300, y), line(f"6:2{number}", 400, y)]
    text = markdown([*lines, line("And there was the former note.", 60, 232)])
    assert "| Northampton, Bishop Walk 7 | 5:17 | 6:27 |" in text


def test_lists_beside_a_sidebar_are_not_a_table() -> None:
    lines: list[LayoutLine] = []
    for number, name in enumerate(("Contact", "Grantham", "Languages", "English", "French", "Skills")):
        y = 100 + 15 * number
        lines += [line(name, 60, y), line(f"• Entry {number} of a list beside it", 180, y)]
        lines += [line("2003", 480, y)] if number % 2 else []
    assert "|" not in markdown(lines)


def test_a_receipt_with_twice_as_many_rows_takes_at_most_four_times_as_long() -> None:
    """Items and prices are not a table, so the search begins again below the first row, the second, and so on. 1,100 rows took
    a minute."""

    def steps(rows: int) -> int:
        lines = [line(text, x, row * 20.0) for row in range(rows) for text, x in ((f"item no. {row}", 40), ("4.20", 250))]
        return steps_of(lambda: take_aligned_tables(lines, [], 11.0), at_most=40_000_000)

    assert steps(120) < 4 * steps(60)  # 3.9 times; 5.5 times when each row was tried


def test_totals_below_numbered_items_are_rows_of_the_table() -> None:
    rows = [["1", "Widget", "10", "112.50"], ["2", "Return", "-2", "-30.00"], ["3", "Credit", "1", "(25.00)"]]
    lines = [line(text, x, 100 + 16.0 * n) for n, row in enumerate(rows) for x, text in zip(X, row, strict=True)]
    totals = [("Subtotal", "57.50"), ("Discount", "-1.15"), ("VAT 19 %", "10.71"), ("Total", "67.06")]
    for n, (label, amount) in enumerate(totals, len(rows)):
        lines += [line(label, X[1], 100 + 16.0 * n), line(amount, X[3], 100 + 16.0 * n)]
    text = markdown(lines)
    assert "| 2 | Return | -2 | -30.00 |" in text
    assert "|  | Discount |  | -1.15 |" in text


def test_heads_over_several_columns_and_a_bar_in_a_cell_belong_to_the_timetable() -> None:
    places = (60.0, 160.0, 220.0, 280.0, 340.0, 400.0, 460.0)
    rows = [
        ["Stop", "Mon-Fri", "", "", "", "Sat", ""],
        ["Station", "5.12", "5.42", "6.12", "...", "6.42", "7.42"],
        ["Market", "5.17", "5.47", "6.17", "", "6.47", "7.47"],
        ["Museum", "5.21", "5.53", "6.23", "", "|", "7.53"],
        ["Harbour", "5.33", "6.03", "6.33", "", "7.03", "8.03"],
    ]
    lines = [
        replace(line(text, x, 100 + 20.0 * n), x1=x + (2.0 if text == "|" else 5.0 * len(text)))
        for n, row in enumerate(rows)
        for x, text in zip(places, row, strict=True)
        if text
    ]
    text = markdown(lines)
    assert "| Stop | Mon-Fri |  |  |  | Sat |  |\n| --- |" in text
    assert "| Museum | 5.21 | 5.53 | 6.23 |  | \\| | 7.53 |" in text


def test_the_work_grows_with_the_number_of_rulings_and_not_with_its_square() -> None:
    lines = [line(text, x, row * 20.0) for row in range(5) for text, x in ((f"item no. {row}", 40), ("4.20", 250))]

    def steps(count: int) -> int:
        rulings = [Ruling(x0=40, x1=60, y0=0.01 * n, y1=0.01 * n) for n in range(count)]
        return steps_of(lambda: take_aligned_tables(lines, rulings, 11.0), at_most=40_000_000)

    assert steps(2_000) < 3 * steps(1_000)


def test_rows_with_white_space_between_them_are_not_lines_of_one_cell() -> None:
    rows = [
        ("Date of birth", "21 September 2006", "Account number", "47929272"),
        ("Address", "95 Victoria Terrace North", "Annual income", "75,722.35"),
        ("Nationality", "Canadian", "Bank", "Harbour Savings"),
        ("First name", "Teresa", "Policy number", "PN-99508"),
        ("E-mail", "david@brookfield.example", "Registration", "KX65 LMN"),
        ("Employer", "Eastbridge Trading Ltd", "Occupation", "Clerk"),
    ]
    lines = [
        line(text, (60, 140, 300, 400)[n], 100 + 17 * number, height=10)
        for number, row in enumerate(rows)
        for n, text in enumerate(row)
    ]
    text = layout_markdown(lines, page_width=595, page_height=842)
    assert "| Nationality | Canadian | Bank | Harbour Savings |" in text
    assert "| Employer | Eastbridge Trading Ltd | Occupation | Clerk |" in text


def test_a_head_wider_than_the_numbers_below_it_does_not_join_the_columns() -> None:
    lines = [
        line("No.", 60, 100),
        LayoutLine(text="Subject", x0=77, x1=112, y0=100, y1=111),
        line("Decision", 220, 100),
        line("By", 400, 100),
    ]
    for n, name in enumerate(("Boiler", "Garden", "Chimney", "Gutters", "Gate")):
        y = 120 + 20 * n
        lines += [line(str(n + 1), 60, y), line(name, 84, y), line("The council has agreed", 220, y), line("Ogilvie", 400, y)]
    text = markdown(lines)
    assert "| No. | Subject | Decision | By |" in text
    assert "| 3 | Chimney | The council has agreed | Ogilvie |" in text


def test_columns_of_times_that_are_as_close_as_words_are_columns() -> None:
    heads = [line(text, x, 100) for text, x in (("Train", 60), ("RE 54", 141), ("RE 39", 168), ("S 42", 200), ("IC 20", 222))]
    times = [line(f"1{n}:2{n}", x, 100 + 14 * n) for n in range(1, 6) for x in (141, 168, 195, 222)]
    towns = [line(town, 60, 100 + 14 * n) for n, town in enumerate(("Dunbar", "Ilkley", "Hexham", "Kendal", "Frome"), start=1)]
    text = layout_markdown([*heads, *times, *towns], page_width=595, page_height=842)
    assert text.splitlines()[2] == "| Dunbar | 11:21 | 11:21 | 11:21 | 11:21 |"
