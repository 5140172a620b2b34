"""Lines of one style have one level: siblings of a heading are headings, and lines in the size of running text are not."""

from __future__ import annotations

import pytest

from rayocr.engines.layout import LayoutLine, layout_markdown
from tests.unit.engines.layout.pages import HEIGHT_PT, line

CLAUSE = [
    "The customer pays the fees within thirty days after the receipt of the invoice,",
    "without any deductions from the sum.",
]


def read(lines: list[LayoutLine]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


def clauses(heads: list[str], texts: list[list[str]]) -> list[LayoutLine]:
    lines: list[LayoutLine] = []
    y = 120.0
    for head, text in zip(heads, texts, strict=True):
        lines.append(line(head, 60, y, size=10, bold=True))
        lines += [line(part, 60, y + 16 + 14 * n, size=10) for n, part in enumerate(text)]
        y += 16 + 14 * len(text) + 14
    return lines


@pytest.mark.parametrize("style", ["{}. {}", "{} {}", "{1}"])
def test_a_heading_above_a_short_text_has_the_level_of_its_siblings(style: str) -> None:
    heads = [style.format(n, word) for n, word in enumerate(["Term", "Services", "Fees", "Law"], start=1)]
    text = read(clauses(heads, [["Two years."], CLAUSE, CLAUSE, CLAUSE]))
    assert [row for row in text.splitlines() if row.startswith("#")] == [f"### {head}" for head in heads]


def test_a_bold_line_above_a_short_text_without_siblings_is_no_heading() -> None:
    text = read(clauses(["Anna Miller", "Services"], [["Director"], [*CLAUSE, *CLAUSE]]))
    assert [row for row in text.splitlines() if row.startswith("#")] == ["### Services"]


def test_lines_of_text_that_is_larger_than_the_table_below_it_are_no_headings() -> None:
    prose = [
        *("The numbers of the table show how the two regions", "differ in the use of water. Each figure is a mean of"),
        *("the three years before. We explain the method below", "and give the numbers of stations. In the north there"),
        *("were twelve stations, which is the highest number", "of all. Data of the south are incomplete."),
    ]
    lines = [line(text, 60, 100 + 14 * n, size=10) for n, text in enumerate(prose)]
    lines.insert(0, line("Results of the Survey", 60, 70, size=13, height=14, bold=True))
    for row in range(30):
        cells = (f"Station {row} north", f"{row}4.5", f"{row}1.2", f"{row}9 of 100 in all")
        lines += [line(cell, 60 + 110 * n, 220 + 10 * row, size=7, height=7.7) for n, cell in enumerate(cells)]
    assert [row.lstrip("# ") for row in read(lines).splitlines() if row.startswith("#")] == ["Results of the Survey"]


def test_an_address_line_in_a_slightly_larger_size_is_no_heading() -> None:
    address = [("Union School District", 10), ("1309 Mary Avenue", 11.8), ("Sunnyvale, CA 94087", 10)]
    lines = [line(text, 60, 100 + 13 * n, size=size) for n, (text, size) in enumerate(address)]
    lines += [line(f"{text} {n}", 60, 200 + 14 * n, size=10) for n, text in enumerate(CLAUSE * 4)]
    assert "#" not in read(lines)


WIDE = [
    "of the text that continues here from the page before and is long enough to",
    "fill its lines, and then it ends in the third line of",
    "this page.",
]


@pytest.mark.parametrize(
    "header", ["Contains Nonbinding Recommendations", "Case: 20-1507 Document: 00117684624 Page: 5 Date Filed: 12/22/2020"]
)
def test_a_running_header_is_not_the_beginning_of_the_text_below_it(header: str) -> None:
    lines = [line(header, 60, 40), *(line(text, 60, 90 + 14 * n) for n, text in enumerate(WIDE))]
    assert read(lines).split("\n\n") == [header, " ".join(WIDE)]


def test_the_first_line_of_a_page_with_wide_line_spacing_belongs_to_its_paragraph() -> None:
    texts = ["The record of this case shows that the argument of the plaintiff lacks merit", *WIDE]
    assert read([line(text, 60, 60 + 28 * n) for n, text in enumerate(texts)]) == " ".join(texts)


def test_numbers_of_paragraphs_in_the_margin_belong_to_their_paragraphs() -> None:
    lines = [line(f"¶ {number}", 30, 100 + 56 * number) for number in (1, 2, 3)]
    for number in (1, 2, 3):
        lines.append(line("The court finds that the game is lawful and that it depends on", 100, 100 + 56 * number))
        lines += [
            line(text, 60, 128 + 56 * number, height=11) for text in ["skill, so that the first judgment stands as it was given."]
        ]
    text = read(lines)
    assert text.count("depends on skill") == 3 and "¶ 2 The court" in text


@pytest.mark.parametrize("size", [11.8, None])
def test_a_heading_close_to_the_text_above_and_below_it_stays_a_heading(size: float | None) -> None:
    lines = [line(f"{text} {n}", 60, 100 + 14 * n, size=size and 10) for n, text in enumerate(CLAUSE * 3)]
    lines.append(line("Previous Work", 60, 184, size=size, height=HEIGHT_PT if size else 17))
    lines += [line(f"{text} {n}", 60, (198 if size else 203) + 14 * n, size=size and 10) for n, text in enumerate(CLAUSE * 3)]
    assert "# Previous Work\n" in read(lines)


def figures(text: str) -> str:
    lines = [line("By revenue", 60, 60, size=10), line(text, 60, 80, size=20, height=22)]
    lines += [line(f"{clause} {n}", 60, 140 + 14 * n, size=10) for n, clause in enumerate(CLAUSE * 4)]
    return read(lines)


@pytest.mark.parametrize("text", ["1,792,756 crore", "USD 12500", "Total 12,345.00", "12500 km", "€ 2000 net", "1998.50 EUR"])
def test_an_amount_in_large_figures_is_no_heading(text: str) -> None:
    assert "#" not in figures(text)


@pytest.mark.parametrize("text", ["1998 and 1999", "Form 101-02", "12 May 2024", "Section 12345", "2019 bis 2021"])
def test_years_dates_and_words_with_their_numbers_may_be_headings(text: str) -> None:
    assert f"# {text}\n" in figures(text)


def test_a_large_sentence_of_several_lines_is_not_half_a_heading() -> None:
    deck = ["The company, which is the", "largest of its kind in the", "whole region, has grown in", "the year of the report."]
    lines = [line(text, 60, 60 + 15 * n, size=11.8) for n, text in enumerate(deck)]
    lines += [line(f"{text} {n}", 60, 160 + 14 * n, size=10) for n, text in enumerate(CLAUSE * 4)]
    assert " ".join(deck) in read(lines) and "#" not in read(lines)


def test_a_heading_whose_lines_are_set_wide_is_one_heading() -> None:
    title = ["Appendix D: Measures of Financial Literacy and", "Cognitive Abilities"]
    lines = [line(text, 60, 130 + 32 * n, size=17, height=17) for n, text in enumerate(title)]
    lines += [line(f"{text} {n}", 60, 220 + 14 * n, size=10) for n, text in enumerate(CLAUSE * 4)]
    assert f"# {' '.join(title)}\n" in read(lines)


def test_the_first_line_of_a_title_at_the_top_of_the_page_is_no_running_header() -> None:
    title = ["CHAPTER 6: OVERVIEW OF THE MARKET", "FROM OTHER SOURCES"]
    lines = [line(text, 60, 70 + 23 * n, size=14, height=15, bold=True) for n, text in enumerate(title)]
    lines += [line(f"{text} {n}", 60, 150 + 14 * n, size=10) for n, text in enumerate(CLAUSE * 4)]
    assert f"# {' '.join(title)}\n" in read(lines)


PROSE = [
    "The fit of the complete model to the observed data was good in all of the valleys that",
    "were measured, and the mean of the errors is given in the first of the two tables of the",
    "appendix. The wells of the north were dry in the summer of both years of the survey.",
]


def sections(heads: list[str], gap: float = 24, x: float = 60) -> list[str]:
    """The headings of a page of sections in one size and weight."""
    lines: list[LayoutLine] = []
    y = 80.0
    for head in heads:
        lines += [line(text, 60, y + 14 * n, size=10) for n, text in enumerate(PROSE)]
        lines.append(line(head, x, y + 28 + gap, size=10))
        y += 28 + gap + 18
    lines += [line(text, 60, y + 14 * n, size=10) for n, text in enumerate(PROSE)]
    return [row for row in read(lines).splitlines() if row.startswith("#")]


@pytest.mark.parametrize("head", ["4. Results", "4.1. Model evaluation", "4.1 Model evaluation", "VI. DISCUSSION"])
def test_a_heading_in_the_size_of_the_body_is_known_by_its_number(head: str) -> None:
    assert [row.lstrip("# ") for row in sections([head])] == [head]
    assert not sections([head], gap=14)  # no white space above


def test_headings_in_capitals_are_known_by_their_siblings() -> None:
    assert sections(["METHODS", "RESULTS"]) == ["### METHODS", "### RESULTS"]
    assert not sections(["JOHN MILLER"])
    assert not sections(["METHODS", "See the notes"])


@pytest.mark.parametrize("head", ["4. Where is the river?", "4. see the notes", "12 Apples", "4. The model:", "A"])
def test_other_short_lines_above_text_are_no_headings(head: str) -> None:
    assert not sections([head])


def test_the_items_of_a_list_set_apart_are_no_headings() -> None:
    items = ["1. Apples", "2. Pears", "3. Plums and the cherries of the old garden beside the river"]
    lines = [line(text, 60, 80 + 14 * n, size=10) for n, text in enumerate(PROSE * 3)]
    lines += [line(text, 60, 230 + 24 * n, size=10) for n, text in enumerate(items)]
    assert "#" not in read(lines)
