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


def test_signs_behind_amounts_belong_to_the_amounts_before_them() -> None:
    lines = [
        line("4,90 €", 200, 100),
        line("49,00 €", 260, 100),
        line("31,50", 200, 120),
        line("€", 229, 120),
        line("63,00 €", 260, 120),
    ]
    assert sorted(joined.text for joined in join_currency_signs(lines, 11)) == ["31,50 €", "4,90 €", "49,00 €", "63,00 €"]


def test_signs_in_a_column_behind_the_amounts_are_joined() -> None:
    lines = [
        part
        for n in range(3)
        for part in (line("Lamp", 60, 100 + 14 * n), line("6,90", 200, 100 + 14 * n), line("€", 226, 100 + 14 * n))
    ]
    assert [joined.text for joined in join_currency_signs(lines, 11)] == ["Lamp", "6,90 €"] * 3


def test_an_invoice_with_signs_behind_its_amounts_is_one_table() -> None:
    rows = [
        ("Cable", "10", "4,90 €", "49,00 €"),
        ("Adapter 65 W", "2", "31,50 €", "63,00 €"),
        ("Discount", "", "", "-5,60 €"),
        ("Parcel", "1", "6,90 €", "6,90 €"),
    ]
    lines, y = [], 100.0
    for name, *amounts in rows:
        lines += [line(name, 60, y), *(line(text, x, y) for x, text in zip((180, 220, 280), amounts, strict=True) if text)]
        if name == "Adapter 65 W":
            y += 13.5
            lines.append(line("with a plug", 60, y))
        y += 18.5
    text = layout_markdown(lines, page_width=595, page_height=842)
    assert "| Cable | 10 | 4,90 € | 49,00 € |" in text and "| Discount |  |  | -5,60 € |" in text
    assert text.count("| --- | --- | --- | --- |") == 1
