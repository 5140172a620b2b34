"""How the driver interprets Ray's node data, without Ray."""

from __future__ import annotations

import asyncio

from rayocr.actors.placement import Group, Placement, placement
from rayocr.driver.cluster.nodes import Nodes, nodes_of, watch_nodes

BOTH = frozenset({Group.WAIT, Group.COMPUTE})
HEAD = {"NodeID": "head", "Alive": True, "Resources": {"memory": 1.0}}
SMALL = {"NodeID": "small", "Alive": True, "Resources": {"CPU": 2.0, "rayocr_wait": 1.0}}
LARGE = {"NodeID": "large", "Alive": True, "Resources": {"CPU": 8.0, "GPU": 2.0, "rayocr_compute": 1.0}}


def test_nodes_are_counted_by_what_they_offer_and_not_when_they_are_leaving() -> None:
    there = nodes_of([HEAD, SMALL, LARGE], {"large": 123})
    assert there.groups == BOTH
    assert there.leaving == {"large"}
    assert (there.cpus(), there.cpus(Group.WAIT), there.cpus(Group.COMPUTE)) == (2, 2, 0)
    assert [node.node_id for node in there.staying(Group.WAIT)] == ["small"]
    assert (there.gpu_workers(0.5), nodes_of([LARGE], ()).gpu_workers(0.5)) == (0, 4)


def test_groups_are_asked_for_where_some_node_offers_them_and_the_chain_needs_them() -> None:
    waits = frozenset({Group.WAIT})
    assert placement(None, needed=BOTH, offered=frozenset(), driver_node="n").groups == frozenset()
    assert placement(None, needed=BOTH, offered=waits, driver_node="n").groups == waits
    assert placement(None, needed=waits, offered=BOTH, driver_node="n").groups == waits
    assert placement(True, needed=BOTH, offered=frozenset(), driver_node="n").groups == BOTH
    assert placement(False, needed=BOTH, offered=BOTH, driver_node="n").groups == frozenset()


def test_without_groups_no_actor_requires_a_resource_that_no_node_has() -> None:
    assert "resources" not in Placement().on(Group.WAIT)
    assert "resources" not in Placement().of_documents()
    assert Placement().beside_the_driver() == {}


def test_documents_are_fetched_where_engines_wait_or_else_where_they_compute() -> None:
    assert set(Placement(groups=BOTH).of_documents()["resources"]) == {"rayocr_wait"}
    assert set(Placement(groups=frozenset({Group.COMPUTE})).of_documents()["resources"]) == {"rayocr_compute"}


async def test_a_control_store_that_is_briefly_unavailable_is_asked_again() -> None:
    answers = [ConnectionError("away"), nodes_of([SMALL], ()), nodes_of([SMALL, LARGE], ())]
    heard: list[Nodes] = []
    done = asyncio.Event()

    def refreshed() -> Nodes:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    class Follower:
        async def follow(self, nodes: Nodes) -> None:
            heard.append(nodes)
            if len(nodes.nodes) == 2:
                done.set()

    watching = asyncio.create_task(watch_nodes([Follower()], read=refreshed, every_s=0))
    await done.wait()
    watching.cancel()
    assert [len(nodes.nodes) for nodes in heard[:2]] == [1, 2]
