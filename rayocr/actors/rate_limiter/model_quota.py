"""Tracks one model for the RateLimiter: its limits, the holders of slots, the cost of a request, pauses. Only that actor uses
it."""

from __future__ import annotations

import asyncio
from collections import deque

from rayocr.actors.rate_limiter.model_health import ModelHealth
from rayocr.actors.rate_limiter.money import Money
from rayocr.config import LimitsConfig, ModelLimitsConfig
from rayocr.engines.base import BATCH_ACCOUNT
from rayocr.errors import DayQuotaExhausted, ModelUnavailable, QuotaDenied, UnknownModel
from rayocr.limits.base import Bucket, Take, Taken
from rayocr.limits.expected_use import ExpectedUse
from rayocr.limits.held import HeldSlots, SetAside
from rayocr.limits.learned_rate import LearnedRate
from rayocr.limits.quota_day import in_words
from rayocr.messages import ModelQuota, SlotReturn, Throttle, ThrottleKind

_ABOVE_MEAN = 1.02  # factor on the mean, since the mean itself varies slightly
_MOST_FOR_LARGEST = 0.1  # share of the limit that is reserved for the largest of the expected requests
_CREDIT_S = 1.0  # maximum token time that short requests leave to later requests: 1.7 % of a minute
_SPREAD = 8  # number of requests over which a correction is spread
_BATCH_TTL_S = 3 * 86_400.0  # Google keeps jobs and their results this long
_REFUSING_HINT = (
    "Start the same command again to resume. If the pages are the cause, set engine.on_outage=fallback: the next engine of the"
    " chain reads them, and `rayocr retry` requests them again. If answers are truncated, raise engine.gemini.max_output_tokens."
)
_GONE_S = 600.0  # after this time, one request checks again for a model that the server does not have
_SLOT_TTL_S = 3600.0  # longer than any request may take; dead workers are reported much earlier
_OBSERVED_S = 10.0  # the recent rate is measured over this many seconds
_REFUSALS_S = 20.0  # the recent share of refusals is measured over this many seconds, which is 40 requests at 120 per minute
_REFUSALS_OF = 15  # minimum number of requests, since one refusal of the first two is not significant


