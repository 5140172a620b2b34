"""Reading order of forms: their heads, check boxes, numbers of items and fields beside each other."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.lines import Ruling
from rayocr.engines.layout.order.dividers import Dividers
from tests.unit.engines.layout.pages import column, line

INVOICE = [
    ("INVOICE", 458.1, 27.7, 574.7, 56.4),
    ("# 20220-11-7805-1", 460.4, 59.7, 570.9, 72.0),
    ("Anna Whitfield", 48.7, 26.8, 132.9, 36.8),
    ("whitfield@post.orgs", 48.7, 39.1, 153.0, 49.1),
    ("Bill To:", 48.7, 126.6, 79.1, 136.7),
    ("Conrad Farrow", 48.7, 142.7, 111.9, 152.8),
    ("first.m@post.orgs", 48.7, 155.1, 131.9, 165.1),
    ("Ship To:", 183.1, 126.6, 220.4, 136.7),
    ("Harbour Office", 183.1, 142.8, 249.2, 152.8),
    ("other.m@post.orgs", 183.1, 155.1, 266.3, 165.1),
    ("Jan 1, 2022", 514.1, 112.8, 566.2, 122.8),
    ("Net 30 days", 514.1, 135.1, 567.3, 145.1),
    ("Jan 31, 2022", 508.8, 157.4, 566.4, 167.4),
    ("7814000000123", 494.2, 179.7, 566.8, 189.7),
    ("$127.50", 525.6, 203.1, 567.2, 214.7),
    ("Date:", 435.8, 112.9, 459.3, 122.8),
    ("Payment Terms:", 385.9, 135.1, 459.3, 145.1),
    ("Due Date:", 414.3, 157.4, 459.3, 167.4),
    ("PO Number:", 403.5, 179.7, 459.3, 189.7),
    ("Balance Due:", 387.4, 203.1, 459.6, 214.7),
    ("Item", 44.9, 263.4, 64.2, 273.4),
    ("Quantity", 367.4, 263.4, 404.5, 273.4),
    ("Rate", 469.6, 263.4, 490.6, 273.4),
    ("Amount", 532.6, 263.4, 566.9, 273.4),
    ("Service A", 44.9, 289.5, 90.3, 299.5),
    ("12", 367.4, 289.5, 378.5, 299.5),
    ("$10.00", 459.6, 289.5, 490.1, 299.5),
    ("$120.00", 531.0, 289.5, 567.0, 299.5),
    ("Description: Repair", 44.9, 305.6, 129.6, 315.6),
    ("Notes: Exchanged a switch", 44.9, 321.0, 161.8, 331.0),
    ("Parts: 1 x cover", 44.9, 336.4, 116.9, 346.3),
    ("Tax: 0.2%", 44.9, 351.7, 89.7, 361.7),
    ("Service B", 44.9, 374.8, 90.3, 384.7),
    ("5", 367.4, 374.8, 373.0, 384.7),
    ("$1.50", 465.7, 374.7, 490.7, 384.7),
    ("$7.50", 542.5, 374.8, 567.5, 384.7),
    ("Description: Cleaning", 44.9, 390.9, 139.6, 400.9),
    ("Notes: Swept leaves off the lid", 44.9, 406.2, 195.6, 416.2),
    ("Parts: 2 x cotton cloths", 44.9, 421.6, 150.7, 431.6),
    ("Tax: 0.4%", 44.9, 437.0, 89.7, 446.9),
    ("$127.50", 531.0, 502.2, 567.0, 512.2),
    ("$0.00", 542.5, 524.5, 567.5, 534.5),
    ("$127.50", 531.0, 546.7, 567.0, 556.8),
    ("Subtotal:", 419.7, 502.2, 459.3, 512.2),
    ("Tax (0%):", 415.8, 524.5, 459.3, 534.5),
    ("Total:", 434.3, 546.8, 459.3, 556.8),
    ("Notes:", 48.7, 602.8, 77.6, 612.8),
    ("Goods remain the property of the seller until they are paid in full now.", 48.7, 619.7, 355.7, 629.7),
]


def markdown(lines: list[LayoutLine], rulings: list[Ruling] | None = None) -> str:
    return layout_markdown(lines, page_width=612, page_height=792, rulings=rulings or [])


def ruling(x0: float, y0: float, x1: float, y1: float) -> Ruling:
    return Ruling(x0=x0, y0=y0, x1=x1, y1=y1)


def set_at(text: str, x0: float, y0: float, x1: float, y1: float) -> LayoutLine:
    return LayoutLine(text=text, x0=x0, y0=y0, x1=x1, y1=y1)


def in_order(text: str, *parts: str) -> bool:
    positions = [text.index(part) for part in parts]
    return positions == sorted(positions)


def test_check_boxes_are_read_with_their_questions() -> None:
    lines = [set_at("Yes", 535, 124, 550, 132), set_at("No", 558, 125, 570, 132)]
    for mark, y in (("C", 176), ("D", 212), ("E", 248)):
        lines += [
            set_at(mark, 52, y, 59, y + 8),
            set_at(f"{mark}1 Do you have in your records the original form of the", 68, y, 512, y + 8),
        ]
        lines += [set_at("agency for the building named above, or a copy of it?", 68, y + 11, 330, y + 19)]
        lines += [set_at("If not, see the instructions, and stop here", 68, y + 23, 331, y + 31)]
        lines += [set_at("[ ]", 534, y + 6, 550, y + 17), set_at("[ ]", 556, y + 6, 572, y + 17)]
    text = markdown(lines)
    assert in_order(text, "C1 Do", "[ ]", "D1 Do", "E1 Do")
    assert text.index("[ ]", text.index("D1 Do")) < text.index("E1 Do")


def test_numbers_of_items_are_no_column() -> None:
    lines = [line("2", 45, 300), line("3", 45, 327), line("5", 45, 348)]
    lines += [line("Name of your business (must be no longer operating)", 69, 303)]
    lines += [line("Your home phone number", 74, 336), line("Best time for us to call", 230, 336)]
    lines += [line("Name of your bank or other financial institution:", 65, 350)]
    lines += [line("If a joint return, first name and initial of the spouse", 65, 194), line("Last name", 420, 194)]
    lines += [line("Current address (number and street), or box number", 65, 218), line("Number", 500, 218)]
    lines += [line("City, town or post office, state, and code; or abroad", 65, 242)]
    text = markdown(lines)
    assert in_order(text, "Current address", "Name of your business", "\n3", "Best time")


def test_a_value_that_reaches_between_fields_is_no_inset() -> None:
    text = markdown([set_at(*place) for place in INVOICE])
    assert in_order(text, "Conrad Farrow", "first.m@post", "other.m@post", "Date: Jan 1", "Due Date", "PO Number:")


def test_the_head_of_a_form_is_read_block_by_block() -> None:
    lines = [
        line("Form 8907", 36, 49, height=12),
        line("Department of Revenue", 36, 66, height=7),
        line("The Office", 36, 76, height=7),
    ]
    lines += [line("Credit for Fuel", 230, 40, height=13), line("Attach to your return.", 254, 62, height=8)]
    lines += [line("More about it stands on the page of the office.", 155, 73, height=8)]
    lines += [
        line("No. 1545-2008", 500, 37, height=7),
        line("Attachment", 500, 64, height=7),
        line("Sequence 146", 500, 76, height=7),
    ]
    lines += [line("Name shown on the return", 36, 87, height=7), line("Identifying number", 460, 87, height=7)]
    for number in range(8):
        y = 130 + 20 * number
        lines += [line(f"{number + 1} Enter the amount of the line above of all years", 65, y), line(f"{number + 1}", 480, y)]
    rulings = [ruling(122, 36, 122, 62), ruling(122, 61, 122, 84), ruling(490, 36, 490, 72), ruling(490, 72, 490, 84)]
    rulings += [ruling(36, 84, 454, 84), ruling(453, 84, 576, 84), ruling(454, 84, 454, 108)]
    text = markdown(lines, rulings)
    assert in_order(
        text, "Form 8907", "Department", "The Office", "Credit for", "Attach to", "More about", "No. 1545", "Attachment"
    )
    assert in_order(text, "Sequence 146", "Name shown", "Identifying", "1 Enter")


def test_joined_rulings_end_at_an_upright_ruling_that_goes_on() -> None:
    rulings = [ruling(60, 100, 300, 100), ruling(300, 100, 540, 100)]
    assert [(it.x0, it.x1) for it in Dividers.of(rulings).across(300, 30)] == [(60, 540)]
    assert Dividers.of([*rulings, ruling(300, 60, 300, 100), ruling(300, 100, 300, 160)]).across(300, 30) == []
    assert len(Dividers.of([*rulings, ruling(300, 60, 300, 100)]).across(300, 30)) == 1
    drawn_at_once = [ruling(60, 100, 540, 100), ruling(300, 60, 300, 160)]
    assert len(Dividers.of(drawn_at_once).across(300, 30)) == 1


def test_the_same_form_twice_side_by_side_is_read_one_after_the_other() -> None:
    texts = ["(1) Address. Number and street, or box", "post office, state, and code. If it is abroad, see", "the instructions."]
    asked = ["(2) Did the student receive Form 1098-T", "from this institution for 2013?"]
    lines = []
    for x, head in ((52, "first"), (326, "second")):
        lines += column([f"Name of the {head} school", *texts], x, 192)
        lines += [*column(asked, x, 262), line("Yes", x + 205, 264), line("No", x + 235, 264)]
        lines += column(["If you checked No in both (2) and (3), skip (4)."], x - 10, 304)
        lines += column(["(4) If you checked Yes, enter the", "federal identification number (from Form 1098-T)."], x, 325)
    text = markdown(lines)
    assert in_order(text, "first school", "abroad", "Did the", "federal", "second school")
