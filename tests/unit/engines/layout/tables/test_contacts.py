"""The authors of a paper, side by side, are read one by one."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine
from tests.unit.engines.layout.pages import LEADING_PT, column, line
from tests.unit.engines.layout.test_forms_order import in_order, markdown

BODY = ["The words of an abstract that fill the whole column of", "the page and go on in the next line, as words do, until"]


def centered(text: str, middle: float, y: float) -> LayoutLine:
    return line(text, middle - 2.5 * len(text), y)


def authors(*blocks: list[str], y: float = 80) -> list[LayoutLine]:
    return [
        centered(text, 110 + 185 * n, y + LEADING_PT * row) for n, block in enumerate(blocks) for row, text in enumerate(block)
    ]


def test_each_author_is_read_with_the_address() -> None:
    blocks = [
        ["Ada Quell", "Harrow University", "Department of Waters", "ada@harrow.edu"],
        ["Bela Norr", "Harrow University", "Department of Soils", "bela@harrow.edu"],
        ["Cyr Vant", "Vale Inc.", "71 First Avenue", "cyr.vant@vale.com"],
    ]
    text = markdown([*authors(*blocks), *column(BODY * 6, 50, 180, width=235), *column(BODY * 6, 320, 180, width=235)])
    assert in_order(text, *(part for block in blocks for part in (block[0], block[2], block[3])), "The words")
    assert "|" not in text


def test_a_table_of_addresses_stays_a_table() -> None:
    rows = [["Name", "Office", "Home"], *([f"Person {n}", f"p{n}@office.org", f"p{n}@home.org"] for n in range(4))]
    lines = [line(text, 50 + 150 * place, 80 + 16 * n) for n, row in enumerate(rows) for place, text in enumerate(row)]
    assert "| Person 2 | p2@office.org | p2@home.org |" in markdown(lines)


def test_addresses_below_nothing_stay_in_their_row() -> None:
    lines = [*column(BODY, 50, 80), line("a@b.org", 50, 200), line("c@d.org", 300, 200)]
    assert "a@b.org c@d.org" in markdown(lines)


def test_the_addresses_of_an_invoice_are_read_one_by_one() -> None:
    left, right = (
        ["Bill to", "Ottoline Marsh", "The Old Mill", "Harrow Vale"],
        ["Ship to:", "Harrow Vale Water Board", "Lock Road 7"],
    )
    lines = [*column(left, 50, 80), *column(right, 300, 80), *column(BODY * 3, 50, 200)]
    assert in_order(markdown(lines), *left, *right, "The words")


def test_heads_of_two_columns_of_a_table_are_no_addresses() -> None:
    rows = [["From", "To", "Fare"], *([f"Harrow {n}", f"Evelyn {n}", f"{n}.50"] for n in range(5))]
    lines = [line(text, 50 + 150 * place, 80 + 16 * n) for n, row in enumerate(rows) for place, text in enumerate(row)]
    assert "| Harrow 2 | Evelyn 2 | 2.50 |" in markdown(lines)
