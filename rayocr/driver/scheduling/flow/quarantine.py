"""Quarantine: a document that crashes two of its worker processes is rejected, so that it cannot stop the run."""

from __future__ import annotations

import logging

from rayocr.driver.cluster.actors import RunActors
from rayocr.driver.scheduling.flow.document_state import DocumentState
from rayocr.errors import ActorFailed, ClusterUnavailable, NodeLost, Quarantined
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_ASSEMBLY_CRASHES_ALLOWED = 4  # the last tries use neither the source nor the typesetter
_FAILURES_ALLOWED = 1  # crashes of workers that had the document; the next one quarantines it


async def count_failure(document: DocumentState, actors: RunActors, error: ActorFailed, *, alone: bool = True) -> None:
    """A worker died while it had the document. If it had nothing else, the document counts as the cause, and the second time this
    raises Quarantined; otherwise the document is read alone from now on. A worker that died with its node does not count."""
    if isinstance(error, NodeLost):
        return
    log_event(
        log,
        "document_suspected",
        "A worker died while it had the document.",
        level=logging.WARNING,
        document_id=document.document_id,
        alone=alone,
        error=str(error),
    )
    if document.failures >= _FAILURES_ALLOWED and alone:
        why = await actors.why_ended(document.document_id)
        how = f"it took {why}" if why else "it crashed, or the system ran out of memory"
        raise Quarantined(f"The document ended its worker process twice: {how}.") from error
    document.failures += 1


def count_assembly_crash(document: DocumentState, error: ActorFailed) -> None:
    """A worker died while it assembled the document. The next try leaves out what may have crashed it, because the document's
    pages are all recorded and must not be lost. Raises ClusterUnavailable if even plain text cannot be written: that is not the
    document's fault."""
    if isinstance(error, NodeLost):
        return
    document.assembly_crashes += 1
    log_event(
        log,
        "assembly_crashed",
        "A worker died while it assembled a document.",
        level=logging.WARNING,
        document_id=document.document_id,
        attempt=document.assembly_crashes,
        error=str(error),
    )
    if document.assembly_crashes > _ASSEMBLY_CRASHES_ALLOWED:
        raise ClusterUnavailable(
            f"{document.assembly_crashes} workers died while they wrote the outputs of {document.document.name}.",
            hint="All its pages are recorded. Check the memory of the machine, then run the same command again.",
        ) from error
