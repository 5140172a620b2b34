"""Crashed processes never count against a document whose pages are all recorded."""

from __future__ import annotations

import pytest

from rayocr.driver.scheduling.flow.document_state import DocumentState
from rayocr.driver.scheduling.flow.quarantine import count_assembly_crash
from rayocr.errors import ActorFailed, ClusterUnavailable, DocumentError, NodeLost
from rayocr.locks.base import Lease
from rayocr.messages import Document

DOCUMENT = Document(document_id="d" * 32, source_uri="file:///in/a.pdf", name="a.pdf", output_name="a", version="1", size_bytes=9)


def state() -> DocumentState:
    return DocumentState(DOCUMENT, Lease(key="d" * 32, owner="me", fencing_token=1))


def test_crashes_are_counted_for_the_next_try_and_end_the_run_at_last_but_never_the_document() -> None:
    work = state()
    for crashes in (1, 2, 3, 4):
        count_assembly_crash(work, ActorFailed())
        assert (work.assembly_crashes, work.failures) == (crashes, 0)
    with pytest.raises(ClusterUnavailable, match="outputs of a") as raised:
        count_assembly_crash(work, ActorFailed())
    assert not isinstance(raised.value, DocumentError)


def test_a_node_that_dies_says_nothing_about_the_document() -> None:
    work = state()
    count_assembly_crash(work, NodeLost("gone"))
    assert work.assembly_crashes == 0
