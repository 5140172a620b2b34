"""Decides where on a cluster the actors of a run are placed. Defines the custom resources that node groups offer; spawn.py uses
this module.

Without such resources, actors may run on any node and are spread over the nodes. With them, engines that wait for a server run on
nodes that offer `rayocr_wait` (small and cheap ones), and engines that compute on nodes that offer `rayocr_compute`
(docs/decisions/0021-node-groups-by-custom-resource.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Group(StrEnum):
    """A node group. The values are the custom resources of Ray nodes: `ray start --resources='{"rayocr_wait": 1}'`."""

    WAIT = "rayocr_wait"
    COMPUTE = "rayocr_compute"


GROUPS = tuple(Group)
_SHARE = 0.001  # share of the resource that a node offers, which only distinguishes nodes; CPUs limit the actors there


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Decides the placement. `groups`: the requested groups. `driver_node`: Ray's id of the driver's node."""

    groups: frozenset[Group] = frozenset()
    driver_node: str = ""

    def beside_the_driver(self) -> dict[str, Any]:
        """Returns the options of actors that the whole run needs. These actors are placed with the driver, so that losing another
        node does not end them. The affinity is soft, so they run on another node if the driver's node has no room. They request
        one byte of memory, because Ray ignores a soft affinity of an actor that requests no resources, and never removes an
        autoscaled node with such an actor."""
        if not self.driver_node:
            return {}
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return {"scheduling_strategy": NodeAffinitySchedulingStrategy(self.driver_node, soft=True), "memory": 1}

    def on(self, group: Group) -> dict[str, Any]:
        """Returns the options of worker actors: on nodes of their group, and spread, so that losing a node ends few of them."""
        options: dict[str, Any] = {"scheduling_strategy": "SPREAD"}
        if group in self.groups:
            options["resources"] = {group.value: _SHARE}
        return options

    def of_documents(self) -> dict[str, Any]:
        """Returns the options of processes that fetch and assemble: on the nodes of waiting engines, if there are any."""
        return self.on(Group.WAIT if Group.WAIT in self.groups else Group.COMPUTE)

    @property
    def documents_group(self) -> Group | None:
        """Returns the group of the nodes that hold fetched documents; None: any node."""
        return next((group for group in (Group.WAIT, Group.COMPUTE) if group in self.groups), None)


def placement(asked: bool | None, *, needed: frozenset[Group], offered: frozenset[Group], driver_node: str) -> Placement:
    """Creates the placement. `asked`: None requests only groups that a node offers now; True requests all groups of the chain,
    even if an autoscaler has yet to add such nodes. `needed`: the groups that the stages of the chain need."""
    there = offered if asked is None else needed
    return Placement(groups=needed & there if asked is not False else frozenset(), driver_node=driver_node)
