"""The loader of all state: bounded, and damage is always RecordCorrupt with the object's name."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rayocr
from rayocr.actors.batch_queue.intents import BATCHES_PREFIX, read_intents
from rayocr.driver.monitor.spend_account import SPEND_PREFIX, SpendAccount
from rayocr.errors import ObjectTooLarge, RecordCorrupt
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.ledger.segment import decode_segment
from rayocr.observe.dead_letters import dead_letter_name, read_dead_letter
from rayocr.process import ProcessIdentity, host_identity
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
    monkeypatch.setattr("rayocr.storage.counted.MAX_OUTPUT_BYTES", 10)
    with pytest.raises(ObjectTooLarge):
        state.read("output.md")
    assert len(state.read("output.md", max_bytes=20)) == len(state.read("output.md", length=11)) == 11
    assert MAX_STATE_BYTES > 36 << 20  # the manifest of 100,000 failed pages


def test_millions_of_empty_lists_are_refused_before_they_fill_the_memory() -> None:
    with pytest.raises(RecordCorrupt, match="more than 4,000,000 values"):
        parse_object(b'{"a":[' + b"[]," * 4_000_000 + b"[]]}", name="o")


MANIFEST: dict[str, Any] = {
    "schema_version": 1,
    "document_id": "ab",
    "source_uri": "file:///a.pdf",
    "name": "a.pdf",
    "version": "1",
    "size_bytes": 1,
    "page_count": 2,
    "outcome": "complete",
    "settings_fingerprint": "f",
    "pages": {"done": "1-2"},
    "run_id": "r",
    "started_at": "",
    "finished_at": "",
}


@pytest.mark.parametrize(
    "damage",
    [
        {"cost_usd": "NaN"},
        {"cost_usd": "inf"},
        {"pages": {"done": "1-99999999"}},
        {"pages": {"done": "\u0661-\u0662"}},
        {"page_count": 1 << 62},
        {"notes": [{"page_number": 1, "outcome": "done", "agreement": "-Infinity"}]},
    ],
)
def test_a_manifest_with_numbers_that_no_document_has_is_damaged(damage: dict[str, Any]) -> None:
    assert Manifest.from_json(json.dumps(MANIFEST).encode(), name="m").page_count == 2
    with pytest.raises(RecordCorrupt, match="m is damaged"):
        Manifest.from_json(json.dumps(MANIFEST | damage).encode(), name="m")


def test_a_manifest_under_the_name_of_another_document_is_damaged() -> None:
    name = manifest_name("cd")
    assert Manifest.from_json(json.dumps(MANIFEST | {"document_id": "cd"}).encode(), name=name).document_id == "cd"
    for document_id in ("ab", "../../x"):
        with pytest.raises(RecordCorrupt, match="another document"):
            Manifest.from_json(json.dumps(MANIFEST | {"document_id": document_id}).encode(), name=name)


def test_the_message_about_a_damaged_field_is_short() -> None:
    with pytest.raises(RecordCorrupt) as raised:
        Manifest.from_json(json.dumps(MANIFEST | {"pages": {"done": "1" * 1_000_000}}).encode(), name="m")
    assert len(str(raised.value)) < 1_000


@pytest.mark.parametrize("value", ['"NaN"', '"inf"', "-1", "[]", "[" * 90_000 + "]" * 90_000])
def test_a_damaged_spending_record_counts_nothing_and_ends_nothing(value: str) -> None:
    state = open_storage("memory://spend-damage")
    day = "2026-11-27"
    state.write(f"{SPEND_PREFIX}2026-11/other.json", f'{{"days":{{"{day}":{value}}}}}'.encode())
    state.write(f"{SPEND_PREFIX}2026-11/intact.json", f'{{"days":{{"{day}":2.5}}}}'.encode())
    noon = datetime(2026, 11, 27, 20, tzinfo=UTC).timestamp()
    assert SpendAccount(state, "mine").spent_by_others(noon) == {day: 2.5}


# Text that rayocr or the user wrote: its own log lines and lists, credentials, the SDKs' descriptions of their services.
OWN_JSON = {
    "actors/discovery/ordering.py",
    "api/child.py",
    "api/process.py",
    "observe/logs.py",
    "storage/drive/client.py",
    "storage/drive/credentials.py",
    "storage/drive/token.py",
    "storage/gcs/client.py",
    "storage/gcs/pubsub.py",
    "untrusted_json.py",
    "view/index.py",
}


def test_json_that_others_wrote_is_parsed_by_the_one_loader() -> None:
    package = Path(rayocr.__file__).parent
    direct = {str(path.relative_to(package)) for path in package.rglob("*.py") if "json.load" in path.read_text()}
    assert direct <= OWN_JSON


def test_a_record_of_a_process_that_no_system_has_is_of_a_dead_one() -> None:
    assert ProcessIdentity(host=host_identity(), pid=1 << 62, started="").is_dead()
