from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.layout import LayoutLine, layout_markdown
from tests.unit.engines.layout.pages import line

XS = (60.0, 190.0, 320.0, 450.0)


def page(rows: Sequence[Sequence[str]]) -> list[LayoutLine]:
    return [line(text, XS[n], 100 + 16 * number) for number, row in enumerate(rows) for n, text in enumerate(row) if text]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    return layout_markdown(page(rows), page_width=595, page_height=842)


def test_lists_below_their_heads_are_read_one_after_the_other() -> None:
    rows = [
        ("Starters", "", "Main courses", ""),
        ("Tomato soup", "4.00", "Lamb pie", "12.50"),
        ("Smoked trout", "6.50", "Fish stew", "11.00"),
        ("Onion tart", "5.00", "Roast chicken", "14.00"),
        ("Desserts", "", "Drinks", ""),
        ("Apple crumble", "4.50", "Cider", "3.00"),
        ("Cheese plate", "7.00", "Ginger beer", "2.50"),
    ]
    text = markdown(rows)
    order = ["Starters", "Onion tart", "Main courses", "Roast chicken", "Desserts", "Cheese plate", "Drinks", "Ginger beer"]
    assert sorted(order, key=text.index) == order
    assert "| Smoked trout | 6.50 |\n" in text


def test_the_same_heads_twice_are_two_tables() -> None:
    rows = [
        ("Earnings", "", "Deductions", ""),
        ("Description", "Amount", "Description", "Amount"),
        ("Basic pay", "2,100.00", "Income tax", "311.40"),
        ("Travel", "42.10", "Pension", "105.00"),
        ("Bonus", "90.00", "", ""),
    ]
    text = markdown(rows)
    assert "| Travel | 42.10 |\n| Bonus | 90.00 |" in text
    assert "| Income tax | 311.40 |\n| Pension | 105.00 |" in text


def test_heads_over_two_columns_of_figures_do_not_divide_a_table() -> None:
    rows = [
        ("Region", "", "Sales", ""),
        ("Whitby", "1,204", "1,310", "1,402"),
        ("Ripon", "804", "910", "1,002"),
        ("Selby", "304", "410", "502"),
        ("York", "2,304", "2,410", "2,502"),
    ]
    assert "| Ripon | 804 | 910 | 1,002 |" in markdown(rows)


def test_two_columns_of_fields_without_heads_are_read_row_by_row() -> None:
    rows = [
        ("Name", "Anna Ellis", "Policy", "PN-20938"),
        ("Town", "Whitby", "Bank", "County Bank"),
        ("Street", "Mill Lane", "Car", "Volvo"),
        ("Country", "Denmark", "Color", "Blue"),
    ]
    assert "| Town | Whitby | Bank | County Bank |" in markdown(rows)


def test_other_heads_above_labels_and_the_same_head_above_figures_are_two_tables() -> None:
    rows = [
        ("Earnings", "Amount", "Deductions", "Amount"),
        ("Basic pay", "2,100.00", "Income tax", "311.40"),
        ("Travel", "42.10", "Pension", "105.00"),
        ("Bonus", "80.00", "Union", "9.00"),
    ]
    assert {"| Earnings | Amount |", "| Deductions | Amount |"} <= set(markdown(rows).split("\n"))
