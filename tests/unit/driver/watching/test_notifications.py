"""Notifications become documents and are acknowledged once losing them is safe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar
from uuid import uuid4

import pytest

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.config import AccessConfig
from rayocr.driver.watching.notifications import Notifications
from rayocr.errors import RayocrError, StorageDenied, StorageUnavailable, UsageError
from rayocr.messages import Document
from rayocr.storage.gcs.pubsub import Subscription
from rayocr.storage.memory import MemoryStorage
from tests.e2e.support import wait_until
from tests.servers.pubsub import PubSub


class Bucket(MemoryStorage):
    """A storage in memory with the URI of a bucket."""

    away = False

    def __init__(self) -> None:
        super().__init__(uuid4().hex, faults=self._fault)

    @property
    def uri(self) -> str:
        return "gs://scans/in"

    def _fault(self, operation: str, name: str) -> None:
        if self.away:
            raise StorageUnavailable("503")


@pytest.fixture
def pubsub() -> Iterator[PubSub]:
    server = PubSub(deadline_s=0.2, longest_pull_s=0.1)
    yield server
    for world in World.all:
        world.close()
    World.all.clear()
    server.close()


class World:
    all: ClassVar[list[World]] = []

    def __init__(self, pubsub: PubSub, **rules: object) -> None:
        self.source = Bucket()
        self.pushed: list[Document] = []
        self.failures: list[RayocrError] = []
        self.warned: list[str] = []
        self.room = True
        self.all.append(self)
        self.subscription = Subscription(pubsub.name, AccessConfig(), endpoint=pubsub.url)
        self.events = Notifications(
            self.subscription,
            self.source,
            DiscoveryRules(**rules),  # type: ignore[arg-type]
            push=self.pushed.append,
            waiting=lambda: 0 if self.room else 10_000,
            fail=self.failures.append,
            warn=self.warned.append,
        )

    def close(self) -> None:
        self.events.close()
        if self.events._thread.ident is not None:
            self.events._thread.join()
        self.subscription.close()

    def names(self) -> list[str]:
        return [document.name for document in self.pushed]


def test_a_new_object_becomes_a_document_and_its_message_is_acknowledged(pubsub: PubSub) -> None:
    world = World(pubsub)
    entry = world.source.write("2024/a b.pdf", b"x")
    pubsub.publish("scans", "in/2024/a b.pdf")
    world.events.take_some()
    (document,) = world.pushed
    assert (document.name, document.version, document.output_name) == ("2024/a b.pdf", entry.version, "2024/a b")
    assert (pubsub.acknowledged, pubsub.waiting()) == (["in/2024/a b.pdf"], 0)


def test_foreign_notifications_are_acknowledged_and_skipped(pubsub: PubSub) -> None:
    world = World(pubsub, exclude=("drafts/*",), max_bytes=3)
    for name in ("drafts/a.pdf", "notes.txt", "deleted.pdf", "large.pdf"):
        world.source.write(name, b"large")
    pubsub.publish("scans", "in/drafts/a.pdf")
    pubsub.publish("scans", "in/notes.txt")
    pubsub.publish("scans", "in/large.pdf")
    pubsub.publish("scans", "in/deleted.pdf", event="OBJECT_DELETE")
    pubsub.publish("scans", "in/never-there.pdf")
    pubsub.publish("scans", "elsewhere/a.pdf")
    pubsub.publish("others", "in/a.pdf")
    pubsub.publish("scans", "in/", attributes=False)
    world.events.take_some()
    assert (world.pushed, pubsub.waiting()) == ([], 0)


def test_a_message_without_attributes_is_read_from_its_body(pubsub: PubSub) -> None:
    world = World(pubsub)
    world.source.write("a.pdf", b"x")
    pubsub.publish("scans", "in/a.pdf", attributes=False)
    world.events.take_some()
    assert world.names() == ["a.pdf"]


def test_a_message_whose_object_could_not_be_examined_comes_again(pubsub: PubSub) -> None:
    world = World(pubsub)
    world.source.write("a.pdf", b"x")
    pubsub.publish("scans", "in/a.pdf")
    world.source.away = True
    with pytest.raises(StorageUnavailable):
        world.events.take_some()
    assert (world.pushed, pubsub.waiting()) == ([], 1)
    world.source.away = False
    world.events.take_some()
    assert (world.names(), pubsub.waiting()) == (["a.pdf"], 0)


def test_a_server_that_is_unavailable_is_reported_once_and_found_again(pubsub: PubSub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayocr.driver.watching.notifications._AGAIN_S", 0.05)
    world = World(pubsub)
    pubsub.faults.extend([503, 429, 500])
    world.source.write("a.pdf", b"x")
    pubsub.publish("scans", "in/a.pdf")
    world.events.start()
    wait_until(lambda: world.names() == ["a.pdf"] and world.events.live, "the notification is accepted")
    world.events.close()
    assert len(world.warned) == 1
    assert not world.failures


@pytest.mark.parametrize(("status", "error"), [(404, UsageError), (403, StorageDenied)])
def test_a_subscription_that_is_not_there_or_not_ours_ends_the_run_at_the_start(
    pubsub: PubSub, status: int, error: type[RayocrError]
) -> None:
    world = World(pubsub)
    pubsub.faults.append(status)
    world.events.start()
    wait_until(lambda: bool(world.failures), "the failure is reported")
    assert isinstance(world.failures[0], error)
    assert pubsub.name in str(world.failures[0])


def test_while_documents_wait_for_room_messages_stay_with_the_server(pubsub: PubSub) -> None:
    world = World(pubsub)
    world.room = False
    world.source.write("a.pdf", b"x")
    pubsub.publish("scans", "in/a.pdf")
    world.events.start()
    assert not pubsub.calls
    world.room = True
    wait_until(lambda: world.names() == ["a.pdf"], "there is room")
    world.events.close()
