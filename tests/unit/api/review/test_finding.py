"""Finding a finished document by the words that a person uses for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.api.review.finding import find_document
from rayocr.errors import UsageError
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.storage.factory import open_storage
from rayocr.storage.local.storage import LocalStorage
from tests.unit.view.written_documents import write_document


@pytest.fixture
def state(tmp_path: Path) -> LocalStorage:
    for name in ("letter.pdf", "form.pdf", "table.pdf", "minutes.pdf"):
        write_document(tmp_path, name, ["text"])
    return open_storage(str(tmp_path / "out"))


def test_a_document_is_found_by_name_id_and_output(state: LocalStorage) -> None:
    found = find_document(state, "form.pdf")
    assert [find_document(state, word).name for word in (found.document_id, "form.md", "form.clean.pdf")] == ["form.pdf"] * 3


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("leter.pdf", "Did you mean letter.pdf?"),
        ("in/form.pdf", "Did you mean form.pdf?"),
        ("TABLE", "Did you mean table.pdf?"),
        ("m", "Did you mean minutes.pdf?"),
        ("report.pdf", "Use its name below the source, for example 2024/a.pdf; `rayocr view OUT` lists all documents."),
        ("q", "Use its name below the source, for example 2024/a.pdf; `rayocr view OUT` lists all documents."),
    ],
)
def test_an_unknown_name_is_answered_with_close_ones(state: LocalStorage, wanted: str, hint: str) -> None:
    with pytest.raises(UsageError, match="No finished document has the name") as raised:
        find_document(state, wanted)
    assert raised.value.hint is not None
    assert hint.removesuffix("?") in raised.value.hint


def test_names_that_begin_alike_precede_similar_names(tmp_path: Path, state: LocalStorage) -> None:
    for name in ("big.pdf", "signature.pdf"):
        write_document(tmp_path, name, ["text"])
    with pytest.raises(UsageError) as raised:
        find_document(state, "sig.pdf")
    assert raised.value.hint == "Did you mean signature.pdf or big.pdf?"


def test_a_line_break_in_a_close_name_is_escaped(tmp_path: Path, state: LocalStorage) -> None:
    write_document(tmp_path, "two\nlines.pdf", ["text"])
    with pytest.raises(UsageError) as raised:
        find_document(state, "two lines.pdf")
    assert (raised.value.hint or "").startswith(r"Did you mean two\nlines.pdf")


def test_the_newest_version_is_found_and_the_same_name_in_two_sources_needs_an_id(tmp_path: Path, state: LocalStorage) -> None:
    second = write_document(tmp_path, "form.pdf", ["text"], revision="2")
    name = manifest_name(second)
    newer = Manifest.from_json(state.read(name), name=name).model_copy(update={"finished_at": "2099-01-01T00:00:00+00:00"})
    state.write(name, newer.to_json())
    assert find_document(state, "form.pdf").document_id == second
    state.write(name, newer.model_copy(update={"source_uri": "file:///elsewhere/form.pdf"}).to_json())
    with pytest.raises(UsageError, match="2 documents have the name form") as raised:
        find_document(state, "form.pdf")
    assert second in (raised.value.hint or "")
