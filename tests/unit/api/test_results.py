"""Results as tables: the same columns and types, whatever the destination holds."""

from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow
import pytest

from rayocr.api.results import Results, open_results
from rayocr.ledger.manifest import Manifest, PageNote, manifest_name
from rayocr.messages import Document, DocumentOutcome, PageOutcome
from rayocr.observe.dead_letters import dismiss_dead_letter, new_dead_letter, write_dead_letter
from rayocr.storage.factory import open_storage
from rayocr.storage.memory import MemoryStorage


@pytest.fixture
def results(request: pytest.FixtureRequest) -> Results:
    storage = MemoryStorage(request.node.name)
    return Results(storage, storage)


def finish(results: Results, number: int, name: str) -> None:
    """A document with one page that failed."""
    note = PageNote(page_number=1, outcome=PageOutcome.FAILED, reason="Refused", message="RECITATION")
    manifest = Manifest(
        document_id=f"{number:032x}", source_uri=f"file:///in/{number}.pdf", name=name, version="1", size_bytes=1, page_count=1,
        outcome=DocumentOutcome.PARTIAL, settings_fingerprint="f", pages={PageOutcome.FAILED: "1"}, notes=(note,), run_id="r",
        started_at="2026-11-27T08:59:00+00:00", finished_at="2026-11-27T09:00:00+00:00", fencing_token=1,
    )  # fmt: skip
    results.state.write(manifest_name(manifest.document_id), manifest.to_json())


@pytest.mark.parametrize("pages", [False, True])
def test_tables_with_and_without_rows_have_the_same_columns(results: Results, pages: bool) -> None:
    empty = results.to_arrow(pages=pages)
    for number in range(3):
        finish(results, number, f"{number}.pdf")
    full = results.to_arrow(pages=pages)
    rows = results.pages() if pages else results.documents()
    assert list(next(iter(rows))) == empty.column_names
    assert full.schema == empty.schema
    assert (empty.num_rows, full.num_rows) == (0, 3)
    assert pyarrow.concat_tables([empty, full]).num_rows == 3


def test_a_failed_page_has_its_reason(results: Results) -> None:
    finish(results, 1, "a.pdf")
    (row,) = results.pages()
    assert (row["outcome"], row["reason"], row["message"], row["text"]) == ("failed", "Refused", "RECITATION", "")


def test_a_name_with_bytes_that_are_not_utf_8_becomes_a_table(results: Results) -> None:
    finish(results, 1, "a\udcff.pdf")
    assert results.to_arrow().column("name").to_pylist() == ["a?.pdf"]


def test_rows_come_in_batches(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayocr.api.results._ROWS_A_BATCH", 2)
    for number in range(5):
        finish(results, number, f"{number}.pdf")
    assert sorted(results.to_arrow().column("name").to_pylist()) == [f"{number}.pdf" for number in range(5)]


@pytest.mark.parametrize("dismissed", [False, True])
def test_a_partial_document_has_the_reason_of_its_dead_letter(results: Results, dismissed: bool) -> None:
    """The manifest has only the reasons of pages."""
    finish(results, 1, "a.pdf")
    letter = new_dead_letter(
        Document(document_id=f"{1:032x}", source_uri="file:///a", name="a.pdf", output_name="a", version="1", size_bytes=1),
        outcome=DocumentOutcome.PARTIAL, reason="NoTextLayer", message="No text.", hint=None, run_id="r",
    )  # fmt: skip
    write_dead_letter(results.state, letter)
    if dismissed:
        dismiss_dead_letter(results.state, letter)
    (row,) = results.documents()
    assert (row["reason"], row["message"]) == ("NoTextLayer", "No text.")


def test_a_partial_document_without_a_dead_letter_has_the_reason_of_its_first_failed_page(results: Results) -> None:
    finish(results, 1, "a.pdf")
    (row,) = results.documents()
    assert (row["reason"], row["message"]) == ("Refused", "RECITATION")


def test_results_documents_and_pages_can_be_sent_to_another_process(tmp_path: Path) -> None:
    state = open_storage(str(tmp_path))
    finish(Results(state, state), 1, "a.pdf")
    opened = open_results(tmp_path)
    page = pickle.loads(pickle.dumps(opened["a.pdf"].page(1)))
    assert (page.document.name, page.read().reason) == ("a.pdf", "Refused")
    assert [row["name"] for row in pickle.loads(pickle.dumps(opened)).documents()] == ["a.pdf"]


def test_results_in_memory_cannot_be_sent_to_another_process(results: Results) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(results)


def test_a_truncated_manifest_is_skipped_with_a_warning(results: Results) -> None:
    for number in (1, 2):
        finish(results, number, f"{number}.pdf")
    name = manifest_name(f"{1:032x}")
    results.state.write(name, results.state.read(name)[:-5])
    with pytest.warns(UserWarning, match=rf"{name} is not JSON.*Delete it to have its document read again"):
        assert [manifest.name for manifest in results] == ["2.pdf"]
