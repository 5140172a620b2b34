from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.joining import join_lines, page_words
from tests.unit.engines.layout.pages import column, line

PROSE = [
    "The first line of this paragraph is as long as the column is wide",
    "and the second one is just as long so that the column is quite full",
    "while the last one is short.",
]


def markdown(lines: list[LayoutLine]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        (["recog-", "nition of text"], "recognition of text"),
        (["a well-", "known fact"], "a well-known fact"),
        (["a state-of-the-art, self-", "made man"], "a state-of-the-art, self-made man"),
        (["a boy, a nine-", "year-old"], "a boy, a nine-year-old"),
        (
            ["Mar. Lett. 12(4), 33\u2013", "40. https://doi.org/10.1000/xyz"],
            "Mar. Lett. 12(4), 33\u201340. https://doi.org/10.1000/xyz",
        ),
        (["Anglo-", "Saxon"], "Anglo-Saxon"),
        (["the years 2019-", "20 and after"], "the years 2019-20 and after"),
        (["soft\u00ad", "ware"], "software"),
        (["soft\u00adware"], "software"),
        (["a dash -", "and on"], "a dash - and on"),
        (["中华人民", "共和国"], "中华人民共和国"),
        (["한국어", "문장"], "한국어 문장"),
        (["at www.", "harbour-trust.example/help."], "at www.harbour-trust.example/help."),
        (["see https://harbour-", "trust.example"], "see https://harbour-trust.example"),
        (["It is at www.example.com.", "The next"], "It is at www.example.com. The next"),
        (["one", "", "two"], "one two"),
    ],
)
def test_lines_join_as_a_reader_would_join_them(lines: list[str], joined: str) -> None:
    assert join_lines(lines) == joined


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["decanal or n-", "tridecanal"], "decanal or n-tridecanal"),
        (["an x-", "ray"], "an x-ray"),
        (["6-methyl-5-", "hepten-2-one"], "6-methyl-5-hepten-2-one"),
        (["01-2301-", "X4"], "01-2301-X4"),
        (["Vor-", "und Nachteile"], "Vor- und Nachteile"),
        (["children aged 3-", "to 5"], "children aged 3- to 5"),
        (["l'a-", "mico"], "l'amico"),
        (["die Frau-", "en"], "die Frauen"),
    ],
)
def test_a_hyphen_of_a_name_or_before_a_conjunction_stays(lines: list[str], text: str) -> None:
    assert join_lines(lines) == text


def test_a_suspended_hyphen_needs_evidence_where_the_conjunction_may_be_a_syllable() -> None:
    lines = ["ook vracht-", "en verzendkosten"]
    assert join_lines(lines, known_words=frozenset({"de", "het", "een"})) == "ook vracht- en verzendkosten"
    assert join_lines(["two-", "or three-year"], known_words=frozenset()) == "two- or three-year"


def test_a_hyphen_stays_where_the_page_writes_the_word_with_one() -> None:
    assert join_lines(["a data-", "flow"], known_words=frozenset({"data-flow"})) == "a data-flow"
    assert join_lines(["well-", "being"], known_words=frozenset({"wellbeing"})) == "wellbeing"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["is a price-", "determining choice; the price is fixed"], "price-determining"),
        (["a context-", "specific choice of the word"], "context-specific"),
        (["the never-", "changing sea, and a changing coast"], "never-changing"),
        (["the gover-", "ning body, a gover and nor"], "governing"),
        (["the in-", "dependent state"], "independent"),
        (["all were con-", "forming with the rules, con or pro"], "conforming"),
        (["ein Tabellen-", "gestaltendes Wort für Tabellen"], "Tabellengestaltendes"),
        (["of all plat-", "forms and the forms"], "platforms"),
        (["the stake-", "holders and all holders"], "stakeholders"),
        (["in Peter and the Wolf", "und die Musik-", "schule, eine Schule"], "Musikschule"),
    ],
)
def test_a_hyphen_stays_between_two_words_of_an_english_page(lines: list[str], text: str) -> None:
    assert text in join_lines(lines, known_words=page_words(lines))


def test_parts_of_divided_words_are_no_words() -> None:
    lines = ["the recog-", "nition of a recog-", "nition"]
    assert page_words(lines).whole == {"of", "a"}
    assert join_lines(lines, known_words=page_words(lines)) == "the recognition of a recognition"


def test_lines_of_a_paragraph_become_one_line() -> None:
    assert markdown(column(PROSE, 60, 100)) == " ".join(PROSE)


def test_a_short_last_line_ends_the_paragraph() -> None:
    text = markdown(column([*PROSE, *PROSE], 60, 100))
    assert text == " ".join(PROSE) + "\n\n" + " ".join(PROSE)