class QuotaTracker:
    """Tracks the quota. `now` is the limiter's monotonic clock. `wall` is seconds since 1970, which can jump, so only the daily
    quota depends on it."""

    def __init__(
        self,
        model: str,
        bucket: Bucket,
        config: LimitsConfig,
        *,
        expected_cost_usd: float,
        now: float,
        share: float,
        input_token_usd: float = 0.0,
    ) -> None:
        self.model = model
        self.bucket = bucket
        self.is_batch = model.endswith(BATCH_ACCOUNT)
        self.limits = ModelLimitsConfig() if self.is_batch else config.of(model)
        self.usable = 1.0 - config.headroom
        self.turn = asyncio.Lock()
        self.freed = asyncio.Event()
        self.held = HeldSlots(ttl_s=_BATCH_TTL_S if self.is_batch else _SLOT_TTL_S)
        self.expected = ExpectedUse(input_tokens=config.expected_input_tokens, cost_usd=expected_cost_usd)
        self._input_token_usd = input_token_usd
        self.rate = LearnedRate(self.limits.rpm, now=now, share=share)
        self.health = ModelHealth(patience_s=float("inf") if config.patience_s is None else config.patience_s)
        self.parked_until: float | None = None  # seconds since 1970
        self._parked_words = ""  # message of the server that named the daily quota
        self.gone_words = ""  # reason why the server does not have the model; empty if it has
        self.throttled = 0
        self.possibly_billed = 0
        self.remembers = False  # after a restart, whether the earlier use was restored
        self._granted = 0
        self._waited_s = 0.0
        self._input_tokens = 0
        self._spent_usd = 0.0
        self._today = 0
        self._correction_s = 0.0
        self._largest = (float("-inf"), 0.0)  # largest request of the last minute: time, input tokens
        self._shortened = 1.0  # factor on the token intervals in the last request for slots
        self._recent: deque[tuple[float, int]] = deque()  # recent (time, slots)
        self._refusals: deque[float] = deque()  # recent times
        self._paused_until = float("-inf")
        self._pause_s = 0.0
        self._refused_until = float("-inf")
        self._gone_since = self._gone_until = float("-inf")
        self._strikes = 0
        self._last_strike = float("-inf")

    # -- slots --------------------------------------------------------------------------------------------------------------

    def wish(self, wanted: int, *, now: float, input_tokens: tuple[float, ...] = ()) -> Take:
        """Builds the request for slots. `input_tokens`: the expected tokens of each wanted request, if the worker sent them."""
        rpm = self.rate.rpm(now)
        input_tokens = input_tokens[:wanted] if self.limits.tpm and len(input_tokens) >= wanted else ()
        if input_tokens and (max(input_tokens) >= self._largest[1] or now > self._largest[0] + 60.0):
            self._largest = now, max(input_tokens)
        token_s = self._token_s
        interval_s = (sum(input_tokens) / len(input_tokens) if input_tokens else self.expected.input_tokens) * token_s
        correction_s, self._shortened = self._correction_s, 1.0
        if correction_s < 0 < interval_s and not self.bucket.shared:
            # Requests were shorter than expected. A bucket cannot use all of that time at once, so the next requests
            # get it.
            self._correction_s = max(correction_s, -_CREDIT_S)
            self._shortened = max(0.5, 1.0 + self._correction_s / _SPREAD / interval_s)
            correction_s = 0.0
        return Take(
            wanted=wanted,
            request_interval_s=60.0 / (rpm * self.usable) if rpm else 0.0,
            token_interval_s=interval_s * self._shortened,
            token_intervals_s=tuple(tokens * token_s * self._shortened for tokens in input_tokens),
            correction_s=correction_s,
            in_flight=self.held.in_flight,
            max_in_flight=self.limits.max_in_flight,
            requests_a_day=self.limits.rpd,
        )

    def wished(self, take: Take, taken: Taken) -> None:
        """Subtracts the correction that the bucket has applied."""
        used_s = sum(take.token_intervals_s[: len(taken.delays_s)]) or len(taken.delays_s) * take.token_interval_s
        self._correction_s += used_s * (1.0 / self._shortened - 1.0) - take.correction_s

    @property
    def _token_s(self) -> float:
        """Returns the seconds of the minute that one token uses."""
        if not self.limits.tpm:
            return 0.0
        aside = self.expected.aside(self.limits.tpm, in_flight=self.held.in_flight)
        # A minute can begin or end within the time of a large request, which then counts in full. The headroom, which is for the
        # network, does not cover this case.
        largest = min(_MOST_FOR_LARGEST, self._largest[1] / self.limits.tpm)
        return 60.0 / (self.limits.tpm * (min(self.usable, 1.0 - aside) - largest))

    def expected_cost_usd(self, input_tokens: tuple[float, ...]) -> float:
        """Returns the average expected cost of requests with these expected tokens."""
        cost_usd = self.expected.cost_usd
        if not input_tokens:
            return cost_usd
        more = sum(input_tokens) / len(input_tokens) - self.expected.input_tokens
        return max(cost_usd / 2, cost_usd + more * self._input_token_usd)

    def lend(self, worker: str, taken: Taken, *, cost_usd: float, money: Money, now: float, arrived: float) -> None:
        """Records slots that were lent to a worker. `cost_usd`: the amount to reserve for each."""
        slots = len(taken.delays_s)
        self.held.add(worker, slots, now=now, input_tokens=self.expected.input_tokens, cost_usd=cost_usd)
        money.promise(slots * cost_usd)
        self._granted += slots
        self._waited_s += slots * (now - arrived) + sum(taken.delays_s)
        self._today = taken.requests_today
        self._recent.append((now, slots))
        self._drop_old(now)

    def settle(self, aside: SetAside, returned: SlotReturn, *, money: Money) -> None:
        """Replaces the reservation by the actual use; if that is unknown, the reservation remains. Tokens reserved above the mean
        are not given back: if later requests used them, they would exceed the limit of a minute that does not include the
        requests for which they were reserved."""
        unknown = max(0, aside.slots - returned.answered - returned.free - returned.lost)
        share = unknown / aside.slots if aside.slots else 0.0
        spent_usd = returned.cost_usd + share * aside.cost_usd
        known = returned.answered + returned.free + returned.lost
        reserved = returned.reserved_tokens
        if reserved is None:
            reserved = min((1.0 - share) * aside.input_tokens, known * _ABOVE_MEAN * self.expected.input_tokens)
        self._correction_s += (returned.input_tokens - reserved) * self._token_s
        self._input_tokens += returned.input_tokens
        self._spent_usd += spent_usd
        self.possibly_billed += returned.possibly_billed
        money.settle(promised_usd=aside.cost_usd, spent_usd=spent_usd, rated=not self.is_batch)
        self.expected.learn(
            requests=returned.answered + returned.lost,
            input_tokens=returned.input_tokens,
            cost_usd=returned.cost_usd,
            expected_tokens=returned.expected_tokens,
        )

    def give_up(self, aside: SetAside, *, money: Money) -> None:
        """Gives up slots whose outcome will never be reported."""
        self.settle(aside, SlotReturn(slots=aside.slots), money=money)

    # -- refusals -----------------------------------------------------------------------------------------------------------

    def refused(self, throttle: Throttle, *, now: float) -> None:
        self._refusals.append(now)
        learned = self.rate.refused(
            now,
            sent_at=now - throttle.age_s,
            observed_rpm=self._observed_rpm(now),
            share=self._refused_share(now),
            paused=now < self._refused_until + _OBSERVED_S,
            quota=throttle.kind is ThrottleKind.MINUTE,
            retry_after_s=throttle.retry_after_s,
        )
        self._refused_until = max(self._refused_until, now + (throttle.retry_after_s or 0.0))
        if learned:  # continue at the slower rate
            self._refusals.clear()

    def struck_for_the_day(self, *, sent_at: float, now: float) -> int:
        """Counts a refusal for the daily quota and returns their number. Refusals of requests that were in flight together count
        once."""
        if sent_at > self._last_strike:
            self._strikes += 1
            self._last_strike = now
        return self._strikes

    def park(self, until: float, words: str = "") -> None:
        self.parked_until, self._parked_words = until, words
        self._strikes = 0

    def gone(self, words: str, *, now: float) -> None:
        """Notes that the server does not have the model."""
        if not self.gone_words:
            self._gone_since = now
        self.gone_words, self._gone_until = words, now + _GONE_S

    def check_stopped(self, now: float) -> None:
        """Raises UnknownModel while the server does not have the model, DayQuotaExhausted while it is parked, and
        ModelUnavailable during a pause that is longer than `limits.patience_s`."""
        if self.gone_words:
            if now < self._gone_until:
                raise UnknownModel(self.gone_words)
            self._gone_until = now + _GONE_S  # this caller checks whether the server has the model again
        wall = self.bucket.wall_clock()
        if self.parked_until is not None and wall >= self.parked_until:
            self.parked_until = None
        if self.parked_until is not None:
            words = f" The server says: {self._parked_words}" if self._parked_words else ""
            raise DayQuotaExhausted(
                f"The daily quota for {self.model} is used up.{words}",
                hint="Start the same command again after that time; it resumes where it stopped.",
                resumes_at=self.parked_until,
            )
        pause_s = self.pause_left_s(now)
        if pause_s and self._pause_s > self.health.patience_s:
            raise ModelUnavailable(
                f"The server of {self.model} requests a pause until {in_words(wall + pause_s)}, which is longer than"
                f" limits.patience_s={self.health.patience_s:.0f}. Its message: {self.health.words}",
                hint="Start the same command again after that time to resume, or set a longer limits.patience_s= to wait.",
            )

    def until_probe(self, now: float, *, fallback: bool) -> float:
        """Returns the seconds until the next probe of a held model. Raises ModelUnavailable and QuotaDenied when waiting longer
        is pointless. With engine.on_outage=fallback, a due probe is sent nevertheless."""
        health = self.health
        wait_s = health.probe_in_s(now)
        if not health.exhausted(now) or (fallback and wait_s <= 0):
            return wait_s
        since = in_words(self.held_since(now, self.bucket.wall_clock()) or 0.0)
        if health.denied or health.never_answered(now):
            raise QuotaDenied(f"The quota for {self.model} is 0. The server says: {health.words}")
        if health.refusing:
            what = f"{self.model} has refused the pages of all documents since {since}. {health.words}"
            raise ModelUnavailable(what, hint=_REFUSING_HINT)
        raise ModelUnavailable(f"{self.model} has answered no request since {since}. The last failure: {health.words}")

    def pause(self, seconds: float, *, now: float) -> None:
        if now + seconds > self._paused_until:
            self._paused_until, self._pause_s = now + seconds, seconds

    def pause_left_s(self, now: float) -> float:
        return max(0.0, self._paused_until - now)

    def held_since(self, now: float, wall: float) -> float | None:
        """Returns the time since which the model is held, in seconds since 1970; None while it answers."""
        if self.gone_words:
            return wall - (now - self._gone_since)
        since = self.health.since
        return wall - (now - since) if since is not None and self.health.held(now) else None

    def _observed_rpm(self, now: float) -> float:
        late = [(at, slots) for at, slots in self._recent if at >= now - _OBSERVED_S]
        if not late:
            return 0.0
        return sum(slots for _, slots in late) * 60.0 / max(1.0, now - late[0][0])

    def _drop_old(self, now: float) -> None:
        while self._recent and self._recent[0][0] < now - _REFUSALS_S:
            self._recent.popleft()
        while self._refusals and self._refusals[0] < now - _REFUSALS_S:
            self._refusals.popleft()

    def _refused_share(self, now: float) -> float:
        self._drop_old(now)
        return min(1.0, len(self._refusals) / max(_REFUSALS_OF, sum(slots for _, slots in self._recent)))

    def state(self, now: float, wall: float) -> ModelQuota:
        pause_s = self.pause_left_s(now)
        return ModelQuota(
            model=self.model,
            granted=self._granted,
            waited_s=self._waited_s,
            throttled=self.throttled,
            rate_rpm=self.rate.rpm(now),
            in_flight=self.held.in_flight,
            input_tokens=self._input_tokens,
            spent_usd=self._spent_usd,
            requests_today=self._today,
            paused_until=wall + pause_s if pause_s else None,
            parked_until=self.parked_until,
            held_since=self.held_since(now, wall),
            held_words=self.gone_words or (self.health.words if self.health.held(now) else ""),
            gone=bool(self.gone_words),
            denied=self.health.denied and self.health.exhausted(now),
            refused_in_a_row=self.health.refused_in_a_row,
            refused_words=self.health.refused_words,
            refusing=self.health.refusing,
            expects_empty=self.health.expects_empty,
            answered=self.health.answers,
        )
