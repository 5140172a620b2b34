"""Tables of contents whose leaders are lines or rows of dots on the page, not characters."""

from __future__ import annotations

import pytest

from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from rayocr.engines.layout.units.leaders import join_leaders
from tests.unit.pdf import pdfs
from tests.unit.pdf.forms.test_drawn_boxes import read

ENTRIES = (("1. The borehole", "1"), ("2. Sinking it", "14"), ("2.1 The ledgers", "xvii"), ("Appendix A", "101"))
LEADERS = {
    "a row of dots": lambda x0, x1, y: "".join(f"{x} {y} 0.75 0.75 re f " for x in range(x0, x1, 2)),
    "a dashed line": lambda x0, x1, y: f"q 0.7 w [1 2] 0 d {x0} {y} m {x1} {y} l S Q ",
    "a line": lambda x0, x1, y: f"0.5 w {x0} {y} m {x1} {y} l S ",
    "a thin box": lambda x0, x1, y: f"{x0} {y} {x1 - x0} 0.5 re f ",
}


@pytest.mark.parametrize("leader", LEADERS)
def test_an_entry_and_its_page_number_stay_together(leader: str) -> None:
    content = "BT /F1 18 Tf 72 760 Td (Contents) Tj ET "
    for n, (entry, number) in enumerate(ENTRIES):
        y = 720 - 16 * n
        content += f"BT /F1 11 Tf 72 {y} Td ({entry}) Tj ET BT /F1 11 Tf 460 {y} Td ({number}) Tj ET "
        content += LEADERS[leader](76 + 6 * len(entry), 456, y)
    lines = [line.strip() for line in read(pdfs.pages_of(content=content.encode())).split("\n") if line.strip()]
    assert lines[-4:] == [f"{entry} ..... {number}" for entry, number in ENTRIES]


def test_places_to_write_are_not_leaders() -> None:
    lines = [
        LayoutLine(text="Name", x0=72, y0=100, x1=100, y1=111),
        LayoutLine(text="Date", x0=300, y0=100, x1=325, y1=111),
    ]
    rulings = [Ruling(x0=104, y0=110, x1=296, y1=110), Ruling(x0=330, y0=110, x1=480, y1=110)]
    assert join_leaders(lines, rulings, 11) == lines
    assert "....." not in layout_markdown(lines, page_width=595, page_height=842, rulings=rulings)


def test_a_rule_between_two_rows_is_not_a_leader() -> None:
    lines = [
        LayoutLine(text="Wages", x0=72, y0=100, x1=100, y1=111),
        LayoutLine(text="17", x0=300, y0=130, x1=312, y1=141),
    ]
    assert join_leaders(lines, [Ruling(x0=101, y0=120, x1=299, y1=120)], 11) == lines


def test_the_ends_of_an_axis_are_not_an_entry() -> None:
    lines = [LayoutLine(text="100", x0=72, y0=100, x1=90, y1=111), LayoutLine(text="0", x0=300, y0=100, x1=306, y1=111)]
    assert join_leaders(lines, [Ruling(x0=92, y0=109, x1=298, y1=109)], 11) == lines
