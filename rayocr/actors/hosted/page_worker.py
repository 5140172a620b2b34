"""Hosts a page worker in an actor process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import astuple, replace
from typing import Any

from rayocr.actors.hosted.actor_process import keep_freed_memory, relaying, this_node_id, this_worker, to_ledger
from rayocr.actors.page_worker.actor import PageWorker, WorkerSettings
from rayocr.actors.remote import ObjectStoreBytes, Remote
from rayocr.masking import hide
from rayocr.messages import (
    DocumentContext,
    Shard,
    ShardReport,
    WorkerInfo,
)
from rayocr.pdf.guard import report_before_exit


class PageWorkerActor:
    def __init__(self, name: str, run_id: str, ledger: Any, limiter: Any, batch_queue: Any) -> None:
        self._handler = relaying(name, run_id, to_ledger(ledger))
        self._name = name
        self._ports: list[Any] = [Remote(ledger), Remote(limiter), None if batch_queue is None else Remote(batch_queue)]
        self._configured = asyncio.Event()
        self._worker: PageWorker | None = None
        report_before_exit(lambda why: self._handler.report_exit(self._worker.documents_in_progress if self._worker else (), why))

    async def configure(self, settings: WorkerSettings) -> None:
        """Configures the worker. This must be the first call. `open` waits for it, since Ray does not guarantee the order of
        calls to an actor with coroutines."""
        hide(astuple(settings.secrets))
        if settings.stage.kind == "compute":
            keep_freed_memory()
        # Telemetry is posted after each shard, since the process may be killed once the shard is answered.
        self._worker = PageWorker(self._name, settings, *self._ports, after_shard=self._handler.post)
        self._configured.set()

    async def open(self) -> WorkerInfo:
        await self._configured.wait()
        return replace(await self._there.open(), node_id=this_node_id())

    @property
    def _there(self) -> PageWorker:
        assert self._worker is not None, "open() first"
        return self._worker

    async def recognize(self, shard: Shard, content: ObjectStoreBytes, context: DocumentContext) -> ShardReport:
        return await self._there.recognize(shard, content, context)

    async def local_pages(
        self, document_id: str, page_numbers: tuple[int, ...], known: tuple[int, ...], ended: Mapping[int, bool]
    ) -> tuple[int, ...]:
        return await self._there.local_pages(document_id, page_numbers, known, ended)

    async def drain(self) -> None:
        await self._there.drain()

    async def cancel(self, document_id: str, fencing_token: int) -> None:
        await self._there.cancel(document_id, fencing_token)

    async def running(self) -> WorkerInfo:
        return this_worker()

    async def node_id(self) -> str:
        return this_node_id()
