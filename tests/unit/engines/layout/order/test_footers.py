"""Footers with the addresses of a firm."""

from __future__ import annotations

from rayocr.engines.layout import layout_markdown
from rayocr.engines.layout.lines import LayoutLine
from tests.unit.engines.layout.pages import column, line

LETTER = [f"line {number} of the letter runs over the whole width of the page, as letters do" for number in range(20)]
ADDRESS = ["Post address", "Am Steinbruch 1", "Kleines Dorf", "Aremorica"]


def page(*blocks: list[str]) -> str:
    lines: list[LayoutLine] = column(LETTER, 60, 100, width=440)
    for number, block in enumerate(blocks):
        lines += [line(text, 60 + 180 * number, 732 + 9.8 * place, height=11) for place, text in enumerate(block)]
    return layout_markdown(lines, page_width=595, page_height=842)


def test_tall_footer_with_addresses_is_read_column_by_column() -> None:
    contact = ["Contact", "WWW: www.hinkelstein.ix", "E-Mail: info@hinkelstein.ix", "Tel: 1976 1978-0", "Fax: 1976 1978-23"]
    bank = ["Bank account", "IBAN: IX11920518925000123", "BIC: GENO1AOI", "Bank: Gallis Bank"]
    text = page(ADDRESS, contact, bank)
    assert (
        text.index("Aremorica") < text.index("Contact") < text.index("1978-23") < text.index("Bank account") < text.index("BIC")
    )
