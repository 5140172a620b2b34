"""Running headers, footers and page numbers are kept, marked or removed; similar lines stay."""

from __future__ import annotations

import pytest

from rayocr.messages import PageOutcome, PageRecord
from rayocr.outputs.normal.running import Running, page_number_of


def through(headers: str, *texts: str) -> list[str]:
    running = Running(headers)
    records = [
        PageRecord(document_id="d", page_number=number, outcome=PageOutcome.DONE if text else PageOutcome.BLANK, text=text)
        for number, text in enumerate(texts, start=1)
    ]
    ready = [page for record in records for page in running.add(record)]
    ready.extend(running.finish())
    assert [page.page_number for page in ready] == [record.page_number for record in records]
    return [page.text for page in ready]


def book(pages: int = 20) -> list[str]:
    """Odd pages have the chapter at the top, even pages the book title; all have the page number at the bottom."""
    heads = ["A Natural History", "The Bees of Winter"]
    return [
        f"{heads[n % 2]}\n\nBody of sheet {chr(96 + n)} with words.\n\nmore of {chr(96 + n)}\n\n{n}" for n in range(1, pages + 1)
    ]


def test_headers_and_numbers_are_removed_on_request() -> None:
    texts = through("remove", *book())
    assert texts == [f"Body of sheet {chr(96 + n)} with words.\n\nmore of {chr(96 + n)}" for n in range(1, 21)]


def test_or_marked_so_that_they_are_not_seen_and_not_lost() -> None:
    texts = through("mark", *book())
    assert texts[4] == "<!-- header: The Bees of Winter -->\n\nBody of sheet e with words.\n\nmore of e\n\n<!-- footer: 5 -->"


def test_or_kept_as_they_are() -> None:
    assert through("keep", *book()) == book()


@pytest.mark.parametrize(
    "foot",
    ["Page {} of 30", "- {} -", "— {} —", "**{}**", "{}/30", "Seite {}", "पृष्ठ {}", "第 {} 页", "<page_number>{}</page_number>"],
)
def test_page_numbers_have_many_forms(foot: str) -> None:
    texts = [f"Words of {chr(96 + n)}\n\n{foot.format(n + 11)}" for n in range(1, 9)]
    assert through("remove", *texts) == [f"Words of {chr(96 + n)}" for n in range(1, 9)]


def test_roman_numbers_count_too() -> None:
    texts = [f"{roman}\n\nForeword {'abcdef'[n]}" for n, roman in enumerate(("iv", "v", "vi", "vii", "viii", "ix"))]
    assert through("remove", *texts) == [f"Foreword {'abcdef'[n]}" for n in range(6)]
    assert (page_number_of("xiv"), page_number_of("XC"), page_number_of("mild")) == (14, 90, None)


def test_a_footer_with_a_date_and_a_number_is_one_line_on_all_pages() -> None:
    texts = [f"Text of page {'abcdefgh'[n]}\n\nCONFIDENTIAL · Report 2024 · page {n}" for n in range(8)]
    assert through("remove", *texts) == [f"Text of page {'abcdefgh'[n]}" for n in range(8)]


def test_chapters_at_the_top_of_pages_are_not_headers() -> None:
    texts = [f"# Chapter {n}\n\nIt began on day {'x' * n}." for n in range(1, 8)]
    assert through("remove", *texts) == texts


def test_a_lone_number_that_does_not_count_along_is_text() -> None:
    texts = [f"The result of {chr(96 + n)}:\n\n{n * n * 7}" for n in range(1, 8)]
    assert through("remove", *texts) == texts


def test_a_line_that_occurs_twice_is_not_a_header() -> None:
    texts = ["Dear Sir,\n\nfirst", "second", "Dear Sir,\n\nthird", "fourth", "fifth"]
    assert through("remove", *texts) == texts


def test_rows_of_tables_and_code_stay() -> None:
    texts = [f"| Name | Sum |\n| --- | --- |\n| {'abcdef'[n]} | 1 |\n| Total | 1 |" for n in range(6)]
    assert through("remove", *texts) == texts


def test_the_same_heading_on_every_page_is_a_running_one() -> None:
    texts = [f"# Annual Report\n\nWords {'abcdef'[n]}" for n in range(6)]
    assert through("remove", *texts) == [f"Words {'abcdef'[n]}" for n in range(6)]


def test_blank_pages_keep_their_place_and_do_not_count() -> None:
    texts = book(12)
    texts[3] = texts[7] = ""
    found = through("remove", *texts)
    assert (found[3], found[7]) == ("", "")
    assert found[5] == "Body of sheet f with words.\n\nmore of f"


def test_what_models_tag_is_shown_as_text_unless_asked_otherwise() -> None:
    page = "<header>Law Gazette</header>\n\nBody\n\n<page_number>4</page_number>"
    assert through("keep", page) == ["Law Gazette\n\nBody\n\n4"]
    assert through("remove", page) == ["Body"]
    assert through("mark", page) == ["<!-- header: Law Gazette -->\n\nBody\n\n<!-- footer: 4 -->"]


def test_a_marked_line_cannot_end_its_comment() -> None:
    assert through("mark", "<header>a --> b -- c</header>\n\nBody")[0].count("-->") == 1


def test_a_long_document_waits_for_a_few_pages_only() -> None:
    running = Running("remove")
    for number in range(1, 200):
        ready = list(
            running.add(PageRecord(document_id="d", page_number=number, outcome=PageOutcome.DONE, text=f"page {number}"))
        )
        assert [page.page_number for page in ready] == ([number - 6] if number > 6 else [])
