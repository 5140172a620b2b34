from __future__ import annotations

from collections.abc import Callable
from typing import cast

from rayocr.composition import compose, price_table
from rayocr.driver.cluster.pools.page_worker_pool import PageWorkerPool
from rayocr.driver.lane_terms import lane_terms
from rayocr.driver.monitor.watches.lane_watch import LaneWatch
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import EngineUnavailable
from rayocr.limits.lanes import LaneOutlook
from rayocr.messages import LanesState

NOW = 1_795_000_000.0
OPTIONS = ["engine=gemini", "objective=deadline", "deadline=3h", "limits.rpm=60", "limits.headroom=0"]


class Limiter:
    def __init__(self, *states: LanesState) -> None:
        self.states = list(states)
        self.told: list[LaneOutlook] = []

    async def expect(self, outlook: LaneOutlook) -> LanesState:
        self.told.append(outlook)
        return self.states.pop(0)


class Queue:
    withdrawn = 0

    async def withdraw(self) -> int:
        self.withdrawn += 1
        return 2


class LocalPool:
    def __init__(self, *, size: int = 0, failure: Exception | None = None) -> None:
        self.size, self.failure = size, failure
        self.started: list[int] = []

    def prestart(self, at_least: int = 0) -> None:
        self.started.append(at_least)


def _watch(
    limiter: Limiter,
    progress: Progress,
    said: list[str],
    queue: Queue | None = None,
    *,
    local: LocalPool | None = None,
    fail: Callable[[Exception], None] = lambda error: None,
) -> LaneWatch:
    config = compose([*OPTIONS, "engine.lanes=[local,batch,flex,standard]"] if local else OPTIONS, {})
    return LaneWatch(
        limiter,
        queue,
        progress,
        config,
        price_table(config),
        deadline_at=NOW + 3 * 3600,
        at_once=1000,
        say=said.append,
        local_pool=cast(PageWorkerPool | None, local),
        fail=fail,
        wall_clock=lambda: NOW,
    )


async def test_the_limiter_is_told_the_pages_the_time_and_the_pace() -> None:
    limiter = Limiter(LanesState())
    await _watch(limiter, Progress(pages_known=3600, documents_started=1), []).check()
    assert limiter.told == [LaneOutlook(pages_left=3600, seconds_left=3 * 3600, pages_per_s=1.0)]


async def test_pages_that_need_no_server_do_not_count() -> None:
    progress = Progress(pages_known=1000, pages_done=500, documents_started=1)
    progress.engines["gemini"] = 100
    limiter = Limiter(LanesState())
    await _watch(limiter, progress, []).check()
    assert limiter.told[0].pages_left == 100


async def test_users_hear_of_each_lane_once_and_of_withdrawn_batches() -> None:
    limiter = Limiter(
        LanesState(in_flight={"flex": 3, "standard": 0}),
        LanesState(in_flight={"flex": 3, "standard": 1}, withdraw=True),
        LanesState(in_flight={"flex": 3, "standard": 1}),
    )
    said: list[str] = []
    queue = Queue()
    watch = _watch(limiter, Progress(pages_known=10, documents_started=1), said, queue)
    for _ in range(3):
        await watch.check()
    assert said == [
        "Reading pages in the flex lane.",
        "Reading pages in the standard lane to meet the deadline.",
        "Cancelled 2 batch jobs: their pages would miss the deadline.",
    ]
    assert queue.withdrawn == 1


async def test_local_engines_have_room_for_pages_once_a_worker_runs() -> None:
    limiter, pool = Limiter(LanesState(), LanesState(), LanesState()), LocalPool()
    progress = Progress(pages_known=3600, documents_started=1)
    watch = _watch(limiter, progress, [], local=pool)
    await watch.check()
    pool.size = 3
    await watch.check()
    assert [outlook.local_room for outlook in limiter.told] == [0, 24]
    progress.pages_done = 3600
    await watch.check()
    assert pool.started == [1, 1, 0], "none for no pages"


async def test_pages_that_local_engines_read_count_as_pages_that_need_a_lane() -> None:
    progress = Progress(pages_known=1000, pages_done=500, documents_started=1)
    progress.engines.update({"gemini": 100, "rapidocr": 150})
    limiter = Limiter(LanesState())
    await _watch(limiter, progress, [], local=LocalPool()).check()
    assert limiter.told[0].pages_left == 250


async def test_the_run_ends_if_local_engines_cannot_start() -> None:
    failures: list[Exception] = []
    error = EngineUnavailable("not installed")
    watch = _watch(Limiter(LanesState()), Progress(), [], local=LocalPool(failure=error), fail=failures.append)
    await watch.check()
    assert failures == [error]


async def test_only_a_lane_that_costs_more_than_others_is_used_to_meet_the_deadline() -> None:
    said: list[str] = []
    limiter = Limiter(LanesState(in_flight={"local": 3, "standard": 1}))
    await _watch(limiter, Progress(pages_known=10, documents_started=1), said, local=LocalPool(size=1)).check()
    assert said == ["Reading pages in the local lane.", "Reading pages in the standard lane."]


def test_local_engines_cost_nothing_and_take_no_part_of_the_quota() -> None:
    config = compose([*OPTIONS, "engine.lanes=[local,flex]", "window.pages=5000"], {})
    (local,) = [lane for lane in lane_terms(config, price_table(config)) if lane.name == "local"]
    assert (local.usd_per_page, local.shares_quota, local.proven) == (0.0, False, True)


def test_lanes_have_the_prices_of_their_tiers_and_leave_room_for_each_other() -> None:
    config = compose([*OPTIONS, "limits.max_in_flight=100", "window.pages=5000"], {})
    terms = {lane.name: lane for lane in lane_terms(config, price_table(config))}
    assert {name: lane.usd_per_page for name, lane in terms.items()} == {"batch": 0.5, "flex": 0.5, "standard": 1.0}
    assert (terms["flex"].room, terms["batch"].room) == (50, 2500)
    assert not terms["batch"].proven
    assert lane_terms(compose(["engine=gemini"], {}), price_table(config)) == ()
