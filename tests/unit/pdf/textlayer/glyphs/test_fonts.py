"""The weight of a font: from its stems, or from its name where a program gives the stems of the regular font."""

from __future__ import annotations

import pytest

from tests.unit.pdf.textlayer.drawings import layer_of, page_with_font

LETTERS = {char: char for char in "Total due"}
CONTENT = b"BT /F1 12 Tf 72 780 Td (The keeper wrote into his ledger.) Tj ET BT /F2 12 Tf 72 700 Td (Total due) Tj ET"
DESCRIPTOR = "/FirstChar 0 /LastChar 0 /Widths [0] /FontDescriptor << /Type /FontDescriptor /FontName /{} /Flags 32 /StemV 76 >>"


@pytest.mark.parametrize(
    ("name", "bold"),
    [
        ("CAAAAA+LiberationSans-Bold", True),
        ("ABCDEF+CMBX12", True),
        ("Roboto-Black", True),
        ("Arial,Bold", True),
        ("OpenSans-SemiBoldItalic", True),
        ("ABCDEF+CMR10", False),
        ("Lato-Regular", False),
        ("Kabolder", False),
        ("Blackadder", False),
    ],
)
def test_the_name_of_a_font_says_that_it_is_bold(name: str, bold: bool) -> None:
    data = page_with_font(CONTENT, LETTERS, name=name, font=DESCRIPTOR.format(name))
    assert [line.bold for line in layer_of(data).lines] == [False, bold]
