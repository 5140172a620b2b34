"""The only module that calls `ray.remote`: makes actors of the classes of `rayocr.actors.hosted`.

A comment next to each option gives its reason. Importing this imports Ray.
"""

from __future__ import annotations

from typing import Any

import ray

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.document_worker.assemble import AssembleSettings
from rayocr.actors.document_worker.fetch import FetchSettings
from rayocr.actors.hosted.batch_queue import BatchQueueActor
from rayocr.actors.hosted.discovery import DiscoveryActor
from rayocr.actors.hosted.document_worker import DocumentWorkerActor
from rayocr.actors.hosted.ledger import LedgerActor
from rayocr.actors.hosted.page_worker import PageWorkerActor
from rayocr.actors.hosted.rate_limiter import RateLimiterActor
from rayocr.actors.page_worker.actor import WorkerSettings
from rayocr.actors.placement import Group, Placement
from rayocr.actors.rate_limiter.rules import LimiterRules
from rayocr.config import AccessConfig, LedgerConfig, RayocrConfig, RetryConfig, Secrets, StorageConfig

_ANYWHERE = Placement()
# Each call would leave an event in the caller, in Ray's control store and in its dashboard: 10 MB per process in a few thousand
# calls. rayocr's log says more.
_NO_EVENTS = {"enable_task_events": False}
_MANY = 10_000  # concurrent calls in an async actor: coroutines, not threads


def spawn_ledger(
    state_uri: str,
    access: AccessConfig,
    run_id: str,
    config: LedgerConfig,
    retry: RetryConfig,
    *,
    copies_bytes: int = 0,
    place: Placement = _ANYWHERE,
) -> Any:
    actor = ray.remote(LedgerActor).options(
        name=f"ledger:{run_id}",
        num_cpus=0,  # waits for storage nearly all the time
        max_restarts=-1,  # rebuilds its index from the segments
        max_task_retries=-1,  # safe: record is idempotent on (document_id, page_number); telemetry is taken once
        max_concurrency=_MANY,
        **place.beside_the_driver(),
        **_NO_EVENTS,
    )
    return actor.remote(state_uri, access, run_id, config, retry, copies_bytes)


def spawn_batch_queue(
    state_uri: str, run_id: str, config: RayocrConfig, secrets: Secrets, *, place: Placement = _ANYWHERE
) -> Any:
    actor = ray.remote(BatchQueueActor).options(
        name=f"batch_queue:{run_id}",
        num_cpus=0,  # waits for the server nearly all the time
        max_restarts=-1,  # finds its jobs again by their intents
        max_task_retries=-1,  # safe: read is idempotent on the key
        max_concurrency=_MANY,  # one call per waiting page
        **place.beside_the_driver(),
        **_NO_EVENTS,
    )
    queue = actor.remote(state_uri, run_id, config.storage.state)
    queue.keep_keys.remote(config, secrets)
    return queue


def spawn_limiter(run_id: str, rules: LimiterRules, secrets: Secrets, *, place: Placement = _ANYWHERE) -> Any:
    actor = ray.remote(RateLimiterActor).options(
        name=f"rate_limiter:{run_id}",
        num_cpus=0,
        max_restarts=-1,  # starts without state; the driver reports what was spent
        max_task_retries=-1,  # a repeated call gets the first reply (hosted/repeated_calls.py)
        max_concurrency=_MANY,
        **place.beside_the_driver(),
        **_NO_EVENTS,
    )
    limiter = actor.remote(rules, run_id)
    limiter.keep_keys.remote(secrets)
    return limiter


def spawn_discovery(
    run_id: str, source_uri: str, state_uri: str, config: StorageConfig, rules: DiscoveryRules, *, place: Placement = _ANYWHERE
) -> Any:
    actor = ray.remote(DiscoveryActor).options(
        name=f"discovery:{run_id}",
        num_cpus=0,
        max_restarts=-1,  # lists again
        max_task_retries=-1,  # a repeated call gets the first reply; after a restart, documents that the driver knows
        **place.beside_the_driver(),
        **_NO_EVENTS,
    )
    return actor.remote(run_id, source_uri, state_uri, config, rules)


def spawn_worker(
    name: str,
    run_id: str,
    settings: WorkerSettings,
    ledger: Any,
    limiter: Any,
    batch_queue: Any = None,
    *,
    place: Placement = _ANYWHERE,
) -> Any:
    computes = settings.stage.kind == "compute"
    actor = ray.remote(PageWorkerActor).options(
        name=name,
        num_cpus=1 if computes else 0.5,  # computing: one per CPU, and Ray sets OMP_NUM_THREADS to it; waiting: half a CPU
        max_restarts=0,  # the driver must see the failure: it records what the worker was reading, and starts another
        max_task_retries=0,  # as above; recorded pages are not read again
        max_concurrency=_MANY,
        **place.on(Group.COMPUTE if computes else Group.WAIT),
        **_NO_EVENTS,
    )
    worker = actor.remote(name, run_id, ledger, limiter, batch_queue)
    worker.configure.remote(settings)
    return worker


def spawn_document_worker(
    name: str, fetch_settings: FetchSettings, assemble_settings: AssembleSettings, ledger: Any, *, place: Placement = _ANYWHERE
) -> Any:
    actor = ray.remote(DocumentWorkerActor).options(
        name=name,
        num_cpus=0,  # mostly waits for storage; the driver limits how many there are, and pages must not wait for its CPU
        max_restarts=0,  # the driver must see the failure: it records the document that was being opened, and starts another
        max_task_retries=0,  # as above
        **place.of_documents(),
        **_NO_EVENTS,
    )
    worker = actor.remote(name, assemble_settings.run_id, ledger)
    worker.configure.remote(fetch_settings, assemble_settings)  # Ray keeps no arguments of calls: the settings contain a password
    return worker
