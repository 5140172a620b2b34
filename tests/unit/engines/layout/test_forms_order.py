"""Reading order of forms: their heads, check boxes, numbers of items and fields beside each other."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.lines import Ruling
from rayocr.engines.layout.order.dividers import Dividers
from tests.unit.engines.layout.pages import column, line

QUESTIONS = [
    "Does the office hold the signed original of this form,",
    "or a copy that was certified by the agency in charge of",
    "the building named above? If not, stop here and write",
    "to the agency that issued it before you go on.",
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
    lines = [set_at("Samuel Maystone", 49, 27, 133, 37), set_at("samuel4@post.example", 49, 39, 153, 49)]
    lines += [set_at("INVOICE", 458, 28, 575, 56), set_at("# invoice_number_1", 460, 60, 571, 72)]
    lines += [set_at("Bill To:", 49, 127, 79, 137), set_at("Ship To:", 183, 127, 220, 137)]
    lines += [set_at("Tanya Riddel", 49, 143, 112, 153), set_at("Tanya's Store", 183, 143, 249, 153)]
    lines += [set_at("triddel9@post.example", 49, 155, 132, 165), set_at("other@post.example", 183, 155, 266, 165)]
    fields = [("Date:", 436, "Jan 1, 2022", 514, 113), ("Payment Terms:", 386, "Net 30 days", 514, 135)]
    fields += [("Due Date:", 414, "Jan 31, 2022", 509, 157), ("PO Number:", 404, "po_number_123", 494, 180)]
    for label, x, value, at, y in fields:
        lines += [set_at(label, x, y, 459, y + 10), set_at(value, at, y, 567, y + 10)]
    lines += [set_at("Balance Due:", 387, 203, 460, 214), set_at("$127.50", 526, 203, 567, 214)]
    for y, texts in enumerate([("Item", "Quantity", "Rate", "Amount"), ("Service A", "12", "$10.00", "$120.00")]):
        lines += [set_at(text, x, 263 + 26 * y, x + 35, 273 + 26 * y) for text, x in zip(texts, (45, 367, 460, 531), strict=True)]
    lines += [set_at("Description: Repair", 45, 306, 130, 316), set_at("Notes: Replaced capacitor", 45, 321, 162, 331)]
    lines += [set_at("Parts: 1 x cap_a", 45, 336, 115, 346), set_at("Tax: 0.2%", 45, 351, 87, 361)]
    for label, y, value in (("Subtotal:", 501, "$127.50"), ("Tax (0%):", 523, "$0.00"), ("Total:", 546, "$127.50")):
        lines += [set_at(label, 415, y, 459, y + 10), set_at(value, 531, y, 567, y + 10)]
    lines += [set_at("All names are fictitious and in no way represent real people.", 49, 620, 355, 630)]
    text = markdown(lines)
    assert in_order(text, "Tanya Riddel", "triddel9@post", "other@post", "Date: Jan 1", "Due Date", "PO Number: po")


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
