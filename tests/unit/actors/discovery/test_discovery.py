from __future__ import annotations

from collections.abc import Iterator

import pytest

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.discovery.name_collisions import owner_of
from rayocr.actors.document_identity import document_id
from rayocr.errors import ObjectNotFound, StorageDenied, StorageUnavailable, UnsafeName
from rayocr.ledger.manifest import manifest_name
from rayocr.messages import DiscoveryBatch
from rayocr.observe.dead_letters import dead_letter_name
from rayocr.storage.memory import MemoryStorage


@pytest.fixture
def source() -> Iterator[MemoryStorage]:
    storage = MemoryStorage("in")
    yield storage
    storage.clear()


@pytest.fixture
def state() -> Iterator[MemoryStorage]:
    storage = MemoryStorage("state")
    yield storage
    storage.clear()


def put(source: MemoryStorage, *names: str) -> list[str]:
    """The document ids."""
    return [document_id(f"memory://in/{name}", source.write(name, b"x").version) for name in names]


def discovery(source: MemoryStorage, state: MemoryStorage, **rules: object) -> Discovery:
    return Discovery(source, state, DiscoveryRules(**rules))  # type: ignore[arg-type]


def names(batch: DiscoveryBatch) -> list[str]:
    return [document.name for document in batch.documents]


def stems(source: MemoryStorage, state: MemoryStorage) -> dict[str, str]:
    return {d.name: d.output_name for d in discovery(source, state).next_batch(100).documents}


def test_documents_come_in_batches_until_there_are_none(source: MemoryStorage, state: MemoryStorage) -> None:
    put(source, *(f"{n}.pdf" for n in range(5)))
    found = discovery(source, state)
    first, second, third = (found.next_batch(2) for _ in range(3))
    assert [names(first), names(second), names(third)] == [["0.pdf", "1.pdf"], ["2.pdf", "3.pdf"], ["4.pdf"]]
    assert (first.exhausted, second.exhausted, third.exhausted) == (False, False, True)
    assert names(found.next_batch(2)) == []
    assert third.totals.found == 5


def test_a_source_without_documents_is_exhausted_at_once(source: MemoryStorage, state: MemoryStorage) -> None:
    batch = discovery(source, state).next_batch(10)
    assert (batch.documents, batch.exhausted, batch.totals.found) == ((), True, 0)


def test_a_finished_document_is_skipped_whatever_its_outcome(source: MemoryStorage, state: MemoryStorage) -> None:
    complete, rejected, _ = put(source, "complete.pdf", "rejected.pdf", "new.pdf")
    for identifier in (complete, rejected):
        state.write(manifest_name(identifier), b"{}")
    state.write(dead_letter_name(rejected), b"{}")
    batch = discovery(source, state).next_batch(10)
    assert names(batch) == ["new.pdf"]
    totals = batch.totals
    assert (totals.found, totals.finished, totals.dead_letters) == (3, 2, 1)


@pytest.mark.parametrize(("narrowed", "told"), [(False, 1), (True, 0)])
def test_a_retry_reports_the_dead_letters_that_it_leaves_unless_certain_ones_were_asked_for(
    source: MemoryStorage, state: MemoryStorage, narrowed: bool, told: int
) -> None:
    _, partial, rejected = put(source, "complete.pdf", "partial.pdf", "rejected.pdf")
    for identifier in (partial, rejected):
        state.write(dead_letter_name(identifier), b"{}")
    batch = discovery(source, state, retried=frozenset({partial}), narrowed=narrowed).next_batch(10)
    assert names(batch) == ["partial.pdf"]
    assert (batch.totals.found, batch.totals.finished, batch.totals.dead_letters) == (3, 2, told)


def test_a_dead_letter_without_a_manifest_finishes_nothing(source: MemoryStorage, state: MemoryStorage) -> None:
    (identifier,) = put(source, "a.pdf")
    put(source, "b.pdf")
    state.write(dead_letter_name(identifier), b"{}")
    documents = discovery(source, state).next_batch(10).documents
    assert [(document.name, document.has_dead_letter) for document in documents] == [("a.pdf", True), ("b.pdf", False)]


def test_a_changed_document_is_a_new_one(source: MemoryStorage, state: MemoryStorage) -> None:
    (identifier,) = put(source, "a.pdf")
    state.write(manifest_name(identifier), b"{}")
    (newer,) = put(source, "a.pdf")
    (document,) = discovery(source, state).next_batch(10).documents
    assert document.document_id == newer != identifier


def test_overwrite_takes_finished_documents_again(source: MemoryStorage, state: MemoryStorage) -> None:
    (identifier,) = put(source, "a.pdf")
    state.write(manifest_name(identifier), b"{}")
    assert names(discovery(source, state, overwrite=True).next_batch(10)) == ["a.pdf"]


