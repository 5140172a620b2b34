"""How the RateLimiter assigns lanes."""

from __future__ import annotations

import asyncio

from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.actors.rate_limiter.rules import LimiterRules
from rayocr.config import LimitsConfig
from rayocr.limits.lanes import LaneOutlook, LaneReport, LaneTerms
from rayocr.limits.prices import PriceTable
from tests.unit.actors.limiter_world import World

TERMS = (
    LaneTerms(name="flex", usd_per_page=0.5, answer_s=900, room=5),
    LaneTerms(name="standard", usd_per_page=1.0, answer_s=10, room=1000),
)
OUTLOOK = LaneOutlook(pages_left=100, seconds_left=36_000, pages_per_s=1000)


def _limiter(world: World) -> RateLimiter:
    rules = LimiterRules(limits=LimitsConfig(rpm=600, headroom=0), prices=PriceTable(models={}), lanes=TERMS)
    return RateLimiter(rules, clock=world.clock, wall_clock=world.wall_clock, wait=world.wait)


async def test_workers_get_the_cheap_lane_up_to_its_room_and_wait_for_the_rest() -> None:
    world = World()
    limiter = _limiter(world)
    await limiter.expect(OUTLOOK)
    assert [grant.lane for grant in await limiter.lanes("a", 100)] == ["flex"] * 5
    waiting = asyncio.create_task(limiter.lanes("b", 100))
    await asyncio.sleep(0)
    assert not waiting.done()
    await limiter.report_lanes("a", (LaneReport(lane="flex", answered=2, longest_s=60.0),))
    assert [grant.lane for grant in await waiting] == ["flex"] * 2
    assert (await limiter.expect(OUTLOOK)).in_flight == {"flex": 5, "standard": 0}


async def test_no_lane_is_granted_before_the_driver_has_reported_the_remaining_pages() -> None:
    world = World()
    limiter = _limiter(world)
    waiting = asyncio.create_task(limiter.lanes("a", 1))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    await limiter.expect(OUTLOOK)
    assert len(await waiting) == 1


async def test_the_lanes_of_a_dead_worker_are_free_again() -> None:
    world = World()
    limiter = _limiter(world)
    await limiter.expect(OUTLOOK)
    await limiter.lanes("a", 100)
    await limiter.forget("a")
    assert await limiter.lanes("a", 1) == ()
    assert (await limiter.expect(OUTLOOK)).in_flight == {"flex": 0, "standard": 0}


async def test_the_pace_follows_the_rate_that_the_server_allows_now() -> None:
    world = World()
    limiter = _limiter(world)
    await limiter.lease("m", "a", 1)  # 600 requests a minute: 10 pages a second
    await limiter.expect(LaneOutlook(pages_left=1000, seconds_left=10, pages_per_s=1000))
    assert len(await limiter.lanes("a", 100)) == 10


async def test_pages_that_need_a_server_do_not_hold_up_those_for_local_engines() -> None:
    world = World()
    local = LaneTerms(name="local", usd_per_page=0.0, answer_s=20, room=1, shares_quota=False)
    rules = LimiterRules(limits=LimitsConfig(rpm=600), prices=PriceTable(models={}), lanes=(local, *TERMS))
    limiter = RateLimiter(rules, clock=world.clock, wall_clock=world.wall_clock, wait=world.wait)
    await limiter.expect(LaneOutlook(pages_left=100, seconds_left=36_000, pages_per_s=1000, local_room=2))
    taken = await limiter.lanes("a", 100, local=False)
    assert {grant.lane for grant in taken} == {"flex"}
    waiting = asyncio.create_task(limiter.lanes("a", 1, local=False))  # flex has no room
    await asyncio.sleep(0)
    assert [grant.lane for grant in await limiter.lanes("a", 100, local=True)] == ["local"] * 2
    assert not waiting.done()
    waiting.cancel()
