"""Hosts the batch queue in an actor process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rayocr.actors.batch_queue.actor import BatchQueue
from rayocr.actors.hosted.actor_process import Keys, relaying, to_ledger_of
from rayocr.config import AccessConfig, Mode, RayocrConfig, Secrets
from rayocr.retry import RetryPolicy
from rayocr.storage.factory import cached_storage


class BatchQueueActor:
    def __init__(self, state_uri: str, run_id: str, access: AccessConfig) -> None:
        relaying("batch_queue", run_id, to_ledger_of(run_id))
        self._state, self._run_id = cached_storage(state_uri, access=access), run_id
        self._keys = Keys()
        self._queue: BatchQueue | None = None

    async def keep_keys(self, config: RayocrConfig, secrets: Secrets) -> None:
        from rayocr.actors.batch_queue.servers import open_server

        self._queue = BatchQueue(
            await asyncio.to_thread(open_server, config, secrets),
            self._state,
            run_id=self._run_id,
            config=config.batch_limits,
            policy=RetryPolicy(max_attempts=config.retry.engine_attempts, base_s=config.retry.base_s, cap_s=config.retry.cap_s),
            patience_s=None if config.mode is Mode.watch else config.limits.patience_s,
        )
        await self._keys.keep(secrets)

    async def _there(self) -> BatchQueue:
        await self._keys.given()
        assert self._queue is not None
        return self._queue

    async def read(self, key: str, model: str, line: bytes) -> bytes:
        return await (await self._there()).read(key, model, line)

    async def progress(self) -> tuple[str, ...]:
        return await (await self._there()).progress()

    async def withdraw(self) -> int:
        return await (await self._there()).withdraw()

    async def recorded(self, keys: Sequence[str]) -> None:
        await (await self._there()).recorded(keys)

    async def close(self, *, finished: bool) -> None:
        await (await self._there()).close(finished=finished)
