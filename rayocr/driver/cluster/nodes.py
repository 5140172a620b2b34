"""Tracks the cluster's nodes during a run: their resources, which of them are leaving, and the pools that adapt. An autoscaler
adds nodes and removes idle ones, and spot machines are reclaimed. Most removals are announced: Ray then calls the node draining.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rayocr.actors.placement import GROUPS, Group
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

READ_EVERY_S = 1.0  # a spot machine has 15 to 30 s left when it announces its end
ALWAYS_THE_SAME_S = 60.0  # for one machine, whose nodes do not change; a reading is two calls of Ray's control store


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node. `leaving`: it takes no new work and will be removed soon."""

    node_id: str
    cpus: float
    gpus: float = 0.0
    groups: frozenset[Group] = frozenset()
    leaving: bool = False
    store_bytes: int = 0  # size of the node's object store


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes that are alive."""

    nodes: tuple[Node, ...]

    def staying(self, group: Group | None = None) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if not node.leaving and (group is None or group in node.groups))

    def store_bytes(self, group: Group | None = None) -> int:
        """Returns the total size of the object stores of the nodes that stay."""
        return sum(node.store_bytes for node in self.staying(group))

    def cpus(self, group: Group | None = None) -> int:
        return int(sum(node.cpus for node in self.staying(group)))

    def gpu_workers(self, share: float, group: Group | None = None) -> int:
        """Returns how many workers the GPUs can hold if each needs this share of one."""
        return sum(int(node.gpus) * int(1 / share + 1e-9) for node in self.staying(group))

    @property
    def groups(self) -> frozenset[Group]:
        """The groups that at least one node offers."""
        return frozenset(group for node in self.nodes for group in node.groups)

    @property
    def leaving(self) -> frozenset[str]:
        return frozenset(node.node_id for node in self.nodes if node.leaving)


class Follower(Protocol):
    """A part of the run that has processes on nodes."""

    async def follow(self, nodes: Nodes) -> None: ...


def read_nodes() -> Nodes:
    """Reads the nodes from Ray's control store. Blocks. Imports Ray."""
    import ray

    draining = _draining()
    return nodes_of([row for row in ray.nodes() if row["Alive"]], draining)


def nodes_of(rows: Iterable[dict[str, Any]], draining: Iterable[str]) -> Nodes:
    """Converts Ray's description of the nodes."""
    gone = frozenset(draining)
    found = []
    for row in rows:
        offers = row.get("Resources", {})
        groups = frozenset(group for group in GROUPS if offers.get(group.value, 0) > 0)
        node_id = row["NodeID"]
        found.append(
            Node(
                node_id=node_id,
                cpus=offers.get("CPU", 0.0),
                gpus=offers.get("GPU", 0.0),
                groups=groups,
                leaving=node_id in gone,
                store_bytes=int(offers.get("object_store_memory", 0)),
            )
        )
    return Nodes(tuple(found))


def _draining() -> Iterable[str]:
    from ray._private.state import state  # there is no public API for this key, which `ray drain-node` and the autoscaler write

    found: dict[str, int] = state.get_draining_nodes()
    return found


async def watch_nodes(
    followers: Sequence[Follower],
    read: Callable[[], Nodes],
    *,
    every_s: float = READ_EVERY_S,
    on_change: Callable[[Nodes], None] = lambda nodes: None,
) -> None:
    """Follows the nodes until cancelled. If Ray does not answer, the call is repeated soon."""
    before: Nodes | None = None
    failing_since: float | None = None
    while True:
        try:
            nodes = await asyncio.to_thread(read)
        except Exception as error:  # the control store is restarting; running work continues
            if failing_since is None:
                failing_since = time.monotonic()
                log_event(log, "nodes_unknown", "Cannot get the list of nodes from Ray.", level=logging.WARNING, error=str(error))
        else:
            failing_since = None
            if nodes != before:
                _log_change(before, nodes)
                on_change(nodes)
                before = nodes
            for follower in followers:
                await follower.follow(nodes)
        await asyncio.sleep(every_s if failing_since is None else min(every_s, READ_EVERY_S))


def _log_change(before: Nodes | None, now: Nodes) -> None:
    if before is None:
        return
    known = {node.node_id for node in before.nodes}
    current = {node.node_id for node in now.nodes}
    for node_id in current - known:
        log_event(log, "node_added", "The cluster has a new node.", node=node_id)
    for node_id in known - current:
        log_event(log, "node_lost", "A node left the cluster.", level=logging.WARNING, node=node_id)
    for node_id in now.leaving - before.leaving:
        log_event(log, "node_draining", "A node is about to be removed; its workers finish their pages.", node=node_id)
