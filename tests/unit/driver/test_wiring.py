"""The parts of a run are connected, and a run continues without optional parts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rayocr.actors.page_worker.actor import CLOSE_S
from rayocr.driver.scheduling.scheduler import Scheduler
from rayocr.driver.signals import Shutdown
from rayocr.driver.wiring import CLOSING_S, RunParts
from rayocr.errors import Interrupted, StorageUnavailable
from tests.unit.driver.local_world import World
from tests.unit.virtual_time import until


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch, {"a.pdf": 2})


def test_the_parts_are_frozen_and_fit_together(world: World) -> None:
    seen: list[RunParts] = []

    async def keep(parts: RunParts, shutdown: Shutdown) -> None:
        seen.append(parts)

    world.beside = keep
    world.run()
    (parts,) = seen
    with pytest.raises(dataclasses.FrozenInstanceError):
        parts.outages = None  # type: ignore[misc]
    assert parts.scheduler._flow is parts.flow
    assert parts.collector.pools == [stage.pool for stage in parts.stages]
    assert parts.leases._on_lost == parts.scheduler.lost
    assert parts.outages is None


def test_a_run_that_stops_keeps_time_to_close_within_its_grace_period(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that computes gets CLOSE_S after the flows were cancelled."""
    waited: list[float] = []
    draining: list[int] = []
    settle = Scheduler.settle

    async def noting(self: Scheduler, grace_s: float) -> None:
        waited.append(grace_s)
        await settle(self, grace_s)

    async def stop(parts: RunParts, shutdown: Shutdown) -> None:
        parts.inputs.config.shutdown.grace_s = 20.0
        draining.append(parts.collector.take()["gauges"]["draining"])
        parts.inputs.announcements.announce_drain("SIGINT")
        shutdown.request("SIGINT")
        draining.append(parts.collector.take()["gauges"]["draining"])

    monkeypatch.setattr(Scheduler, "settle", noting)
    world.beside = stop
    with pytest.raises(Interrupted):
        world.run()
    assert waited == [20.0 - CLOSING_S]
    assert draining == [0, 1], "the status page shows that the run is stopping"
    assert CLOSE_S < CLOSING_S


@pytest.mark.parametrize("part", ["LimiterWatch", "CancelWatch", "TelemetryWatch", "StallWatch"])
def test_a_bug_in_a_background_task_does_not_end_the_run(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, part: str
) -> None:
    async def broken(self: object) -> None:
        raise ZeroDivisionError

    import rayocr.driver.wiring as module

    monkeypatch.setattr(getattr(module, part), "run", broken)
    world.run()
    assert world.outcomes() == {"a.pdf": "complete"}
    assert [record.exc_info is not None for record in caplog.records if record.name == "rayocr.driver.wiring"] == [True]


def test_what_stops_the_listing_stops_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from rayocr.driver.cluster.local_discovery import LocalDiscovery

    async def away(self: object, count: int) -> None:
        raise StorageUnavailable("the source is away")

    monkeypatch.setattr(LocalDiscovery, "next_batch", away)
    assert isinstance(world.failure(), StorageUnavailable)


def test_a_signal_before_the_first_page_ends_the_run_with_nothing_done(world: World) -> None:
    async def interrupt(parts: RunParts, shutdown: Shutdown) -> None:
        shutdown.request("SIGTERM")

    world.beside = interrupt
    assert isinstance(world.failure(), Interrupted)
    assert not world.manifests()
    assert not list((world.out / ".rayocr" / "leases").glob("*.json")), "leases are released"


def test_a_watch_reads_new_documents_until_it_is_stopped(world: World) -> None:
    from tests.unit.pdf import pdfs

    async def add(parts: RunParts, shutdown: Shutdown) -> None:
        assert parts.outages is not None
        await until(lambda: "a.pdf" in world.outcomes())
        path = world.folder / "in" / "b.pdf"
        path.write_bytes(pdfs.pages_of(("",)))
        found = parts.inputs.plan.source.stat("b.pdf")
        from rayocr.actors.document_identity import document_at

        world.server.names[document_at(parts.inputs.plan.source, found).document_id] = "b.pdf"
        await until(lambda: "b.pdf" in world.outcomes())
        shutdown.request("SIGTERM")

    world.beside = add
    assert isinstance(world.failure("mode=watch", "poll_interval_s=5", "watch.settle_s=0"), Interrupted)
    assert world.outcomes() == {"a.pdf": "complete", "b.pdf": "complete"}
