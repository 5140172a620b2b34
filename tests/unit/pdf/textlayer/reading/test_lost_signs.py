"""A minus sign that its font maps to a space belongs to its number."""

from __future__ import annotations

import pytest

from tests.unit.pdf.textlayer.drawings import page_with_font, texts_of

BODY = b"BT /F1 12 Tf 72 780 Td 15 TL " + b"(The keeper of the light wrote into his ledger.) Tj T* " * 10 + b"ET "


def read(text: str, *, size: int = 12, lost: str = "-") -> str:
    escaped = text.replace("(", "\\(").replace(")", "\\)")
    mapping = {char: " " if char == lost else char for char in text}
    return texts_of(page_with_font(BODY + f"BT /F2 {size} Tf 72 500 Td ({escaped}) Tj ET".encode(), mapping))[-1]


@pytest.mark.parametrize("size", [8, 10, 12, 24])
@pytest.mark.parametrize("text", ["Balance -4,829.50 net", "Balance and -4 of -25", "Loss -$25"])
def test_a_minus_after_a_space_is_kept(text: str, size: int) -> None:
    assert read(text, size=size) == text.replace("-", "\u2212")


@pytest.mark.parametrize("text", ["Balance  4,829.50 net", "Balance 4 and    25"])
def test_wide_spaces_are_no_signs(text: str) -> None:
    assert read(text) == " ".join(text.split())


@pytest.mark.parametrize(("text", "lost"), [("Balance *4,829.50", "*"), ("Balance _4,829.50", "_"), ("Balance =4,829.50", "=")])
def test_other_lost_characters_are_no_signs(text: str, lost: str) -> None:
    assert "\u2212" not in read(text, lost=lost)
