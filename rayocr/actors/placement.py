"""Where on a cluster the actors of a run live. Owns the names that node groups offer as custom resources; spawn.py asks here.

Without such names everything may be anywhere, spread over the nodes; with them, engines that wait for a server live on nodes that
offer `rayocr_wait` (small and cheap ones), and engines that compute on those that offer `rayocr_compute`
(docs/decisions/0021-node-groups-by-custom-resource.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Group(StrEnum):
    """The values are the custom resources of Ray nodes: `ray start --resources='{"rayocr_wait": 1}'`."""

    WAIT = "rayocr_wait"
    COMPUTE = "rayocr_compute"


GROUPS = tuple(Group)
_SHARE = 0.001  # of what a node offers: the resource tells nodes apart, and CPUs bound what runs there


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`groups`: those that are asked for. `driver_node`: Ray's id of the node that the driver is on."""

    groups: frozenset[Group] = frozenset()
    driver_node: str = ""

    def beside_the_driver(self) -> dict[str, Any]:
        """For the actors that the whole run needs, so that they do not go away with a node that the run could do without. Soft:
        where there is no room they live elsewhere. A byte of memory, since Ray ignores a soft affinity of an actor that asks for
        nothing, and never gives up an autoscaled node that such an actor lives on."""
        if not self.driver_node:
            return {}
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return {"scheduling_strategy": NodeAffinitySchedulingStrategy(self.driver_node, soft=True), "memory": 1}

    def on(self, group: Group) -> dict[str, Any]:
        """For the many: spread, so that a node that goes takes few of them along, and on nodes of their group."""
        options: dict[str, Any] = {"scheduling_strategy": "SPREAD"}
        if group in self.groups:
            options["resources"] = {group.value: _SHARE}
        return options

    def of_documents(self) -> dict[str, Any]:
        """Processes that fetch and assemble, beside the engines that wait where there are such nodes."""
        return self.on(Group.WAIT if Group.WAIT in self.groups else Group.COMPUTE)

    @property
    def documents_group(self) -> Group | None:
        """The group of the nodes that fetched documents lie on; None: any node."""
        return next((group for group in (Group.WAIT, Group.COMPUTE) if group in self.groups), None)


def placement(asked: bool | None, *, needed: frozenset[Group], offered: frozenset[Group], driver_node: str) -> Placement:
    """`asked`: None asks for what some node offers now; True for what the chain needs, also where an autoscaler has yet to bring
    such nodes. `needed`: by the stages of the chain."""
    there = offered if asked is None else needed
    return Placement(groups=needed & there if asked is not False else frozenset(), driver_node=driver_node)
