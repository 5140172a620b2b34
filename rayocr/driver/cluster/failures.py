"""Processes that end, and what is to blame: what they had in their hands, or the node that they lived on.

Ray hears of a process's end at once, and of a machine's after some 16 s. Until then all that is known is a broken
connection (ActorUnavailableError), for which no document may be blamed yet.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import ray
from ray import exceptions

from rayocr.actors.remote import answer
from rayocr.errors import ContentLost

ACTOR_FAILED: tuple[type[BaseException], ...] = (
    exceptions.ActorDiedError,
    exceptions.ActorUnavailableError,
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.OutOfMemoryError,
)
NODE_DIED = exceptions.NodeDiedError
CONTENT_LOST: tuple[type[BaseException], ...] = (ContentLost, exceptions.ObjectLostError)

_UNREACHABLE_S = 45.0  # a node that has not answered for so long is as good as gone; Ray gives it up after some 16 s
_ASK_AGAIN_S = 0.25


async def lost_with_node(worker: Any, node_id: str, error: BaseException) -> bool:
    """Whether the process, an actor with the method `node_id`, failed for its node's sake, or for the network's. Waits until
    that is known. To be asked before the actor is killed: it would only say by whom."""
    until = time.monotonic() + _UNREACHABLE_S
    while isinstance(error, exceptions.ActorUnavailableError):
        try:
            await asyncio.wait_for(answer(worker.node_id.remote()), until - time.monotonic())
            return True  # it is there again
        except TimeoutError:
            return True
        except ACTOR_FAILED as later:
            error = later
        await asyncio.sleep(_ASK_AGAIN_S)
    return isinstance(error, NODE_DIED) or await _is_gone(node_id)


async def _is_gone(node_id: str) -> bool:
    nodes = await asyncio.to_thread(ray.nodes)
    return not any(node["NodeID"] == node_id and node["Alive"] for node in nodes)


def kill(handle: Any) -> None:
    """Idempotent."""
    ray.kill(handle)
