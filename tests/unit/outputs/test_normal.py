"""Normalized Markdown: words stay, marks get one style, and no page continues into the next."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt

from rayocr.outputs.normal.page import normal
from rayocr.outputs.normal.tables import html_table
from tests.unit.outputs.random_pages import PAGES

_markdown = MarkdownIt("commonmark", {"html": True, "maxNesting": 200}).enable(["table", "strikethrough"])


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("Title\n=====\nText", "# Title\n\nText"),
        ("Title\n---\nText", "## Title\n\nText"),
        ("##Title ##\nText", "## Title\n\nText"),
        ("# **Title**", "# Title"),
        ("<h3>Title</h3>", "### Title"),
        ("#hashtag stays", "#hashtag stays"),
        ("a long paragraph\nof two lines\n---\nmore", "a long paragraph\nof two lines\n\n---\n\nmore"),
        ("one\n\n***\n\ntwo\n* * *\nthree\n_____", "one\n\n---\n\ntwo\n\n---\n\nthree\n\n---"),
        ("* a\n* b\n    + c", "- a\n- b\n    - c"),
        ("• a\n•b\n- ● c", "- a\n- b\n- c"),
        ("Words:\n* a", "Words:\n\n- a"),
        ("1) a\n2) b", "1) a\n2) b"),
        ("– said she", "– said she"),
        ("*emphasis* stays\n\n**bold** too", "*emphasis* stays\n\n**bold** too"),
        (">quoted", "> quoted"),
        ("a  \nb   \n\n\n\nc \t", "a  \nb\n\nc"),
        ("a\r\nb\x07\x00", "a\nb"),
        (
            "| a | b |\n| - | - |\n| - | - |\n| 1 | 2 |\n|--|--|",
            "| a | b |\n| --- | --- |\n| - | - |\n| 1 | 2 |",
        ),  # two empty cells
        ("- " * 30 + "a", "- " * 20 + "\\- " + "- " * 9 + "a"),  # parsers fail on deeper nesting, and on the text that follows
        ("> " * 30 + "a", "> " * 20 + "\\> " + "> " * 9 + "a"),
        ("1. " * 21 + "a", "1. " * 20 + "1\\. a"),
        ("| a | b |\n| 1 | 2 |\n|--|--|--|", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("```python\n* a\n\n\n# b\n```\n* c", "```python\n* a\n\n\n# b\n```\n\n- c"),
        ("```markdown\n# All of it\n```", "# All of it"),
        ("Here is the transcription:\n\nText\n\nI hope this helps!", "Text"),
        ("<table> </table> words", "words"),
        ("", ""),
        ("```\n```", ""),
    ],
)
def test_marks_become_those_of_one_style(written: str, wanted: str) -> None:
    assert normal(written) == wanted


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("a|b\n-|-:\n1|2", "| a | b |\n| --- | ---: |\n| 1 | 2 |"),
        ("|a|b|\n|:-:|:--|\n|1|\n|1|2|3|\nText", "| a | b |  |\n| :---: | :--- | --- |\n| 1 |  |  |\n| 1 | 2 | 3 |\n\nText"),
        ("|a|b|c|\n|---|---|\n|1|2|3|", "| a | b | c |\n| --- | --- | --- |\n| 1 | 2 | 3 |"),
        ("| a | b |\n| 1 | 2 |", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("Text\n| a |\n|---|\n| x \\| y |", "Text\n\n| a |\n| --- |\n| x \\| y |"),
        ("either | or\n\nneither", "either | or\n\nneither"),
        ("either | or\n---", "either | or\n\n---"),
    ],
)
def test_tables_have_one_form_and_lose_no_cell(written: str, wanted: str) -> None:
    assert normal(written) == wanted


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (
            "<table><thead><tr><th>A</th><th align=right><b>B</b></th></tr></thead>"
            "<tr><td>1<br/>2</td><td>x | <i>y</i></td></tr></table>",
            "| A | B |\n| --- | ---: |\n| 1<br/>2 | x \\| *y* |",
        ),
        ("<table>\n<tr>\n<td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "| 1 | 2 |\n| --- | --- |\n| 3 |  |"),
        ("<table></table>", ""),
        ("<table><tr><td>a</td></tr><tr><td>---</td></tr></table>", "| a |\n| --- |\n| \\--- |"),
    ],
)
def test_html_tables_become_markdown(written: str, wanted: str) -> None:
    assert html_table(written) == wanted


@pytest.mark.parametrize(
    "inside",
    [
        "<tr><td colspan=2>1</td></tr>",
        "<tr><td rowspan='2'>1</td><td>2</td></tr><tr><td>3</td></tr>",
        "<tr><td><ul><li>1</li></ul></td></tr>",
        "<thead><tr><th>1</th></tr><tr><th>2</th></tr></thead>",
    ],
)
def test_html_tables_that_markdown_cannot_hold_stay(inside: str) -> None:
    assert html_table(f"<table>\n\n{inside}\n</table>") == f"<table>\n{inside}\n</table>"
    assert html_table(f"<table>{inside}").endswith("</table>")


@pytest.mark.parametrize(
    ("page", "ends"),
    [
        ("<table>\n``` <table>\n```\nwords", 1),
        ("<table> words <table>\n```", 2),
        ("- <table>\n  - <table>\n\n```", 2),
        ("#let <table> \\#let <table> \\", 2),
    ],
)
def test_a_table_with_a_fence_or_a_backslash_at_its_end_is_closed_once(page: str, ends: int) -> None:
    text = normal(page)
    assert text.count("</table>") == ends
    assert normal(text) == text


@pytest.mark.parametrize(
    "page",
    [
        "```\ncode",
        "~~~\ncode",
        "~~~ `c",
        "<!-- a comment",
        "<script>",
        "<pre>\nx",
        "<?php",
        "<table><tr><td colspan=2>1",
        "- ```\n  x",
        "> ```\n> x",
    ],
)
def test_what_a_page_leaves_open_does_not_swallow_the_next(page: str) -> None:
    tokens = _markdown.parse(normal(page) + "\n\n<!-- page 2 -->\n\nNext page")
    assert [token.content.strip() for token in tokens if token.content][-2:] == ["<!-- page 2 -->", "Next page"]


def test_a_page_cannot_forge_a_page_break() -> None:
    text = normal("Words\n\n<!-- page 7 -->\n\nmore <!-- page 8 --> words <!-- header: x -->")
    assert text == "Words\n\n&lt;!-- page 7 -->\n\nmore &lt;!-- page 8 --> words &lt;!-- header: x -->"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(PAGES)
def test_whatever_comes_it_is_done_once_and_closed_in_itself(page: str) -> None:
    text = normal(page)
    assert normal(text) == text
    tokens = _markdown.parse(text + "\n\n<!-- page 2 -->\n\nNext page")
    assert [token.content.strip() for token in tokens if token.content][-1] == "Next page"


def test_no_word_is_lost_and_none_comes_in() -> None:
    page = "Title\n===\n\n* one\n+ two\n\na | b\n--|--\n1 | 2 | 3\n\n<table><tr><td>x</td><td>y</td></tr></table>\n\n• last"
    assert [w for w in normal(page).split() if w.isalnum()] == ["Title", "one", "two", "a", "b", "1", "2", "3", "x", "y", "last"]


@pytest.mark.parametrize("end", ["5", "<b>5", "5</td", "5<br", "5</td></tr>"])
def test_a_table_that_is_cut_off_keeps_its_last_cell(end: str) -> None:
    written = f"before\n\n<table><tr><td>2</td><td>3</td></tr><tr><td>4</td><td>{end}"
    assert "| 4 | " in normal(written)
    assert "5" in normal(written)
