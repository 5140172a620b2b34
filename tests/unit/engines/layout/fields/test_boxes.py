from __future__ import annotations

from rayocr.engines.layout import layout_markdown
from rayocr.engines.layout.lines import Ruling
from tests.unit.engines.layout.pages import line


def test_amounts_between_the_head_and_the_total_of_a_column_are_not_a_value_of_a_field() -> None:
    lines, rulings = [line("Cost of sales", 60, 113), line("Research", 60, 125)], []
    for x, year in ((250, "2025"), (350, "2024")):
        lines += [line(year, x + 10, 98), line("178", x + 10, 113), line("3,423", x + 10, 125)]
        rulings += [Ruling(x0=x, y0=y, x1=x + 60, y1=y) for y in (110, 140)]
    text = layout_markdown(lines, page_width=595, page_height=842, rulings=rulings)
    assert "Cost of sales" in text and "2025 178" not in text
    assert text.index("2024") < text.index("Cost of sales") < text.index("178") < text.index("Research")
