"""Values on rulings, or at the bottom of boxes, are joined with their labels."""

from __future__ import annotations

import pytest

from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from rayocr.engines.layout.fields.underlined import take_underlined_fields
from tests.unit.engines.layout.pages import line

EM = 11.0
ROWS = [
    ("Jessop", "surname", "Greta", "first name"),
    ("Frome", "town", "01632 960110", "telephone"),
    ("Nurse", "occupation", "4", "children"),
]


def joined(lines: list[LayoutLine], rulings: list[Ruling]) -> list[str]:
    return [it.text for part in take_underlined_fields(lines, rulings, EM) for it in part]


def level(y: float, x0: float, x1: float) -> Ruling:
    return Ruling(x0=x0, y0=y, x1=x1, y1=y)


def test_labels_below_the_rulings_follow_their_values() -> None:
    lines, rulings = [], []
    for n, (one, its_label, two, other_label) in enumerate(ROWS):
        y = 100 + 36.0 * n
        lines += [
            line(one, 60, y),
            line(two, 250, y),
            line(its_label, 58, y + 13, height=9),
            line(other_label, 248, y + 13, height=9),
        ]
        rulings += [level(y + 12, 57, 230), level(y + 12, 247, 420)]
    assert joined(lines, rulings) == [
        "Jessop surname",
        "Greta first name",
        "Frome town",
        "01632 960110 telephone",
        "Nurse occupation",
        "4 children",
    ]


def test_labels_above_the_values_precede_them() -> None:
    lines, rulings = [], []
    for n, (one, its_label, two, other_label) in enumerate(ROWS):
        y = 100 + 32.0 * n
        lines += [
            line(its_label, 58, y, height=9),
            line(other_label, 248, y, height=9),
            line(one, 58, y + 10),
            line(two, 248, y + 10),
        ]
        rulings += [level(y + 22, 57, 230), level(y + 22, 247, 420)]
    assert joined(lines, rulings)[:2] == ["surname Jessop", "first name Greta"]


def test_a_row_of_boxes_has_its_labels_inside() -> None:
    lines = [
        line("Nationality", 60, 100, height=9),
        line("Occupation", 250, 100, height=9),
        line("Irish", 60, 110),
        line("Nurse", 250, 110),
    ]
    borders = [Ruling(x0=x, y0=98, x1=x, y1=124) for x in (57, 246, 430)]
    assert joined(lines, [level(98, 57, 430), level(124, 57, 430), *borders]) == ["Nationality Irish", "Occupation Nurse"]


@pytest.mark.parametrize("pitch", [13, 14, 18])
def test_rows_of_a_table_with_rulings_below_each_cell_stay(pitch: float) -> None:
    lines, rulings = [], []
    for n, name in enumerate(("Region", "North", "South", "Islands")):
        y = 100 + pitch * n
        lines += [line(name, 60, y), line(f"1,{n}04", 250, y)]
        rulings += [level(y + 12, 57, 240), level(y + 12, 247, 420)]
    assert joined(lines, rulings) == [it.text for it in lines]


def test_fractions_side_by_side_stay() -> None:
    lines = [line("Fo", 60, 100), line("Fe", 100, 100), line("jz", 60, 113), line("jz", 100, 113)]
    assert joined(lines, [level(112, 58, 80), level(112, 98, 120)]) == ["Fo", "Fe", "jz", "jz"]


def test_head_of_a_table_whose_first_ruling_is_interrupted_stays_above_its_column() -> None:
    heads, row = ("Number", "Goods", "Quantity", "Price", "Amount", "Tax"), ("1", "Dividers", "20 H87", "9.90", "198.00", "19 %")
    places = [60 + 80 * n for n in range(6)]
    lines = [line(text, x, y) for texts, y in ((heads, 100), (row, 114)) for text, x in zip(texts, places, strict=True)]
    rulings = [Ruling(x0=places[n] - 3, y0=126, x1=places[n] + 60, y1=126) for n in (1, 3, 4)]
    assert take_underlined_fields(lines, rulings, 11.0) == ([], lines)


def test_a_row_of_boxes_is_not_part_of_the_table_below_it() -> None:
    lines = [line(text, x, 100, height=9) for text, x in (("Employee", 60), ("Payroll no.", 220), ("Period", 380))]
    lines += [line(text, x, 110) for text, x in (("Ruth Abernathy", 60), ("8831", 220), ("May 1997", 380))]
    for n, row in enumerate(
        (("Earnings", "Amount", "Hours"), ("Basic pay", "7,831.13", "160"), ("Overtime", "246.60", "8"), ("Bonus", "21.02", "0"))
    ):
        lines += [line(text, x, 140 + 16 * n) for text, x in zip(row, (60, 247, 400), strict=True)]
    rulings = [level(98, 57, 530), level(124, 57, 530), *(Ruling(x0=x, y0=98, x1=x, y1=124) for x in (57, 217, 376, 530))]
    text = layout_markdown(lines, page_width=595, page_height=842, rulings=rulings)
    assert text.startswith("Employee Ruth Abernathy Payroll no. 8831 Period May 1997\n\n| Earnings | Amount | Hours |")


