"""The loader of all state: bounded, and damage is always RecordCorrupt with the object's name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rayocr.actors.batch_queue.intents import BATCHES_PREFIX, read_intents
from rayocr.errors import RecordCorrupt
from rayocr.ledger.manifest import Manifest
from rayocr.ledger.segment import decode_segment
from rayocr.observe.dead_letters import dead_letter_name, read_dead_letter
from rayocr.storage.base import MAX_STATE_BYTES
from rayocr.storage.factory import open_storage
from rayocr.untrusted_json import MAX_DEPTH, parse_object

BAD = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep lists": b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "just too deep": b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
    "deep, with a lone surrogate": b'{"n":"\\ud800","a":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a long integer": b'{"a":' + b"9" * 4_000 + b"}",
    "a very long integer": b'{"a":' + b"9" * 10_000 + b"}",
    "no number": b'{"a":NaN}',
    "an infinite number": b'{"a":1e999}',
    "no UTF-8": b'{"a":"\xff\xfe"}',
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_damage_is_record_corrupt_with_the_name_of_the_object(data: bytes) -> None:
    with pytest.raises(RecordCorrupt, match="the/object"):
        parse_object(data, name="the/object")


def test_what_rayocr_writes_is_read() -> None:
    assert parse_object(b'{"name":"\\udc80.pdf","n":[1,2.5,{"a":null}]}', name="o")["name"] == "\udc80.pdf"


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=6), children, max_size=4),
    max_leaves=20,
)
fields = st.sampled_from(
    [
        "schema_version",
        "document_id",
        "name",
        "outcome",
        "pages",
        "notes",
        "run_id",
        "at",
        "tries",
        "keys",
        "created_at",
        "reason",
    ]
)
texts = st.binary(max_size=200) | st.dictionaries(fields, json_values, max_size=8).map(lambda v: json.dumps(v).encode())
LOADERS: dict[str, Callable[[bytes], object]] = {
    "manifest": lambda data: Manifest.from_json(data, name="o"),
    "segment": lambda data: decode_segment("o", data),
}


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
@given(data=texts)
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise_anything_else(load: Callable[[bytes], object], data: bytes) -> None:
    try:
        load(data)
    except RecordCorrupt as error:
        assert "o" in str(error)


@given(data=texts)
@settings(max_examples=100, deadline=None)
def test_no_bytes_under_the_state_raise_anything_else(data: bytes) -> None:
    state = open_storage("memory://fuzzed-state")
    name = dead_letter_name("ab" * 16)
    state.write(name, data)
    state.write(f"{BATCHES_PREFIX}x.json", data)
    try:
        read_dead_letter(state, name)
    except RecordCorrupt as error:
        assert name in str(error)
    list(read_intents(state))


def test_an_object_of_the_state_that_is_too_large_is_corrupt_and_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayocr.storage.counted.MAX_STATE_BYTES", 10)
    state = open_storage("memory://large-state")
    state.write(".rayocr/documents/x.json", b"x" * 11)
    state.write("output.md", b"x" * 11)
    with pytest.raises(RecordCorrupt, match=r"x\.json"):
        state.read(".rayocr/documents/x.json")
    assert len(state.read("output.md")) == 11
    assert MAX_STATE_BYTES > 36 << 20  # the manifest of 100,000 failed pages
