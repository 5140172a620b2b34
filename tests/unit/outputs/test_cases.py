"""Pages reproduced from public bug reports: their Markdown, their clean PDF and their report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rayocr.engines.rapidocr.engine import RapidOcrEngine
from rayocr.engines.textlayer import TextLayerEngine
from rayocr.outputs.normal.page import normal
from rayocr.outputs.report.text import rendered
from rayocr.pdf.document import PdfFile
from tests.unit.outputs.clean_pages import clean_pdf, lines_of, pages_of

CASES = Path(__file__).with_name("cases")
ENGINES = {"textlayer": TextLayerEngine, "rapidocr": RapidOcrEngine}
LISTING = [
    "def level_of(ledger, day):",
    "    for entry in ledger:",
    "        if entry.day == day:",
    "            return entry.metres",
    "levels = [level_of(book, d) for d in days]",
    "print(min(levels), max(levels))",
]


def read(name: str, page_number: int = 1, *, by: str = "textlayer") -> str:
    engine = ENGINES[by]()
    engine.open()
    with PdfFile((CASES / f"{name}.pdf").read_bytes(), max_pixels=20_000_000) as file, file.page(page_number) as page:
        answer = engine.recognize(page)
    assert answer is not None
    return normal(answer.text, of_a_model=False)


@pytest.mark.parametrize(("page_number", "by"), [(1, "textlayer"), (2, "rapidocr")])
def test_each_entry_of_a_contents_has_its_line_and_its_number(page_number: int, by: str) -> None:
    text = read("contents_with_leaders", page_number, by=by)
    lines = [line.strip() for line in text.split("\n")]
    for title, number in (("The ledgers", "31"), ("Coal", "24"), ("Sinking it", "7"), ("Sources", "60")):
        [line] = [line for line in lines if title in line]
        assert re.fullmatch(rf"(?:[\d.]+|[AB]) {title}[ .…·]*{number}", line)
    data, _ = clean_pdf([text])
    assert re.sub(r"\D", "", pages_of(data)[0]) == re.sub(r"\D", "", text)
    assert sum(bool(re.search(r"\d\d?$", line)) for line in lines_of(data)[0]) == 9


@pytest.mark.parametrize("by", ["textlayer", "rapidocr"])
def test_a_listing_keeps_its_lines_and_its_indentation(by: str) -> None:
    text = read("code_listing", by=by)
    fenced = text.split("```")[1].split("\n")
    assert [line for line in fenced if line in LISTING] == LISTING
    assert "\\" not in text
    assert "lowest and the highest of the year." in text


def test_clauses_keep_their_numbers_in_every_output() -> None:
    text = read("clause_numbers")
    wanted = ["1. The secretary", "3. The treasurer", "7. The chairman", "14) The auditor", "16) The librarian"]
    data, _ = clean_pdf([text])
    shown = " ".join(re.sub(r"<[^>]*>", " ", rendered(text)).split())
    for output in (text, pages_of(data)[0], shown):
        assert re.findall(r"\d+[.)] The \w+", output) == wanted
        assert re.sub(r"\D", "", output) == re.sub(r"\D", "", text)
