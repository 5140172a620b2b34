"""Beside the pages: this run makes itself known as alive, and what dead runs left in the ledger is tidied up."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rayocr.driver.scheduling.leases import LeaseKeeper
from rayocr.errors import Draining
from rayocr.observe.logs import log_event

if TYPE_CHECKING:
    from rayocr.driver.cluster.actors import RayActors

log = logging.getLogger(__name__)


def run_key(run_id: str) -> str:
    """Of the lease that a run holds as long as it lives; no document_id looks like it."""
    return f"run:{run_id}"


async def compact_ledger(actors: RayActors, leases: LeaseKeeper, run_id: str) -> None:
    """Never raises: a run does not depend on it."""
    try:
        await leases.acquire(run_key(run_id))
        others = await actors.other_runs()
        if others:
            alive = await leases.holders([run_key(other) for other in others])
            await actors.compact([other for other in others if run_key(other) in alive])
    except Draining:
        return
    except Exception as error:
        log_event(log, "housekeeping_failed", "Old segments were left as they are.", level=logging.WARNING, error=repr(error))
