"""A source whose objects can be listed but not read stops the run; a few denied objects do not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from rayocr.driver.cluster.actors import RunActors
from rayocr.driver.scheduling.flow.document_state import DocumentState
from rayocr.driver.scheduling.flow.fetching import Fetching
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import ActorFailed, StorageDenied, UnreadableSource
from rayocr.locks.base import Lease
from rayocr.messages import Document

DOCUMENT = Document(document_id="d" * 32, source_uri="file:///in/a.pdf", name="a.pdf", output_name="a", version="1", size_bytes=9)
DENIED = UnreadableSource("The document cannot be read: 403.", hint="The role Object Viewer.", denied=True)


def fetching() -> Fetching:
    return Fetching(cast(RunActors, SimpleNamespace(fetch=fetched)), progress=Progress(), check=lambda state: None)


async def fetched(document: object, *, load_pages: bool = True) -> tuple[Any, bytes]:
    return SimpleNamespace(page_count=1), b"%PDF"


def state(scheme: str = "gs") -> Any:
    return SimpleNamespace(document=SimpleNamespace(source_uri=f"{scheme}://bucket/a.pdf"), fetch_failures=0)


def test_when_the_first_five_are_denied_the_run_stops() -> None:
    subject = fetching()
    assert denied_until_stopped(subject) == 5
    with pytest.raises(StorageDenied, match="first 6 documents") as raised:
        subject.check_denied(state(), DENIED)
    assert raised.value.hint == "The role Object Viewer."


async def test_after_a_document_was_read_denied_documents_do_not_stop_the_run() -> None:
    subject = fetching()
    await subject.fetch(state())
    assert denied_until_stopped(subject) is None


def test_denied_files_of_a_folder_do_not_stop_the_run() -> None:
    assert denied_until_stopped(fetching(), scheme="file") is None


def test_documents_with_a_key_of_their_own_do_not_stop_the_run() -> None:
    assert denied_until_stopped(fetching(), UnreadableSource("It has its own key.")) is None


def denied_until_stopped(subject: Fetching, error: UnreadableSource = DENIED, scheme: str = "gs") -> int | None:
    """How many documents are denied before the run stops; None: more than 20."""
    for number in range(1, 21):
        try:
            subject.check_denied(state(scheme), error)
        except StorageDenied:
            return number
    return None


async def test_after_a_crash_the_document_is_fetched_without_loading_its_pages() -> None:
    """One page that ends its process must not cost the document."""
    loads: list[bool] = []

    async def crash_on_pages(document: object, *, load_pages: bool) -> tuple[Any, bytes]:
        loads.append(load_pages)
        if load_pages:
            raise ActorFailed("killed")
        return SimpleNamespace(page_count=3), b"%PDF"

    subject = Fetching(cast(RunActors, SimpleNamespace(fetch=crash_on_pages)), progress=Progress(), check=lambda state: None)
    work = DocumentState(DOCUMENT, Lease(key="d" * 32, owner="me", fencing_token=1))
    assert (await subject.fetch(work)).page_count == 3
    assert (loads, work.failures) == ([True, False], 1)
