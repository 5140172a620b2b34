"""Marks of struck words are carried over from one arrangement of a page's texts to another."""

from __future__ import annotations

import pytest

from rayocr.pdf.textlayer.struck import markdown
from rayocr.pdf.textlayer.struck.markdown import with_struck

BEGIN, END = "\ufdd0", "\ufdd1"


def test_a_list_of_the_same_texts_marks_the_cells_of_a_table_without_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "SequenceMatcher", None)  # its time grows with the square of the number of equal cells
    table = "\n".join(f"| {n} | 0 | {n % 7} |" for n in range(15_000))
    listed = "\n".join(f"{n} {BEGIN}0{END} {n % 7}" if n % 50 == 3 else f"{n} 0 {n % 7}" for n in range(15_000))
    text = with_struck(table, listed)
    assert text.replace("~~", "") == table
    assert text.count("| ~~0~~ |") == 300
    assert "| 3 | ~~0~~ | 3 |" in text


def test_texts_before_and_after_a_difference_are_marked_on_pages_of_many_words() -> None:
    words = [f"w{n}" for n in range(30_000)]
    marked = [f"{BEGIN}{word}{END}" if n in (5, 29_990) else word for n, word in enumerate(words)]
    text = with_struck(" ".join([*words[:100], "a-b", *words[100:]]), " ".join([*marked[:100], "a", "-", "b", *marked[100:]]))
    assert "w4 ~~w5~~ w6" in text
    assert "w29989 ~~w29990~~ w29991" in text


def test_words_that_are_struck_side_by_side_are_struck_together() -> None:
    marked = f"An {BEGIN}old{END} {BEGIN}cl{END}ause of {BEGIN}30{END}60\n{BEGIN}days{END}"
    assert with_struck("An old clause of 3060\ndays", marked) == "An ~~old cl~~ause of ~~30~~60\n~~days~~"


@pytest.mark.parametrize(("text", "marked", "expected"), [("x", "", "x"), ("", "", ""), ("| x |", f"{BEGIN}x{END}", "| ~~x~~ |")])
def test_texts_without_tokens_stay(text: str, marked: str, expected: str) -> None:
    assert with_struck(text, marked) == expected
