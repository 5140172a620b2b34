"""`rayocr retry OUT` finds the source of the failed documents by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.composition import compose
from rayocr.driver.retry_selection import documents_to_retry, recorded_source
from rayocr.errors import UsageError
from rayocr.messages import Document, DocumentOutcome
from rayocr.observe.dead_letters import new_dead_letter, write_dead_letter
from rayocr.storage.memory import MemoryStorage


def letter(state: MemoryStorage, source: str, name: str) -> None:
    document = Document(
        document_id=f"{len(name):032x}", source_uri=f"{source}/{name}", name=name, output_name=name, version="1", size_bytes=1
    )
    made = new_dead_letter(document, outcome=DocumentOutcome.PARTIAL, reason="Refused", message="m", hint=None, run_id="r")
    write_dead_letter(state, made)


def test_the_source_is_that_of_the_dead_letters() -> None:
    state = MemoryStorage("recorded-source")
    state.clear()
    assert recorded_source(state) is None
    letter(state, "gs://bucket/in", "2024/a.pdf")
    letter(state, "gs://bucket/in", "b.pdf")
    state.write(".rayocr/dead_letters/ff/" + "f" * 32 + ".json", b"damaged")
    assert recorded_source(state) == "gs://bucket/in"
    letter(state, "file:///other", "longer-name.pdf")
    with pytest.raises(UsageError, match=r"several sources: file:///other, gs://bucket/in"):
        recorded_source(state)
    state.clear()


def test_a_misspelled_reason_is_answered_with_the_nearest(tmp_path: Path) -> None:
    config = compose([f"dest={tmp_path}", "mode=retry", "retry.reason=EncriptedPdf"], {})
    with pytest.raises(UsageError, match="No failure has the reason EncriptedPdf") as raised:
        documents_to_retry(MemoryStorage("empty"), config)
    assert raised.value.hint == "Did you mean retry.reason=EncryptedPdf?"
