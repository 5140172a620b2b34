"""Creates actors of the classes of `rayocr.actors.hosted`. This is the only module that calls `ray.remote`. A comment next to
each option gives its reason. Importing this module imports Ray.
"""

from __future__ import annotations

from typing import Any

import ray

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.document_worker.assemble_settings import AssembleSettings
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
# calls. rayocr's log has more details.
_NO_EVENTS = {"enable_task_events": False}
_MANY = 10_000  # number of concurrent calls in an async actor, as coroutines instead of threads


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
        num_cpus=0,  # the ledger waits for storage nearly all the time
        max_restarts=-1,  # the ledger rebuilds its index from the segments
        max_task_retries=-1,  # retries are safe: record is idempotent on (document_id, page_number), and telemetry is taken once
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
        num_cpus=0,  # the queue waits for the server nearly all the time
        max_restarts=-1,  # the queue finds its jobs again by their intents
        max_task_retries=-1,  # retries are safe: read is idempotent on the key
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
        max_restarts=-1,  # the limiter starts without state; the driver reports the spending
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
        max_restarts=-1,  # Discovery lists the source again
        max_task_retries=-1,  # a repeated call gets the first reply; after a restart, it gets documents that the driver knows
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
        # One CPU for a worker that computes, to which Ray sets OMP_NUM_THREADS; half a CPU for one that waits.
        num_cpus=1 if computes else 0.5,
        num_gpus=settings.gpus if computes else 0,
        # The driver must get the failure, to record the pages that the worker was reading and to start another worker.
        max_restarts=0,
        max_task_retries=0,  # the driver repeats the call without the recorded pages
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
        num_cpus=0,  # the worker mostly waits for storage; the driver limits the number, and pages must not wait for a CPU
        # The driver must get the failure, to record the document that was being opened and to start another worker.
        max_restarts=0,
        max_task_retries=0,  # the driver repeats the call
        **place.of_documents(),
        **_NO_EVENTS,
    )
    worker = actor.remote(name, assemble_settings.run_id, ledger)
    # The settings contain a password, and Ray does not keep arguments of calls.
    worker.configure.remote(fetch_settings, assemble_settings)
    return worker
