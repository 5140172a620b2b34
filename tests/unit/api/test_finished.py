"""The finished documents of a destination are counted from its state, whatever run finished them."""

from __future__ import annotations

import pytest

from rayocr.api.finished import count_documents
from rayocr.api.results import open_results
from rayocr.config import AccessConfig
from rayocr.errors import UsageError
from rayocr.ledger.manifest import manifest_name
from rayocr.messages import Document, DocumentOutcome
from rayocr.observe.dead_letters import dead_letter_name, new_dead_letter, write_dead_letter
from rayocr.storage.memory import MemoryStorage


def document(number: int) -> Document:
    return Document(
        document_id=f"{number:032x}", source_uri=f"file:///in/{number}.pdf", name=f"{number}.pdf", output_name=f"{number}",
        version="1", size_bytes=1,
    )  # fmt: skip


def finish(state: MemoryStorage, number: int, outcome: DocumentOutcome, reason: str = "", *, manifest: bool = True) -> None:
    found = document(number)
    if outcome is not DocumentOutcome.COMPLETE:
        write_dead_letter(state, new_dead_letter(found, outcome=outcome, reason=reason, message="m", hint=None, run_id="r"))
    if manifest:
        state.write(manifest_name(found.document_id), b"{}")


@pytest.fixture
def state(request: pytest.FixtureRequest) -> MemoryStorage:
    return MemoryStorage(request.node.name)


def counted(state: MemoryStorage) -> tuple[dict[str, int], dict[str, int]]:
    found = count_documents(state)
    assert not found.with_versions
    return found.documents, found.failures


def test_a_truncated_manifest_is_not_counted_as_complete(state: MemoryStorage) -> None:
    for number in range(2):
        finish(state, number, DocumentOutcome.COMPLETE)
    finish(state, 2, DocumentOutcome.REJECTED, "CorruptPdf")
    for number in (1, 2):
        state.write(manifest_name(f"{number:032x}"), b'{"name": "')
    assert counted(state) == ({"complete": 1, "partial": 0, "rejected": 1}, {"CorruptPdf": 1})


def test_too_many_manifests_are_counted_without_comparing_versions(state: MemoryStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayocr.api.finished._MOST_READ_ELSEWHERE", 1)
    monkeypatch.setattr("rayocr.api.finished.replaced_versions", lambda state: pytest.fail("every manifest is read"))
    for number in range(2):
        finish(state, number, DocumentOutcome.COMPLETE)
    found = count_documents(state)
    assert found.with_versions
    assert found.documents["complete"] == 2


def test_of_a_replaced_file_only_the_newest_version_counts(state: MemoryStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(state, 1, DocumentOutcome.REJECTED, "CorruptPdf")
    finish(state, 2, DocumentOutcome.COMPLETE)
    monkeypatch.setattr("rayocr.api.finished.replaced_versions", lambda state, on_damage: frozenset({document(1).document_id}))
    assert counted(state) == ({"complete": 1, "partial": 0, "rejected": 0}, {})


def test_documents_are_counted_by_outcome_and_failures_by_reason(state: MemoryStorage) -> None:
    for number in range(5):
        finish(state, number, DocumentOutcome.COMPLETE)
    for number in range(5, 8):
        finish(state, number, DocumentOutcome.REJECTED, "CorruptPdf")
    finish(state, 8, DocumentOutcome.PARTIAL, "Refused")
    assert counted(state) == ({"complete": 5, "partial": 1, "rejected": 3}, {"CorruptPdf": 3, "Refused": 1})


def test_a_dead_letter_without_its_manifest_is_not_counted(state: MemoryStorage) -> None:
    finish(state, 1, DocumentOutcome.REJECTED, "CorruptPdf", manifest=False)
    assert counted(state) == ({"complete": 0, "partial": 0, "rejected": 0}, {})


def test_a_failure_whose_records_are_damaged_is_counted_as_one(state: MemoryStorage) -> None:
    finish(state, 1, DocumentOutcome.PARTIAL, "Refused")
    state.write(dead_letter_name(document(1).document_id), b"{")
    assert counted(state) == ({"complete": 0, "partial": 0, "rejected": 1}, {"RecordCorrupt": 1})


@pytest.mark.parametrize("beside", [None, "memory://also-nothing"])
def test_a_place_without_results_is_wrong_usage_with_the_next_step(beside: str | None) -> None:
    with pytest.raises(UsageError, match="nothing holds no results of rayocr") as raised:
        open_results("memory://nothing", state=beside, access=AccessConfig())
    assert "Give the dest of a run" in str(raised.value.hint)
