"""Implements quarantine: fails a page that crashes two workers, and rejects a document that crashes two workers while it is
opened or that has several such pages, so that neither can stop the run."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rayocr.driver.cluster.actors import RunActors
from rayocr.driver.scheduling.flow.document_state import DocumentState
from rayocr.errors import ActorFailed, ClusterUnavailable, NodeLost, Quarantined, WorkerFailed
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_ASSEMBLY_CRASHES_ALLOWED = 4  # the last tries use neither the source nor the typesetter
_FAILURES_ALLOWED = 1  # number of crashes while the document is opened or a single page is read; the next one quarantines it
_CRASHED_PAGES_ALLOWED = 3  # number per document; each costs two workers and up to twice limits.page_timeout_s


async def count_fetch_failure(document: DocumentState, actors: RunActors, error: ActorFailed) -> None:
    """Records that a worker died while it fetched the document. Raises Quarantined the second time. A worker that died with its
    node does not count."""
    if isinstance(error, NodeLost):
        return
    _log_suspect(document, error, alone=True)
    if document.failures >= _FAILURES_ALLOWED:
        raise Quarantined(f"The document ended its worker process twice: {await _how(document, actors)}.") from error
    document.failures += 1
    document.fetch_failures += 1


async def count_page_failure(document: DocumentState, actors: RunActors, error: WorkerFailed, pages: Sequence[int]) -> None:
    """Records that a worker died, but not with its node, before it recorded these pages. The document is then read alone. If the
    worker had only one page, and an earlier crash had that page too, the page is the cause and is added to `document.crashed`.
    Raises Quarantined if there are too many such pages, or no other pages."""
    _log_suspect(document, error, alone=error.alone, pages=pages)
    document.failures += 1
    document.page_failures.update(pages)
    if not error.alone or len(pages) != 1:
        return
    page = pages[0]
    if document.fetch_failures + document.page_failures[page] <= _FAILURES_ALLOWED:
        return
    how = await _how(document, actors)
    crashed_unopened = page in document.crashed
    document.crashed[page] = f"The page ended its worker process twice: {how}."
    assert document.fetched is not None
    if crashed_unopened or len(document.crashed) >= document.fetched.page_count:
        raise Quarantined(f"The document ended its worker process twice: {how}.") from error
    if len(document.crashed) > _CRASHED_PAGES_ALLOWED:
        raise Quarantined(
            f"{len(document.crashed)} pages ended their worker process twice each, the last time: {how}."
        ) from error


def _log_suspect(document: DocumentState, error: ActorFailed, *, alone: bool, pages: Sequence[int] = ()) -> None:
    log_event(
        log,
        "document_suspected",
        "A worker died while it had the document.",
        level=logging.WARNING,
        document_id=document.document_id,
        pages=tuple(pages) or None,
        alone=alone,
        error=str(error),
    )


async def _how(document: DocumentState, actors: RunActors) -> str:
    why = await actors.why_ended(document.document_id)
    return f"it took {why}" if why else "it crashed, or the system ran out of memory"


def count_assembly_crash(document: DocumentState, error: ActorFailed) -> None:
    """Records that a worker died while it assembled the document. The next try omits the outputs that may have crashed it,
    because all pages are recorded and must not be lost. Raises ClusterUnavailable if even plain text cannot be written, since the
    document cannot be the cause."""
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
