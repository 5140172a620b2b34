from __future__ import annotations

import pytest

from rayocr.actors.placement import Group
from rayocr.composition import compose
from rayocr.config import ModelLimitsConfig, RayocrConfig
from rayocr.driver.cluster.nodes import Node, Nodes
from rayocr.driver.cluster.pool_sizing import check_gpus, pool_sizes, workers_for
from rayocr.engines.registry import Stage
from rayocr.errors import UsageError
from rayocr.limits.forecast import quota_sizes

WAIT, COMPUTE = Stage(kind="wait", first=0, last=0), Stage(kind="compute", first=0, last=1)


def config(*options: str) -> RayocrConfig:
    return compose(["source=in", "engine=gemini", *options], {"GEMINI_API_KEY": "k"})


def cluster(*cpus: float, group: Group | None = None) -> Nodes:
    groups = frozenset({group}) if group else frozenset[Group]()
    return Nodes(tuple(Node(node_id=str(i), cpus=c, groups=groups) for i, c in enumerate(cpus)))


@pytest.mark.parametrize(
    ("limits", "workers", "in_flight", "pages_per_s", "binds"),
    [
        (ModelLimitsConfig(), 4, 64, None, None),
        (ModelLimitsConfig(rpm=15), 1, 64, 0.25, "rpm"),
        (ModelLimitsConfig(rpm=600), 1, 100, 10.0, "rpm"),
        (ModelLimitsConfig(rpm=30_000), 4, 1024, 500.0, "rpm"),
        (ModelLimitsConfig(rpm=6000, max_in_flight=50), 1, 1000, 10.0, "max_in_flight"),
    ],
)
def test_a_quota_gives_workers_pages_in_flight_and_pace(
    limits: ModelLimitsConfig, workers: int, in_flight: int, pages_per_s: float | None, binds: str | None
) -> None:
    sizes = quota_sizes(limits)
    assert (sizes.workers, sizes.pages_in_flight, sizes.pages_per_s, sizes.binds) == (workers, in_flight, pages_per_s, binds)


def test_tokens_of_a_page_can_bind() -> None:
    sizes = quota_sizes(ModelLimitsConfig(rpm=600, tpm=60_000), headroom=0.5, input_tokens=1000)
    assert (sizes.binds, sizes.pages_per_s) == ("tpm", 0.5)


def test_engines_that_compute_have_a_worker_a_cpu_and_seconds_as_capacity() -> None:
    sizes = pool_sizes(config("workers.target_shard_s=3"), COMPUTE, cpus=6, processes=True)
    assert (sizes.workers, sizes.capacity) == (6, 6.0)


def test_one_process_has_one_worker_that_waits_and_it_carries_the_quota() -> None:
    options = ("limits.rpm=30000", "limits.max_in_flight=null")
    many = pool_sizes(config(*options), WAIT, cpus=2, processes=True)
    one = pool_sizes(config(*options), WAIT, cpus=2, processes=False)
    assert (many.workers, one.workers) == (4, 1)
    assert one.pages_in_flight == 4 * many.pages_in_flight


def test_what_the_user_says_wins() -> None:
    sizes = pool_sizes(config("workers.max=9", "workers.pages_in_flight=7"), WAIT, cpus=2, processes=True)
    assert (sizes.workers, sizes.pages_in_flight, sizes.capacity) == (9, 7, 14.0)


def test_a_batch_holds_as_many_pages_as_the_window() -> None:
    sizes = pool_sizes(config("engine.batch=true", "window.pages=5000", "limits.rpm=10"), WAIT, cpus=2, processes=True)
    assert (sizes.workers, sizes.pages_in_flight) == (4, 5000)


@pytest.mark.parametrize(
    ("stage", "options", "nodes", "group", "workers"),
    [
        (COMPUTE, (), cluster(4, 4), None, 8),
        (COMPUTE, (), cluster(), None, 1),
        (COMPUTE, ("workers.groups=true",), cluster(), Group.COMPUTE, 4),  # requested, so that an autoscaler adds nodes
        (COMPUTE, ("workers.groups=true",), cluster(8, group=Group.COMPUTE), Group.COMPUTE, 16),
        (WAIT, ("limits.rpm=600",), cluster(4, 4, 4), None, 3),
        (WAIT, ("limits.rpm=600",), cluster(4), None, 1),
    ],
)
def test_the_cluster_bounds_the_workers(
    stage: Stage, options: tuple[str, ...], nodes: Nodes, group: Group | None, workers: int
) -> None:
    assert workers_for(config(*options), stage, nodes, group=group) == workers


GPU_NODES = Nodes((Node(node_id="a", cpus=16, gpus=2), Node(node_id="b", cpus=4), Node(node_id="c", cpus=2, gpus=1)))
LOCAL = ("engine=local", "engine.chain=[textlayer,rapidocr]", "engine.rapidocr.device=cuda")


@pytest.mark.parametrize(("share", "workers"), [(1, 3), (0.5, 6), (0.3, 9), (0, 22)])
def test_gpus_bound_the_workers_that_reserve_a_share_of_one(share: float, workers: int) -> None:
    options = config(*LOCAL, f"engine.rapidocr.gpus={share}")
    assert workers_for(options, COMPUTE, GPU_NODES, group=None) == workers
    assert options.engine.gpus_of(0, 0) == 0, "a stage without rapidocr reserves no GPU"


def test_workers_that_need_a_gpu_do_not_wait_forever_for_a_cluster_without_one() -> None:
    options = config(*LOCAL, "engine.rapidocr.gpus=0.25")
    check_gpus(options, COMPUTE, GPU_NODES)
    check_gpus(config(*LOCAL, "engine.rapidocr.gpus=0.25", "workers.groups=true"), COMPUTE, cluster(4))
    with pytest.raises(UsageError, match="No node of the cluster has a GPU"):
        check_gpus(options, COMPUTE, cluster(4))


def test_a_gpu_is_not_reserved_for_an_engine_that_does_not_use_it() -> None:
    with pytest.raises(UsageError, match="would not use"):
        config("engine.rapidocr.device=cpu", "engine.rapidocr.gpus=1")
