"""The pool of workers of one stage of the chain, from the configuration. Importing this imports Ray."""

from __future__ import annotations

import math
from dataclasses import replace

import ray

from rayocr.actors.page_worker.actor import WorkerSettings
from rayocr.actors.placement import Group, Placement, placement
from rayocr.actors.remote import answer
from rayocr.config import ModelLimitsConfig, RayocrConfig, Secrets
from rayocr.driver.cluster import actors as handles
from rayocr.driver.cluster import failures as deaths
from rayocr.driver.cluster.nodes import Nodes, look
from rayocr.driver.cluster.page_worker_pool import PageWorkerPool
from rayocr.driver.cluster.shard_sizer import ShardSizer
from rayocr.driver.plan import Plan
from rayocr.retry import RetryPolicy

_ASKED_FOR_AT_FIRST = 4  # workers that compute, where no node is there for them yet
_WAITING_WORKERS = 4  # at most on one node, unless workers.max says otherwise
_PAGES_A_WORKER = 60.0  # a second, of those that wait: half of what one core sends; few workers have more company for each call
_IN_FLIGHT_A_WORKER = 512


def open_pool(
    config: RayocrConfig, plan: Plan, keys: Secrets, actors: handles.RayActors, index: int, *, cpus: int, run_id: str
) -> tuple[PageWorkerPool, ShardSizer]:
    """For the stage of that index; `cpus` are the cluster's. Starts nothing."""
    stage = plan.stages[index]
    computes = stage.kind == "compute"
    group = Group.COMPUTE if computes else Group.WAIT
    asked = group if group in actors.place.groups else None
    waiting = _waiting_workers(config)

    def most_on(nodes: Nodes) -> int:
        if not computes:
            return max(waiting, len(nodes.staying(asked)))
        # Where an autoscaler brings nodes for whom it sees waiting, there are more to wait than there is room for.
        return max(_ASKED_FOR_AT_FIRST, 2 * nodes.cpus(asked)) if config.workers.groups else max(1, nodes.cpus(asked))

    most = config.workers.max or (max(1, cpus) if computes else waiting)
    in_flight = config.workers.pages_in_flight or _pages_in_flight(config)
    if config.engine.batch:  # pages of a batch wait for hours, all together: as many as the window holds
        in_flight = max(in_flight, config.window.pages)
    settings = WorkerSettings(
        links=plan.links,
        stage=stage,
        is_last_stage=index == len(plan.stages) - 1,
        engine=config.engine,
        prompts=plan.prompts,
        secrets=keys,
        prices=plan.prices,
        max_pixels=config.render.max_pixels,
        page_timeout_s=config.limits.page_timeout_s,
        page_memory_bytes=config.limits.page_memory,
        shard_budget_s=2 * config.workers.target_shard_s,
        pages_in_flight=in_flight,
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
        pages_per_s=_pages_per_s(config),
        paced=not config.engine.batch,
    )
    pool = PageWorkerPool(
        "+".join(link.name for link in plan.links[stage.first : stage.last + 1]),
        spawn=lambda name: actors.spawn_worker(name, settings),
        answer=answer,
        kill=deaths.kill,
        died=deaths.ACTOR_FAILED,
        lost_with_node=deaths.lost_with_node,
        on_death=actors.forget_worker,
        load_of=sizer.load,
        capacity=2 * config.workers.target_shard_s if computes else 2.0 * in_flight,
        min_workers=min(config.workers.min, most),
        max_workers=most,
        max_pages=config.workers.max_pages,
        max_for=None if config.workers.max else most_on,
        run_id=run_id,
    )
    return pool, sizer


def place_on(config: RayocrConfig, plan: Plan) -> Placement:
    """Where the run's actors live on the cluster that this process is connected to."""
    needed = frozenset(Group.COMPUTE if stage.kind == "compute" else Group.WAIT for stage in plan.stages)
    here = ray.get_runtime_context().get_node_id()
    return placement(config.workers.groups, needed=needed, offered=look().groups, driver_node=here)


def _first_limits(config: RayocrConfig) -> ModelLimitsConfig:
    """Of the model that is asked first, for all engines that wait."""
    return config.limits.of(config.engine.gemini.ladder[0])


def _waiting_workers(config: RayocrConfig) -> int:
    """As many as the limits of the first model can keep busy."""
    if config.engine.batch:
        return _WAITING_WORKERS
    limits = _first_limits(config)
    needed = [limits.rpm / 60 / _PAGES_A_WORKER] if limits.rpm else []
    needed += [limits.max_in_flight / _IN_FLIGHT_A_WORKER] if limits.max_in_flight else []
    return min(_WAITING_WORKERS, math.ceil(min(needed, default=_WAITING_WORKERS)))


def _pages_in_flight(config: RayocrConfig) -> int:
    """Of each waiting worker: enough for the quota of the first model that is asked, when answers take 10 s. The first worker
    can then carry it alone, while the others are still starting."""
    rpm = _first_limits(config).rpm or 0.0
    return max(64, min(1024, math.ceil(rpm / 60 * 10)))


def _pages_per_s(config: RayocrConfig) -> float | None:
    """What the limits of the first model allow, when answers take 5 s."""
    limits = _first_limits(config)
    known = [limits.rpm / 60] if limits.rpm else []
    known += [limits.max_in_flight / 5] if limits.max_in_flight else []
    return min(known, default=None)
