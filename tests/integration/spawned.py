"""`python -m tests.integration.spawned REDIS_URL`: spawns a run's actors on three Ray nodes, and prints JSON."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from benchmarks.patient_ray import agent_ports, be_patient, start_only_what_is_used
from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.placement import Placement
from rayocr.actors.rate_limiter.rules import LimiterRules
from rayocr.actors.spawn import spawn_discovery, spawn_ledger, spawn_limiter
from rayocr.config import AccessConfig, LedgerConfig, LimitsConfig, ModelLimitsConfig, RetryConfig, Secrets, StorageConfig
from rayocr.limits.prices import PriceTable

NODES = 3


def placed(node_id: str, name: str, redis_url: str) -> list[object]:
    """A ledger, a limiter and a Discovery for a driver on that node."""
    place = Placement(driver_node=node_id)
    folder = Path.home() / name
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.pdf").write_bytes(b"%PDF-1.4")
    state = folder.as_uri()
    limits = LimitsConfig(shared="redis", shared_name=name, models={"m": ModelLimitsConfig(rpm=60_000)})
    return [
        spawn_ledger(state, AccessConfig(), name, LedgerConfig(), RetryConfig(), place=place),
        spawn_limiter(name, LimiterRules(limits=limits, prices=PriceTable(models={})), Secrets(redis_url=redis_url), place=place),
        spawn_discovery(name, state, state, StorageConfig(), DiscoveryRules(), place=place),
    ]


# The first two replies to a process with this environment are lost after the calls were executed, as in a cut network.
_FAILURE = {"CoreWorkerService.grpc_client.PushTask": {"num_failures": 2, "req_failure_prob": 0, "resp_failure_prob": 100}}
LOST_REPLIES = {"env_vars": {"RAY_testing_rpc_failure": json.dumps(_FAILURE)}}


@ray.remote(num_cpus=0)
def unlucky(limiter: Any, discovery: Any) -> tuple[int, int, int]:
    """The slots received and granted for one lease, and the documents received, when replies are lost."""
    delays, batch = ray.get([limiter.lease.remote("m", "unlucky", 5), discovery.next_batch.remote(2)])
    model = ray.get(limiter.state.remote()).models[0]
    return len(delays), model.granted, len(batch.documents)


def main(redis_url: str) -> None:
    be_patient()
    start_only_what_is_used(runtime_environments=True)
    head = {"num_cpus": 0, "object_store_memory": 80_000_000, "include_dashboard": False, **agent_ports()}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(NODES - 1):
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000, **agent_ports())
    ray.init(address=cluster.address, log_to_driver=False, namespace="rayocr", logging_level="ERROR")
    found, kept = [], []
    for number, node in enumerate([node for node in ray.nodes() if node["Alive"]][1:]):
        actors = placed(node["NodeID"], f"run{number}", redis_url)
        kept.append(actors)
        ray.get(actors[0].ready.remote())  # type: ignore[attr-defined]
        for actor in actors:
            where = ray._private.state.actors(actor._actor_id.hex())  # type: ignore[attr-defined]
            while not where["Address"]["NodeID"]:
                where = ray._private.state.actors(actor._actor_id.hex())  # type: ignore[attr-defined]
            found.append(where["Address"]["NodeID"] == node["NodeID"])
    limiter = kept[0][1]
    before = ray.get(limiter.lease.remote("m", "w", 1))  # type: ignore[attr-defined]
    os.kill(ray._private.state.actors(limiter._actor_id.hex())["Pid"], signal.SIGKILL)  # type: ignore[attr-defined]

    async def after() -> object:
        await limiter.restore.remote(None)  # type: ignore[attr-defined]
        return await limiter.lease.remote("m", "w", 1)  # type: ignore[attr-defined]

    again = asyncio.run(after())
    limiter, discovery = kept[1][1:]
    slots, granted, given = ray.get(unlucky.options(runtime_env=LOST_REPLIES).remote(limiter, discovery))  # type: ignore[call-overload]
    seen = {"slots": [len(before), len(again)], "granted_when_lost": [slots, granted], "documents_when_lost": given}  # type: ignore[arg-type]
    print(json.dumps({"beside_the_driver": found, **seen}))
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
