"""Relation signs with a slash over them are one sign."""

from __future__ import annotations

import pytest

from tests.unit.pdf.textlayer.drawings import page_with_font, texts_of

LETTERS = {char: char for char in "xy 0123456789=<"}


def drawn(content: str, slash: str) -> list[str]:
    return texts_of(page_with_font(f"BT /F2 12 Tf 72 700 Td {content} ET".encode(), LETTERS | {"/": slash}))


@pytest.mark.parametrize("slash", ["\u0338", "≠"])
@pytest.mark.parametrize("content", ["[(x ) (/) 278 (= y)] TJ", "[(x =) 430 (/) -152 ( y)] TJ"])
def test_a_slash_over_an_equals_sign_makes_it_unequal(content: str, slash: str) -> None:
    assert drawn(content, slash) == ["x ≠ y"]


def test_the_slash_negates_the_sign_that_it_covers() -> None:
    assert drawn("[(x = y ) (/) 278 (< 10)] TJ", "\u0338") == ["x = y ≮ 10"]


def test_signs_side_by_side_stay_two() -> None:
    assert drawn("(x / = y) Tj", "≠") == ["x ≠ = y"]


@pytest.mark.parametrize(
    ("drawn_text", "text"),
    [("[(10) 417 (/) -139 (75)] TJ", "1075"), ("(10/75) Tj", "10/75"), ("[(10) 80 (/) 80 (75)] TJ", "10/75")],
)
def test_a_slash_over_a_zero_is_no_character(drawn_text: str, text: str) -> None:
    content = f"BT /F1 12 Tf 72 700 Td {drawn_text} ET"
    assert texts_of(page_with_font(content.encode(), LETTERS)) == [text]
