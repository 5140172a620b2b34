from __future__ import annotations

import logging

import pytest

from rayocr.actors.page_worker.page_log import log_defect, log_page
from rayocr.messages import Attempt, Document, DocumentContext, PageOutcome, PageRecord

DOCUMENT = Document(document_id="fold", source_uri="u", name="a.pdf", output_name="a", version="1", size_bytes=9)
CONTEXT = DocumentContext(document=DOCUMENT, page_count=5_000, title=None, fencing_token=1)


def failed(number: int, reason: str) -> PageRecord:
    attempt = Attempt(engine="pdf", reason=reason, message=f"Page {number} cannot be loaded.")
    return PageRecord(document_id="fold", page_number=number, outcome=PageOutcome.FAILED, attempts=(attempt,))


def test_failures_of_a_document_for_one_reason_are_folded(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "rayocr"):
        for number in range(1, 5_001):
            log_page(failed(number, "PageUnrenderable"), CONTEXT, duration_s=0.0)
        log_page(failed(1, "EmptyAnswer"), CONTEXT, duration_s=0.0)
    fields = [record.rayocr_fields for record in caplog.records]  # type: ignore[attr-defined]
    assert len(fields) == 20 + 5 + 1
    told = sum(int(line.get("folded", 0)) + 1 for line in fields if line["error"] == "PageUnrenderable")
    assert told == 5_000
    assert fields[-1]["error"] == "EmptyAnswer"


def test_an_unexpected_error_on_a_page_leaves_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ZeroDivisionError("a page of 2³¹ points")
    except ZeroDivisionError as error:
        with caplog.at_level(logging.ERROR, "rayocr"):
            log_defect(error, CONTEXT, 3)
    (record,) = caplog.records
    assert record.exc_info is not None and record.exc_info[0] is ZeroDivisionError
    assert record.rayocr_fields["action"] == "page_crashed"  # type: ignore[attr-defined]
    assert record.rayocr_fields["page_number"] == 3  # type: ignore[attr-defined]
