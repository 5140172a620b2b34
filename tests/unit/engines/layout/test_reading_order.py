from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.lines import Ruling
from rayocr.engines.layout.order.runs import Run, without_head
from tests.unit.counted_steps import steps_of
from tests.unit.engines.layout.pages import LEADING_PT, column, line

LEFT = [f"left {number} column text that runs on and on" for number in range(10)]
RIGHT = [f"right {number} column text that runs on and on" for number in range(10)]


def markdown(lines: list[LayoutLine]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


def in_order(text: str, *parts: str) -> bool:
    positions = [text.index(part) for part in parts]
    return positions == sorted(positions)


def test_two_columns_are_not_read_across() -> None:
    text = markdown(column(LEFT, 60, 100, width=215) + column(RIGHT, 300, 100, width=215))
    assert in_order(text, "left 0", "left 9", "right 0", "right 9")


def test_columns_on_common_baselines_stay_columns_when_boxes_jitter() -> None:
    lines = column(LEFT, 60, 100, width=215) + column(RIGHT, 300, 100, width=215)
    shaken = [
        LayoutLine(text=it.text, x0=it.x0 + n % 3 - 1, y0=it.y0 + n % 2, x1=it.x1 + n % 4 - 2, y1=it.y1 + n % 3)
        for n, it in enumerate(lines)
    ]
    assert in_order(markdown(shaken), "left 0", "left 9", "right 0", "right 9")


def test_one_overlong_line_does_not_cut_a_column_in_two() -> None:
    lines = column(LEFT, 60, 100, width=215) + column(RIGHT, 300, 100, width=215)
    lines[4] = LayoutLine(text=lines[4].text, x0=60, y0=lines[4].y0, x1=282, y1=lines[4].y1)
    assert in_order(markdown(lines), "left 0", "left 9", "right 0", "right 9")


def test_a_heading_across_the_page_parts_the_columns_above_from_those_below() -> None:
    above = column(LEFT, 60, 100, width=215) + column(RIGHT, 300, 100, width=215)
    below = column([f"lower {text}" for text in LEFT], 60, 300, width=215)
    below += column([f"lower {text}" for text in RIGHT], 300, 300, width=215)
    middle = line("A Heading That Reaches Over Both of the Columns", 60, 262, height=17)
    text = markdown([*above, middle, *below])
    assert in_order(text, "left 9", "right 0", "right 9", "A Heading", "lower left 0", "lower right 0", "lower right 9")


def test_three_columns_and_a_full_width_title() -> None:
    narrow = ["some words of running text", "that fill the whole column", "and go on to the next line"] * 4
    lines = [line("A Title Over All Three Columns of the Page", 60, 60, height=22)]
    for number, x in enumerate((60, 230, 400)):
        lines += column([f"c{number}r{row:02} {text}" for row, text in enumerate(narrow)], x, 110, width=155)
    assert in_order(markdown(lines), "A Title", "c0r00", "c0r11", "c1r00", "c1r11", "c2r00", "c2r11")


def test_a_sidebar_beside_the_text_is_read_on_its_own() -> None:
    wide = [f"main {number} text of the article that is much wider than the sidebar" for number in range(10)]
    side = [f"side {number} a narrow note" for number in range(6)]
    text = markdown(column(side, 60, 103, width=110) + column(wide, 200, 100, width=330))
    assert in_order(text, "side 0", "side 5", "main 0", "main 9")


def test_running_header_comes_first_and_page_number_last() -> None:
    body = column(LEFT, 60, 100, width=215) + column(RIGHT, 300, 100, width=215)
    header = [line("Journal of Things", 60, 40), line("Vol. 12", 480, 40)]
    footer = [line("publisher", 60, 800), line("17", 500, 800)]
    text = markdown([*footer, *body, *header])
    assert in_order(text, "Journal of Things Vol. 12", "left 0", "right 9", "publisher", "17")


def test_labels_and_values_of_a_form_stay_on_one_line() -> None:
    fields = [("Name:", "Anita Deshpande"), ("Address:", "14 Station Road"), ("City:", "Pune"), ("PIN:", "411001")]
    lines: list[LayoutLine] = []
    for number, (label, value) in enumerate(fields):
        lines += [line(label, 60, 100 + 24 * number), line(value, 200, 100 + 24 * number)]
    text = markdown(lines)
    for label, value in fields:
        assert f"{label} {value}" in text


def test_rows_of_a_wide_form_are_read_across_although_their_boxes_are_not_level() -> None:
    rows = [("Surname: Carvalho", "First name: Yusuf"), ("Date of birth: 11 August 2015", "Telephone: 0236 238138")]
    rows += [("Street and number: 51 Willow Lane", "Post code: WH5 4AB"), ("Reference: A-6212/17", "Amount paid: £ 5,967.44")]
    lines = [line("Application for a Place in the Archive", 167, 60)]
    for number, (left, right) in enumerate(rows):
        lines += [line(left, 69, 126 + 30 * number), line(right, 302, 126 + 30 * number + number % 3 * 2)]
    text = markdown(lines)
    assert in_order(text, *(part for row in rows for part in row))


def test_the_address_of_a_letter_is_not_a_column_beside_its_letterhead_and_date() -> None:
    head = line("14 Quay Street, Whitcombe WH2 7AB", 200, 74)
    address = column(["Tobias Lindqvist", "23 Mill Road", "Eastbridge EB4 1QX"], 64, 100)
    date = line("21 August 2005", 440, 150)
    body = column([f"line {number} of a letter that reaches from one margin to the other one" for number in range(6)], 64, 190)
    text = markdown([head, *address, date, *body])
    assert in_order(text, "14 Quay Street", "Tobias", "Eastbridge", "21 August", "line 0", "line 5")


def test_the_body_of_a_letter_is_read_after_the_sender_beside_its_address() -> None:
    address = column(["Vorname Nachname", "Strasse Nr", "PLZ Ort"], 71, 175)
    sender = column(["Bern University", "Institute of Examples", "Max Mustermann", "Phone 41 00 000", "November 15"], 394, 150)
    body = [line(text, 71, 290 + 26 * n) for n, text in enumerate(["Our order of March", "Dear Sir", "Letter contents", "Yours"])]
    assert in_order(markdown([*address, *sender, *body]), "Vorname", "Bern", "November", "Our order", "Dear Sir", "Yours")


def test_ragged_columns_of_long_lines_on_common_baselines_are_not_read_across() -> None:
    left = [f"L{number} justified text of the column on the left" for number in range(10)]
    right = [f"R{number} " + "a reference of varying length and more of it"[: 30 + 7 * number % 13] for number in range(10)]
    text = markdown(column(left, 50, 100, width=240) + column(right, 310, 100))
    assert in_order(text, "L0", "L9", "R0", "R9")


def test_a_line_that_reaches_into_the_gutter_does_not_cut_the_columns_above_from_those_below() -> None:
    lines = column(LEFT, 60, 100, width=215) + column(RIGHT, 285, 100, width=215)
    lines[4] = LayoutLine(text=lines[4].text, x0=60, y0=lines[4].y0, x1=283, y1=lines[4].y1)
    assert in_order(markdown(lines), "left 0", "left 9", "right 0", "right 9")


def test_a_short_heading_with_white_space_around_it_separates_the_columns_above_from_those_below() -> None:
    above = column(LEFT, 60, 100, width=215) + column(RIGHT, 300, 100, width=215)
    below = column([f"lower {text}" for text in LEFT], 60, 290, width=215)
    below += column([f"lower {text}" for text in RIGHT], 300, 290, width=215)
    text = markdown([*above, line("Results", 60, 258), *below])
    assert in_order(text, "left 9", "right 9", "Results", "lower left 0", "lower left 9", "lower right 0")


def test_a_centered_heading_between_three_columns_above_and_below_separates_them() -> None:
    words = [f"{name} words that run on" for name in ("some", "more", "few", "ten", "two", "six", "all", "last")]
    lines: list[LayoutLine] = []
    for part, y in (("upper", 100), ("lower", 290)):
        for number, x in enumerate((60, 230, 400)):
            lines += column([f"{part}{number} {text} to the edge" for text in words], x, y, width=155)
    text = markdown([*lines, line("Discussion", 270, 249)])
    assert in_order(text, "upper0 last", "upper1 last", "upper2 last", "Discussion", "lower0 some", "lower1 some", "lower2 last")


def test_an_address_is_read_before_the_labels_beside_it() -> None:
    address = column(["Bill to", "Daniel Kowalski", "57 Mill Road", "Eastbridge"], 60, 100)
    data = ["Invoice number: INV-6820", "Invoice date: 10 August", "Due date: 10 May", "Customer: C196"]
    body = column([f"line {number} of a text that reaches from one margin to the other one" for number in range(5)], 60, 200)
    text = markdown([*address, *column(data, 320, 100), *body])
    assert in_order(text, "Bill to", "Daniel", "Eastbridge", "INV-6820", "C196", "line 0")


def test_the_sender_on_the_right_is_not_a_column_beside_the_recipient_below_it() -> None:
    sender = column(["Harbour Trust", "14 Quay Street", "Whitcombe"], 400, 50)
    recipient = column(["Peter Harcourt", "107 Mill Road", "Eastbridge"], 60, 130)
    marks = [line("Your reference", 60, 200), line("Our reference", 220, 200), line("Date", 380, 200)]
    marks += [line("AB/19", 60, 212), line("ht-300", 220, 212), line("12 October 2014", 380, 212)]
    body = column([f"line {number} of a letter that reaches from one margin to the other one" for number in range(6)], 60, 250)
    text = markdown([*sender, *recipient, *marks, *body])
    assert in_order(text, "Harbour", "Whitcombe", "Peter", "Eastbridge", "Your", "Our", "Date", "AB/19", "ht-300", "12 October")


def test_the_columns_of_a_footer_are_read_one_after_the_other() -> None:
    body = column([f"line {number} of a letter that reaches from one margin to the other one" for number in range(20)], 60, 100)
    foot = column(["Mill & Sons", "14 Quay Street", "Whitcombe"], 60, 780)
    foot += column(["Bank of Eastbridge", "IBAN GB33", "BIC BUKB"], 220, 780)
    foot += column(["VAT GB 204", "Director", "C. Hall"], 400, 780)
    assert in_order(markdown([*body, *foot]), "line 19", "Mill", "Whitcombe", "Bank", "BIC", "VAT", "C. Hall")


def test_a_note_in_the_margin_is_read_after_its_paragraph() -> None:
    first = column([f"first {number} of a paragraph that fills its lines" for number in range(6)], 60, 100, width=330)
    second = column([f"second {number} of a paragraph that fills its lines" for number in range(6)], 60, 200, width=330)
    notes = [line("See the survey.", 420, 100), line("Compare page 12.", 420, 202)]
    text = markdown([*first, *second, *notes])
    assert in_order(text, "first 0", "first 5", "See the survey.", "second 0", "second 5", "Compare page 12.")


def test_labels_above_boxes_that_stand_apart_are_read_with_their_values() -> None:
    from rayocr.engines.layout import Ruling

    lines: list[LayoutLine] = []
    rulings: list[Ruling] = []
    for number, (label, value) in enumerate([("Street", "Mill Road"), ("Post code", "WH2 3AB"), ("Town", "Whitcombe")]):
        x = 60 + 160 * number
        lines += [line(label, x, 100), line(value, x + 5, 119)]
        rulings += [Ruling(x0=x, y0=y, x1=x + 140, y1=y) for y in (115, 133)]
    text = layout_markdown(lines, page_width=595, page_height=842, rulings=rulings)
    assert in_order(text, "Street", "Mill Road", "Post code", "WH2 3AB", "Town", "Whitcombe")


def test_lines_without_height_are_read_in_columns_too() -> None:
    lines = column(LEFT, 60, 100, width=215) + column(RIGHT, 300, 100, width=215)
    flat = [LayoutLine(text=it.text, x0=it.x0, y0=it.y1 - 0.1, x1=it.x1, y1=it.y1) for it in lines]
    assert in_order(markdown(flat), "left 0", "left 9", "right 0", "right 9")


def test_text_along_the_margin_is_kept_and_read_last() -> None:
    margin = LayoutLine(text="printed in the margin", x0=20, y0=200, x1=32, y1=420)
    assert in_order(markdown([margin, *column(LEFT, 60, 100, width=215)]), "left 9", "printed in the margin")


def test_right_to_left_pages_are_read_from_the_right_column() -> None:
    right = ["שלום עולם זה טקסט ארוך מספיק לשורה"] * 5
    left = ["טור שני עם טקסט ארוך מספיק לשורה שלמה"] * 5
    text = markdown(column(left, 60, 100, width=215) + column(right, 300, 100, width=215))
    assert in_order(text, "שלום", "טור שני")


words = st.text(alphabet="abcdefgäß漢字क", min_size=1, max_size=8)
places = st.tuples(words, st.integers(0, 500), st.integers(0, 800), st.integers(5, 40), st.integers(5, 300))


@settings(deadline=None)
@given(st.lists(places, max_size=40))
def test_no_letter_is_lost_or_read_twice(found: list[tuple[str, int, int, int, int]]) -> None:
    lines = [LayoutLine(text=text, x0=x, y0=y, x1=x + width, y1=y + height) for text, x, y, height, width in found]
    text = markdown(lines)
    letters = sorted(char for char in text if char.isalpha())
    assert letters == sorted("".join(text for text, *_ in found))


@settings(deadline=None)
@given(st.floats(-1.5, 1.5))
def test_paragraphs_of_a_slightly_skewed_page_hold_together(angle_deg: float) -> None:
    """Lines are deskewed before layout; a shift of whole columns remains."""
    rise = math.tan(math.radians(angle_deg)) * 240
    left = column(LEFT, 60, 200, width=215)
    right = [
        LayoutLine(text=it.text, x0=it.x0, y0=it.y0 + rise, x1=it.x1, y1=it.y1 + rise)
        for it in column(RIGHT, 300, 200, width=215)
    ]
    assert in_order(markdown(left + right), "left 0", "left 9", "right 0", "right 9")


def test_twice_as_many_lines_take_at_most_four_times_as_long() -> None:
    def steps(rows: int) -> int:
        lines = [line(f"word {row} {x}", x, row * LEADING_PT) for row in range(rows) for x in range(40, 540, 60)]
        return steps_of(lambda: markdown(lines), at_most=4_000_000)

    assert steps(24) < 4 * steps(12)  # 2.8 times


def test_a_ruling_over_a_gutter_divides_the_columns_above_from_those_below() -> None:
    lines = column(LEFT, 60, 100, width=215) + column(RIGHT, 300, 100, width=215)
    lines += column([f"lower {text}" for text in LEFT], 60, 248, width=215)
    lines += column([f"lower {text}" for text in RIGHT], 300, 248, width=215)
    ruling = Ruling(x0=60, y0=244, x1=515, y1=244)
    text = layout_markdown(lines, page_width=595, page_height=842, rulings=[ruling])
    assert in_order(text, "left 9", "right 0", "right 9", "lower left 0", "lower left 9", "lower right 0")


def test_a_ruling_in_one_column_does_not_divide_the_columns() -> None:
    lines = column(LEFT, 60, 100, width=215) + column(RIGHT, 300, 100, width=215)
    ruling = Ruling(x0=60, y0=168, x1=275, y1=168)
    text = layout_markdown(lines, page_width=595, page_height=842, rulings=[ruling])
    assert in_order(text, "left 0", "left 9", "right 0", "right 9")


def test_a_short_large_headline_close_above_its_columns_divides_all_columns() -> None:
    narrow = ["some more words of", "text that fills it", "and goes on below"] * 3
    lines = []
    for band, y in (("upper", 100), ("lower", 262)):
        for number, x in enumerate((60, 230, 400)):
            lines += column([f"{band} c{number}r{row} {text}" for row, text in enumerate(narrow)], x, y, width=155)
    text = markdown([*lines, line("A Short Headline", 60, 238, height=22)])
    assert in_order(text, "upper c0r8", "upper c2r0", "upper c2r8", "A Short", "lower c0r0", "lower c2r8")


def test_numbers_of_clauses_are_not_notes_in_the_margin() -> None:
    lines = []
    for number in range(4):
        y = 100 + 60 * number
        lines += [line(f"{number + 1}.1", 60, y), *column([f"clause {number} {text}" for text in LEFT[:3]], 110, y, width=400)]
    assert in_order(markdown(lines), "1.1", "clause 0", "2.1", "clause 1", "3.1", "clause 2", "4.1", "clause 3")


def test_numbers_of_items_are_not_notes_in_the_margin() -> None:
    lines = []
    for number in range(4):
        y = 100 + 60 * number
        lines += [line(f"{number + 1}", 60, y), *column([f"item {number} {text}" for text in LEFT[:3]], 110, y, width=400)]
    assert in_order(markdown(lines), "1 item 0", "2 item 1", "3 item 2", "4 item 3")


def test_a_table_of_contents_in_two_columns_is_read_column_by_column() -> None:
    lines = []
    for number in range(4):
        y = 100 + 14 * number
        lines += [line(f"Entry {number} of the left ......", 60, y), line(f"1{number}", 240, y)]
        lines += [line(f"Entry {number} of the right ......", 300, y), line(f"2{number}", 490, y)]
    text = markdown(lines)
    assert in_order(text, "Entry 0 of the left ...... 10", "Entry 3 of the left", "Entry 0 of the right ...... 20")
    assert "|" not in text


def test_entries_whose_dots_were_not_read_are_joined_with_their_numbers() -> None:
    lines = []
    for number in range(4):
        y = 100 + 14 * number
        lines += [line(f"Entry {number} of the left .", 60, y), line(f".1{number}", 240, y)]
        lines += [line(f"Entry {number} of the right.", 300, y), line(f"..2{number}", 490, y)]
    assert in_order(
        markdown(lines), "Entry 0 of the left ..... 10", "Entry 3 of the left ..... 13", "Entry 0 of the right ..... 20"
    )


def test_a_caption_between_two_columns_is_read_after_them() -> None:
    """The text of both columns runs around a picture with its caption in the middle of the page."""
    lines: list[LayoutLine] = []
    for name, x, narrow_x in (("left", 60, 60), ("right", 300, 350)):
        for number in range(18):
            around = 5 <= number < 13
            x0, width = (narrow_x, 165) if around else (x, 215)
            text = f"{name} {number:02} words that run on and"
            lines.append(LayoutLine(text=text, x0=x0, y0=100 + 14 * number, x1=x0 + width, y1=111 + 14 * number))
    lines += [line(text, 245, 222 + 14 * n) for n, text in enumerate(["THE ROOFS ARE MOSTLY", "RESTORED NOW IN TOWN"])]
    assert in_order(markdown(lines), "left 00", "left 09", "left 17", "right 00", "right 09", "right 17", "THE ROOFS", "RESTORED")


def test_a_large_line_over_the_second_column_alone_divides_all_columns() -> None:
    narrow = ["some more words of", "text that fills it", "and goes on below"] * 3
    lines = []
    for band, y in (("upper", 100), ("lower", 262)):
        for number, x in enumerate((60, 230, 400)):
            lines += column([f"{band} c{number}r{row} {text}" for row, text in enumerate(narrow)], x, y, width=155)
    text = markdown([*lines, line("Body Uses", 260, 238, height=22)])
    assert in_order(text, "upper c0r8", "upper c1r8", "upper c2r8", "Body Uses", "lower c0r0", "lower c1r0", "lower c2r8")


def test_the_parts_of_a_headline_are_one_line() -> None:
    lines = column(LEFT, 60, 140, width=215) + column(RIGHT, 300, 140, width=215)
    text = markdown([*lines, line("Get started with", 60, 100, height=24), line("page templates", 248, 101, height=24)])
    assert "# Get started with page templates" in text


def test_headlines_of_two_columns_stay_apart() -> None:
    lines = column(LEFT, 60, 140, width=215) + column(RIGHT, 300, 140, width=215)
    text = markdown([*lines, line("Old news", 60, 100, height=24), line("New news", 300, 101, height=24)])
    assert in_order(text, "Old news", "left 0", "left 9", "New news", "right 0")


def test_times_beside_titles_are_read_row_by_row() -> None:
    titles = [
        "Introduction and motivation",
        "Architecture and structures",
        "Features and the classifier",
        "Segmentation and beam search",
    ]
    titles += ["Analysis of page layout", "Break", "Modernization of the engine", "Building an engine for it"]
    times = [f"{n}. {13 + n}:30-{14 + n}:00" for n in range(1, 9)]
    text = markdown([*column(times, 60, 100), *column(titles, 220, 100)])
    places = [text.index(part) for pair in zip(times, titles, strict=True) for part in pair]
    assert places == sorted(places)


def test_a_sentence_that_a_column_breaks_continues_in_the_next_one() -> None:
    texts = [
        "the water of the mill was measured at noon",
        "and written into a ledger that lay open on",
        "the sill, where whoever came could read it",
    ]
    left = [*column(texts * 4, 60, 100, width=220), line("whoever had come up to the mill, and", 60, 100 + 12 * LEADING_PT)]
    right = column(["John Miller read it every day of that year", *texts * 4], 310, 100, width=220)
    assert "whoever had come up to the mill, and John Miller read it" in markdown([*left, *right])


def test_a_page_number_of_the_next_column_is_not_joined_with_an_entry_that_has_one() -> None:
    lines = [line("Desire Demon .......9", 60, 100), line("........27", 172, 100)]
    lines += [line("Deepstalker ........9", 60, 114), line("The Shield .......22", 172, 114)]
    assert ".......9 ...." not in markdown(lines)


def test_amounts_of_a_receipt_are_not_notes_in_the_margin() -> None:
    lines = []
    for number in range(12):
        y = 100 + 14 * number
        lines += [line(f"Cable tie {number:02} and oak plank", 60, y), line("7.04" if number < 9 else f"17{number}.43", 300, y)]
    text = markdown(lines)
    assert in_order(text, "Cable tie 09", "179.43", "Cable tie 10", "1710.43", "Cable tie 11", "1711.43")


def test_the_head_of_a_page_is_read_before_the_columns_below_it() -> None:
    head = [line("STATE", 90, 60), line("FORM", 92, 71), line("502R", 88, 83, height=14), line("2023", 480, 64)]
    title = [line("RETIREMENT INCOME", 160, 60), line("ATTACH TO YOUR FORM", 160, 73)]
    text = markdown([*head, *title, *column(LEFT, 60, 130, width=215), *column(RIGHT, 300, 130, width=215)])
    assert in_order(text, "STATE", "2023", "left 0", "left 9", "right 0", "right 9")


def test_paragraphs_and_single_rows_above_white_space_are_no_head() -> None:
    below = (
        [line(f"left {n} below", 60, 160 + 14 * n) for n in range(20)],
        [line(f"right {n}", 300, 160 + 14 * n) for n in range(20)],
    )
    prose = [line("A paragraph", 60, 100), line("of two columns", 180, 100), line("and its end", 60, 114)]
    row = [line("Heading", 60, 100), line("#808080", 150, 100), line("#a0a0a0", 220, 100)]
    for above in (prose, row):
        run = Run(100, 440, [*above, *below[0]], [line("2023", 300, 100), *below[1]])
        assert without_head(run, 11.0) is run


def test_rulings_between_the_columns_of_two_articles_separate_the_articles() -> None:
    lines = [line("A short history of the ferry", 60, 326)]
    for top in (100, 346):
        for number in range(3):
            texts = [f"words of column {number} and {top} on" for _ in range(15 - (number == 2))]
            lines += column(texts, 60 + 170 * number, top - 3 * (number == 2), width=150)
    rulings = [Ruling(x0=x, y0=top, x1=x, y1=top + 214) for x in (220.0, 390.0) for top in (98, 344)]
    text = layout_markdown(lines, page_width=595, page_height=842, rulings=rulings)
    assert text.rindex("column 2 and 100") < text.index("short history") < text.index("column 0 and 346")
    assert text.rindex("column 1 and 100") < text.index("column 2 and 100")


def test_an_index_in_columns_is_read_column_by_column() -> None:
    words = ("Anchors", "Bees", "Clocks", "Drains", "Engines", "Ferries", "Gates", "Hinges", "Ice", "Jars")
    lines = [
        line(f"{word} {number}, {12 + place}, {place + 90}\u2013{place + 99}", 60 + 170 * number, 100 + 14 * place)
        for number in range(3)
        for place, word in enumerate(words)
    ]
    text = layout_markdown(lines, page_width=595, page_height=842)
    assert "|" not in text
    assert text.index("Jars 0") < text.index("Anchors 1") < text.index("Jars 1") < text.index("Anchors 2")
