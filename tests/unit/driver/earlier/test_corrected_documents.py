"""A run names the corrections that it kept, and those of an earlier version of a file, which it does not apply."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.actors.document_worker.corrections import new_correction, save_correction, settle_correction
from rayocr.driver.earlier.corrected_documents import CorrectedDocuments
from rayocr.errors import StorageUnavailable
from rayocr.ledger.corrections import Corrections, corrections_name
from rayocr.ledger.manifest import manifest_name
from rayocr.messages import Document, DocumentOutcome
from rayocr.retry import RetryPolicy
from rayocr.storage.factory import open_storage
from rayocr.storage.local.storage import LocalStorage
from tests.unit.ledger.test_manifest import build

POLICY = RetryPolicy(max_attempts=1)
SOURCE = "file:///in/reports/a.pdf"


@pytest.fixture
def state(tmp_path: Path) -> LocalStorage:
    return open_storage(str(tmp_path))


def version(digit: str, name: str = "reports/a.pdf") -> Document:
    uri = f"file:///in/{name}"
    return Document(document_id=digit * 32, source_uri=uri, name=name, output_name=name, version=digit, size_bytes=1)


def correct(state: LocalStorage, digit: str, page: int, author: str = "Ada") -> None:
    save_correction(state, digit * 32, page, new_correction("x", author), policy=POLICY, source_uri=SOURCE, name="reports/a.pdf")


def after(state: LocalStorage, *documents: Document) -> list[tuple[str, str, tuple[str, ...], bool]]:
    watched = CorrectedDocuments(state, POLICY)
    watched.read()
    called = watched.watching(lambda document, outcome: None)
    for document in documents:
        called(document, DocumentOutcome.COMPLETE)
    return [(found.name, found.pages, found.authors, found.earlier) for found in watched.found()]


def test_corrections_that_were_kept_and_those_of_an_earlier_version_are_told_apart(state: LocalStorage) -> None:
    correct(state, "a", 3)
    correct(state, "a", 2, "Bob")
    correct(state, "b", 7)
    assert after(state, version("b"), version("c", "other.pdf")) == [
        ("reports/a.pdf", "7", ("Ada",), False),
        ("reports/a.pdf", "2-3", ("Ada", "Bob"), True),
    ]
    assert after(state, version("c", "other.pdf")) == []


def test_applied_and_discarded_corrections_of_an_earlier_version_are_not_named_again(state: LocalStorage) -> None:
    correct(state, "a", 2)
    correct(state, "a", 3)
    settle_correction(state, "a" * 32, 2, "applied", policy=POLICY)
    assert after(state, version("b")) == [("reports/a.pdf", "3", ("Ada",), True)]
    settle_correction(state, "a" * 32, 3, "discarded", policy=POLICY)
    assert after(state, version("b")) == []
    assert after(state, version("a")) == [("reports/a.pdf", "2-3", ("Ada",), False)], "they belong to that version"


def test_a_record_without_its_source_is_found_through_the_manifest(state: LocalStorage) -> None:
    save_correction(state, "a" * 32, 1, new_correction("x", "Ada"), policy=POLICY)
    assert after(state, version("b")) == []
    manifest = build(source_uri=SOURCE).model_copy(update={"document_id": "a" * 32})
    state.write(manifest_name("a" * 32), manifest.to_json())
    assert after(state, version("b")) == [("reports/a.pdf", "1", ("Ada",), True)]


def test_damaged_records_and_storage_that_fails_end_no_run(state: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    correct(state, "a", 1)
    state.write(corrections_name("d" * 32), b"{damaged")
    assert Corrections.from_json(state.read(corrections_name("a" * 32)), name="a").source_uri == SOURCE
    assert after(state, version("b")) == [("reports/a.pdf", "1", ("Ada",), True)]

    def unavailable(_self: LocalStorage, _prefix: str = "") -> None:
        raise StorageUnavailable("The bucket does not answer.")

    monkeypatch.setattr(LocalStorage, "list", unavailable)
    assert after(state, version("b")) == []
