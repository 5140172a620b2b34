"""Equal notes are stored once, and restored as one note per page."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.errors import RecordCorrupt
from rayocr.ledger.manifest import Manifest
from rayocr.ledger.note_ranges import folded, unfolded
from rayocr.messages import Attempt, PageOutcome, PageSummary
from tests.unit.ledger.test_manifest import build


def failed(number: int, message: str) -> PageSummary:
    return PageSummary(
        page_number=number,
        outcome=PageOutcome.FAILED,
        attempts=(Attempt(engine="pdf", reason="PageUnrenderable", message=message),),
    )


def test_twenty_thousand_equal_failures_take_a_kilobyte() -> None:
    manifest = build(tuple(failed(n, f"Page {n} cannot be loaded; it is damaged.") for n in range(1, 20_001)))
    data = manifest.to_json()
    assert len(data) < 3_000
    assert Manifest.from_json(data, name="m") == manifest


def test_pages_with_their_own_story_keep_it() -> None:
    pages = (failed(1, "Page 1 cannot be loaded."), failed(2, "Page 1 cannot be loaded."), failed(7, "Page 7 cannot be loaded."))
    manifest = build(pages)
    stored = json.loads(manifest.to_json())["notes"]
    assert [(note["page_number"], note.get("pages")) for note in stored] == [(1, "1,7"), (2, None)]
    assert Manifest.from_json(manifest.to_json(), name="m") == manifest


@given(st.lists(st.sampled_from(["Page 1 x", "page {page}", "Page 12", "y", "Page 2 of page 2"]), max_size=12))
def test_any_notes_come_back(messages: list[str]) -> None:
    manifest = build(tuple(failed(n, message) for n, message in enumerate(messages, start=1)))
    assert Manifest.from_json(manifest.to_json(), name="m") == manifest


@pytest.mark.parametrize("pages", ["1-999999999", "0-5,3", "x", 7.5])
def test_invalid_and_too_many_page_numbers_are_damage(pages: object) -> None:
    values = json.loads(build((failed(1, "a"),)).to_json())
    values["notes"][0]["pages"] = pages
    with pytest.raises(RecordCorrupt):
        Manifest.from_json(json.dumps(values).encode(), name="m")


def test_values_that_are_not_notes_are_passed_on() -> None:
    assert unfolded("notes") == "notes"
    assert unfolded([1, {"page_number": 2}]) == [1, {"page_number": 2}]
    assert folded([]) == []
