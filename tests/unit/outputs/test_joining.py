"""Paragraphs and tables are joined across page breaks, and the break stays visible."""

from __future__ import annotations

import pytest

from rayocr.outputs.normal.joining import join

MARK = "<!-- page 2 -->"


def joined(above: str, below: str) -> str | None:
    made = join(above, MARK, below)
    return None if made is None else made.above + (f"\n\n{made.below}" if made.below else "")


@pytest.mark.parametrize(
    ("above", "below", "wanted"),
    [
        ("First.\n\nthe quick brown", "fox jumps.\n\nNext.", f"First.\n\nthe quick brown {MARK} fox jumps.\n\nNext."),
        ("a long transcrip-", "tion of it", f"a long transcription {MARK} of it"),
        ("它可以被", "任何人阅读", f"它可以被{MARK}任何人阅读"),
        ("the end <!-- x --> of", "it", f"the end <!-- x --> of {MARK} it"),
        (
            "the cat\n\n<!-- footer: 1 -->",
            "<!-- header: H -->\n\nsat",
            f"the cat <!-- footer: 1 --> {MARK} <!-- header: H --> sat",
        ),
    ],
)
def test_a_sentence_continues_over_the_break(above: str, below: str, wanted: str) -> None:
    assert joined(above, below) == wanted


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("It ended.", "it began"),
        ("the quick brown", "Fox and Sons"),
        ("# heading", "small"),
        ("- item", "small"),
        ("the quick", "- item"),
        ("the quick", "# heading"),
        ("the quick", "| a |\n| --- |\n| 1 |"),
        ("```\ncode", "small"),
        ("", "small"),
        ("the quick", ""),
        ("A-", "B"),
    ],
)
def test_what_does_not_clearly_continue_stays_apart(above: str, below: str) -> None:
    assert joined(above, below) is None


def test_a_table_continues_without_its_header_again() -> None:
    above = "Text\n\n| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert joined(above, "| A | b |\n| --- | --- |\n| 3 | 4 |\n| 5 | 6 |\n\nAfter") == (
        f"{above}\n| {MARK} 3 | 4 |\n| 5 | 6 |\n\nAfter"
    )


def test_a_row_that_was_taken_for_a_header_is_a_row_again() -> None:
    above = "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert joined(above, "| 3 |  |\n| --- | --- |\n| 5 | 6 |") == f"{above}\n| {MARK} 3 |  |\n| 5 | 6 |"


@pytest.mark.parametrize(
    "below", ["| a |\n| --- |\n| 1 |", "Text\n\n| a | b |\n| --- | --- |\n| 1 | 2 |", "| a | b |\n| --- | --- |"]
)
def test_other_tables_stay_apart(below: str) -> None:
    above = "| a | b |\n| --- | --- |\n| 1 | 2 |"
    made = joined(above, below)
    assert made is None