def test_a_first_line_set_in_begins_a_paragraph() -> None:
    full = [text.ljust(70, "x") for text in PROSE]
    lines = [*column(full, 60, 100), line("Indented " + "y" * 58, 80, 142), line("z" * 70, 60, 156)]
    assert markdown(lines).count("\n\n") == 1


def test_white_space_between_lines_begins_a_paragraph() -> None:
    full = [text.ljust(70, "x") for text in PROSE]
    assert markdown(column(full, 60, 100) + column(full, 60, 160)).count("\n\n") == 1


def test_a_paragraph_broken_by_the_end_of_a_column_continues() -> None:
    left = [f"left {number} column text that runs on and on" for number in range(8)] + ["the very last line of it ends in a bro-"]
    right = ["ken word that goes on in the next one here"] + [
        f"right {number} column text that runs on and" for number in range(8)
    ]
    text = markdown(
        [*column(left, 60, 100, width=215)[:-1], line(left[-1], 60, 100 + 8 * 14), *column(right, 300, 100, width=215)]
    )
    assert "broken word" in text


def test_list_items_stay_apart_and_bullets_become_markdown() -> None:
    items = ["• first point", "• second point", "1. number one", "2. number two", "(a) letter"]
    text = markdown(column([*PROSE, *items], 60, 100))
    assert "- first point\n- second point\n1. number one\n2. number two" in text


def test_a_bullet_read_as_a_box_of_its_own_belongs_to_its_item() -> None:
    lines = [line("•", 60, 100), line("the item", 90, 100), line("•", 60, 114), line("another item", 90, 114)]
    assert markdown(lines) == "- the item\n- another item"


@pytest.mark.parametrize(
    "text", ["# not a heading", "> not a quote", "---", "===", "| not a table", "``` not code", "1986. A year"]
)
def test_text_that_looks_like_markdown_is_escaped(text: str) -> None:
    assert "\\" in markdown([line(text, 60, 100)])


@pytest.mark.parametrize("text", ["snake_case_name", "5 * 3 = 15", "#hashtag", "C++", "a | b", "-5 degrees", "e-mail <a@b.c>"])
def test_text_that_markdown_leaves_alone_is_left_alone(text: str) -> None:
    assert markdown([line(text, 60, 100)]) == text


def test_large_type_makes_a_heading_and_body_type_does_not() -> None:
    body = [LayoutLine(text=it.text, x0=it.x0, y0=it.y0, x1=it.x1, y1=it.y1, font_size_pt=10) for it in column(PROSE, 60, 150)]
    text = markdown([line("A Title", 60, 60, size=20, height=22), line("A Section", 60, 110, size=14, height=15), *body])
    assert text.startswith("# A Title\n\n## A Section\n\nThe first line")


def test_a_two_line_title_is_one_heading() -> None:
    title = [line("A Title of Which the", 60, 60, height=22), line("Second Half is Below", 60, 84, height=22)]
    assert markdown([*title, *column(PROSE, 60, 150)]).startswith("# A Title of Which the Second Half is Below\n\n")


def test_a_large_line_within_a_sentence_is_not_a_heading() -> None:
    rows = column(PROSE, 60, 100)
    rows[0] = LayoutLine(text=rows[0].text, x0=60, y0=94, x1=rows[0].x1, y1=112)
    assert "#" not in markdown(rows)


def test_a_drop_capital_is_not_a_heading() -> None:
    assert "#" not in markdown([line("T", 40, 100, height=40), *column(PROSE, 70, 100)])


def test_an_empty_page_is_an_empty_text() -> None:
    assert markdown([]) == ""
    assert markdown([line("   ", 10, 10)]) == ""


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script> & &#49;",
        "a<b or c>d &lt;",
        "![a](http://x/y.png) [b](javascript:c)",
        "2*3*4 = 24 and **bold**",
        "`tick` ~~strike~~ __init__",
        "[1]: Smith 1894",
        "C:\\*.txt \\[x\\]",
        "$x^2$ costs $5 and $6",
        "$$41$$ and $HOME/a:$PATH",
        "![pixel](http://x/p.png) [12](see p. 3)",
        "<!-- page 3 -->",
        "• <b>x</b>",
    ],
)
def test_what_the_page_shows_is_what_a_renderer_shows(text: str) -> None:
    shown = re.sub(r"<[^>]*>", "", MarkdownIt("commonmark", {"html": True}).render(markdown([line(text, 60, 100)])))
    assert html.unescape(shown).split() == text.removeprefix("• ").split()


