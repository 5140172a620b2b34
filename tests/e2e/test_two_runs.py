"""Two runs on one destination: neither repeats the other's documents, and pages of a dead run are not paid for again."""

from __future__ import annotations

import contextlib
import re
from collections import Counter

import pytest

from rayocr.ledger.segment import decode_segment
from tests.e2e.support import PATIENCE_S, Cli, SimulatedGemini, end_tree, make_pdf, manifests, page_texts, wait_until

DOCUMENTS, PAGES = 24, 12
IN_FLIGHT = 8
OPTIONS = (
    "source=in",
    "dest=out",
    "engine=gemini",
    "engine.chain=[gemini]",
    f"limits.max_in_flight={IN_FLIGHT}",
    "window.documents=6",
    "progress=plain",
)


@pytest.fixture
def source(cli: Cli) -> Cli:
    for number in range(DOCUMENTS):
        make_pdf(cli.folder / "in" / f"{number:02}.pdf", PAGES, prefix=f"page of {number:02} with the")
    return cli


def each_document_is_whole(cli: Cli) -> None:
    out = cli.folder / "out"
    assert Counter(str(m["outcome"]) for m in manifests(out)) == {"complete": DOCUMENTS}
    for number in range(DOCUMENTS):
        texts = page_texts(out / f"{number:02}.md")
        assert sorted(texts) == list(range(1, PAGES + 1))
        for page_number, text in texts.items():
            assert f"page of {number:02} with the number {page_number} " in text


def recorded_pages(cli: Cli) -> set[tuple[str, int]]:
    """(document_id, page_number) of every page in the existing ledger segments."""
    pages = set()
    for path in (cli.folder / "out" / ".rayocr" / "ledger").glob("*/*.zst"):
        with contextlib.suppress(FileNotFoundError):  # its documents were finished at this moment
            records = decode_segment(path.name, path.read_bytes()).records
            pages |= {(record.document_id, record.page_number) for record in records if record.outcome.final}
    return pages


def test_two_runs_share_the_documents_and_pay_for_no_page_twice(source: Cli, gemini: SimulatedGemini) -> None:
    runs = [source.start(*OPTIONS, f"logs.dir=logs{number}", **gemini.variables) for number in range(2)]
    outputs = [run.communicate(timeout=PATIENCE_S)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    each_document_is_whole(source)
    assert set(gemini.counts()["answered"].values()) == {1}
    assert len({str(m["run_id"]) for m in manifests(source.folder / "out")}) == 2


def test_a_run_takes_over_the_documents_of_one_that_was_killed_and_reuses_its_pages(source: Cli, gemini: SimulatedGemini) -> None:
    killed = source.start(*OPTIONS, "logs.dir=logs0", **gemini.variables)
    survivor = None
    try:
        wait_until(lambda: gemini.answered >= 20 or killed.poll() is not None, "the first run reads")
        survivor = source.start(*OPTIONS, "logs.dir=logs1", **gemini.variables)
        wait_until(lambda: gemini.answered >= 110 or survivor.poll() is not None, "both runs read")
        recorded = recorded_pages(source)  # later, the survivor records pages that were in flight and are read again
        end_tree(killed.pid)
        output = survivor.communicate(timeout=PATIENCE_S)[0]
    finally:
        for process in (killed, survivor):
            if process is not None and process.poll() is None:
                end_tree(process.pid)
        killed.communicate()
    assert survivor.returncode == 0, output
    each_document_is_whole(source)
    names = {str(m["document_id"]): str(m["name"]) for m in manifests(source.folder / "out")}
    for text, answers in gemini.counts()["answered"].items():
        found = re.search(r"page of (\d+) with the number (\d+) ", text)
        assert found, text
        if (f"{found[1]}.pdf", int(found[2])) in {(names[document_id], number) for document_id, number in recorded}:
            assert answers == 1, "pages that the dead run had recorded were read again"
    # In flight, and between an answer and its segment: a flush interval and the recorder's linger at this rate.
    at_risk = IN_FLIGHT + int(IN_FLIGHT / 0.1 * 1.6)
    assert sum(gemini.counts()["answered"].values()) - DOCUMENTS * PAGES <= at_risk
