"""Scripted lanes on a fake clock, with changing rates, shedding, batch delays, prices and a separate bill.

Time passes in steps of one second. Every figure of a lane is a function of the time, so that the optimum in hindsight can be
computed: all pages that the cheap lanes can answer by the deadline, and the rest in standard.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from rayocr.limits.lanes import BATCH, FLEX, LOCAL, STANDARD, LaneOutlook, LanePlanner, LaneReport, LaneTerms
from rayocr.limits.prices import Price, PriceTable

Over = Callable[[float], float]  # a figure over time, in seconds since the start

INPUT_USD, OUTPUT_USD = 0.25, 1.50  # per million tokens
FACTORS = {FLEX: 0.5, BATCH: 0.5, STANDARD: 1.0}
PRICES = PriceTable(models={"m": [Price(input_usd=INPUT_USD, output_usd=OUTPUT_USD)]}, factors=FACTORS)
WORKER = "w"
SHED_AFTER_S = 10.0  # mean


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`known_per_s`: the pace of the quota, as configured. `standard_per_s`: what the server really admits."""

    pages: int
    deadline_s: float | None
    known_per_s: float
    standard_per_s: Over
    standard_answer_s: Over = lambda _: 5.0
    flex_room: int = 1000
    flex_answer_s: Over = lambda _: 300.0
    flex_shed: Over = lambda _: 0.0
    batch_room: int = 0  # 0: no batches
    batch_s: Over = lambda _: 3600.0
    batch_fails: float = 0.0
    job_pages: int = 1000
    local_per_s: float = 0.0
    local_fails: float = 0.0  # share of pages that local engines cannot read well enough
    seed: int = 0


@dataclass
class World:
    scene: Scene
    endless: bool = False  # more pages than can be read: measures what the cheap lanes can do
    now: float = 0.0
    done: Counter[str] = field(default_factory=Counter)  # answered pages by lane
    billed_usd: Decimal = Decimal(0)
    metered_usd: float = 0.0
    ended_at: float = 0.0
    twice: int = 0  # pages that were given up and billed

    def __post_init__(self) -> None:
        self._random = random.Random(self.scene.seed)
        self._order = itertools.count()
        self._events: list[tuple[float, int, str, bool, float]] = []  # (time, order, lane, whether answered, time of sending)
        self._queue: deque[tuple[str, float]] = deque()  # starts that wait for the quota
        self._back: list[float] = []  # times at which shed pages are sent again
        self._tokens = 0.0
        self._gathering: list[float] = []
        self._jobs: list[tuple[float, list[float]]] = []
        self._local_done = 0.0
        self._local: deque[float] = deque()
        self._waiting = self.scene.pages
        self._left_unread = 0  # by local engines: only the other lanes may read them

    def run(self, planner: LanePlanner, *, until_s: float = 400_000.0) -> None:
        scene = self.scene
        while self.now < until_s:
            left = 10**9 if self.endless else scene.pages - self.done.total()
            if left <= 0:
                self.ended_at = self.now
                return
            seconds_left = None if scene.deadline_s is None else scene.deadline_s - self.now
            planner.expect(LaneOutlook(pages_left=left, seconds_left=seconds_left, pages_per_s=scene.known_per_s), now=self.now)
            while self._back and self._back[0] <= self.now:
                heapq.heappop(self._back)
                self._waiting += 1
            while self._left_unread and (lane := planner.choose(WORKER, now=self.now, local=False)) is not None:
                self._left_unread -= 1
                self._send(lane, planner)
            while (self.endless or self._waiting) and (lane := planner.choose(WORKER, now=self.now)) is not None:
                self._waiting -= 1
                self._send(lane, planner)
            if planner.withdraw(now=self.now):
                self._withdraw(planner)
            self._step(planner)
            self.now += 1.0
        raise AssertionError(f"not finished: {self.done}")

    # -- lanes --------------------------------------------------------------------------------------------------------------

    def _send(self, lane: str, planner: LanePlanner) -> None:
        if lane in (STANDARD, FLEX):
            self._queue.append((lane, self.now))
        elif lane == BATCH:
            self._gathering.append(self.now)
        else:
            self._local.append(self.now)

    def _step(self, planner: LanePlanner) -> None:
        scene = self.scene
        self._tokens = min(2 * scene.known_per_s + 1, self._tokens + scene.standard_per_s(self.now))
        while self._queue and self._tokens >= 1:
            self._tokens -= 1
            lane, sent_at = self._queue.popleft()
            if lane == FLEX and self._random.random() < scene.flex_shed(self.now):
                self._later(self.now + 2 * SHED_AFTER_S * self._random.random(), lane, False, sent_at)
            else:
                takes = scene.flex_answer_s if lane == FLEX else scene.standard_answer_s
                answer_at = self.now + takes(self.now) * (0.9 + 0.1 * self._random.random())
                give_up_s = planner.give_up_s(lane, now=self.now)
                if give_up_s is not None and answer_at > self.now + give_up_s:
                    self.twice += 1
                    self._charge(lane)  # the server finishes it
                    self._later(self.now + give_up_s, lane, False, sent_at)
                else:
                    self._later(answer_at, lane, True, sent_at)
        if self._gathering and (len(self._gathering) >= scene.job_pages or self.now - self._gathering[-1] >= 20):
            job, self._gathering = self._gathering[: scene.job_pages], self._gathering[scene.job_pages :]
            self._jobs.append((self.now + scene.batch_s(self.now), job))
        for job in [job for job in self._jobs if job[0] <= self.now]:
            self._jobs.remove(job)
            for sent_at in job[1]:
                self._end(planner, BATCH, self._random.random() >= scene.batch_fails, sent_at)
        self._local_done = min(self._local_done + scene.local_per_s, len(self._local))
        while self._local_done >= 1:
            self._local_done -= 1
            self._end(planner, LOCAL, self._random.random() >= scene.local_fails, self._local.popleft())
        while self._events and self._events[0][0] <= self.now:
            _, _, lane, answered, sent_at = heapq.heappop(self._events)
            self._end(planner, lane, answered, sent_at)

    def _later(self, at: float, lane: str, answered: bool, sent_at: float) -> None:
        heapq.heappush(self._events, (at, next(self._order), lane, answered, sent_at))

    def _end(self, planner: LanePlanner, lane: str, answered: bool, sent_at: float) -> None:
        took_s = self.now - sent_at
        planner.report(WORKER, LaneReport(lane=lane, answered=int(answered), failed=int(not answered), longest_s=took_s))
        if answered:
            self.done[lane] += 1
            self._charge(lane)
        elif lane == LOCAL:
            self._left_unread += 1
        else:
            heapq.heappush(self._back, self.now + 10 * self._random.random())

    def _withdraw(self, planner: LanePlanner) -> None:
        """Cancelled jobs bill nothing for pages that were not processed."""
        jobs, self._jobs = self._jobs, []
        pages = [sent_at for _, job in jobs for sent_at in job] + self._gathering
        self._gathering = []
        for sent_at in pages:
            self._end(planner, BATCH, False, sent_at)

    def _charge(self, lane: str) -> None:
        """The bill, in decimals and with separate code, and the cost by the price table."""
        if lane == LOCAL:
            return
        tokens_in, tokens_out = self._random.randint(560, 640), self._random.randint(300, 3000)
        price = Decimal(tokens_in) * Decimal(str(INPUT_USD)) + Decimal(tokens_out) * Decimal(str(OUTPUT_USD))
        self.billed_usd += price * Decimal(str(FACTORS[lane])) / 1_000_000
        self.metered_usd += PRICES.cost_usd("m", input_tokens=tokens_in, output_tokens=tokens_out, at=0.0, tier=lane)

    @property
    def cost(self) -> float:
        """In units of a page in standard, so that luck with the length of pages does not count. Includes pages paid twice."""
        return self.done[STANDARD] + 0.5 * (self.done[FLEX] + self.done[BATCH] + self.twice)


