"""HTML lists of models become lines with their own numbers, so that every output and the search index have them."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rayocr.outputs.html.lists import with_own_markers
from rayocr.outputs.normal.page import as_written, normal
from rayocr.outputs.page_html import html_of
from rayocr.outputs.report.text import rendered
from tests.unit.outputs.clean_pages import clean_pdf, pages_of
from tests.unit.outputs.test_own_markers import text_of_html

CASES = {
    '<ol start="7">\n<li>first</li>\n<li>second</li>\n</ol>': "7. first\n8. second",
    "Intro\n<ol start=7><li>first<li>second</ol>\nafter": "Intro\n\n7. first\n8. second\n\nafter",
    "<ol start=2>\n\n    <li>one</li>\n\n    <li>two\n    words</li>\n</ol>": "2. one\n3. two words",
    '<ol type="a" start="26"><li>x</li><li>y</li></ol>': "z. x\n\naa. y",
    '<OL TYPE="I" START="4"><LI>x</LI><LI>y</LI></OL>': "IV. x\n\nV. y",
    '<ol style="list-style-type: upper-alpha"><li>x</li></ol>': "A. x",
    '<ol style="list-style-type: devanagari" start="9"><li>x</li><li>y</li></ol>': "९. x\n\n१०. y",
    "<ol><li>one</li><li value=5>five</li><li>six</li></ol>": "1. one\n5. five\n6. six",
    "<ol reversed><li>three</li><li>two</li><li>one</li></ol>": "3. three\n2. two\n1. one",
    '<ol start="-1"><li>a</li><li>b</li></ol>': "-1. a\n\n0. b",
    '<ol start="4000" type="i"><li>a</li></ol>': "4000. a",
    "<ol start=3><li>a<ul><li>x</li><li>y</li></ul></li><li>b</li></ol>": "3. a\n   - x\n   - y\n4. b",
    "<ul><li>a<ol start=5 type=a><li>p</li><li>q</li></ol>more</li></ul>": "- a\n\n  e. p\n\n  f. q\n\n  more",
    "<ol><li><p>one</p><p>more</p></li><li><p>two</p></li></ol>": "1. one\n\n   more\n2. two",
    "<ol start=2><li>run:\n```\na  b\n  c\n```\n</li><li>done</li></ol>": "2. run:\n\n   ```\n   a  b\n     c\n   ```\n\n3. done",
    "> <ol start=3>\n> <li>a</li>\n> <li>b</li>\n> </ol>\n\nend": "> 3. a\n> 4. b\n\nend",
    "<ol><li>7. x</li><li>9. y</li></ol>": "7. x\n\n9. y",
    "<ol><li>(a) x</li><li>(b) y</li></ol>": "(a) x\n\n(b) y",
    "<ol><li>5. Mai</li><li>none</li></ol>": "1. 5. Mai\n2. none",
    "<dl><dt>Term</dt><dd>One</dd><dd>Two</dd><dt>Next</dt><dd>Three</dd></dl>": "Term\n: One\n: Two\n\nNext\n: Three",
    "<table><tr><td>x<ol start=4><li>a</li><li>b</li></ol></td><td><ul><li>m</li></ul></td></tr></table>": (
        "| x<br>4. a<br>5. b | • m |\n| --- | --- |"
    ),
    "<ol start=4><li>a<table><tr><td colspan=2>1</td></tr></table></li><li>b</li></ol>": (
        '4. a\n\n<table><tr><td colspan="2">1</td></tr></table>\n\n5. b'
    ),
}


@pytest.mark.parametrize("written", CASES)
def test_an_html_list_becomes_lines_with_its_numbers(written: str) -> None:
    assert normal(written) == CASES[written]
    assert normal(CASES[written]) == CASES[written]


@pytest.mark.parametrize(
    "text",
    [
        "```html\n<ol start=7><li>x</li></ol>\n```",
        "Write `<ol start=7><li>` here.",
        "The <ol> tag, 1 < 2",
        "    <ol><li>x</li></ol>",
    ],
)
def test_code_and_prose_about_lists_stay(text: str) -> None:
    assert with_own_markers(text) == text


def test_lists_at_the_depth_limit_and_unclosed_lists_lose_no_item() -> None:
    text = with_own_markers("<ol>" + "".join(f"<li>item{n}e<ol>" for n in range(200)))
    assert [n for n in range(200) if f"item{n}e" not in text] == []


def test_outputs_without_normalization_print_the_numbers_too() -> None:
    page = as_written('<ol start="7"><li>first</li><li>second</li></ol>')
    assert pages_of(clean_pdf([page])[0]) == ["7. first 8. second"]


def test_the_results_view_shows_each_items_own_number() -> None:
    assert re.findall(r'value="(\d+)"', html_of("1. a\n3. b\n\n   x\n\n3. c\n\n   007) d")) == ["1", "3", "3", "7"]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("<details><summary>Sum 1</summary>text 2</details>", "Sum 1\n\ntext 2"),
        ('<input type="checkbox" checked> yes <input type="checkbox"/> no', "[x] yes [ ] no"),
        ("a\n\n<pre><code>1  2\n  3 &lt; 4</code></pre>\n\nb", "a\n\n```\n1  2\n  3 < 4\n```\n\nb"),
        ("```html\n<pre>x</pre>\n```\n\n<div>y</div>", "```html\n<pre>x</pre>\n```\n\ny"),
        ("<table><caption>Table 1</caption><tr><th>a</th></tr><tr><td>2</td></tr></table>", "Table 1\n\n| a |\n| --- |\n| 2 |"),
        ("<table><colgroup><col width=3><col/></colgroup><tr><td>1</td></tr></table>", "| 1 |\n| --- |"),
    ],
)
def test_other_html_of_models_becomes_markdown(written: str, wanted: str) -> None:
    assert normal(written) == wanted


def test_captions_and_code_with_a_language_are_printed_without_tags() -> None:
    caption = normal("<table><caption>Table <b>1</b></caption><tr><td colspan=2>2</td></tr></table>")
    data, _ = clean_pdf([caption, "```javascript\nx = 1\n```"])
    assert pages_of(data) == ["Table 1 2", "x = 1"]


_WORDS = st.lists(st.sampled_from(["mill", "12%", "§ 3", "H<sub>2</sub>O", "a*b"]), min_size=1, max_size=3).map(" ".join)


@st.composite
def _lists(draw: st.DrawFn, depth: int = 0) -> tuple[str, str]:
    """Returns the HTML of a list, and its digits with those of its numbers."""
    start = draw(st.integers(0, 1200))
    ordered, gap = draw(st.booleans()), draw(st.sampled_from(["", "\n", "\n  ", "\n\n    "]))
    parts, digits = [], ""
    for index in range(draw(st.integers(1, 3))):
        words = draw(_WORDS)
        below, more = draw(_lists(depth + 1)) if depth < 3 and draw(st.booleans()) else ("", "")
        parts.append(f"{gap}<li>{words}{below}{draw(st.sampled_from(['</li>', '']))}")
        digits += (str(start + index) if ordered else "") + re.sub(r"\D", "", words) + more
    name, attributes = ("ol", f" start={start}") if ordered else ("ul", "")
    return f"<{name}{attributes}>{''.join(parts)}{gap}</{name}>", digits


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(_lists(), min_size=1, max_size=4))
def test_the_numbers_of_html_lists_are_in_every_output(lists: list[tuple[str, str]]) -> None:
    pages = [normal(f"Intro\n\n{html}\n\nend") for html, _ in lists]
    for page, printed, (html, digits) in zip(pages, pages_of(clean_pdf(pages)[0]), lists, strict=True):
        for text in (page.replace("<sub>", "").replace("</sub>", ""), printed, text_of_html(rendered(page))):
            assert re.sub(r"\D", "", text) == digits, (html, text)
