"""Signatures side by side are read one by one."""

from __future__ import annotations

import pytest

from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from rayocr.engines.layout.fields.signatures import are_signatures
from tests.unit.engines.layout.pages import column, line

EM = 11.0
PROSE = column(
    [
        "The landlord and the tenant agree on the terms above, and each of them has received a copy of",
        "this agreement with the plans of the ground floor and a list of the keys.",
    ],
    60,
    60,
    width=470,
)


def centered(text: str, x: float, y: float) -> LayoutLine:
    made = line(text, 0, y)
    return line(text, x - made.width / 2, y)


def markdown(lines: list[LayoutLine], *rulings: Ruling) -> str:
    return layout_markdown(lines, page_width=595, page_height=842, rulings=rulings)


def test_signatures_on_rulings_are_read_one_by_one() -> None:
    blocks = {
        80: ("Dunbar, 1 April 2010", "Vera Drummond", "Landlord"),
        320: ("Dunbar, 3 April 2010", "Piers Penhaligon", "Tenant"),
    }
    signed = [line(text, x, y) for x, block in blocks.items() for text, y in zip(block, (140, 190, 202), strict=True)]
    rules = [Ruling(x0=x, y0=190, x1=x + 196, y1=190) for x in (80, 320)]
    text = markdown([*PROSE, *signed], *rules)
    assert text.index("Landlord") < text.index("Dunbar, 3 April 2010")


def test_names_above_offices_in_the_middle_of_their_columns_are_read_one_by_one() -> None:
    lines = [
        centered(*it)
        for it in (
            ("Greta Jessop", 160.0, 140.0),
            ("Director", 160.0, 153.0),
            ("Lionel Ingram", 400.0, 140.0),
            ("Course leader", 400.0, 153.0),
        )
    ]
    text = markdown([*PROSE, *lines])
    assert text.index("Director") < text.index("Lionel Ingram")


def test_labels_above_values_are_no_signatures() -> None:
    left, right = column(["Name", "Greta"], 80, 100), column(["Place", "Dunbar"], 320, 100)
    assert not are_signatures(left, right, EM)


def signatures(*, name: str = "Vera Drummond", shift: float = 0, space: float = 0) -> bool:
    left = [line("Dunbar", 80, 140 - space), line("1 April", 80, 152), line(name, 80 + shift, 190), line("Landlord", 80, 202)]
    right = [line("Dunbar", 320, 140 - space), line("3 April", 320, 152), line("Piers", 320, 190), line("Tenant", 320, 202)]
    return are_signatures(left, right, EM)


def test_lines_above_other_lines_are_no_signatures() -> None:
    assert signatures()
    assert not signatures(name="Vera Drummond of the Hathersage Estate Company")
    assert not signatures(shift=24)
    assert not signatures(space=20)


@pytest.mark.parametrize(("shift", "are_centered"), [(0, True), (12, False)])
def test_offices_beside_the_middle_of_their_names_are_no_signatures(shift: float, are_centered: bool) -> None:
    left = [centered("Greta Jessop", 160, 140), centered("Director", 160 + shift, 153)]
    right = [centered("Lionel Ingram", 400, 140), centered("Course leader and tutor", 400, 153)]
    assert are_signatures(left, right, EM) is are_centered


def test_a_heading_below_two_blocks_is_below_both() -> None:
    address = column(["Cecily Hathersage", "169 Station Road", "Frome DB27 8JG"], 72, 44)
    account = column(["Account number 53401733", "Sheet 22"], 385, 42)
    heading = line("Statement of account", 72, 95, height=14)
    cells = (("27.06.2007", 75), ("Transfer", 160), ("102.70", 430))
    table = [line(text, x, 130 + 16 * n) for n in range(5) for text, x in cells]
    text = markdown([*address, *account, heading, *table])
    assert text.index("Sheet 22") < text.index("Statement of account")
