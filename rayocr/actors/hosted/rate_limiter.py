"""Hosts the rate limiter in an actor process."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import ray

from rayocr.actors.hosted.actor_process import Keys, relaying, to_ledger_of
from rayocr.actors.hosted.repeated_calls import Replies
from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.actors.rate_limiter.rules import LimiterRules
from rayocr.config import Secrets
from rayocr.limits.base import Bucket
from rayocr.limits.factory import bucket_opener
from rayocr.limits.lanes import LaneReport
from rayocr.messages import LaneGrant, SlotReply, SlotReturn


class RateLimiterActor(RateLimiter):
    def __init__(self, rules: LimiterRules, run_id: str) -> None:
        relaying("rate_limiter", run_id, to_ledger_of(run_id))
        self._keys = Keys()
        self._replies = Replies()
        self._shared: Callable[[str], Bucket] | None = None
        shared = rules.limits.shared != "none"

        def open_bucket(model: str) -> Bucket:
            self._shared = self._shared or bucket_opener(rules.limits, self._keys.secrets, cluster=run_id)
            assert self._shared is not None
            return self._shared(model)

        super().__init__(
            rules,
            open_bucket=open_bucket if shared else None,
            restarted=ray.get_runtime_context().was_current_actor_reconstructed,
        )

    async def keep_keys(self, secrets: Secrets) -> None:
        await self._keys.keep(secrets)

    async def lease(self, model: str, worker: str, wanted: int, input_tokens: tuple[float, ...] = ()) -> tuple[float, ...]:
        await self._keys.given()
        lease = partial(self._lease, model, worker, wanted, input_tokens)
        granted_at, delays_s = await self._replies.once(("lease", model, worker), lease)
        late_s = self._clock() - granted_at  # some delays are negative; the worker returns slots whose start is long past
        return tuple(delay_s - late_s for delay_s in delays_s)

    async def _lease(
        self, model: str, worker: str, wanted: int, input_tokens: tuple[float, ...]
    ) -> tuple[float, tuple[float, ...]]:
        delays_s = await super().lease(model, worker, wanted, input_tokens)
        return self._clock(), delays_s

    async def release(self, model: str, worker: str, returned: SlotReturn) -> SlotReply:
        await self._keys.given()
        release = super().release
        return await self._replies.once(("release", model, worker), lambda: release(model, worker, returned))

    async def lanes(self, worker: str, wanted: int, local: bool = True) -> tuple[LaneGrant, ...]:
        lanes = super().lanes
        return await self._replies.once(("lanes", worker, local), lambda: lanes(worker, wanted, local))

    async def report_lanes(self, worker: str, reports: tuple[LaneReport, ...]) -> None:
        report_lanes = super().report_lanes
        await self._replies.once(("report_lanes", worker), lambda: report_lanes(worker, reports))
