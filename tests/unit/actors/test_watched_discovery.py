"""Repeated listing: new files are returned once, removed files are forgotten, and files that are still being written wait."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.discovery.file_stability import FileStability
from rayocr.actors.document_identity import document_id
from rayocr.errors import StorageUnavailable
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, manifest_name
from rayocr.messages import Poll
from rayocr.storage.base import Changes, Entry
from rayocr.storage.local.storage import LocalStorage
from rayocr.storage.memory import MemoryStorage


class Listed(MemoryStorage):
    """Counts listings by prefix, and optionally has a change feed."""

    def __init__(self) -> None:
        super().__init__(uuid4().hex, faults=self._seen)
        self.listings: list[str] = []
        self.away = False
        self.feed: list[str] | None = None
        self.feed_broken = False

    def _seen(self, operation: str, name: str) -> None:
        if operation == "list":
            self.listings.append(name)
        if self.away:
            raise StorageUnavailable("503")

    def changes_since(self, token: str | None) -> Changes | None:
        if self.feed is None:
            return None
        names = None if token is None or self.feed_broken else tuple(self.feed[int(token) :])
        return Changes(names=names, token=str(len(self.feed)))

    def put(self, *names: str) -> None:
        for name in names:
            self.write(name, b"x")
            if self.feed is not None:
                self.feed.append(name)


@pytest.fixture
def source() -> Iterator[Listed]:
    storage = Listed()
    yield storage
    storage.clear()


@pytest.fixture
def state() -> Iterator[Listed]:
    storage = Listed()
    yield storage
    storage.clear()


def watch(source: MemoryStorage, state: MemoryStorage, **rules: object) -> Discovery:
    return Discovery(source, state, DiscoveryRules(watch=True, **rules))  # type: ignore[arg-type]


def read(found: Discovery) -> list[str]:
    names: list[str] = []
    while True:
        batch = found.next_batch(3)
        names += [document.name for document in batch.documents]
        if batch.exhausted:
            return names


def polled(found: Discovery, what: Poll = Poll.ALL) -> list[str]:
    found.poll(what)
    return read(found)


def test_every_document_is_given_once_and_a_new_version_is_a_new_one(source: Listed, state: Listed) -> None:
    source.put("a.pdf", "b.pdf")
    found = watch(source, state)
    assert read(found) == ["a.pdf", "b.pdf"]
    assert polled(found) == []
    source.put("c.pdf", "a.pdf")
    assert polled(found) == ["a.pdf", "c.pdf"]
    assert polled(found) == []


def test_finished_documents_are_known_from_one_listing_of_the_manifests(source: Listed, state: Listed) -> None:
    for number in range(5):
        source.put(f"{number}.pdf")
        state.write(manifest_name(document_id(f"{source.uri}/{number}.pdf", source.stat(f"{number}.pdf").version)), b"{}")
    found = watch(source, state)
    assert read(found) == []
    for _ in range(3):
        source.put(f"{uuid4().hex}.pdf")
        assert len(polled(found)) == 1
    assert state.listings.count(DOCUMENTS_PREFIX) == 1


def test_what_was_removed_is_forgotten(source: Listed, state: Listed) -> None:
    found = watch(source, state)
    for turn in range(50):
        source.put(f"{turn}.pdf")
        assert polled(found) == [f"{turn}.pdf"]
        source.delete(f"{turn}.pdf")
    polled(found)
    assert len(found._known) == 0


def test_a_source_that_was_emptied_and_filled_again_is_compared_with_the_manifests_at_once(source: Listed, state: Listed) -> None:
    """A mount that disappeared and returned must not be queried document by document."""
    entries = [source.write(f"{number}.pdf", b"x") for number in range(1500)]
    found = watch(source, state)
    assert len(read(found)) == 1500
    for entry in entries:
        state.write(manifest_name(document_id(f"{source.uri}/{entry.name}", entry.version)), b"{}")
    stored = dict(source._root.objects)
    source.clear()
    assert polled(found) == []
    source._root.objects.update(stored)
    given = polled(found)
    assert len(given) <= 1000
    assert polled(found) == []


def test_a_poll_that_breaks_off_loses_nothing_and_gives_nothing_twice(source: Listed, state: Listed) -> None:
    found = watch(source, state)
    read(found)
    source.put(*(f"{number}.pdf" for number in range(6)))
    found.poll(Poll.ALL)
    first = [document.name for document in found.next_batch(2).documents]
    found._ahead.clear()  # as after a failed poll: no documents were listed ahead
    given = set(first) | {f"{n}.pdf" for n in range(6)} & set(polled(found))
    source.away = True
    with pytest.raises(StorageUnavailable):
        polled(found)
    source.away = False
    source.put("new.pdf")
    assert polled(found) == ["new.pdf"]
    assert first[0] in given


def test_a_feed_reports_what_is_new_without_a_listing(source: Listed, state: Listed) -> None:
    source.feed = []
    source.put("a.pdf")
    found = watch(source, state)
    assert read(found) == ["a.pdf"]
    listings = len(source.listings)
    source.put("b.pdf", "notes.txt", "gone.pdf")
    source.delete("gone.pdf")
    assert polled(found, Poll.CHANGES) == ["b.pdf"]
    assert polled(found, Poll.CHANGES) == []
    assert len(source.listings) == listings


def test_a_feed_that_cannot_answer_is_made_up_for_by_a_listing(source: Listed, state: Listed) -> None:
    source.feed = []
    found = watch(source, state)
    read(found)
    source.put("a.pdf")
    source.feed_broken = True
    assert polled(found, Poll.CHANGES) == ["a.pdf"]
    source.feed_broken = False
    source.put("b.pdf")
    assert polled(found, Poll.CHANGES) == ["b.pdf"]


def test_a_document_that_was_pushed_is_not_given_too(source: Listed, state: Listed) -> None:
    found = watch(source, state)
    read(found)
    source.put("a.pdf")
    found.note(document_id(f"{source.uri}/a.pdf", source.stat("a.pdf").version))
    assert polled(found) == []


def test_a_document_that_could_not_be_found_and_is_there_after_all_is_given_again(source: Listed, state: Listed) -> None:
    source.put("a.pdf")
    found = watch(source, state)
    assert read(found) == ["a.pdf"]
    found.forget(document_id(f"{source.uri}/a.pdf", source.stat("a.pdf").version))
    assert polled(found) == ["a.pdf"]
    assert polled(found) == []


def test_the_limit_ends_the_watch(source: Listed, state: Listed) -> None:
    source.put("a.pdf", "b.pdf", "c.pdf")
    found = watch(source, state, limit=2)
    batch = found.next_batch(10)
    assert ([document.name for document in batch.documents], batch.limit_reached) == (["a.pdf", "b.pdf"], True)


def test_a_file_that_is_being_written_is_left_alone_until_it_is_whole(tmp_path: Path, state: Listed) -> None:
    source = LocalStorage(tmp_path)
    found = watch(source, state, settle_s=60.0)  # type: ignore[arg-type]
    (tmp_path / "old.pdf").write_bytes(b"x")
    os.utime(tmp_path / "old.pdf", (1, 1))
    (tmp_path / "young.pdf").write_bytes(b"x")
    assert read(found) == ["old.pdf"]
    assert found.next_batch(1).totals.settling == 1
    assert polled(found, Poll.SETTLING) == []
    os.utime(tmp_path / "young.pdf", (2, 2))  # another version: the writer may not have finished
    assert polled(found, Poll.SETTLING) == []
    found._settling._clock = lambda: 1e12
    assert polled(found, Poll.SETTLING) == ["young.pdf"]
    assert found.next_batch(1).totals.settling == 0
    (tmp_path / "gone.pdf").write_bytes(b"x")
    assert polled(found) == []
    (tmp_path / "gone.pdf").unlink()
    assert polled(found, Poll.SETTLING) == []
    assert found.next_batch(1).totals.settling == 0


def test_settling_goes_by_two_polls_where_the_clock_of_the_file_is_not_ours() -> None:
    now = [100.0]
    settling = FileStability(10.0, clock=lambda: now[0], wall_clock=lambda: now[0])
    future = Entry(name="a.pdf", size_bytes=1, version="1", modified_at=1e9)
    assert not settling.is_settled(future)
    now[0] += 9
    assert not settling.is_settled(future)
    now[0] += 1
    assert settling.is_settled(future)
    assert len(settling) == 0