def test_the_limit_counts_documents_to_do_and_not_those_done(source: MemoryStorage, state: MemoryStorage) -> None:
    done, *_ = put(source, "a.pdf", "b.pdf", "c.pdf", "d.pdf")
    state.write(manifest_name(done), b"{}")
    batch = discovery(source, state, limit=2).next_batch(10)
    assert (names(batch), batch.exhausted) == (["b.pdf", "c.pdf"], True)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, ["A.PDF", "a.pdf", "sub/b.pdf", "sub/deep/c.pdf"]),
        ({"include": ("sub/*",)}, ["sub/b.pdf", "sub/deep/c.pdf"]),
        ({"exclude": ("*/c.pdf",)}, ["A.PDF", "a.pdf", "sub/b.pdf"]),
        ({"include": ("*.pdf",), "exclude": ("sub/*",)}, ["a.pdf"]),
    ],
)
def test_globs_choose_names_below_the_source(
    source: MemoryStorage, state: MemoryStorage, rules: dict[str, object], expected: list[str]
) -> None:
    put(source, "a.pdf", "A.PDF", "sub/b.pdf", "sub/deep/c.pdf")
    source.write("notes.txt", b"x")
    batch = discovery(source, state, **rules).next_batch(10)
    assert sorted(names(batch)) == expected
    assert batch.totals.filtered == 4 - len(expected)
    assert bool(batch.totals.filtered_name) == (len(expected) < 4)


def test_files_that_are_not_documents_are_ignored(source: MemoryStorage, state: MemoryStorage) -> None:
    put(source, "notes.txt", "pdf", "a.pdf.part", "._mac.pdf", "old/.rayocr/x.pdf", "x.pdf/readme", "real.pdf")
    assert names(discovery(source, state).next_batch(10)) == ["real.pdf"]


def test_outputs_keep_their_folders(source: MemoryStorage, state: MemoryStorage) -> None:
    put(source, "reports/2024/a.pdf", "b.v2.pdf", "मराठी.pdf")
    assert stems(source, state) == {"reports/2024/a.pdf": "reports/2024/a", "b.v2.pdf": "b.v2", "मराठी.pdf": "मराठी"}


def test_names_that_would_share_a_file_are_reported_whose_it_is(source: MemoryStorage, state: MemoryStorage) -> None:
    put(source, "a.pdf", "a.PDF", "A.pdf", "\u00e9.pdf", "e\u0301.pdf", "sub/a.pdf")
    found = discovery(source, state).next_batch(100).documents
    owners = {document.name: document.name_owner for document in found}
    first = owner_of("memory://in/A.pdf")
    assert (owners["A.pdf"], owners["a.PDF"], owners["a.pdf"], owners["sub/a.pdf"]) == ("", first, first, "")
    assert (owners["e\u0301.pdf"], owners["\u00e9.pdf"]) == ("", owner_of("memory://in/e\u0301.pdf"))
    assert discovery(source, state).next_batch(100).documents == found, "a second listing must find the same"


def test_a_name_too_long_for_its_outputs_is_shortened_and_stays_its_own(source: MemoryStorage, state: MemoryStorage) -> None:
    long = ["म" * 83 + f"{n}.pdf" for n in range(3)]
    put(source, *long)
    found = stems(source, state)
    assert len(set(found.values())) == 3
    assert all(len(f"{stem}.searchable.pdf".encode()) <= 255 for stem in found.values())


def test_the_id_depends_on_place_and_version_alone() -> None:
    assert document_id("memory://in/a.pdf", "1") == document_id("memory://in/a.pdf", "1")
    assert len({document_id("u", "1"), document_id("u", "2"), document_id("v", "1"), document_id("u1", "")}) == 4


def test_a_folder_that_cannot_be_listed_is_counted_and_the_rest_continues(source: MemoryStorage, state: MemoryStorage) -> None:
    put(source, "a.pdf")
    found = discovery(source, state)
    assert source.on_error is not None
    source.on_error("secret/", StorageDenied("no permission"))
    batch = found.next_batch(10)
    assert (names(batch), batch.totals.unreadable) == (["a.pdf"], 1)
    assert len(batch.totals.unreadable_names) == 1


def test_a_source_that_disappears_is_reported(state: MemoryStorage) -> None:
    def away(operation: str, name: str) -> None:
        raise StorageUnavailable("503")

    with pytest.raises(StorageUnavailable):
        discovery(MemoryStorage("away", faults=away), state).next_batch(1)


@pytest.mark.parametrize(
    ("name", "error", "counts"),
    [
        ("a.pdf", ObjectNotFound("nowhere"), True),
        ("2024", ObjectNotFound("nowhere"), True),  # may be a folder
        ("drafts", ObjectNotFound("nowhere"), False),
        ("drafts/a.pdf", ObjectNotFound("nowhere"), False),
        ("notes.txt", ObjectNotFound("nowhere"), False),
        ("../a.pdf", UnsafeName("odd"), True),
        ("../notes", UnsafeName("odd"), False),
        ("private.d", StorageDenied("no permission"), True),
    ],
)
def test_what_cannot_be_examined_counts_where_it_might_be_a_document_or_hold_some(
    source: MemoryStorage, state: MemoryStorage, name: str, error: Exception, counts: bool
) -> None:
    found = discovery(source, state, exclude=("drafts/*",))
    found.note_unreadable(name, error)
    assert found.next_batch(1).totals.unreadable == int(counts)
