"""A source whose objects can be listed but not read stops the run; a few denied objects do not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from rayocr.driver.cluster.actors import RunActors
from rayocr.driver.scheduling.flow.fetching import Fetching
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import StorageDenied, UnreadableSource

DENIED = UnreadableSource("The document cannot be read: 403.", hint="The role Object Viewer.", denied=True)


def fetching() -> Fetching:
    return Fetching(cast(RunActors, SimpleNamespace(fetch=fetched)), progress=Progress(), check=lambda state: None)


async def fetched(document: object) -> tuple[Any, bytes]:
    return SimpleNamespace(page_count=1), b"%PDF"


def state(scheme: str = "gs") -> Any:
    return SimpleNamespace(document=SimpleNamespace(source_uri=f"{scheme}://bucket/a.pdf"))


def test_when_the_first_five_are_denied_the_run_stops() -> None:
    subject = fetching()
    for _ in range(4):
        subject.check_denied(state(), DENIED)
    with pytest.raises(StorageDenied, match="first 5 documents") as raised:
        subject.check_denied(state(), DENIED)
    assert raised.value.hint == "The role Object Viewer."


async def test_after_a_document_was_read_denied_documents_do_not_stop_the_run() -> None:
    subject = fetching()
    await subject.fetch(state())
    for _ in range(20):
        subject.check_denied(state(), DENIED)


def test_denied_files_of_a_folder_do_not_stop_the_run() -> None:
    subject = fetching()
    for _ in range(20):
        subject.check_denied(state("file"), DENIED)
        subject.check_denied(state(), UnreadableSource("It has a key of its own."))
