"""Processes that end, and what is to blame: what they had in their hands, or the node that they lived on.

Ray hears of a process's end at once, and of a machine's after some 16 s. Until then all that is known is a broken
connection (ActorUnavailableError), for which no document may be blamed yet.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import ray
from ray import exceptions

from rayocr.actors.spawn import answer
from rayocr.errors import ContentLost, Quarantined
from rayocr.observe.logs import log_event

if TYPE_CHECKING:
    from rayocr.driver.cluster.actors import RayActors
    from rayocr.driver.scheduling.document_state import DocumentState

log = logging.getLogger(__name__)

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
_DEATHS_ALLOWED = 1  # of processes that had the document; the next one quarantines it


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


async def count_death(work: DocumentState, actors: RayActors, error: BaseException, *, alone: bool = True) -> None:
    """A process died that had the document. Alone, it counts, and the second time raises Quarantined; in company, the document is
    tried alone from now on; with its whole node, it says nothing about the document."""
    if isinstance(error, NODE_DIED):
        return
    log_event(
        log,
        "document_suspected",
        "A process died while it had the document.",
        level=logging.WARNING,
        document_id=work.document.document_id,
        alone=alone,
        error=str(error),
    )
    if work.deaths >= _DEATHS_ALLOWED and alone:
        why = await actors.why_ended(work.document.document_id)
        how = f"it took {why}" if why else "it crashed, or the system had no memory left"
        raise Quarantined(f"The document ended the process that read it, twice: {how}.") from error
    work.deaths += 1


async def _is_gone(node_id: str) -> bool:
    nodes = await asyncio.to_thread(ray.nodes)
    return not any(node["NodeID"] == node_id and node["Alive"] for node in nodes)


def kill(handle: Any) -> None:
    """Idempotent."""
    ray.kill(handle)
