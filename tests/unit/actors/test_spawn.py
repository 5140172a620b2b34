"""The options with which Ray starts the actors of a run, and what it stores of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.actors import spawn
from rayocr.actors.placement import GROUPS, Placement
from rayocr.config import Secrets

SECRETS = Secrets(gemini_api_key="planted-key")
NODE = "0a" * 28  # an id of Ray
ON_GROUPS = Placement(groups=frozenset(GROUPS), driver_node=NODE)


class Spawned:
    """Records the requests to Ray for one actor."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}
        self.stored: tuple[Any, ...] = ()
        self.called: dict[str, tuple[Any, ...]] = {}

    def options(self, **given: Any) -> Spawned:
        self.given = given
        return self

    def remote(self, *stored: Any) -> Any:
        self.stored = stored
        return self

    def __getattr__(self, method: str) -> Any:
        return SimpleNamespace(remote=lambda *arguments: self.called.__setitem__(method, arguments))


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> dict[str, Spawned]:
    found: dict[str, Spawned] = {}
    monkeypatch.setattr(spawn.ray, "remote", lambda kind: found.setdefault(kind.__name__, Spawned()))
    anything: Any = SimpleNamespace(
        stage=SimpleNamespace(kind="wait"), run_id="r", storage=SimpleNamespace(state=None), key=SECRETS
    )
    spawn.spawn_ledger("state", anything, "r", anything, anything, place=ON_GROUPS)
    spawn.spawn_batch_queue("state", "r", anything, SECRETS, place=ON_GROUPS)
    spawn.spawn_limiter("r", anything, SECRETS, place=ON_GROUPS)
    spawn.spawn_discovery("r", "source", "state", anything, anything, place=ON_GROUPS)
    spawn.spawn_worker("w", "r", anything, None, None, place=ON_GROUPS)
    spawn.spawn_document_worker("d", anything, anything, None, place=ON_GROUPS)
    return found


def test_a_worker_that_computes_reserves_its_share_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Spawned()
    monkeypatch.setattr(spawn.ray, "remote", lambda kind: worker)
    settings: Any = SimpleNamespace(stage=SimpleNamespace(kind="compute"), gpus=0.25)
    spawn.spawn_worker("w", "r", settings, None, None)
    assert (worker.given["num_cpus"], worker.given["num_gpus"]) == (1, 0.25)


def test_no_actor_leaves_events_in_rays_control_store(spawned: dict[str, Spawned]) -> None:
    assert len(spawned) == 6
    assert all(actor.given["enable_task_events"] is False for actor in spawned.values())


@pytest.mark.parametrize("kind", ["LedgerActor", "BatchQueueActor", "RateLimiterActor", "DiscoveryActor"])
def test_what_the_whole_run_needs_is_placed_with_the_driver_and_restarts(spawned: dict[str, Spawned], kind: str) -> None:
    given = spawned[kind].given
    affinity = given["scheduling_strategy"]
    assert (affinity.node_id, affinity.soft) == (NODE, True)
    assert given["memory"] == 1, "Ray ignores the soft affinity of an actor without resources"
    assert given["max_restarts"] == given["max_task_retries"] == -1


@pytest.mark.parametrize(("kind", "group"), [("PageWorkerActor", "rayocr_wait"), ("DocumentWorkerActor", "rayocr_wait")])
def test_workers_are_spread_over_their_group_and_the_driver_sees_them_fail(
    spawned: dict[str, Spawned], kind: str, group: str
) -> None:
    given = spawned[kind].given
    assert given["scheduling_strategy"] == "SPREAD" and list(given["resources"]) == [group]
    assert given["max_restarts"] == given["max_task_retries"] == 0


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("BatchQueueActor", "keep_keys"),
        ("RateLimiterActor", "keep_keys"),
        ("PageWorkerActor", "configure"),
        ("DocumentWorkerActor", "configure"),
    ],
)
def test_keys_reach_actors_in_calls_since_ray_stores_arguments_of_constructors(
    spawned: dict[str, Spawned], kind: str, method: str
) -> None:
    stored, given = spawned[kind].stored, spawned[kind].called[method]
    assert SECRETS in given or any(getattr(argument, "key", None) is SECRETS for argument in given)
    assert not {id(argument) for argument in given} & {id(argument) for argument in stored}
