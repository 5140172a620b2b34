"""Chooses the lane of the next page of a run with an objective. Pure; callers pass the time.

A lane is a way to read a page: local engines, batch, flex, standard. They differ in price, response time and capacity. Every page
goes to the cheapest lane that is open and has room:

| lane | open |
|---|---|
| the cheapest | always, as long as an answer still arrives before the deadline; otherwise for a few trial pages |
| local engines | the same, if the run allows them, except for pages that they have already read with low confidence |
| the cheapest of the server, without a deadline | for pages that the local engines cannot read within the time of its answer |
| a more expensive one | when waiting longer would endanger the deadline |
| one whose response time is unknown (batch) | for pages that earlier lanes cannot read; in danger, for half of the pages |

The deadline is in danger when the remaining pages, times a margin, need all of the remaining time in the fastest lane and in
local engines. From then on the fastest lane reads as many pages as it can, and no lane waits for another one. Waiting until
then costs nothing, since the cheap lanes work at their full rate from the beginning and the expensive lane reads only pages
that the cheap lanes cannot read in time. Pages in flight count as remaining in proportion to the failure rate of their lane, and
in full once they are overdue or would return too late. If pages in batches are needed in another lane, their jobs are cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from math import inf

from rayocr.limits.lanes.lane import HOPE, KNOWN_AFTER, Lane
from rayocr.limits.lanes.terms import BATCH, LOCAL, LaneOutlook, LaneReport, LaneTerms

_MARGIN = 1.5  # factor on the time that the remaining pages need, since the rate of a lane may drop by a third
# Factor used instead to decide whether a lane whose requests often fail is worth its share of the quota, and for the case that
# the local engines stop.
_NARROW_MARGIN = 1.15
_SPARE_S = 60.0  # seconds for the last outputs
_WASTEFUL = 0.25  # share of failures above which a lane is skipped if the deadline needs the shared quota
_BURST_S = 1.0  # seconds of the common pace that may be used at once


class LanePlanner:
    """Plans lanes. `terms`: one for each allowed lane. `margin`: see _MARGIN; `spare_s`: see _SPARE_S."""

    def __init__(self, terms: Sequence[LaneTerms], *, margin: float = _MARGIN, spare_s: float = _SPARE_S) -> None:
        ranked = sorted(terms, key=lambda t: (t.usd_per_page, t.answer_s))
        self._lanes = {t.name: Lane(t) for t in ranked}
        self._last = self._lanes[ranked[-1].name]
        self._fastest = self._lanes[min(terms, key=lambda t: (-t.usd_per_page, t.answer_s)).name]
        self._margin = margin
        self._spare_s = spare_s
        self._left: float | None = None
        self._deadline: float | None = None
        self._pages_per_s = 0.0
        self._allowance = 0.0
        self._allowed_at: float | None = None
        self._now = 0.0  # last known value; a call may omit it
        self._beside = 0  # number of requests in the lanes that share the quota with the fastest one
        self._left_unread = 0  # number of pages that local engines have not read and that wait for another lane

    def expect(self, outlook: LaneOutlook, *, now: float) -> None:
        """Updates the remaining pages, time and pace. Call it every second."""
        if self._left is None:
            for lane in self._lanes.values():
                lane.began = now
        self._now = now
        self._left = outlook.pages_left
        self._deadline = None if outlook.seconds_left is None else now + outlook.seconds_left
        self._pages_per_s = outlook.pages_per_s
        if outlook.local_room is not None and LOCAL in self._lanes:
            self._lanes[LOCAL].room = outlook.local_room

    def choose(self, worker: str, *, now: float, local: bool = True) -> str | None:
        """Returns the lane of one more page, which then counts as in flight until it is reported; None if no lane has room now.
        The caller asks again soon. `local`: whether local engines may read the page."""
        if self._left is None:
            return None  # the state of the run is not known yet
        self._now = now
        self._refill(now)
        hurry = self._hurry(now)
        fastest = self._fastest
        if hurry and fastest.open_since is None:
            fastest.open_since, fastest.done_before = now, fastest.answered + self._beside
        elif not hurry:
            fastest.open_since = None
        for lane in self._lanes.values():
            if self._takes(lane, now, hurry=hurry, local=local):
                if lane.terms.shares_quota:
                    self._allowance -= 1
                    self._beside += lane is not fastest
                if not local:
                    self._left_unread = max(0, self._left_unread - 1)
                lane.send(worker, now)
                return lane.terms.name
        return None

    def report(self, worker: str, report: LaneReport) -> None:
        lane = self._lanes[report.lane]
        count = min(report.answered + report.failed, lane.workers[worker])
        lane.drop(worker, count)
        if self._left is not None:
            self._left -= report.answered
        if report.lane == LOCAL:
            self._left_unread += report.failed
        lane.learn(report, self._now)

    def forget(self, worker: str) -> None:
        """Notes that a worker died, so that its pages need a lane again."""
        self._left_unread = 0  # these pages are no longer distinguished
        for lane in self._lanes.values():
            lane.drop(worker, lane.workers[worker])

    def withdraw(self, *, now: float) -> bool:
        """Returns whether batches that have not ended must be cancelled: the fastest lane has room, and no other pages are left
        to read. No page is put into a batch after that.
        """
        batch = self._lanes.get(BATCH)
        if batch is None or batch is self._fastest or not batch.in_flight or not self._hurry(now):
            return False
        if self._unsent >= 1 or not batch.still_to_read(now, self._last_moment):
            return False
        batch.closed = True
        return True

    def give_up_s(self, lane: str, *, now: float) -> float | None:
        """Returns how long to wait for an answer, so that enough time remains to read the page in the fastest lane. None: no
        limit."""
        if self._deadline is None or lane == self._fastest.terms.name:
            return None
        return max(1.0, self._time_left_s(now) - self._rescue_s)

    @property
    def _rescue_s(self) -> float:
        return 2 * self._fastest.answer_s

    @property
    def _last_moment(self) -> float:
        return inf if self._deadline is None else self._deadline - self._spare_s - self._rescue_s

    @property
    def in_flight(self) -> Mapping[str, int]:
        """Returns the pages in flight by lane."""
        return {name: lane.in_flight for name, lane in self._lanes.items()}

    # -- choosing -----------------------------------------------------------------------------------------------------------

    def _takes(self, lane: Lane, now: float, *, hurry: bool, local: bool) -> bool:
        terms = lane.terms
        if terms.name == LOCAL and not local:
            return False
        if lane.is_down and now < lane.probe_at and lane is not self._last:
            return False
        if lane.closed or lane.in_flight >= lane.room or (terms.shares_quota and self._allowance < 1):
            return False
        if self._deadline is None:
            # The cheapest lane of the server works beside the local engines.
            cheap = terms.usd_per_page <= self._cheapest_usd(local=False)
            return cheap and self._is_needed(lane, now, lane.answer_s, local=local)
        if lane is self._fastest:
            return hurry or terms.usd_per_page <= self._cheapest_usd(local=local)
        time_left_s = self._time_left_s(now)
        # A job that is later than all earlier ones returns all its pages unread, and all of them need the fastest lane.
        together_s = 0.0 if terms.proven else self._margin * (lane.in_flight + 1) / max(self._pages_per_s, 1e-9)
        if lane.known and time_left_s - self._rescue_s - together_s <= lane.answer_s:
            # A few pages show whether the answers arrive sooner than assumed.
            trial = terms.shares_quota and lane.answered + lane.in_flight < KNOWN_AFTER
            return trial and time_left_s - self._rescue_s > HOPE * lane.answer_s
        if hurry and not lane.known and lane.in_flight >= self._unsent:
            return False  # the fastest lane reads the other half meanwhile, so waiting for the first answers costs no time
        if terms.shares_quota and lane.failing > _WASTEFUL and self._hurry(now, margin=_NARROW_MARGIN):
            return False
        return self._is_needed(lane, now, time_left_s, local=local, hurry=hurry)

    def _cheapest_usd(self, *, local: bool) -> float:
        """Returns the price of the cheapest lane. `local`: with the local engines."""
        return next(lane.terms.usd_per_page for name, lane in self._lanes.items() if local or name != LOCAL)

    def _is_needed(self, lane: Lane, now: float, time_left_s: float, *, local: bool, hurry: bool = False) -> bool:
        """Returns whether the lanes before this one, which are cheaper or equally cheap and faster, cannot take all unassigned
        pages in that time. Waits for the first answers of a cheaper lane as long as this lane can still take all pages later.
        `hurry`: the lane waits for no other one, because the fastest lane does not wait either.
        """
        pages, taken = max(1.0, self._unsent - self._left_unread if local else self._unsent), 0.0
        for other in takewhile(lambda other: other.terms.usd_per_page < lane.terms.usd_per_page, self._lanes.values()):
            in_time = lane.potential(self._pages_per_s, now) * (time_left_s - lane.answer_s)
            if not hurry and other.in_flight and not other.known and self._margin * pages < in_time:
                return False  # the first answers of the cheaper lane will show how many pages it can take
        for other in takewhile(lambda other: other is not lane, self._lanes.values()):
            if hurry and not lane.terms.shares_quota and other.terms.usd_per_page == lane.terms.usd_per_page:
                continue
            time_s = time_left_s - other.answer_s
            if other.terms.name == LOCAL and lane.known:  # this lane still has to read the pages that the local engines leave
                time_s -= other.failing * lane.answer_s
            if local or other.terms.name != LOCAL:
                taken += other.potential(self._pages_per_s, now) * max(0.0, time_s)
        return pages > taken

    def _hurry(self, now: float, *, margin: float | None = None) -> bool:
        """Returns whether the remaining pages, times the margin, need all of the remaining time in the fastest lane."""
        if self._deadline is None:
            return False
        rate = self._pages_per_s
        if (measured := self._fastest.measured(now, self._beside)) is not None:
            rate = min(rate, measured)
        time_left_s = max(0.0, self._time_left_s(now) - self._fastest.answer_s)
        need, margin = self._need(now), margin or self._margin
        if _NARROW_MARGIN * need >= rate * time_left_s:
            return True
        return margin * need >= (rate + self._local_rate(now)) * time_left_s

    def _local_rate(self, now: float) -> float:
        """Returns the pages per second that the local engines read, as measured."""
        local = self._lanes.get(LOCAL)
        return 0.0 if local is None else (1 - local.failing) * (local.sustained(now) or 0.0)

    def _need(self, now: float) -> float:
        return self._unsent + sum(lane.still_to_read(now, self._last_moment) for lane in self._lanes.values())

    @property
    def _unsent(self) -> float:
        return max(0.0, (self._left or 0.0) - sum(lane.in_flight for lane in self._lanes.values()))

    def _time_left_s(self, now: float) -> float:
        assert self._deadline is not None
        return self._deadline - now - self._spare_s

    def _refill(self, now: float) -> None:
        """Spreads requests over time, so that no page waits for its start in a lane that was chosen long ago."""
        passed_s = now - self._allowed_at if self._allowed_at is not None else _BURST_S
        self._allowed_at = now
        most = 1.0 + _BURST_S * self._pages_per_s  # a whole page more, so that no fraction of a page is lost between two calls
        self._allowance = min(most, self._allowance + passed_s * self._pages_per_s)
