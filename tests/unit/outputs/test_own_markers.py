"""Every output prints a list's own numbers and keeps the page's line breaks."""

from __future__ import annotations

import html
import re
import subprocess
import unicodedata
from shutil import which

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rayocr.outputs.normal.page import normal
from rayocr.outputs.page_html import html_of
from rayocr.outputs.report.text import rendered
from tests.unit.outputs.clean_pages import clean_pdf, lines_of, pages_of
from tests.unit.outputs.searchable_pages import record, scan, searchable_pdf

CLAUSES = """1. The **water** is drawn above the mill.

3. Nothing in clause 1 binds the miller.

7. The sluice is opened on 25 March.

The following apply notwithstanding clause 3:

14) the dues of 1894,
16) the rights of § 12 (4)."""


def test_a_number_after_an_override_of_the_direction_stays_the_same() -> None:
    page = normal("No. \u202e39\u202c of \u202d40\u202c")
    assert page.replace("\u202c", "") == "No. 39 of 40"
    data, _ = clean_pdf([page])
    assert re.findall(r"\d+", pages_of(data)[0]) == ["39", "40"]


def text_of_html(source: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", source)).split())


def test_clauses_keep_the_numbers_that_are_printed_on_the_page() -> None:
    data, notes = clean_pdf([CLAUSES])
    for text in (pages_of(data)[0], text_of_html(rendered(CLAUSES))):
        for clause in ("1. The water", "3. Nothing", "7. The sluice", "14) the dues", "16) the rights"):
            assert clause in text, text
    assert not notes


@pytest.mark.parametrize(
    "page", ["9. nine\n   4. four\n   7. seven\n10. ten", "007. a\n009. b", "3.\n4. b", "> 5. a\n> 8. b\n\n- x\n  2) y"]
)
def test_nested_empty_and_quoted_items_keep_their_numbers(page: str) -> None:
    wanted = re.findall(r"\d+[.)]", page)
    data, _ = clean_pdf([page])
    assert re.findall(r"\d+[.)]", pages_of(data)[0]) == wanted
    assert re.findall(r"\d+[.)]", text_of_html(rendered(page))) == wanted


def test_items_that_nest_too_deep_keep_their_numbers_too() -> None:
    page = "\n".join("   " * level + f"{level + 3}. item" for level in range(14))
    data, _ = clean_pdf([page])
    assert re.findall(r"\d+", pages_of(data)[0]) == [str(level + 3) for level in range(14)]


@pytest.mark.parametrize(("indent", "mark"), [(2, "-"), (3, "1.")])
def test_the_deepest_items_are_in_the_report_and_the_results_view(indent: int, mark: str) -> None:
    page = normal("\n".join(" " * indent * level + f"{mark} item{level}e" for level in range(30)))
    for text in (rendered(page), html_of(page)):
        assert [level for level in range(30) if f"item{level}e" not in text] == []


def test_lines_of_an_address_stay_lines() -> None:
    page = "Mill House\n12 Weir Lane\nOldbridge"
    data, _ = clean_pdf([page])
    assert lines_of(data)[0] == page.split("\n")
    assert [text_of_html(line) for line in rendered(page).split("<br />")] == page.split("\n")


def test_a_footnote_that_looks_like_the_definition_of_a_link_is_printed() -> None:
    page = "See [1] and [2].\n\n[1]: Smith1894\n\n[2]: http://a.b/3 'c'"
    data, _ = clean_pdf([page])
    assert "[1]: Smith1894" in pages_of(data)[0]
    assert "[1]: Smith1894" in text_of_html(rendered(page))


_NUMBER = st.integers(0, 99_999).map(str)
_WORD = st.one_of(
    _NUMBER,
    st.sampled_from(["mill", "§", "1.5", "(3)", "12%", "a*b", "2*3*4", "_5_", "**6**", "7th", "`8 9`", "H<sub>2</sub>O"]),
    st.sampled_from(
        ["~~30~~", "<u>4</u>", "10<sup>5</sup>", "[^1]", "$x_2 + 3$", "[7](#a)", "<s>8</s>", "&times;", "$5", "१२", "4 &lt; 5"]
    ),
)
_SCRIPTS = st.sampled_from(
    (
        "漢字;１２;第3条;한국어;ไทย;हिन्दी;e\u0301;👍;👩\u200d👩\u200d👧;🇫🇷;①;½;10³;№5;−7;–8;(8);[9];{10};<11>;a|12;13|;#14;$19$;\\20;&amp,21;"
        "http://a.b/22;<b>23</b>;a^29;[26](javascript:27);<script>28</script>;==30==;--34;\u00ad40;41\u00a042;4\u20093;\u202e39;"
        "1\u2044 2;<!--43-->;</td>44;&lt,47&gt,;\\(48\\);${53};@54;#let 55;// 56;/* 57 */;\\q58"
    )
    .replace(",", "\0")
    .split(";")
).map(lambda word: word.replace("\0", ";"))
_RIGHT_TO_LEFT = st.sampled_from(["שלום", "مرحبا", "تاريخ:", "١٢٣", "۴۵", "\u200f38", "תאריך 12/10/2024", "רחוב 7א"])
_WORDS = st.lists(_WORD, min_size=1, max_size=6).map(" ".join)
_MARKER = st.one_of(
    st.integers(0, 2000).map("{}. ".format),
    st.integers(0, 40).map("{}) ".format),
    st.sampled_from(
        ["- ", "", "> ", "# ", "(a) ", "1.2 ", "1.1. ", "(12) ", "iv. ", "B) ", "१०. ", "- [x] ", "-3. ", "1234567890. "]
    ),
    st.sampled_from(["Term\n: ", "[^2]: ", "**3.** ", "4\\. ", "5 - ", "① ", "§ 6 ", "* ", "+ ", "007. ", "#8 "]),
)
_LINE = st.tuples(st.sampled_from(["", "", "", "   ", "  "]), _MARKER, _WORDS).map("".join)
_TABLE = st.lists(st.tuples(_WORDS, _WORDS), min_size=2, max_size=4).map(
    lambda rows: "\n".join(["| a | b |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows)])
)
_PAGE = st.lists(
    st.one_of(_LINE, _LINE, _LINE, _TABLE, st.just(""), st.just("```\n10 GOTO 20\n```")), min_size=1, max_size=12
).map("\n".join)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(_PAGE, min_size=1, max_size=4))
def test_the_digits_of_the_markdown_are_those_of_the_clean_pdf_and_the_report(pages: list[str]) -> None:
    texts = [normal(page) for page in pages]
    data, _ = clean_pdf(texts)
    for text, printed in zip(texts, pages_of(data), strict=True):
        wanted = re.sub(r"\D", "", text)
        assert re.sub(r"\D", "", printed) == wanted, (text, printed)
        assert re.sub(r"\D", "", text_of_html(rendered(text))) == wanted, text


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    st.lists(st.tuples(_MARKER, st.lists(st.one_of(_WORD, _SCRIPTS), min_size=1)).map(lambda line: line[0] + " ".join(line[1])))
)
def test_digits_between_other_scripts_and_signs_are_those_of_the_clean_pdf_and_the_report(lines: list[str]) -> None:
    text = normal("\n\n".join(lines))
    wanted = re.sub(r"\D", "", text)
    data, _ = clean_pdf([text])
    assert re.sub(r"\D", "", pages_of(data)[0]) == wanted, text
    assert re.sub(r"\D", "", text_of_html(rendered(text))) == wanted, text


def numbers(text: str) -> list[str]:
    """Returns the sorted numbers. PDFium reads ① as 1 in lines from right to left, and joins numbers there."""
    return sorted(re.findall(r"\d", unicodedata.normalize("NFKC", text)))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(st.lists(st.one_of(_RIGHT_TO_LEFT, _RIGHT_TO_LEFT, _WORD, _SCRIPTS)).map(" ".join), min_size=1, max_size=8))
def test_no_digit_is_lost_or_added_in_lines_from_right_to_left(lines: list[str]) -> None:
    text = normal("\n\n".join(lines))
    data, _ = clean_pdf([text])
    assert numbers(pages_of(data)[0]) == numbers(text)


@pytest.mark.skipif(which("pdftotext") is None, reason="poppler-utils is not installed")
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
@given(_PAGE)
def test_the_digits_of_the_markdown_are_those_of_the_searchable_pdf(page: str) -> None:
    text = normal(page)
    wanted = re.sub(r"\D", "", text)
    typeset = scan(clean_pdf([text])[0])
    data, _ = searchable_pdf(typeset.pdf, record(text))
    # In the order of the file, as most programs copy it; without this option, the columns of tables are read one by one.
    found = subprocess.run(["pdftotext", "-raw", "-", "-"], input=data, capture_output=True, check=True).stdout.decode()
    assert re.sub(r"\D", "", found) == wanted, (text, found)
