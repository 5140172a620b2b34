"""Lists within lists keep their levels in Markdown."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from rayocr.engines.layout import LayoutLine, layout_markdown
from tests.unit.engines.layout.pages import line


def read(*items: tuple[int, str], sizes: tuple[float, ...] = (10.0, 10.0, 10.0)) -> str:
    """Returns the Markdown of items, each given by its level and its text, that are set in by 20 points a level."""
    lines = [line(text, 60 + 20 * level, 100 + 16 * row, size=sizes[level]) for row, (level, text) in enumerate(items)]
    return layout_markdown(lines, page_width=595, page_height=842)


def levels(markdown: str) -> list[tuple[int, str]]:
    """Returns the paragraphs of all lists with the number of lists around them, as a renderer shows them."""
    found, depth = [], -1
    for token in MarkdownIt().parse(markdown):
        depth += token.nesting * token.type.endswith(("list_open", "list_close"))
        found += [(depth, token.content)] if token.type == "inline" else []
    return found


@pytest.mark.parametrize("mark", ["•", "–", "o", "\uf0a7", "➢"])
def test_bullets_keep_their_levels(mark: str) -> None:
    text = read(
        (0, "• Tools"), (1, f"{mark} Hammer"), (1, f"{mark} Nails"), (2, "• long ones"), (0, "• Wood"), (1, f"{mark} Oak")
    )
    assert levels(text) == [(0, "Tools"), (1, "Hammer"), (1, "Nails"), (2, "long ones"), (0, "Wood"), (1, "Oak")]


def test_numbers_and_bullets_keep_their_levels() -> None:
    text = read(
        (0, "1. Prepare"), (1, "• Windows"), (1, "• Doors"), (0, "2. Paint"), (1, "3) Walls"), (1, "4) Floor"), (0, "3. Clean")
    )
    assert levels(text) == [
        (0, "Prepare"),
        (1, "Windows"),
        (1, "Doors"),
        (0, "Paint"),
        (1, "Walls"),
        (1, "Floor"),
        (0, "Clean"),
    ]


def test_letters_are_lines_within_their_item() -> None:
    text = read((0, "1. Prepare"), (1, "a. Windows"), (1, "b. Doors"), (0, "2. Paint"), (1, "(a) Walls"), (0, "3. Clean"))
    assert text.splitlines() == [
        *("1. Prepare", "", "   a. Windows  ", "   b. Doors", ""),
        *("2. Paint", "", "   (a) Walls", "", "3. Clean"),
    ]


def test_numbers_set_to_the_right_are_one_level() -> None:
    lines = [line(f"{n}. item {n}", 60 + 10 * (n < 10), 100 + 16 * n) for n in range(8, 12)]
    assert {level for level, _ in levels(layout_markdown(lines, page_width=595, page_height=842))} == {0}


def test_items_of_a_slide_that_are_larger_than_those_below_them_are_no_headings() -> None:
    details = [(1, f"– a detail of this point that is number {n}") for n in range(4)]
    text = read((0, "• First point"), *details, (0, "• Second point"), *details, sizes=(24.0, 16.0, 16.0))
    assert [level for level, _ in levels(text)] == [0, 1, 1, 1, 1, 0, 1, 1, 1, 1]


def test_a_portuguese_article_at_the_begin_of_lines_is_no_bullet() -> None:
    texts = [
        "O livro que o Pedro deu a Maria e",
        "o Tribunal de Justiça que viu",
        "o Estado e a Lei no mesmo dia em",
        "que todos saíram da cidade.",
    ]
    quoted = [line(text, 90, 130 + 14 * row) for row, text in enumerate(texts)]
    lines: list[LayoutLine] = [line("Um texto que diz o que segue", 60, 100), *quoted]
    text = layout_markdown(lines, page_width=595, page_height=842)
    assert "o Tribunal" in text and "o Estado" in text


@pytest.mark.parametrize("mark", ["·", "· ", "・"])
def test_middle_dots_are_bullets(mark: str) -> None:
    text = read((0, f"{mark}Coping strategies"), (0, f"{mark}Support networks"), (0, f"{mark}Advocacy"))
    assert text == "- Coping strategies\n- Support networks\n- Advocacy"


def test_middle_dots_between_keywords_are_no_bullets() -> None:
    text = read((0, "Keywords: Document Analysis · Layout Analysis"), (0, "· Character Recognition · Open Source library"))
    assert "- " not in text
