"""The dead letter of a file goes when the run has read a newer version of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rayocr.driver.earlier.replaced_failures import ReplacedFailures
from rayocr.errors import StorageUnavailable
from rayocr.messages import Document, DocumentOutcome
from rayocr.observe.dead_letters import dead_letter_name, new_dead_letter, write_dead_letter
from rayocr.storage.local.storage import LocalStorage


def document(number: int, name: str = "a.pdf") -> Document:
    return Document(
        document_id=f"{number:032x}", source_uri=f"/in/{name}", name=name, output_name="a", version=str(number), size_bytes=1
    )


@pytest.fixture
def state(tmp_path: Path) -> LocalStorage:
    state = LocalStorage(tmp_path, create=True)
    for failed in (document(1), document(2, "b.pdf")):
        outcome = DocumentOutcome.REJECTED
        letter = new_dead_letter(failed, outcome=outcome, reason="CorruptPdf", message="", hint=None, run_id="r")
        write_dead_letter(state, letter)
    return state


def left(state: LocalStorage) -> list[str]:
    return sorted(entry.name for entry in state.list(".rayocr/dead_letters/"))


@pytest.mark.parametrize("reads_late", [False, True])
def test_only_the_failure_of_the_replaced_file_goes(state: LocalStorage, reads_late: bool) -> None:
    replaced = ReplacedFailures(state)
    seen: list[str] = []
    ended = replaced.watching(lambda document, outcome: seen.append(document.name))
    if not reads_late:
        replaced.read()
    for one in (document(3), document(2, "b.pdf"), document(4, "c.pdf")):  # b.pdf failed again, as the same version
        ended(one, DocumentOutcome.COMPLETE)
    if reads_late:
        replaced.read()
    assert replaced.remove() == 1
    assert left(state) == [dead_letter_name(document(2).document_id)]
    assert seen == ["a.pdf", "b.pdf", "c.pdf"]


def test_a_state_that_is_unavailable_ends_no_run(state: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: Any) -> Iterator[Any]:
        raise StorageUnavailable("The bucket does not answer.")

    monkeypatch.setattr(LocalStorage, "list", unavailable)
    replaced = ReplacedFailures(state)
    replaced.read()
    replaced.watching(lambda *_: None)(document(3), DocumentOutcome.COMPLETE)
    assert replaced.remove() == 0
