"""Sizes the pool of page workers of one stage of the chain: the limits of each worker, and the number of workers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rayocr.actors.page_worker.actor import WorkerSettings
from rayocr.actors.placement import Group
from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.cluster.actors import RunActors
from rayocr.driver.cluster.nodes import Nodes
from rayocr.driver.cluster.pools.page_worker_pool import PageWorkerPool
from rayocr.driver.cluster.pools.shard_sizer import ShardSizer
from rayocr.driver.plan import Plan
from rayocr.engines.registry import Stage
from rayocr.errors import UsageError
from rayocr.limits.forecast import QuotaSizes, quota_sizes
from rayocr.retry import RetryPolicy

_ASKED_FOR_AT_FIRST = 4  # number of workers that compute, requested before an autoscaler adds nodes for them
_IN_FLIGHT_IN_FLEX = 2048  # pages per worker; they are in memory, 80 to 380 KB each
_BATCH_WORKERS = 4  # such workers wait for hours, for as many pages as the window holds


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePool:
    """A stage of the chain and its workers."""

    stage: Stage
    pool: PageWorkerPool
    sizer: ShardSizer


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSizes:
    """The sizes of one stage. `capacity`: the work that a worker takes in advance, in seconds of computing or in pages.
    `pages_per_s`: a first estimate of the total pace, None if unknown."""

    workers: int
    pages_in_flight: int
    capacity: float
    pages_per_s: float | None


def pool_sizes(config: RayocrConfig, stage: Stage, *, cpus: int, processes: bool) -> PoolSizes:
    """Computes the sizes. `cpus`: CPUs of the cluster. `processes`: each worker has a separate process (otherwise a second
    waiting worker has no benefit)."""
    quota = _quota(config)
    in_flight = config.workers.pages_in_flight or quota.pages_in_flight
    if config.engine.uses_batches:
        in_flight = max(in_flight, config.window.pages)
    if config.engine.gemini.tier in ("flex", "auto") or "flex" in config.engine.lanes:  # their answers take minutes
        in_flight = max(in_flight, min(config.window.pages, _IN_FLIGHT_IN_FLEX))
    most = _computing_workers(config, quota, cpus) if stage.kind == "compute" else _waiting_workers(config, quota)
    if stage.kind == "wait" and not processes:
        most, in_flight = 1, in_flight * most
    return PoolSizes(
        workers=config.workers.max or most,
        pages_in_flight=in_flight,
        capacity=2 * config.workers.target_shard_s if stage.kind == "compute" else 2.0 * in_flight,
        pages_per_s=quota.pages_per_s,
    )


def pages_at_once(config: RayocrConfig, stages: Sequence[Stage], *, cpus: int, processes: bool) -> float:
    """Returns the maximum number of pages that all workers have in flight, as far as it is known. A batch takes all pages in the
    window."""
    if config.engine.uses_batches:
        return math.inf
    found = [1.0]
    for stage in stages:
        sizes = pool_sizes(config, stage, cpus=cpus, processes=processes)
        if stage.kind == "compute":
            found.append(2.0 * sizes.workers)
        else:
            limit = config.limits.of(config.engine.gemini.ladder[0]).max_in_flight
            found.append(min(sizes.workers * sizes.pages_in_flight, limit or math.inf))
    return max(found)


def requests_at_once(config: RayocrConfig, stages: Sequence[Stage], *, cpus: int, processes: bool) -> float:
    """Returns the maximum number of requests that all workers have in flight at the server, beside batches."""
    waiting = [pool_sizes(config, stage, cpus=cpus, processes=processes) for stage in stages if stage.kind == "wait"]
    limit = config.limits.of(config.engine.gemini.ladder[0]).max_in_flight
    return min(sum(sizes.workers * sizes.pages_in_flight for sizes in waiting), limit or math.inf)


def workers_for(config: RayocrConfig, stage: Stage, nodes: Nodes, *, group: Group | None) -> int:
    """Returns the maximum number of workers of the stage on a cluster of these nodes; `group`: the nodes that they need."""
    if stage.kind == "wait":
        return max(_waiting_workers(config, _quota(config)), len(nodes.staying(group)))
    # If an autoscaler adds nodes for waiting workers, request more of them than there is room for.
    if config.workers.groups:
        return max(_ASKED_FOR_AT_FIRST, 2 * nodes.cpus(group))
    by_cpus = _computing_workers(config, _quota(config), nodes.cpus(group))
    share = config.engine.gpus_of(stage.first, stage.last)
    return min(by_cpus, max(1, nodes.gpu_workers(share, group))) if share else by_cpus


def check_gpus(config: RayocrConfig, stage: Stage, nodes: Nodes) -> None:
    """Raises UsageError if the workers of the stage need a GPU that no node has and no autoscaler adds, and would wait
    forever."""
    share = config.engine.gpus_of(stage.first, stage.last) if stage.kind == "compute" else 0.0
    if share and not config.workers.groups and not nodes.gpu_workers(share):
        raise UsageError(
            f"No node of the cluster has a GPU, but engine.rapidocr.gpus={share:g} reserves one for each worker.",
            hint="Add a node with a GPU, set workers.groups=true if an autoscaler adds one, or set engine.rapidocr.gpus=0.",
        )


def open_pool(config: RayocrConfig, plan: Plan, keys: Secrets, actors: RunActors, stage: Stage) -> StagePool:
    """Prepares a pool without starting workers."""
    sizes = pool_sizes(config, stage, cpus=actors.cpus, processes=actors.has_processes)
    if actors.has_processes:
        check_gpus(config, stage, actors.nodes())
    group = Group.COMPUTE if stage.kind == "compute" else Group.WAIT
    settings = WorkerSettings(
        links=plan.links,
        stage=stage,
        is_last_stage=stage is plan.stages[-1],
        engine=config.engine,
        prompts=plan.prompts,
        secrets=keys,
        prices=plan.prices,
        max_pixels=config.render.max_pixels,
        page_timeout_s=config.limits.page_timeout_s,
        page_memory_bytes=config.limits.page_memory,
        shard_budget_s=2 * config.workers.target_shard_s,
        pages_in_flight=sizes.pages_in_flight,
        policy=replace(RetryPolicy.from_config(config.retry), max_attempts=config.retry.engine_attempts),
        fingerprint=actors.assemble_settings.fingerprint,
        dedup=config.dedup.pages,
        log_pages=config.logs.pages,
        keep_boxes=any(output.needs_boxes for output in plan.outputs),
        doubt=config.doubt,
    )
    sizer = ShardSizer(
        stage.kind,
        target_s=config.workers.target_shard_s,
        max_pages=config.workers.max_shard_pages,
        pages_per_s=sizes.pages_per_s,
        paced=not config.engine.uses_batches,
    )
    asked = group if group in actors.groups else None
    pool = PageWorkerPool(
        "+".join(link.name for link in plan.links[stage.first : stage.last + 1]),
        spawn=lambda name: actors.spawn_page_worker(name, settings),
        on_failure=actors.forget_worker,
        load_of=sizer.load,
        capacity=sizes.capacity,
        min_workers=min(config.workers.min, sizes.workers),
        max_workers=sizes.workers,
        max_pages=config.workers.max_pages if actors.has_processes else None,
        max_for=None
        if config.workers.max or not actors.has_processes
        else lambda nodes: workers_for(config, stage, nodes, group=asked),
        max_if_busy=actors.cpus if stage.kind == "wait" and actors.has_processes and not config.workers.max else 0,
        run_id=actors.assemble_settings.run_id,
    )
    return StagePool(stage=stage, pool=pool, sizer=sizer)


def local_stage(config: RayocrConfig, stages: Sequence[StagePool]) -> StagePool | None:
    """Returns the stage whose workers read the pages of the lane local: the first local engines after Gemini."""
    if not config.engine.uses_local_lane:
        return None
    gemini = [word.rstrip("?") for word in config.engine.chain].index("gemini")
    return next((stage for stage in stages if stage.stage.kind == "compute" and stage.stage.last > gemini), None)


def _quota(config: RayocrConfig) -> QuotaSizes:
    """Returns the limits of the first model in the chain, for all engines that wait."""
    return quota_sizes(config.limits.of(config.engine.gemini.ladder[0]))


def _computing_workers(config: RayocrConfig, quota: QuotaSizes, cpus: int) -> int:
    """Returns the number of workers that compute. With the lane local, these workers leave half a CPU to each of the waiting
    workers, which send pages at the same time."""
    return max(1, cpus - (math.ceil(_waiting_workers(config, quota) / 2) if config.engine.uses_local_lane else 0))


def _waiting_workers(config: RayocrConfig, quota: QuotaSizes) -> int:
    return _BATCH_WORKERS if config.engine.batch else quota.workers
