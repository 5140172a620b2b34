"""A person's text wins over the engines' and survives reading the document again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from rayocr.actors.document_worker.assemble import assemble
from rayocr.actors.document_worker.corrections import corrections_of, new_correction, save_correction
from rayocr.errors import UsageError
from rayocr.ledger.corrections import MAX_TEXT_CHARS, corrections_name
from rayocr.messages import Attempt, DocumentOutcome, PageOutcome, PageRecord
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage
from tests.unit.actors.document_worker.test_assemble import ID, SETTINGS, STARTED, Place, context, page, place

__all__ = ["place"]
POLICY = RetryPolicy(max_attempts=1)


def reads(records: Sequence[PageRecord]):  # type: ignore[no-untyped-def]
    return lambda document_id, first, last: [r for r in records if first <= r.page_number <= last]


@pytest.fixture
def state() -> Iterator[MemoryStorage]:
    storage = MemoryStorage("corrections")
    storage.clear()
    yield storage
    storage.clear()


def test_a_correction_wins_in_outputs_and_manifest_and_survives_overwrite(place: Place) -> None:
    save_correction(place.storage, ID, 2, new_correction("# Corrected\n\nby hand", "Ada"), policy=POLICY)
    records = [page(1), page(2, PageOutcome.FAILED, Attempt(engine="gemini", reason="Refused")), page(3)]
    for overwrite in (False, True):
        done = assemble(context(3), replace(SETTINGS, replace_manifest=overwrite), reads(records), STARTED)
        assert done.outcome is DocumentOutcome.COMPLETE
        markdown = place.storage.read("sub/a.md").decode()
        assert "# Corrected" in markdown
        assert "could not be read" not in markdown
        assert "by hand" in json.loads(place.storage.read("sub/a.jsonl"))["text"]
        note = next(note for note in place.manifest().notes if note.page_number == 2)
        assert (note.corrected_by, note.engine, note.outcome) == ("Ada", "person", PageOutcome.DONE)
        assert note.corrected_at


def test_a_correction_that_is_saved_while_the_outputs_are_written_is_in_them(place: Place) -> None:
    saved: list[int] = []

    def read(document_id: str, first: int, last: int) -> list[PageRecord]:
        if len(saved) < 2:  # a person corrects another page each time that the outputs are written
            saved.append(len(saved) + 1)
            save_correction(place.storage, ID, saved[-1], new_correction(f"by hand {saved[-1]}", "Ada"), policy=POLICY)
        return [page(1), page(2), page(3)][first - 1 : last]

    settings = replace(SETTINGS, keep_contents=True)
    done = assemble(context(3), settings, read, STARTED)
    assert "by hand 1" in place.storage.read("sub/a.md").decode()
    assert "by hand 2" in place.storage.read("sub/a.md").decode()
    assert [(note.page_number, note.corrected_by) for note in place.manifest().notes] == [(1, "Ada"), (2, "Ada")]
    assert [output.name for output in done.outputs] == [output.name for output in place.manifest().outputs]
    assert place.manifest().page_count == 3


def test_damaged_corrections_are_ignored_and_never_fail_the_document(place: Place) -> None:
    place.storage.write(corrections_name(ID), b'{"pages": ' + b"[" * 5000)
    assert assemble(context(1), SETTINGS, reads([page(1)]), STARTED).outcome is DocumentOutcome.COMPLETE


def test_two_people_who_save_at_the_same_time_both_keep_their_page(state: MemoryStorage) -> None:
    save_correction(state, ID, 1, new_correction("one", "A"), policy=POLICY)
    write, raced = state.write, []

    def racing(name: str, data: bytes, **conditions: object) -> object:
        if not raced:
            raced.append(True)
            save_correction(state, ID, 3, new_correction("three", "B"), policy=POLICY)
        return write(name, data, **conditions)  # type: ignore[arg-type]

    state.write = racing  # type: ignore[method-assign, assignment]
    save_correction(state, ID, 2, new_correction("two", "A"), policy=POLICY)
    assert {number: c.text for number, c in corrections_of(state, ID, policy=POLICY).items()} == {1: "one", 2: "two", 3: "three"}


def test_lines_end_alike_and_what_is_no_text_is_refused() -> None:
    made = new_correction("a\r\nb\rc", " Ada\nL.\x1b[1m ")
    assert (made.text, made.author) == ("a\nb\nc", "Ada L. [1m")
    for text in ("a\0b", "\ud800"):
        with pytest.raises(UsageError, match="is not a text"):
            new_correction(text, "Ada")


def test_a_text_without_end_is_refused(state: MemoryStorage) -> None:
    with pytest.raises(UsageError, match="limit"):
        save_correction(state, ID, 1, new_correction("x" * (MAX_TEXT_CHARS + 1), "A"), policy=POLICY)
    assert corrections_of(state, ID, policy=POLICY) == {}
