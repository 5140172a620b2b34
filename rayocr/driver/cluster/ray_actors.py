"""Defines RayActors, the actors of a run on a Ray cluster. Importing this module imports Ray, so import it only after
connecting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import ray

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.fetch import FetchSettings
from rayocr.actors.page_worker.actor import WorkerSettings
from rayocr.actors.placement import Group, placement
from rayocr.actors.rate_limiter.rules import LimiterRules
from rayocr.actors.remote import ObjectStoreBytes, Remote, answer
from rayocr.actors.spawn import (
    spawn_batch_queue,
    spawn_discovery,
    spawn_document_worker,
    spawn_ledger,
    spawn_limiter,
    spawn_worker,
)
from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.cluster.actors import RunActors, document_workers, requests_are_shared
from rayocr.driver.cluster.base import Content, PageWorkerHandle
from rayocr.driver.cluster.connect import Connection
from rayocr.driver.cluster.failures import lost_with_node
from rayocr.driver.cluster.local_discovery import LocalDiscovery
from rayocr.driver.cluster.nodes import READ_EVERY_S, Nodes, read_nodes
from rayocr.driver.cluster.pools.document_worker_pool import DocumentWorkerPool
from rayocr.errors import ActorFailed
from rayocr.messages import AssembledDocument, Document, DocumentContext, FetchedDocument, Shard, ShardReport, WorkerInfo
from rayocr.observe.relay import Telemetry
from rayocr.storage.base import Storage


class RayActors(RunActors):
    """Spawns the actors without waiting for them. `needed`: the node groups for which the chain has workers."""

    def __init__(
        self,
        config: RayocrConfig,
        state: Storage,
        assemble_settings: AssembleSettings,
        fetch_settings: FetchSettings,
        *,
        rules: DiscoveryRules,
        limiter_rules: LimiterRules | None,
        keys: Secrets,
        needed: frozenset[Group],
        connection: Connection,
    ) -> None:
        super().__init__(config, state, assemble_settings, fetch_settings)
        self.cpus = connection.cpus
        context = ray.get_runtime_context()
        self.head_address = context.gcs_address
        here = context.get_node_id()
        place = placement(config.workers.groups, needed=needed, offered=self.nodes().groups, driver_node=here)
        self._place, self.groups, self.documents_group = place, place.groups, place.documents_group
        run_id, state_uri = assemble_settings.run_id, assemble_settings.state_uri
        copies_bytes = config.dedup.memory_bytes if config.dedup.pages and limiter_rules else 0
        access = config.storage.state
        ledger = spawn_ledger(state_uri, access, run_id, config.ledger, config.retry, copies_bytes=copies_bytes, place=place)
        self._handles: dict[str, Any] = {
            "ledger": ledger,
            "limiter": spawn_limiter(run_id, limiter_rules, keys, place=place) if limiter_rules else None,
            "batch_queue": spawn_batch_queue(state_uri, run_id, config, keys, place=place)
            if config.engine.uses_batches
            else None,
        }
        remotes: dict[str, Any] = {name: None if handle is None else Remote(handle) for name, handle in self._handles.items()}
        self._ledger = remotes["ledger"]
        self.ledger, self.limiter, self.batch_queue = remotes["ledger"], remotes["limiter"], remotes["batch_queue"]
        if connection.local:
            self.discovery: Any = LocalDiscovery(config, assemble_settings, fetch_settings, rules)
        else:
            self.nodes_every_s = READ_EVERY_S
            source_uri = fetch_settings.source_uri
            self.discovery = Remote(spawn_discovery(run_id, source_uri, state_uri, config.storage, rules, place=place))
        self.document_workers = DocumentWorkerPool(
            lambda name: RayDocumentWorker(
                lambda: spawn_document_worker(f"{name}:{run_id}", fetch_settings, assemble_settings, ledger, place=place)
            ),
            count=document_workers(config, connection.cpus),
            count_for=None if requests_are_shared(config) else lambda nodes: document_workers(config, nodes.cpus()),
        )

    def spawn_page_worker(self, name: str, settings: WorkerSettings) -> PageWorkerHandle:
        return RayPageWorker(
            lambda: spawn_worker(name, self.assemble_settings.run_id, settings, *self._handles.values(), place=self._place)
        )

    def nodes(self) -> Nodes:
        return read_nodes()

    async def take_telemetry(self) -> Telemetry:
        telemetry: Telemetry = await self._ledger.take_telemetry()
        self.note_ends(telemetry)
        return telemetry


class _RayWorker:
    """A worker on Ray. `spawn` creates the actor. This call waits for Ray's control store, which may be unavailable, so it runs
    on a thread while the loop renews leases. Ray ends an actor without handles."""

    def __init__(self, spawn: Callable[[], Any]) -> None:
        self._spawn = spawn
        self._handle: Any = None

    async def running(self) -> WorkerInfo:
        if self._handle is None:
            self._handle = await asyncio.to_thread(self._spawn)
        info: WorkerInfo = await answer(self._handle.running.remote())
        return info

    def kill(self) -> None:
        if self._handle is not None:
            ray.kill(self._handle)

    async def lost_with_node(self, node_id: str, error: ActorFailed) -> bool:
        return await lost_with_node(lambda: answer(self._handle.node_id.remote()), node_id, error)


class RayPageWorker(_RayWorker):
    async def open(self) -> WorkerInfo:
        info: WorkerInfo = await answer(self._handle.open.remote())
        return info

    async def recognize(self, shard: Shard, content: Content, context: DocumentContext) -> ShardReport:
        # The call has no individual name, since Ray keeps a counter for every name, which takes 0.05 MB per document.
        report: ShardReport = await answer(self._handle.recognize.remote(shard, content, context))
        return report

    async def local_pages(
        self, document_id: str, page_numbers: tuple[int, ...], known: tuple[int, ...], ended: Mapping[int, bool]
    ) -> tuple[int, ...]:
        pages: tuple[int, ...] = await answer(self._handle.local_pages.remote(document_id, page_numbers, known, ended))
        return pages

    def drain(self) -> None:
        self._handle.drain.remote()

    def cancel(self, document_id: str, fencing_token: int) -> None:
        self._handle.cancel.remote(document_id, fencing_token)


class RayDocumentWorker(_RayWorker):
    _node_id = ""

    async def running(self) -> WorkerInfo:
        info = await super().running()
        self._node_id = info.node_id
        return info

    async def fetch(self, document: Document, load_pages: bool = True) -> tuple[FetchedDocument, ObjectStoreBytes]:
        facts, content = self._handle.fetch.options(num_returns=2).remote(document, load_pages)
        fetched: FetchedDocument = await answer(facts)
        return fetched, ObjectStoreBytes(content, self._node_id)

    async def assemble(
        self, context: DocumentContext, started_at: str, content: Content | None, crashes: int = 0
    ) -> AssembledDocument:
        call = self._handle.assemble.remote(context, started_at, _reference(content), crashes)
        assembled: AssembledDocument = await answer(call)
        return assembled

    async def assemble_copy(self, context: DocumentContext, started_at: str, content: Content | None) -> AssembledDocument | None:
        copied: AssembledDocument | None = await answer(
            self._handle.assemble_copy.remote(context, started_at, _reference(content))
        )
        return copied


def _reference(content: Content | None) -> Any:
    """Returns the reference for use as a top-level argument, so that Ray passes the bytes instead of the reference."""
    assert content is None or isinstance(content, ObjectStoreBytes)
    return None if content is None else content.reference
