from __future__ import annotations

from rayocr.engines.layout import layout_markdown
from rayocr.engines.layout.tables.currency import join_currency_signs
from tests.unit.engines.layout.pages import line


def test_a_sign_is_joined_with_the_amount_to_the_right_of_it() -> None:
    lines = [line("Total", 60, 100), line("$", 200, 100), line("4,737", 240, 100), line("$", 300, 100), line("3,549", 340, 100)]
    assert [joined.text for joined in join_currency_signs(lines, 11)] == ["Total", "$ 4,737", "$ 3,549"]


def test_the_sign_of_the_next_column_is_parted_from_an_amount() -> None:
    lines = [line("$", 200, 100), line("141 $", 240, 100), line("138", 300, 100)]
    assert sorted(joined.text for joined in join_currency_signs(lines, 11)) == ["$ 138", "$ 141"]


def test_a_sign_without_an_amount_stays() -> None:
    lines = [line("$", 200, 100), line("per unit", 240, 100), line("Fees (in $)", 60, 130)]
    assert join_currency_signs(lines, 11) == lines


def test_a_financial_table_has_a_cell_for_each_amount() -> None:
    lines = [line("2025", 250, 100), line("2024", 350, 100)]
    for number, name in enumerate(("Revenue", "Research", "Sales", "Total")):
        y = 114 + 12 * number
        signs = [line("$", 215, y), line("$", 298, y)] if name in ("Revenue", "Total") else []
        lines += [line(name, 60, y), *signs, line("4,737", 262, y), line("3,549", 352, y)]
    text = layout_markdown(lines, page_width=595, page_height=842)
    assert "| Revenue | $ 4,737 | $ 3,549 |" in text and "| Sales | 4,737 | 3,549 |" in text
