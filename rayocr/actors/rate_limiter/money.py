"""Applies the budget of the RateLimiter: how much may still be spent, and how fast. Only that actor uses it.

`limits.usd_per_10min` applies to the requests of all models together: a token bucket as for requests and tokens (`rayocr.limits`)
counts dollars instead of tokens. A request uses a share of ten minutes, which is its expected cost divided by the limit. Its
actual cost replaces the expected cost when it is answered. Starts are spread evenly, so no period of ten minutes exceeds the
limit. In Redis the bucket and the account of days and months are shared like the other limits.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import replace

from rayocr.errors import BudgetExhausted
from rayocr.limits.base import Bucket, Take, Taken
from rayocr.limits.budget import Budget, MoneyLimit
from rayocr.limits.quota_day import in_words, next_month, next_reset, quota_day

BUCKET = "usd"  # name of its bucket next to the models' buckets
_WINDOW_S = 600.0
_HINTS = {
    "budget.usd": None,
    "budget.usd_per_day": "To resume today, raise budget.usd_per_day=.",
    "budget.usd_per_month": "To resume this month, raise budget.usd_per_month=.",
    "limits.usd_per_month": "Google limits your tier: see https://aistudio.google.com/usage, then set limits.usd_per_month=.",
}


class Money:
    """Applies the budget. `open_bucket` returns the bucket for `usd_per_10min` and the shared account; it is called with the
    first request. `usable`: share of that limit, 0..1; the rest is headroom. `wall_clock`: seconds since 1970, used until there
    is a bucket."""

    def __init__(
        self,
        budget: Budget,
        open_bucket: Callable[[], Bucket],
        *,
        usd_per_10min: float | None,
        usable: float,
        wall_clock: Callable[[], float],
    ) -> None:
        self.budget = budget
        self._open_bucket = open_bucket
        self._bucket: Bucket | None = None
        self._wall_clock = wall_clock
        self._seconds_a_usd = _WINDOW_S / (usd_per_10min * usable) if usd_per_10min else 0.0
        self._correction_s = 0.0
        self._recent: deque[tuple[float, float]] = deque()  # (time, USD) of the last ten minutes
        self._unshared: defaultdict[str, float] = defaultdict(float)  # spending by day since the last report to others

    @property
    def day(self) -> str:
        return quota_day(self._now())

    def promise(self, cost_usd: float) -> None:
        self.budget.promise(cost_usd)

    def settle(self, *, promised_usd: float, spent_usd: float, rated: bool = True) -> None:
        """Settles requests. `rated`: whether they count towards `usd_per_10min`, which batches do not."""
        day = self.day
        if rated and spent_usd:
            self._recent.append((self._now(), spent_usd))
        self.budget.settle(promised_usd=promised_usd, spent_usd=spent_usd, day=day)
        if rated:
            self._correction_s += (spent_usd - promised_usd) * self._seconds_a_usd
        if spent_usd:
            self._unshared[day] += spent_usd

    def affordable(self, wanted: int, cost_usd: float, *, in_flight: bool) -> int:
        """Returns how many of the requests the budget allows; 0 if it may allow some later, when requests `in_flight` turn out
        cheaper. Raises BudgetExhausted."""
        room = self.budget.room(cost_usd, self.day)
        if room is None or room > 0:
            return wanted if room is None else min(wanted, room)
        if self.budget.promised_usd > 0 and in_flight:
            return 0
        limit = self.budget.tightest(self.day)
        assert limit is not None, "there is no room"
        raise self._exhausted(limit, cost_usd)

    async def pace(self, wanted: int, cost_usd: float) -> Taken | None:
        """Returns the starts that the spend limit allows; None without such a limit. Return them with `give_back` if the model's
        own limits allow fewer."""
        if not self._seconds_a_usd or cost_usd <= 0:
            return None
        take = Take(wanted=wanted, token_interval_s=cost_usd * self._seconds_a_usd, correction_s=self._correction_s)
        taken = await self._shared_bucket().take(take)
        self._correction_s -= take.correction_s
        return taken

    def give_back(self, count: int, cost_usd: float) -> None:
        self._correction_s -= count * cost_usd * self._seconds_a_usd

    @property
    def spent_10min_usd(self) -> float:
        """Spending of this run in the last ten minutes."""
        while self._recent and self._recent[0][0] <= self._now() - _WINDOW_S:
            self._recent.popleft()
        return sum(usd for _, usd in self._recent)

    async def share(self) -> None:
        """Reports the spending of this run and reads that of others. Raises SharedLimitsUnavailable; the next call then reports
        everything."""
        told = dict(self._unshared)
        everybody = await self._shared_bucket().add_spend(told)
        for day, usd in told.items():
            self._unshared[day] -= usd
        ours = dict(self.budget.spent_by_day)
        self.budget.note_others({day: usd - ours.get(day, 0.0) + self._unshared.get(day, 0.0) for day, usd in everybody.items()})

    async def close(self) -> None:
        if self._bucket is not None:
            await self._bucket.close()

    def _shared_bucket(self) -> Bucket:
        self._bucket = self._bucket or self._open_bucket()
        return self._bucket

    def _now(self) -> float:
        return self._wall_clock() if self._bucket is None else self._bucket.wall_clock()

    def _exhausted(self, limit: MoneyLimit, cost_usd: float) -> BudgetExhausted:
        now = self._now()
        resumes_at = {"run": None, "day": next_reset(now), "month": next_month(now)}[limit.period]
        spent = self.budget.spent(limit.period, self.day)
        period = "" if limit.period == "run" else f" this {limit.period}, over all runs"
        resumes = f" It resumes at {in_words(resumes_at)}." if resumes_at else ""
        state = "is used up" if spent else "is too small"
        return BudgetExhausted(
            f"The budget {state}: ${spent:.4f} of ${limit.usd:.4f} ({limit.option}) is spent{period}, and a page is expected"
            f" to cost ${cost_usd:.4f}.{resumes}",
            hint=_HINTS[limit.option],
            resumes_at=resumes_at,
        )


def both(paced: Taken | None, taken: Taken) -> Taken:
    """Combines the slots of two limits. Each starts at the later of the two times."""
    if paced is None or not taken.delays_s:
        return taken
    return replace(taken, delays_s=tuple(map(max, taken.delays_s, paced.delays_s)))
