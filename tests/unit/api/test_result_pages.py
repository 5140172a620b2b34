"""Pages of `rayocr.open_results`: corrected, undone, and read again, as from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import rayocr
from rayocr.errors import LockError, UsageError
from tests.e2e.support import make_pdf
from tests.unit.view.written_documents import let_a_run_read, write_document


@pytest.fixture
def results(tmp_path: Path) -> Iterator[rayocr.Results]:
    make_pdf(tmp_path / "in" / "form.pdf", 3)
    write_document(tmp_path, "form.pdf", ["Signal Street", "lost", "Last page"], failed=2)
    yield rayocr.open_results(tmp_path / "out")


def test_pages_are_counted_as_those_of_a_read_document(results: rayocr.Results) -> None:
    document = results["form.pdf"]
    assert (document.name, document.outcome, len(document.pages)) == ("form.pdf", "partial", 3)
    assert [page.number for page in document.pages] == [1, 2, 3]
    assert document.pages[-1].text == document.page(3).text == "Last page"
    assert [page.number for page in document.pages[1:]] == [2, 3]
    failed = document.page(2).read()
    assert (failed.text, failed.outcome, failed.reason, failed.message) == ("", "failed", "Refused", "RECITATION")
    assert ("form.pdf" in results, "none.pdf" in results) == (True, False)


def test_a_correction_is_in_the_outputs_and_can_be_undone(results: rayocr.Results, tmp_path: Path) -> None:
    page = results["form.pdf"].page(2)
    corrected = page.correct("found again", author="Ada")
    assert (corrected.text, corrected.outcome, corrected.engine) == ("found again", "done", "person")
    assert "found again" in (tmp_path / "out" / "form.md").read_text()
    assert results["form.pdf"].outcome == "complete"
    assert page.undo().outcome == "failed"
    assert results["form.pdf"].outcome == "partial"


def test_a_page_is_read_again_and_the_new_text_is_accepted(results: rayocr.Results, tmp_path: Path) -> None:
    """In child processes, from the PDF."""
    compared = results["form.pdf"].page(2).read_again(engine="textlayer")
    assert (compared.old.outcome, compared.new.engine, compared.cost_usd) == ("failed", "textlayer", 0.0)
    assert "number 2 of a document" in compared.new.text
    assert "+This is page number 2" in compared.diff
    assert "could not be read" in (tmp_path / "out" / "form.md").read_text(), "nothing changes before it is accepted"
    assert compared.accept(author="Ada").engine == "textlayer"
    assert "number 2 of a document" in (tmp_path / "out" / "form.md").read_text()
    assert "number 2 of a document" in compared._repr_html_()


def test_mistakes_are_named(results: rayocr.Results, monkeypatch: pytest.MonkeyPatch) -> None:
    document = results["form.pdf"]
    with pytest.raises(UsageError, match="No finished document has the name") as raised:
        results["from.pdf"]
    assert raised.value.hint == "Did you mean form.pdf?"
    with pytest.raises(UsageError, match="not int"):
        results[0]  # type: ignore[index]
    for number in (0, 4, -1):
        with pytest.raises(IndexError, match=rf"form\.pdf has no page {number}; it has 3"):
            document.page(number)
    with pytest.raises(IndexError, match="has 3 pages"):
        document.pages[3]
    with pytest.raises(UsageError, match="not None"):
        document.page(1).correct(None)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no author"):
        document.page(1).correct("text", author=" ")
    for option in ("include", "mode", "dest"):
        with pytest.raises(UsageError, match=f"read_again takes no option {option}"):
            document.page(1).read_again(**{option: "x"})
    let_a_run_read(monkeypatch)
    with pytest.raises(LockError, match="The correction is saved, and the run applies it"):
        document.page(1).correct("text", author="Ada")


def test_the_engine_of_the_runs_gives_way_to_the_one_that_is_asked_for(results: rayocr.Results) -> None:
    document = rayocr.Results(results.dest, results.state, options=("engine.chain=[gemini]", "limits.rpm=9", "order=name"))[
        "form.pdf"
    ]
    assert document.page(1)._options_beside(["engine=tesseract"]) == ["limits.rpm=9"]
    assert document.page(1)._options_beside(["budget.usd=1"]) == ["engine.chain=[gemini]", "limits.rpm=9"]


def test_a_document_that_could_not_be_read_says_so(results: rayocr.Results) -> None:
    document = results["form.pdf"]
    update = {"page_count": 0, "reason": "EncryptedPdf", "outcome": "rejected"}
    unread = replace(document, manifest=document.manifest.model_copy(update=update))
    for page in (lambda: unread.page(1), lambda: unread.pages[0]):
        with pytest.raises(IndexError, match=r"form.pdf could not be read \(EncryptedPdf\), so it has no pages"):
            page()
