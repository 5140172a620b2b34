"""Every document keeps a unique output location, across runs, sources and clusters."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.document_worker.output_names import name_record, reserve_output_name
from rayocr.errors import StorageUnavailable
from rayocr.messages import Document
from rayocr.outputs.output_paths import folded
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage

POLICY = RetryPolicy(max_attempts=3, base_s=0.0, cap_s=0.0)


@pytest.fixture
def source() -> Iterator[MemoryStorage]:
    storage = MemoryStorage(f"in-{uuid4().hex}")
    yield storage
    storage.clear()


@pytest.fixture
def state() -> Iterator[MemoryStorage]:
    storage = MemoryStorage(f"state-{uuid4().hex}")
    yield storage
    storage.clear()


def found(source: MemoryStorage, state: MemoryStorage, **rules: object) -> list[Document]:
    return list(Discovery(source, state, DiscoveryRules(overwrite=True, **rules)).next_batch(1000).documents)  # type: ignore[arg-type]


def stems(documents: list[Document], state: MemoryStorage) -> dict[str, str]:
    return {document.name: reserve_output_name(state, document, policy=POLICY) for document in documents}


NAMES = ("A.pdf", "a.PDF", "a.pdf", "Folder/x.pdf", "folder/X.pdf", "folder/y.pdf", "\u00e9/a.pdf", "e\u0301/a.pdf")


def test_names_that_are_one_file_somewhere_get_places_apart(source: MemoryStorage, state: MemoryStorage) -> None:
    for name in NAMES:
        source.write(name, b"x")
    places = stems(found(source, state), state)
    assert len({folded(stem) for stem in places.values()}) == len(NAMES)
    assert (places["A.pdf"], places["folder/y.pdf"], places["Folder/x.pdf"]) == ("A", "folder/y", "Folder/x")
    assert places["a.pdf"].startswith("a~")


def test_the_places_do_not_depend_on_who_is_finished_first(source: MemoryStorage) -> None:
    for name in NAMES[:3]:
        source.write(name, b"x")
    seen = []
    for order in itertools.permutations(range(3)):
        state = MemoryStorage(uuid4().hex)
        documents = found(source, state)
        seen.append(stems([documents[i] for i in order], state))
        state.clear()
    assert all(places == seen[0] for places in seen)


def test_a_document_keeps_its_place_when_only_a_part_is_listed_or_its_neighbours_go(
    source: MemoryStorage, state: MemoryStorage
) -> None:
    for name in NAMES:
        source.write(name, b"x")
    places = stems(found(source, state), state)
    for name in NAMES:
        assert stems(found(source, state, include=(name,)), state) == {name: places[name]}
    source.delete("A.pdf")
    source.write("a.pdf", b"a newer version")
    again = stems(found(source, state), state)
    assert again == {name: place for name, place in places.items() if name != "A.pdf"}


def test_the_first_document_keeps_the_name_when_a_duplicate_appears_later(source: MemoryStorage, state: MemoryStorage) -> None:
    source.write("a.pdf", b"x")
    assert stems(found(source, state), state) == {"a.pdf": "a"}
    source.write("A.pdf", b"x")
    places = stems(found(source, state), state)
    assert places["a.pdf"] == "a"
    assert places["A.pdf"].startswith("A~")


def test_equal_names_of_several_sources_have_places_of_their_own(state: MemoryStorage) -> None:
    places = []
    for number in range(3):
        source = MemoryStorage(f"{uuid4().hex}-{number}")
        source.write("sub/a.pdf", b"x")
        documents = found(source, state)
        places.append(stems(documents, state)["sub/a.pdf"])
        assert stems(documents, state)["sub/a.pdf"] == places[-1], "the name stays the same in the next run"
        source.clear()
    assert len(set(places)) == 3
    assert places[0] == "sub/a"
    assert all(place.startswith("sub/a~") for place in places[1:])


def test_of_many_that_claim_a_name_at_once_one_has_it(state: MemoryStorage) -> None:
    documents = []
    for number in range(16):
        uri = f"memory://source-{number}/a.pdf"
        documents.append(Document(document_id="d", source_uri=uri, name="a.pdf", output_name="a", version="1", size_bytes=1))
    with ThreadPoolExecutor(16) as threads:
        # The third and later ones fall back to a hash of their source, which is unique.
        taken = list(threads.map(lambda document: reserve_output_name(state, document, policy=POLICY), documents))
    assert len(set(taken)) == 16
    assert taken.count("a") == 1


def test_an_answer_that_was_lost_leaves_the_claim_with_who_made_it() -> None:
    lost = iter([True])

    def faults(operation: str, name: str) -> None:
        if operation == "written" and next(lost, False):
            raise StorageUnavailable("reset")

    state = MemoryStorage(uuid4().hex, faults=faults)
    document = Document(document_id="d", source_uri="memory://s/a.pdf", name="a.pdf", output_name="a", version="1", size_bytes=1)
    assert reserve_output_name(state, document, policy=POLICY) == "a"
    state.clear()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"schema_version": 1}'])
def test_a_damaged_claim_is_made_anew(state: MemoryStorage, damage: bytes) -> None:
    state.write(name_record("a"), damage)
    document = Document(document_id="d", source_uri="memory://s/a.pdf", name="a.pdf", output_name="a", version="1", size_bytes=1)
    assert reserve_output_name(state, document, policy=POLICY) == "a"
    other = Document(document_id="d", source_uri="memory://t/a.pdf", name="a.pdf", output_name="a", version="1", size_bytes=1)
    assert reserve_output_name(state, other, policy=POLICY) != "a"