def test_underlined_heads_stay_above_the_row_below_them() -> None:
    places = (60, 180, 300)
    heads = [line(text, x, 100) for text, x in zip(("BLEND", "CASING", "FLAVOR"), places, strict=True)]
    rulings = [level(112, it.x0, it.x1 + 2) for it in heads]
    lines = [*heads, *(line("Mild", x, 114) for x in places)]
    assert joined(lines, rulings) == [it.text for it in lines]


def test_an_underlined_label_is_no_value_of_the_label_above_it() -> None:
    lines = [line("PROJECT NAME:", 60, 100), line("GEMINI AWARENESS", 180, 100), line("SUPPLIER:", 60, 113)]
    lines.append(line("BURKE RESEARCH", 180, 113))
    assert joined(lines, [level(125, 57, 140), level(125, 170, 420)]) == [it.text for it in lines]


@pytest.mark.parametrize("is_in_table", [False, True])
def test_a_row_with_a_further_column_without_a_ruling_stays(is_in_table: bool) -> None:
    lines = [line(text, 60 + 120 * n, 100) for n, text in enumerate(("Dataset", "Notes", "Source"))]
    lines += [line(text, 60 + 120 * n, 113) for n, text in enumerate(("PubLayNet", "Articles", "Journals"))]
    rulings = [level(125, 57 + 120 * n, 150 + 120 * n) for n in (0, 2)]
    middle = [lines.pop(4), lines.pop(1)] if is_in_table else []
    assert take_underlined_fields(lines, rulings, EM, beside=middle) == ([], lines)


def test_values_beside_the_label_of_their_row_stay() -> None:
    lines = [line("APPROVED BY:", 60, 100), line("T. Albert", 200, 100), line("12 October", 380, 100)]
    lines += [line("T. ALBERT", 200, 113, height=9), line("DATE", 380, 113, height=9)]
    assert joined(lines, [level(112, 190, 340), level(112, 370, 470)]) == [it.text for it in lines]


def test_heads_over_several_columns_are_no_values() -> None:
    lines, rulings = [], []
    for x, head in ((100, "Total"), (250, "Women"), (400, "Men")):
        lines += [line(head, x + 10, 100), line("Under 18", x, 113), line("18 years", x + 70, 113)]
        lines += [line("years", x, 124), line("and over", x + 70, 124), line("1,540.0", x, 137)]
        rulings += [level(111.5, x, x + 60)]
    assert len(joined(lines, rulings)) == len(lines)


def test_text_that_continues_below_a_head_is_no_label() -> None:
    lines, rulings = [], []
    for x, head in ((100, "Total"), (300, "Women")):
        lines += [line(head, x + 10, 100), line("In full", x, 113), line("All persons of the survey", x, 124)]
        rulings += [level(111.5, x, x + 60)]
    assert joined(lines, rulings) == [it.text for it in lines]


def test_a_label_on_a_ruling_is_no_value() -> None:
    lines = [line("Tel:", 60, 100), line("Fax:", 250, 100), line("Place of receipt", 60, 113), line("Port of loading", 250, 113)]
    assert len(joined(lines, [level(112, 57, 230), level(112, 247, 420)])) == len(lines)


def test_heads_of_two_lines_above_the_rows_of_a_table_are_no_fields() -> None:
    lines, rulings = [], []
    for x, texts in ((60, ("Grown", "fields", "China", "India")), (250, ("Paddy", "and rice", "40", "26"))):
        lines += [line(text, x, 100 + 12 * n) for n, text in enumerate(texts)]
        rulings += [level(125, x - 3, x + 140)]
    assert len(joined(lines, rulings)) == len(lines)


def test_blocks_of_several_lines_in_boxes_are_no_labels_and_values() -> None:
    left = ["Recipient: Hill Farm", "Store 3", "1234 Frome"]
    right = ["Contact: Greta Jessop", "Phone: 01632 960110", "Mail: greta@example.org"]
    lines = [line(text, x, 100 + 12.0 * n) for x, texts in ((60, left), (250, right)) for n, text in enumerate(texts)]
    rulings = [level(y, x0, x0 + 170) for y in (98, 137) for x0 in (57, 247)]
    assert joined(lines, rulings) == [it.text for it in lines]


def test_the_next_value_may_be_close_below_a_label() -> None:
    lines, rulings = [], []
    for n, (one, its_label, two, other_label) in enumerate(ROWS):
        y = 100 + 24.0 * n
        lines += [line(one, 60, y), line(two, 250, y)]
        lines += [line(its_label, 58, y + 13, height=9), line(other_label, 248, y + 13, height=9)]
        rulings += [level(y + 12, 57, 230), level(y + 12, 247, 420)]
    assert joined(lines, rulings)[:2] == ["Jessop surname", "Greta first name"]
