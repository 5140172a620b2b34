"""Quarantine: a document whose processing ends two worker processes is rejected, so that it cannot stop the run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rayocr.driver.cluster.failures import NODE_DIED
from rayocr.driver.scheduling.document_state import DocumentState
from rayocr.errors import ClusterUnavailable, Quarantined
from rayocr.observe.logs import log_event

if TYPE_CHECKING:
    from rayocr.driver.cluster.actors import RayActors

log = logging.getLogger(__name__)

_ASSEMBLY_CRASHES_ALLOWED = 4  # the last tries use neither the source nor the typesetter
_DEATHS_ALLOWED = 1  # of processes that had the document; the next one quarantines it


def count_assembly_crash(work: DocumentState, error: BaseException) -> None:
    """A process died while it assembled the document. The next try does without what may have crashed it, since the document's
    pages are all on record and must not be lost. Raises ClusterUnavailable where even plain text cannot be written: that is not
    the document's fault."""
    if isinstance(error, NODE_DIED):
        return
    work.assembly_crashes += 1
    log_event(
        log,
        "assembly_crashed",
        "A process died while it assembled a document.",
        level=logging.WARNING,
        document_id=work.document.document_id,
        attempt=work.assembly_crashes,
        error=str(error),
    )
    if work.assembly_crashes > _ASSEMBLY_CRASHES_ALLOWED:
        raise ClusterUnavailable(
            f"{work.assembly_crashes} processes died while they wrote the outputs of {work.document.name}.",
            hint="All its pages are on record. Check the memory of the machine, then run the same command again.",
        ) from error


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
