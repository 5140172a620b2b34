"""A source whose objects can be listed but not read stops the run; a few denied objects do not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.driver.scheduling.flow.document_flow import DocumentFlow
from rayocr.errors import StorageDenied, UnreadableSource

DENIED = UnreadableSource("The document cannot be read: 403.", hint="The role Object Viewer.", denied=True)


def flow() -> DocumentFlow:
    found = object.__new__(DocumentFlow)
    found._denied = 0
    return found


def state(scheme: str = "gs") -> Any:
    return SimpleNamespace(document=SimpleNamespace(source_uri=f"{scheme}://bucket/a.pdf"))


def test_when_the_first_five_are_denied_the_run_stops() -> None:
    subject = flow()
    for _ in range(4):
        subject._check_denied(state(), DENIED)
    with pytest.raises(StorageDenied, match="first 5 documents") as raised:
        subject._check_denied(state(), DENIED)
    assert raised.value.hint == "The role Object Viewer."


def test_after_one_that_could_be_read_each_is_a_fault_of_its_own() -> None:
    subject = flow()
    subject._denied = -1  # as after a fetch
    for _ in range(20):
        subject._check_denied(state(), DENIED)
    assert subject._denied == -1


def test_in_a_folder_each_file_has_permissions_of_its_own() -> None:
    subject = flow()
    for _ in range(20):
        subject._check_denied(state("file"), DENIED)
        subject._check_denied(state(), UnreadableSource("It has a key of its own."))
    assert subject._denied == 0
