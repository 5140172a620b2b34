"""The size and the weight of letters as measured in pictures of lines, and the headings that follow from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.headings import is_headline
from rayocr.engines.layout.letter_style import LetterStyle, letter_style
from rayocr.engines.layout.rows import Row
from tests.unit.engines.layout.pages import column, line

BODY = LetterStyle(10.0, 3.0, True)
BOLD = LetterStyle(10.5, 4.6, True)
LARGE = LetterStyle(15.0, 4.4, True)
PROSE = [
    "The committee met on Tuesday to discuss the repair of the wall,",
    "and decided that the work should begin before the winter comes.",
    "The costs are shared by the members, who pay in equal parts and",
    "receive a written account of all expenses at the end of a year.",
]


def drawn(text: str, *, size: int = 30, bold: int = 0) -> Any:
    image = Image.new("L", (len(text) * size, 2 * size), 240)
    font = ImageFont.load_default(size=size)
    ImageDraw.Draw(image).text((10, size // 3), text, fill=20, font=font, stroke_width=bold)
    return np.asarray(image)


def measured(text: str, **options: int) -> LetterStyle:
    style = letter_style(drawn(text, **options), text)
    assert style is not None
    return style


def test_larger_letters_are_higher_and_have_wider_stems() -> None:
    small, large = measured("The harbour wall"), measured("The harbour wall", size=45)
    assert large.x_height / small.x_height == pytest.approx(1.5, rel=0.12)
    assert large.stroke / small.stroke == pytest.approx(1.5, rel=0.15)


def test_bold_letters_have_wider_stems_at_the_same_height() -> None:
    plain, bold = measured("The harbour wall"), measured("The harbour wall", bold=1)
    assert bold.stroke > 1.3 * plain.stroke
    assert bold.x_height < 1.2 * plain.x_height


def test_capitals_count_as_letters_of_the_same_size() -> None:
    assert measured("THE HARBOUR WALL").x_height == pytest.approx(measured("The harbour wall").x_height, rel=0.25)


def test_scripts_without_capitals_are_compared_with_themselves() -> None:
    assert measured("The wall").is_cased
    assert not measured("1998").is_cased


@pytest.mark.parametrize(("picture", "text"), [(np.full((40, 400), 240, np.uint8), "blank paper"), (drawn("7"), "7")])
def test_paper_and_single_letters_have_no_style(picture: Any, text: str) -> None:
    assert letter_style(picture, text) is None


def page(*first: tuple[str, LetterStyle], body: list[str] | None = None) -> str:
    lines: list[LayoutLine] = []
    y = 50.0
    for text, style in first:
        lines.append(replace(line(text, 60, y), style=style))
        y += 22
    lines += [replace(it, style=BODY) for it in column(body or PROSE, 60, y)]
    return layout_markdown(lines, page_width=595, page_height=842)


@pytest.mark.parametrize("style", [BOLD, LARGE])
def test_a_bold_or_large_line_of_a_scan_is_a_heading(style: LetterStyle) -> None:
    assert page(("Costs and financing", style)).startswith(("## Costs and financing\n", "### Costs and financing\n"))


def test_a_line_like_the_others_is_no_heading() -> None:
    assert page(("Costs and financing", LetterStyle(11.0, 3.3, True))).startswith("Costs and financing")


def test_a_numbered_section_needs_less_weight() -> None:
    assert page(("3.1 Costs and financing", LetterStyle(10.0, 3.6, True))).startswith("### 3.1 Costs")
    assert page(("Costs and financing", LetterStyle(10.0, 3.6, True))).startswith("Costs")


@pytest.mark.parametrize(
    ("rows", "body"),
    [
        ([("Your policy no. 42566 of 6 September", BOLD)], ["Dear Mr Halvorsen,", *PROSE]),
        ([("Yours faithfully,", BODY), ("Imogen Sayer", BOLD)], ["Claims department"]),
        ([("Amount due on 14 June", BOLD), ("must be paid in full.", BOLD)], PROSE),
    ],
)
def test_subjects_names_and_bold_sentences_are_no_headings(rows: list[tuple[str, LetterStyle]], body: list[str]) -> None:
    if len(body) == 1:
        rows = [*((text, BODY) for text in PROSE), *rows]
    if rows[0][0].startswith("Amount"):
        lines = [replace(it, style=BOLD) for it in column([text for text, _ in rows], 60, 50)]
        lines += [replace(it, style=BODY) for it in column(body, 60, 100)]
        assert "#" not in layout_markdown(lines, page_width=595, page_height=842)
    else:
        assert "#" not in page(*rows, body=body)


def test_the_lines_of_a_letterhead_above_an_address_stay_lines() -> None:
    head = ["Government of Kesar", "Housing Department", "Resolution no. 236/2008, section 1"]
    lines = [replace(it, style=BOLD) for it in column(head, 60, 50)]
    lines += [replace(it, style=BODY) for it in [*column(["Cama Road, Rajguru Chowk,"], 60, 100), *column(PROSE, 60, 130)]]
    text = layout_markdown(lines, page_width=595, page_height=842)
    assert text.startswith("Government of Kesar  \nHousing Department  \nResolution no. 236/2008, section 1\n\nCama Road")


def test_letters_of_another_script_are_not_compared_with_the_body() -> None:
    korean = LetterStyle(16.0, 3.6, False)
    assert "#" not in page(("도서관은 매일 문을 연다", korean))


def test_the_number_of_a_section_begins_another_heading() -> None:
    lines = [replace(it, style=LARGE) for it in (line("4. Storage", 60, 50, height=16), line("4.1 Handling", 60, 68, height=16))]
    lines += [replace(it, style=BODY) for it in column(PROSE, 60, 100)]
    text = layout_markdown(lines, page_width=595, page_height=842)
    assert text.startswith("## 4. Storage\n\n### 4.1 Handling\n")


def test_a_bold_headline_ends_the_table_above_it() -> None:
    def row(text: str, y: float, style: LetterStyle) -> Row:
        return Row((replace(line(text, 60, y), style=style),))

    above = [row("Sodium", 100 + 20 * number, BODY) for number in range(3)]
    bold = LetterStyle(13.0, 6.5)
    assert is_headline(row("Chemistry", 160, bold), above)
    assert not is_headline(row("Chemistry", 160, BODY), above)
    assert not is_headline(row("Chemistry", above[-1].y1 + 1, bold), above)
    assert not is_headline(row("Chemistry", 160, bold), above[1:])
