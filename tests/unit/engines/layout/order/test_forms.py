"""Receipts and empty forms whose parts look like columns."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.fields.beside import is_address
from rayocr.engines.layout.order.forms import are_labels_of_values, is_of_amounts
from tests.unit.engines.layout.pages import HEIGHT_PT, column, line


def markdown(lines: list[LayoutLine]) -> str:
    return layout_markdown(lines, page_width=320, page_height=500)


def test_amounts_of_a_receipt_between_the_lines_of_its_items_are_no_column() -> None:
    page = [line("Cashier: 113 Ann", 28, 48), line("Pax(s): 2", 150, 48), line("Description", 30, 62), line("Total TAX", 150, 62)]
    for n, item in enumerate(["Tilapia", "White rice", "Fried noodles", "Vegetable soup", "Tea"]):
        page += [line(item, 28, 86 + 22 * n), line(f"{n + 3}.00", 157, 75 + 22 * n), line("D", 138, 76 + 22 * n)]
    page += [line("Total (excluding tax):", 28, 188), line("25.00", 157, 188)]
    assert is_of_amounts([it for it in page if it.x0 < 100], [it for it in page if it.x0 > 100], HEIGHT_PT)
    text = markdown(page)
    assert text.index("3.00") < text.index("Tilapia") < text.index("4.00") < text.index("White rice") < text.index("5.00")


def test_numbers_beside_running_text_may_be_those_of_a_chart() -> None:
    prose = ["The curve rises with the", "temperature of the water", "and falls when salt has", "been added to the basin"]
    ticks = column(["40", "30", "20", "10", "0"], 230, 60)
    assert not is_of_amounts(column(prose, 30, 60, width=150), ticks, HEIGHT_PT)
    assert not is_of_amounts(column(["4", "3", "2", "Voltage"], 30, 60), ticks, HEIGHT_PT)


def test_heads_of_empty_columns_are_read_row_by_row() -> None:
    heads = [("Cartons", 150), ("Weekly", 210), ("Weeks", 265)]
    page = [line(text, x, 60) for text, x in heads]
    page += [line(text, x, 72) for text, x in [("on hand", 150), ("movement", 208), ("on hand", 265)]]
    brands = ["Brand", "Style Light 100s", "Style Menthol 100", "Style Box Light", "Style Slim Light"]
    page += [line(brands[0], 30, 73), *column(brands[1:], 30, 96)]
    text = markdown(page).replace("#", "").replace("|", " ")
    assert " ".join(text.split()).startswith("Cartons Weekly Weeks Brand on hand movement on hand Style Light 100s Style Menthol")


def test_names_with_a_digit_inside_are_no_address() -> None:
    assert not is_address(["IL6 sense", "IL6 antisense", "Alpha sense", "Alpha antisense"])
    assert is_address(["Mill House", "12 Mill Lane", "London SW1A 1AA"])


def test_labels_that_end_at_one_edge_are_read_with_their_values() -> None:
    fields = [
        ("Issuing Organization", "Brick Systems Inc, 555 Mill Road, Wexford, telephone", "749 2291 and facsimile 763 6681"),
        ("Structure of Code", "Three fields of which the first is a number and the", "second is the name of the organization"),
        ("Display Requirements", "None, except that all fields are written at the left"),
        ("Notes", "The code will also form the first part of the address", "and naming tree as specified in the addendum"),
        ("Orgs Covered", "The organizations that are covered by this system have", "offices in the cities of the south"),
    ]
    labels: list[LayoutLine] = []
    values: list[LayoutLine] = []
    y = 60.0
    for number, (label, *lines) in enumerate(fields):
        labels.append(line(label, 130 - 5 * len(label) + 5 * (number % 2), y))
        values += column(lines, 145, y)
        y += 14 * len(lines) + 5
    assert are_labels_of_values(labels, values, HEIGHT_PT)
    text = layout_markdown([*labels, *values], page_width=450, page_height=500)
    places = [text.index(part) for part in ("Issuing", "Brick", "Structure", "Three", "Display", "None", "Notes", "The code")]
    assert places == sorted(places)


def test_centered_lines_and_running_text_are_no_labels() -> None:
    prose = column(
        ["The mill was built by", "the river when the town", "had no other source of", "power for its bakers"], 145, 60
    )
    centered = ["The Mill", "by the River", "and the Bakers", "of the Town"]
    assert not are_labels_of_values(
        [line(it, 80 - 2.5 * len(it), 60 + 14 * n) for n, it in enumerate(centered)], prose, HEIGHT_PT
    )
    assert not are_labels_of_values(column([it.text for it in prose], 20, 60, width=110), prose, HEIGHT_PT)


def test_codes_stay_beside_the_names_of_their_ranges() -> None:
    names = [line(name, 30, 60 + 19 * n) for n, name in enumerate(["Basic Latin", "Extended", "Modifiers", "Accents"])]
    codes = ["U+000D, U+00A0..U+00FF", "U+0131, U+01CD..U+01DC,", "U+02C6..U+02CF, U+02DB", "U+0192, U+03AF"]
    assert is_of_amounts(names, [line(text, 170, 60 + 19 * n) for n, text in enumerate(codes)], HEIGHT_PT)
    assert not is_of_amounts(names, column(["12 Mill Lane", "34 Church Road", "5 High Street", "6 Low Road"], 170, 60), HEIGHT_PT)


def test_numbers_below_their_heads_stay_in_the_rows_of_a_small_table_that_is_not_level() -> None:
    heads = [
        ("Trait", 12, 6),
        ("Phenotypes", 71, 5),
        ("Mean", 202, 3),
        ("Deviation", 264, 2),
        ("Minimum", 378, 1),
        ("Maximum", 456, 0),
    ]
    numbers = ["SCS", "1058", "-0.1024", "0.383", "-1.211", "1.072"]
    top = [line(text, x, 60 + y) for text, x, y in heads]
    below = [line(text, x, 78 + 1.5 * y) for text, (_, x, y) in zip(numbers, heads, strict=True)]
    left, right = [*top[:3], *below[:3]], [*top[3:], *below[3:]]
    assert is_of_amounts(left, right, HEIGHT_PT)
    assert not is_of_amounts(
        left, [line("Gold", 264, 60), line("Silver", 264, 78), line("Copper", 264, 96), line("7", 264, 114)], HEIGHT_PT
    )
    headed = [*(line(text, 264 + 70 * n, 60) for n, text in enumerate(["Gold", "Silver", "Copper"])), line("7.50", 264, 78)]
    assert not is_of_amounts(left, headed, HEIGHT_PT)


def test_a_table_with_labels_of_its_own_is_not_read_with_the_labels_beside_it() -> None:
    dates = [
        line(text, 50, 100 + 14 * n) for n, text in enumerate(("Closing date", "First payment", "Next payment", "Last payment"))
    ]
    notes = [
        line(text, x, 100 + 14 * n)
        for n in range(4)
        for text, x in ((f"Class {n} Notes", 250), ("24,000.00", 340), ("2.5%", 400), ("7.8%", 440), ("952.76", 480))
    ]
    assert not is_of_amounts(dates, notes, 10)
    assert is_of_amounts(dates, [cell for cell in notes if cell.x0 > 300], 10)
