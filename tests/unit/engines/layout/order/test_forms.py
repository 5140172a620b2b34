"""Receipts and empty forms whose parts look like columns."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.fields.beside import is_address
from rayocr.engines.layout.order.forms import is_of_amounts
from tests.unit.engines.layout.pages import column, line


def markdown(lines: list[LayoutLine]) -> str:
    return layout_markdown(lines, page_width=320, page_height=500)


def test_amounts_of_a_receipt_between_the_lines_of_its_items_are_no_column() -> None:
    page = [line("Cashier: 113 Ann", 28, 48), line("Pax(s): 2", 150, 48), line("Description", 30, 62), line("Total TAX", 150, 62)]
    for n, item in enumerate(["Tilapia", "White rice", "Fried noodles", "Vegetable soup", "Tea"]):
        page += [line(item, 28, 86 + 22 * n), line(f"{n + 3}.00", 157, 75 + 22 * n), line("D", 138, 76 + 22 * n)]
    page += [line("Total (excluding tax):", 28, 188), line("25.00", 157, 188)]
    assert is_of_amounts([it for it in page if it.x0 < 100], [it for it in page if it.x0 > 100], 11)
    text = markdown(page)
    assert text.index("3.00") < text.index("Tilapia") < text.index("4.00") < text.index("White rice") < text.index("5.00")


def test_numbers_beside_running_text_may_be_those_of_a_chart() -> None:
    prose = ["The curve rises with the", "temperature of the water", "and falls when salt has", "been added to the basin"]
    ticks = column(["40", "30", "20", "10", "0"], 230, 60)
    assert not is_of_amounts(column(prose, 30, 60, width=150), ticks, 11)
    assert not is_of_amounts(column(["4", "3", "2", "Voltage"], 30, 60), ticks, 11)


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
