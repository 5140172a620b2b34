"""Pages rebuilt from public bug reports, through the whole product: what each output must and must not contain."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import pytest

from tests.e2e.support import PROJECT, Cli

CASES = PROJECT / "tests" / "unit" / "outputs" / "cases"


@dataclass(frozen=True)
class Case:
    """`has`: in every output; `lacks`: in no output; `markdown`: only there."""

    has: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    markdown: tuple[str, ...] = ()


WANTED = {
    "bold_by_drawing_twice": Case(
        (
            "Quarterly Statement of Accounts",
            "1,284.55",
            "77.00",
            "Overdue accounts bear interest",
            "void after the last day of March",
        ),
        ("OOppeenniinngg", "77..0000"),
    ),
    "checkboxes": Case(
        ("Water stands in the street", "Somebody was hurt"),
        markdown=("[x] Water stands in the street", "[ ] Water stands in the cellar", "[x] The pressure has fallen"),
    ),
    "clause_numbers": Case(("3. The treasurer", "16) The librarian")),
    "code_listing": Case(("for entry in ledger:", "level_of(ledger, day)"), ("level\\_of",)),
    "figures_in_a_tall_font": Case(
        ("Of the wells of Brindle a third had run dry", "412 wells"), markdown=("Fenwick Bridge, Tollgate and Port Evelyn",)
    ),
    "form_without_appearances": Case(("Ottoline Marsh", "31 Signal Street, Port Evelyn", "HV-20938-7")),
    "hidden_layer": Case(("at seven, nine and eleven", "Bicycles are carried free"), ("two shillings", "WITHDRAWN")),
    "negative_font_size": Case(("PARTNER NUMBER 5 OF THE MILL COMPANY", "2,360"), ("R E B M U N",)),
    "soft_hyphen_for_hyphen": Case(("01-2301-X4", "2025-03-17", "single-user", "555-0142"), ("\u00ad", "012301X4")),
    "text_that_nobody_sees": Case(
        ("the sum of 48,500", "Chart of the levels"), ("INVISIBLE", "WHITE", "COVERED", "CLIPPED", "TINY")
    ),
    "typed_over_scanned_form": Case(
        (
            "Date of birth",
            "Manuscripts asked for",
            "Matilda Osgood-Renn",
            "Ledgers 14 to 22",
            "Occupation",
            "Retired schoolteacher",
        )
    ),
}
SOURCE_CODES = {"soft_hyphen_for_hyphen", "bold_by_drawing_twice"}  # their searchable PDFs keep the source's own text


@pytest.fixture
def out(cli: Cli) -> Path:
    source = cli.folder / "in"
    source.mkdir()
    for name in WANTED:
        shutil.copy(CASES / f"{name}.pdf", source)
    run = cli.run(
        "source=in", "dest=out", "engine=local", "cluster=inprocess", "outputs=[markdown,clean_pdf,searchable_pdf,jsonl]"
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return cli.folder / "out"


def test_each_output_has_what_the_page_shows_and_nothing_else(out: Path) -> None:
    for name, case in WANTED.items():
        markdown = (out / f"{name}.md").read_text()
        texts = {
            "Markdown": markdown,
            "JSONL": (out / f"{name}.jsonl").read_text(),
            "clean PDF": text_of(out / f"{name}.clean.pdf"),
            "searchable PDF": text_of(out / f"{name}.searchable.pdf"),
        }
        if name in SOURCE_CODES:
            del texts["searchable PDF"]
        for output, text in texts.items():
            found = " ".join(text.replace("\\n", " ").split())
            for wanted in case.has:
                assert wanted in found, (name, output, wanted)
            for unwanted in case.lacks:
                assert unwanted not in found, (name, output, unwanted)
        for wanted in case.markdown:
            assert wanted in markdown, (name, wanted)
        assert digits(re.sub(r"<!--.*?-->", "", markdown)) == digits(texts["clean PDF"]), name


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def text_of(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document).replace("\ufffe", "-")
