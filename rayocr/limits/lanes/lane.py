"""The state of one lane: pages in flight, response times, failures and rate."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import takewhile
from math import inf
from statistics import median

from rayocr.limits.lanes.terms import LOCAL, LaneReport, LaneTerms

_FAILURES_AT_FIRST = 0.05  # assumed share of a lane's pages that come back unread
_MEMORY = 200  # number of answers over which shares and times are averaged
KNOWN_AFTER = 20  # number of answers after which their longest time replaces the assumed one
_RECENT_S = 300.0  # seconds over which the rate of local engines is measured
_STARTING_S = 60.0  # seconds that local engines are expected to need for their start
HOPE = 0.25  # mean time to an answer, as a share of the assumed longest one, until answers are known
# Number of failures in a row after which a lane counts as down: it gets only single pages, and more expensive lanes do not rely
# on it.
_DOWN_AFTER = 50
# A lane is not down if it has more pages in flight than this share of its failures: it accepts pages, but answers slowly.
_ACCEPTED = 0.05
_PROBE_S = 30.0  # seconds between two single pages of a lane that is down
_LATER = 0.5  # an answer may exceed the longest time so far by this share of the difference between that time and the median
_MEASURED_S = 30.0  # seconds that a lane must be open without interruption before its rate is measured


@dataclass(slots=True)
class Lane:
    """One lane: its pages in flight, and what the planner has learned from its answers."""

    terms: LaneTerms
    workers: Counter[str] = field(default_factory=Counter)  # pages in flight
    in_flight: int = 0
    sent: deque[list[float]] = field(default_factory=deque)  # [time, pages], oldest first
    answered: int = 0
    answer_s: float = field(init=False)  # the longest time that an answer should take
    room: int = field(init=False)
    began: float = field(init=False, default=0.0)  # time when the planner received the state of the run
    times: deque[float] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    failing: float = _FAILURES_AT_FIRST
    failed_in_a_row: int = 0
    probe_at: float = 0.0
    open_since: float | None = None
    done_before: int = 0  # number of answers and of requests beside this lane when it was opened
    closed: bool = False
    returned: deque[tuple[float, int]] = field(default_factory=deque)  # recent (time, pages)

    def __post_init__(self) -> None:
        self.answer_s = self.terms.answer_s
        self.room = self.terms.room

    @property
    def known(self) -> bool:
        return self.terms.proven or self.answered > 0

    @property
    def is_down(self) -> bool:
        return self.failed_in_a_row >= _DOWN_AFTER and self.in_flight <= _ACCEPTED * self.failed_in_a_row

    def send(self, worker: str, now: float) -> None:
        """Counts one more page as in flight."""
        self.workers[worker] += 1
        self.in_flight += 1
        if self.terms.shares_quota:
            self.failing *= 1 - 1 / _MEMORY
        self.probe_at = now + _PROBE_S
        if self.sent and self.sent[-1][0] > now - 1.0:
            self.sent[-1][1] += 1
        else:
            self.sent.append([now, 1])

    def drop(self, worker: str, count: int) -> None:
        """Removes pages of this worker, the oldest ones, from those in flight."""
        self.workers[worker] -= count
        self.in_flight -= count
        if not self.workers[worker]:
            del self.workers[worker]
        while count and self.sent:
            pages = min(count, int(self.sent[0][1]))
            self.sent[0][1] -= pages
            count -= pages
            if self.sent[0][1] <= 0:
                self.sent.popleft()

    def learn(self, report: LaneReport, now: float) -> None:
        self.returned.append((now, report.answered + report.failed))
        while self.returned[0][0] < now - _RECENT_S:
            self.returned.popleft()
        self.answered += report.answered
        if report.answered:
            self.times.append(report.longest_s)
            if self.answered >= KNOWN_AFTER or not self.terms.proven:
                longest = max(self.times)
                self.answer_s = longest + _LATER * (longest - median(self.times))
            else:
                self.answer_s = max(self.answer_s, report.longest_s)
        self.failed_in_a_row = 0 if report.answered else self.failed_in_a_row + report.failed
        if self.terms.shares_quota:  # requests are shed minutes before the first answers, so `send` counts the others
            self.failing = min(1.0, self.failing + report.failed / _MEMORY)
        else:
            for share, pages in ((0.0, report.answered), (1.0, report.failed)):
                self.failing += (share - self.failing) * (1 - (1 - 1 / _MEMORY) ** pages)

    def still_to_read(self, now: float, until: float) -> float:
        """Returns how many pages in flight will probably need another lane. `until`: when the last answer may arrive."""
        if not self.known:
            return float(self.in_flight)
        latest, due = now - self.answer_s, inf if self.terms.proven else until - self.answer_s
        lost = sum(pages for _, pages in takewhile(lambda sent: sent[0] < latest, self.sent))
        # Pages of a batch that were sent before its response time was known may return too late.
        lost += sum(pages for _, pages in takewhile(lambda sent: sent[0] > due, reversed(self.sent)))
        return min(self.in_flight, lost + self.failing * max(0.0, self.in_flight - lost))

    def potential(self, pages_per_s: float, now: float) -> float:
        """Returns the pages per second that the lane can take, according to its room and response time (Little's law) and to the
        shared quota."""
        if self.is_down:
            return 0.0
        mean_s = HOPE * self.answer_s if self.answered < KNOWN_AFTER else sum(self.times) / len(self.times)
        starts = self.terms.name == LOCAL and now < self.began + _STARTING_S
        rate = (self.room or starts * self.terms.room) / max(mean_s, 1e-3)
        if self.terms.name == LOCAL:  # the lane tries each page once, so unread pages count, too
            return rate and (self.sustained(now) or rate)
        return (1 - self.failing) * (min(rate, pages_per_s) if self.terms.shares_quota else rate)

    def sustained(self, now: float) -> float | None:
        """Returns the pages per second that came back recently."""
        pages = sum(pages for _, pages in self.returned) - self.returned[0][1] if self.returned else 0
        if pages < KNOWN_AFTER:
            return None
        first, last = self.returned[0][0], self.returned[-1][0]
        return pages / max(1.0, (now if now > last + self.answer_s else last) - first)

    def measured(self, now: float, beside: int) -> float | None:
        """Returns the measured requests per second; None if the lane was not open long enough. `beside`: number of requests so
        far in other lanes that share the quota."""
        if self.open_since is None:
            return None
        working_s = now - self.open_since - self.answer_s
        return (self.answered + beside - self.done_before) / working_s if working_s >= _MEASURED_S else None