RAGGED = [
    "The survey of wells began in 1931 in the villages of Brindle, Fenwick Bridge,",
    "Tollgate and Port Evelyn. Of the wells of Brindle a third had run dry;",
    "Fenwick Bridge had 412 wells, of which 97 were deeper than the mill of",
    "Tollgate is high. The answers were kept in tin boxes in the attic of the",
    "Water Board until 1954, when Ottoline Marsh, a clerk, found them and",
    "Amos Pellworth printed them without the names of the families.",
]
SENTENCES = [
    "The secretary tells every member of every meeting in writing.",
    "The treasurer shows the accounts to whoever asks for them at any hour of the day.",
    "The chairman may close the accounts during the harvest month.",
    "The auditor is chosen by lot among the members who can read.",
]


def test_ragged_lines_that_begin_with_names_are_one_paragraph() -> None:
    assert markdown(column(RAGGED, 72, 100)) == " ".join(RAGGED)


def test_a_sentence_a_line_stays_a_line() -> None:
    assert markdown(column(SENTENCES, 72, 100)).replace("  \n", "\n").replace("\n\n", "\n").split("\n") == SENTENCES


def test_a_paragraph_that_is_larger_than_most_of_the_page_is_not_a_heading() -> None:
    texts = [
        "The system could not have been built without the help",
        "of many people. We are grateful to the members of our",
        "team, to the users, and to those who built the infra-",
        "structure, who never failed to improve their parts of",
        "it for us.",
    ]
    large = [replace(line(text, 60, 100 + 16 * n, size=12), x1=380) for n, text in enumerate(texts)]
    small = [
        line(f"[{n}] A reference in a smaller size, with its authors, title and year, 19{n}.", 60, 250 + 12 * n, size=9)
        for n in range(10, 30)
    ]
    text = layout_markdown([line("Acknowledgments", 60, 70, size=14), *large, *small], page_width=595, page_height=842)
    assert text.startswith("## Acknowledgments\n\nThe system could not")
    assert "infrastructure, who never" in text


def test_sections_are_below_chapters_of_the_same_size() -> None:
    lines = [
        line("3 Processing", 60, 50, size=16, height=16),
        *sized(PROSE, 80),
        line("3.1 Backends", 60, 150, size=16, height=16),
    ]
    text = markdown([*lines, *sized(PROSE, 180), line("3.1.2 Files", 60, 250, size=16, height=16), *sized(PROSE, 280)])
    assert re.findall("^#.*", text, re.MULTILINE) == ["# 3 Processing", "### 3.1 Backends", "#### 3.1.2 Files"] or re.findall(
        "^#.*", text, re.MULTILINE
    ) == ["## 3 Processing", "### 3.1 Backends", "#### 3.1.2 Files"]


def sized(texts: list[str], y: float) -> list[LayoutLine]:
    return [replace(it, font_size_pt=10) for it in column(texts, 60, y)]


def test_a_bold_line_of_the_size_of_the_text_above_a_paragraph_is_a_heading() -> None:
    text = markdown([*sized(PROSE, 50), line("2. Rent and deposit", 60, 110, size=10, bold=True), *sized(PROSE, 134)])
    assert "\n\n### 2. Rent and deposit\n\nThe first line" in text


@pytest.mark.parametrize("head", ["Note: read this.", "Total", "and the bold words of a sentence", "Amount due:"])
def test_bold_words_that_are_no_headings(head: str) -> None:
    lines = [*sized(PROSE, 50), line(head, 60, 92, size=10, bold=True), *sized(PROSE if head != "Total" else ["4,250.75"], 106)]
    assert "#" not in markdown(lines)


def test_a_sentence_in_large_type_that_ends_in_its_second_line_is_not_half_a_heading() -> None:
    large = [
        replace(it, font_size_pt=12, y1=it.y0 + 13)
        for it in column(["The council approved the plan to repair", "the old bridge."], 60, 50)
    ]
    assert "#" not in markdown([*large, *sized(PROSE, 100)])


def test_the_last_page_of_a_reference_is_not_the_number_of_a_list_item() -> None:
    references = [
        "[1] Miller, A. (2019). Drift of buoys. J. Tests 3, 1\u20139.",
        "[2] Ortiz, B. (2020). Tidal channels. Mar. Lett. 12(4), 33\u2013",
        "40. https://doi.org/10.1000/xyz",
    ]
    assert "12(4), 33\u201340. https://doi.org/10.1000/xyz" in markdown(column(references, 60, 100))


def test_fields_with_abbreviated_labels_keep_their_lines() -> None:
    fields = ["Date: 2026-11-03", "Customer no.: 88-213", "Due: 2026-11-17"]
    lines = [line(text, 540 - 5 * len(text), 114 + 13 * n) for n, text in enumerate(fields)]
    title = "Invoice of the harbor office 2026-0417"
    assert markdown([line(title, 540 - 5 * len(title), 101, bold=True), *lines]).endswith("  \n".join(fields))
