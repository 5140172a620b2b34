"""Determines whether a process on a Ray cluster ended by itself or with its node. Importing this module imports Ray. Ray notices
the end of a process immediately, and the loss of a machine after about 16 s. Until then only the broken connection is known
(ActorUnreachable), and no document may be blamed for it yet.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import ray

from rayocr.errors import ActorFailed, ActorUnreachable, NodeLost

_UNREACHABLE_S = 45.0  # after this time a node counts as lost; Ray declares it dead after about 16 s
_ASK_AGAIN_S = 0.25


async def lost_with_node(ask: Callable[[], Awaitable[object]], node_id: str, error: ActorFailed) -> bool:
    """Returns whether an actor on that node failed because of the node or the network. `ask` calls the actor. Waits until the
    cause is known. Call it before the actor is killed; otherwise only the kill is visible."""
    until = time.monotonic() + _UNREACHABLE_S
    while isinstance(error, ActorUnreachable):
        try:
            await asyncio.wait_for(ask(), until - time.monotonic())
            return True  # the actor is available again
        except TimeoutError:
            return True
        except ActorFailed as later:
            error = later
        await asyncio.sleep(_ASK_AGAIN_S)
    return isinstance(error, NodeLost) or await _is_gone(node_id)


async def _is_gone(node_id: str) -> bool:
    nodes = await asyncio.to_thread(ray.nodes)
    return not any(node["NodeID"] == node_id and node["Alive"] for node in nodes)
