"""Writes the log lines of a worker about a page: it was read, it failed, it is retried."""

from __future__ import annotations

import logging
from collections import OrderedDict

from rayocr.engines.stages import PageProgress
from rayocr.errors import RayocrError
from rayocr.messages import DocumentContext, PageOutcome, PageRecord
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_LOGGED_EACH = 20  # number of failures of one document with the same reason that are logged individually
_LOGGED_EVERY = 1_000  # after that, one line per this many failures
_DOCUMENTS = 1_000  # maximum number of documents whose failures are counted


class _Repeats:
    """Limits the log lines about failures of a document with the same reason: a file can claim a hundred thousand broken
    pages."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str], int] = OrderedDict()

    def repeats(self, document_id: str, reason: str) -> int | None:
        """Returns the number of earlier failures that have not been logged or counted yet; None if this one should not be
        logged."""
        key = (document_id, reason)
        count = self._counts[key] = self._counts.pop(key, 0) + 1
        if len(self._counts) > _DOCUMENTS:
            self._counts.popitem(last=False)
        if count <= _LOGGED_EACH:
            return 0
        return None if count % _LOGGED_EVERY else (_LOGGED_EVERY if count > _LOGGED_EVERY else count - _LOGGED_EACH) - 1


_failures = _Repeats()


def log_page(record: PageRecord, context: DocumentContext, *, duration_s: float) -> None:
    """Logs a page. `attempt`: the number of this try on the page, over engines, models and runs."""
    failed = record.outcome is PageOutcome.FAILED
    last = record.attempts[-1] if record.attempts else None
    fields = {"error": last.reason, "reason": last.message} if last else {}
    if failed and (folds := _failures.repeats(record.document_id, last.reason if last else "")) is None:
        return
    if failed and folds:
        fields["folded"] = str(folds)
    action, words = ("page_failed", "A page could not be read.") if failed else ("page_recognized", "A page is read.")
    if record.outcome is PageOutcome.HANDED_ON:
        action, words = "page_handed_on", "The page is passed to the next engines."
    log_event(
        log,
        action,
        words,
        level=logging.WARNING if failed else logging.INFO,
        document_id=record.document_id,
        name=context.document.name,
        page_number=record.page_number,
        outcome=record.outcome.value,
        attempt=len(record.attempts) + (not failed),
        engine=record.engine or (last.engine if last else ""),
        model=record.model or (last.model if last else ""),
        duration_s=round(duration_s, 3),
        cost_usd=round(record.cost_usd, 6),
        **fields,
    )


def log_defect(error: Exception, context: DocumentContext, page_number: int) -> None:
    """Logs an unexpected exception with its traceback. Limits the lines about repeated exceptions, as for failures."""
    document_id = context.document.document_id
    if _failures.repeats(document_id, f"bug: {type(error).__name__}") is None:
        return
    fields = {"document_id": document_id, "name": context.document.name, "page_number": page_number}
    log.error("A bug in rayocr ended a page.", exc_info=error, extra={"rayocr_fields": {"action": "page_crashed", **fields}})


def log_retry(progress: PageProgress, model: str, attempt: int, error: RayocrError, delay_s: float) -> None:
    """Logs that a page is requested again because a server did not answer or refused temporarily."""
    log_event(
        log,
        "page_retry_scheduled",
        "The page is requested again.",
        document_id=progress.document_id,
        page_number=progress.page_number,
        attempt=attempt,
        model=model,
        error=error.reason,
        reason=str(error),
        delay_s=round(delay_s, 3),
    )
