"""Whole runs in which local engines read pages beside Gemini: engines are scripted, and time is virtual."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from rayocr.actors.page_worker.actor import PageWorker
from rayocr.actors.page_worker.slot_client import SlotClient
from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.driver.cluster.faults import Faults
from rayocr.driver.monitor.watches.lane_watch import LaneWatch
from rayocr.driver.run import Run
from rayocr.driver.signals import Shutdown
from rayocr.driver.wiring import RunParts
from rayocr.engines.base import ComputeEngine, Engine, WaitingEngine
from rayocr.errors import ActorFailed, EngineUnavailable, Interrupted
from rayocr.ledger.manifest import Manifest
from rayocr.ledger.runs import parse_runs
from rayocr.messages import PageOutcome, PageRecord, PageText, Shard
from rayocr.pdf.page import Page
from tests.unit.driver.local_world import Server, World
from tests.unit.virtual_time import until

PRICE_USD = {"standard": 0.0010, "flex": 0.0005}
PAGE_S = 1.0
_BEGINNING = 1_000_000.0  # of virtual time


class Lane(Server):
    """Gemini in one tier. Counts its requests and writes the bill."""

    def __init__(self, name: str, answer_s: float) -> None:
        super().__init__()
        self._tier, self._answer_s = name, answer_s
        self.billed_usd = 0.0

    @property
    def tier(self) -> str:
        return self._tier

    async def recognize_async(self, page: Any, model: str) -> PageText:
        await asyncio.sleep(self._answer_s)
        answer = await super().recognize_async(page, model)
        self.billed_usd += PRICE_USD[self._tier]
        return PageText(text=answer.text, engine="gemini", model=model, cost_usd=PRICE_USD[self._tier], price_class=self._tier)


class Lanes(Server):
    """Gemini in several tiers."""

    def __init__(self, **answer_s: float) -> None:
        self.of: dict[str, Lane] = {name: Lane(name, seconds) for name, seconds in answer_s.items()}
        super().__init__()
        self.lanes = dict[str, WaitingEngine](self.of)  # type: ignore[misc]

    @property
    def names(self) -> dict[str, str]:
        return next(iter(self.of.values())).names

    @names.setter
    def names(self, names: dict[str, str]) -> None:
        for lane in self.of.values():
            lane.names = names

    @property
    def billed_usd(self) -> float:
        return sum(lane.billed_usd for lane in self.of.values())


class Local(ComputeEngine):
    """Reads every page, except for those it is `unsure` of."""

    name: ClassVar[str] = "rapidocr"

    def __init__(self, server: Lanes, unsure: range = range(0)) -> None:
        self.server, self.unsure = server, unsure
        self.read: Counter[int] = Counter()

    def open(self) -> None:
        pass

    def recognize(self, page: Page) -> PageText:
        self.read[page.page_number] += 1
        (name,) = set(self.server.names.values())
        confidence = 0.88 if page.page_number in self.unsure else 0.97
        text = f"This is page {page.page_number} of {name}."
        return PageText(text=text, engine=self.name, model=self.name, confidence=confidence)


class Side:
    """A run with the lane local, in which the only local worker needs `PAGE_S` for a page."""

    def __init__(
        self,
        folder: Path,
        patch: pytest.MonkeyPatch,
        pages: int,
        *,
        unsure: range = range(0),
        page_s: float = 1.0,
        **answer_s: float,
    ) -> None:
        self.server = Lanes(**answer_s)
        self.local = Local(self.server, unsure)
        self.world = World(folder, patch, {"a.pdf": pages}, server=self.server)
        self.took_s = 0.0
        engines: dict[str, Engine] = {"gemini": self.server, "rapidocr": self.local}
        patch.setattr("rayocr.actors.page_worker.actor.build_engine", lambda name, *_, **__: engines[name])
        patch.setattr("rayocr.actors.page_worker.actor.SlotClient", partial(SlotClient, clock=_now))
        began = time.time()
        wall_clock = lambda: began + _now() - _BEGINNING  # noqa: E731 - the deadline counts from the real time
        patch.setattr("rayocr.driver.cluster.local_actors.RateLimiter", partial(RateLimiter, clock=_now, wall_clock=wall_clock))
        patch.setattr("rayocr.driver.wiring.LaneWatch", partial(LaneWatch, wall_clock=wall_clock))
        recognize = PageWorker._recognize

        async def timed(worker: PageWorker, *arguments: Any) -> Any:
            if worker._settings.stage.kind == "compute":
                await asyncio.sleep(PAGE_S)
            try:
                return await recognize(worker, *arguments)
            finally:
                self.took_s = _now() - _BEGINNING

        patch.setattr(PageWorker, "_recognize", timed)

    def run(self, *options: str) -> Run:
        return self.world.run("engine.chain=[gemini,rapidocr]", "cpus=1", "limits.rpm=120", "limits.headroom=0", *options)

    @property
    def manifest(self) -> Manifest:
        return self.world.manifests()["a.pdf"]


def _now() -> float:
    return asyncio.get_running_loop().time()


def test_with_the_objective_speed_local_engines_and_gemini_read_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = Side(tmp_path, monkeypatch, 150, standard=5.0)
    side.run("objective=speed", "engine.lanes=[local,standard]")
    side.world.assert_whole("a.pdf")
    assert side.world.outcomes() == {"a.pdf": "complete"}
    read = side.manifest.engines
    assert sum(read.values()) == 150
    assert 20 <= read["rapidocr"] <= 65, "1 page per second beside 2; on a busy machine, time passes while a thread works"
    assert side.took_s < 150 / 2, "which Gemini alone would need"
    assert side.local.read.total() == read["rapidocr"]
    assert sum(side.server.of["standard"].asked.values()) == read["gemini"], "no page is read twice"
    assert side.manifest.cost_usd == pytest.approx(side.server.billed_usd)


def test_the_manifest_names_the_engine_of_each_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(tmp_path, monkeypatch, 60, standard=5.0)
    side.run("objective=speed", "engine.lanes=[local,standard]")
    pages = side.manifest.engine_pages
    assert set(parse_runs(pages["rapidocr"])) == set(side.local.read)
    assert set(parse_runs(pages["gemini"])) == {number for _, number in side.server.of["standard"].asked}


def test_a_page_below_the_confidence_goes_to_gemini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(tmp_path, monkeypatch, 60, unsure=range(1, 61, 2), standard=5.0)
    side.run("objective=speed", "engine.lanes=[local,standard]")
    side.world.assert_whole("a.pdf")
    assert side.world.outcomes() == {"a.pdf": "complete"}
    pages = side.manifest.engine_pages
    assert all(number % 2 == 0 for number in parse_runs(pages["rapidocr"]))
    assert any(number % 2 for number in side.local.read), "some were tried"
    assert max(side.local.read.values()) == 1
    assert side.manifest.pages == {PageOutcome.DONE: "1-60"}


def test_with_the_objective_cost_no_page_is_paid_that_local_engines_read_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = Side(tmp_path, monkeypatch, 100, flex=300.0)
    side.run("objective=cost", "engine.lanes=[local,flex]")
    assert side.manifest.engines == {"rapidocr": 100}
    assert side.manifest.cost_usd == 0.0


def test_a_deadline_is_kept_with_as_many_local_pages_as_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(tmp_path, monkeypatch, 350, standard=5.0)
    side.run("objective=deadline", "deadline=0.06h", "engine.lanes=[local,standard]")
    side.world.assert_whole("a.pdf")
    assert side.took_s <= 216
    local_s = 216 - 60 - 2 * 15 - 8
    assert side.manifest.engines["rapidocr"] >= 0.5 * local_s
    assert side.manifest.cost_usd == pytest.approx(side.server.billed_usd)


def test_the_pages_of_a_local_worker_that_dies_go_to_gemini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(tmp_path, monkeypatch, 60, standard=5.0)

    def fails(name: str, shard: Shard) -> ActorFailed | None:
        return ActorFailed("died") if shard.least_confidence is not None and shard.page_numbers[0] % 5 == 0 else None

    side.world.faults = Faults(shard=fails)
    side.run("objective=speed", "engine.lanes=[local,standard]")
    side.world.assert_whole("a.pdf")
    assert side.world.outcomes() == {"a.pdf": "complete"}


def test_a_local_engine_that_cannot_start_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(tmp_path, monkeypatch, 60, standard=5.0)

    def missing() -> None:
        raise EngineUnavailable("rapidocr is not installed.")

    monkeypatch.setattr(side.local, "open", missing)
    with pytest.raises(EngineUnavailable):
        side.run("objective=speed", "engine.lanes=[local,standard]")


def test_no_page_is_read_by_both_though_the_worker_that_gave_it_away_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = Side(tmp_path, monkeypatch, 120, standard=5.0)
    failed: list[str] = []

    def fails(name: str, records: Sequence[PageRecord]) -> ActorFailed | None:
        if len(failed) < 2 and "gemini" in name and any(record.page_number % 7 == 0 for record in records):
            failed.append(name)
            return ActorFailed("died")
        return None

    side.world.faults = Faults(recorded=fails)
    side.run("objective=speed", "engine.lanes=[local,standard]")
    assert len(failed) == 2
    side.world.assert_whole("a.pdf")
    assert side.world.outcomes() == {"a.pdf": "complete"}
    assert max(side.local.read.values()) == 1
    local = set(parse_runs(side.manifest.engine_pages["rapidocr"]))
    assert local == set(side.local.read)
    recorded_by_gemini = set(parse_runs(side.manifest.engine_pages["gemini"]))
    assert not local & recorded_by_gemini


def test_a_run_that_was_stopped_resumes_and_pays_no_page_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(tmp_path, monkeypatch, 120, standard=5.0)

    async def stop(parts: RunParts, shutdown: Shutdown) -> None:
        await until(lambda: parts.inputs.progress.pages_done >= 50)
        shutdown.requested.set()

    side.world.beside = stop
    with pytest.raises(Interrupted):
        side.run("objective=speed", "engine.lanes=[local,standard]")
    assert not side.world.manifests()
    side.world.beside = None
    side.run("objective=speed", "engine.lanes=[local,standard]")
    side.world.assert_whole("a.pdf")
    assert side.local.read.total() + sum(side.server.of["standard"].asked.values()) == 120
    assert side.manifest.cost_usd == pytest.approx(side.server.billed_usd)