def terms_of(scene: Scene) -> list[LaneTerms]:
    terms = [
        LaneTerms(name=STANDARD, usd_per_page=1.0, answer_s=10.0, room=100_000),
        LaneTerms(name=FLEX, usd_per_page=0.5, answer_s=900.0, room=scene.flex_room),
    ]
    if scene.batch_room:
        room = scene.batch_room
        terms.append(LaneTerms(name=BATCH, usd_per_page=0.5, answer_s=86_400.0, room=room, proven=False, shares_quota=False))
    if scene.local_per_s:
        room = local_room(scene)
        terms.append(LaneTerms(name=LOCAL, usd_per_page=0.0, answer_s=20.0, room=room, shares_quota=False))
    return terms


def local_room(scene: Scene) -> int:
    """Eight pages for each worker, which reads at most one page per second."""
    return 8 * math.ceil(scene.local_per_s)


def optimum(scene: Scene) -> float:
    """The least cost in hindsight, in pages of standard. A lower bound: the cheap lanes get every page that they can answer by
    the deadline, each page at its own best moment. Local engines get pages as long as standard could still read a page that
    they leave unread, and the outputs be written."""
    assert scene.deadline_s is not None
    left = float(scene.pages)
    local_s = scene.deadline_s - 60.0 - 2 * 10.0 - local_room(scene) / max(scene.local_per_s, 1e-9)
    free = (1 - scene.local_fails) * min(left, scene.local_per_s * max(0.0, local_s))
    left -= free
    cheap = min(left, _most_flex(scene) + _most_batch(scene))
    return 0.5 * cheap + (left - cheap)


def _most_flex(scene: Scene) -> float:
    """Pages that flex answers by the deadline if its room is always full."""
    assert scene.deadline_s is not None
    in_flight: deque[tuple[float, float]] = deque()
    answered, tokens, held = 0.0, 0.0, 0.0
    for second in range(int(scene.deadline_s)):
        while in_flight and in_flight[0][0] <= second:
            held -= in_flight.popleft()[1]
        tokens = scene.standard_per_s(second) * (1 - scene.flex_shed(second))
        count = min(tokens, scene.flex_room - held)
        shed = min(0.99, scene.flex_shed(second))
        ends = second + 0.95 * scene.flex_answer_s(second) + SHED_AFTER_S * shed / (1 - shed)  # shed attempts take room, too
        in_flight.append((ends, count))
        held += count
        answered += count if ends <= scene.deadline_s else 0.0
    return answered


def _most_batch(scene: Scene) -> float:
    assert scene.deadline_s is not None
    if not scene.batch_room:
        return 0.0
    at, pages = 0.0, 0.0
    while (ends := at + scene.batch_s(at)) <= scene.deadline_s:  # always sends as many pages as there is room for
        pages += scene.batch_room * (1 - scene.batch_fails)
        at = ends
    return pages
