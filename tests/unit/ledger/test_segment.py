"""Segments: encoded records are restored; damaged ones are reported and never read as pages."""

from __future__ import annotations

import json
import random
import tracemalloc
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from rayocr.ledger.segment import (
    LEDGER_PREFIX,
    MAX_SEGMENT_BYTES,
    SCHEMA_VERSION,
    decode_segment,
    documents_of,
    encode_segment,
    segment_name,
)
from rayocr.messages import Attempt, PageOutcome, PageRecord

texts = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates too

_ATTEMPTS = st.builds(
    Attempt,
    engine=texts,
    reason=texts,
    message=texts,
    model=texts,
    finish=texts,
    input_tokens=st.integers(0, 2**40),
    output_tokens=st.integers(0, 2**40),
    cached_tokens=st.integers(0, 2**40),
    cost_usd=st.floats(0, 1e6),
)

page_records = st.builds(
    PageRecord,
    document_id=texts.filter(bool),
    page_number=st.integers(1, 10**6),
    outcome=st.sampled_from(PageOutcome),
    text=texts,
    engine=texts,
    model=texts,
    input_tokens=st.integers(0, 2**40),
    output_tokens=st.integers(0, 2**40),
    cached_tokens=st.integers(0, 2**40),
    cost_usd=st.floats(0, 1e6),
    attempts=st.lists(_ATTEMPTS, max_size=2).map(tuple),
    next_engine=st.integers(0, 5),
    doubts=st.lists(texts, max_size=2).map(tuple),
    fencing_token=st.integers(0, 2**53),
    fingerprint=texts,
    agreement=st.none() | st.floats(0, 1),
)


def pages(count: int) -> list[PageRecord]:
    random_words = random.Random(7)
    words = [bytes(random_words.choices(range(97, 123), k=6)).decode() for _ in range(2000)]
    return [
        PageRecord(
            document_id=f"{number // 10:032x}",
            page_number=number % 10 + 1,
            outcome=PageOutcome.DONE,
            text=" ".join(random_words.choices(words, k=300)),
            engine="gemini",
            fencing_token=number,
        )
        for number in range(count)
    ]


def compressed(*lines: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(b"".join(line + b"\n" for line in lines))


def line(body: dict[str, Any]) -> bytes:
    text = json.dumps(body, separators=(",", ":")).encode()[:-1]
    return b'%b,"crc32":"%08x"}' % (text, zlib.crc32(text))


HEADER = {"format": "rayocr-segment", "schema_version": 1, "run_id": "r", "seq": 0, "created_at": "", "records": 1}


def test_names_sort_in_the_order_of_writing() -> None:
    assert segment_name("run", 7) == f"{LEDGER_PREFIX}run/00000007.jsonl.zst"
    assert sorted(segment_name("run", n) for n in range(200)) == [segment_name("run", n) for n in range(200)]


@given(st.lists(page_records, max_size=8))
def test_any_records_make_the_round_trip(records: list[PageRecord]) -> None:
    decoded = decode_segment("s", encode_segment(records, run_id="run \udc80", seq=3))
    assert decoded.records == records
    assert decoded.damage == []
    assert (decoded.run_id, decoded.seq) == ("run \udc80", 3)


def test_the_header_says_who_wrote_it_and_when() -> None:
    data = encode_segment([], run_id="run", seq=1, now=lambda: datetime(2026, 11, 1, tzinfo=UTC))
    decoded = decode_segment("s", data)
    assert (decoded.run_id, decoded.seq, decoded.created_at) == ("run", 1, "2026-11-01T00:00:00+00:00")


def test_every_line_is_json_that_other_tools_read() -> None:
    records = [*pages(2), PageRecord(document_id="x", page_number=1, outcome=PageOutcome.FAILED, text="lone \udc80")]
    payload = zstandard.ZstdDecompressor().decompress(encode_segment(records, run_id="r", seq=0))
    lines = [json.loads(text) for text in payload.splitlines()]
    assert [body["schema_version"] for body in lines] == [SCHEMA_VERSION] * 4
    assert lines[3]["text"] == "lone \udc80"


# -- damage -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"\0" * 100, "not a ledger segment"),
        (b"%PDF-1.7", "not a ledger segment"),
        (b'{"json": "lines"}\n', "not a ledger segment"),
        (b"\x28\xb5\x2f\xfd", "truncated"),
        (compressed(b"no json"), "Line 1 is damaged"),
        (compressed(b'{"foreign": "json"}'), "Line 1 is damaged"),
        (compressed(line(HEADER)), "declares 1 records, but the file has 0"),
        (compressed(line(HEADER), b""), "Line 2 is damaged"),
        (encode_segment([], run_id="r", seq=0) + b"more", "data after the end"),
        (encode_segment([], run_id="r", seq=0) + b"x" * 200_000, "data after the end"),
    ],
)
def test_a_damaged_segment_is_reported_and_yields_no_records(data: bytes, sentence: str) -> None:
    decoded = decode_segment("s", data)
    assert decoded.records == []
    assert sentence in " ".join(decoded.damage)


def test_a_segment_that_was_cut_off_gives_the_pages_before_the_cut() -> None:
    records = pages(800)
    data = encode_segment(records, run_id="r", seq=0)
    assert len(data) > 300_000
    kept = []
    for share in (0.1, 0.5, 0.9, 0.999):
        decoded = decode_segment("s", data[: int(len(data) * share)])
        assert decoded.records == records[: len(decoded.records)]
        assert "truncated" in " ".join(decoded.damage)
        kept.append(len(decoded.records))
    assert kept[0] > 0
    assert kept == sorted(kept)
    assert kept[2] > 400


SEGMENT_PAGES = pages(150)
SEGMENT = encode_segment(SEGMENT_PAGES, run_id="r", seq=0)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SEGMENT) - 1), st.integers(1, 255))
def test_a_flipped_byte_never_makes_a_page_that_was_not_written(position: int, flip: int) -> None:
    damaged = bytearray(SEGMENT)
    damaged[position] ^= flip
    decoded = decode_segment("s", bytes(damaged))
    written = {record.fencing_token: record for record in SEGMENT_PAGES}
    assert all(written[record.fencing_token] == record for record in decoded.records)
    assert decoded.damage or decoded.records == SEGMENT_PAGES


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_it_fall_over(data: bytes) -> None:
    for candidate in (data, b"\x28\xb5\x2f\xfd" + data, compressed(data), compressed(line(HEADER), data)):
        decoded = decode_segment("s", candidate)
        assert decoded.damage
        assert decoded.records == []


def test_a_damaged_line_costs_that_page_only() -> None:
    payload = zstandard.ZstdDecompressor().decompress(encode_segment(SEGMENT_PAGES, run_id="r", seq=0))
    payload = payload.replace(SEGMENT_PAGES[5].text.encode(), b"something else")
    decoded = decode_segment("s", zstandard.ZstdCompressor(write_checksum=True).compress(payload))
    assert decoded.records == [record for record in SEGMENT_PAGES if record != SEGMENT_PAGES[5]]
    assert decoded.damage == ["Line 7 is damaged."]


def test_records_of_a_newer_schema_are_reported_once_and_the_others_read() -> None:
    payload = zstandard.ZstdDecompressor().decompress(encode_segment(SEGMENT_PAGES[:1], run_id="r", seq=0)).splitlines()
    newer = line({"schema_version": SCHEMA_VERSION + 1, "page": "in some new form"})
    decoded = decode_segment("s", compressed(line(HEADER | {"records": 3}), payload[1], newer, newer))
    assert decoded.records == SEGMENT_PAGES[:1]
    assert len(decoded.damage) == 1
    assert "newer rayocr" in decoded.damage[0]


GOOD = json.loads(zstandard.ZstdDecompressor().decompress(encode_segment(pages(1), run_id="r", seq=0)).splitlines()[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"document_id": ""},
        {"document_id": 5},
        {"page_number": 0},
        {"page_number": "1"},
        {"page_number": True},
        {"page_number": 1.0},
        {"outcome": "new_outcome"},
        {"outcome": None},
        {"text": None},
        {"cost_usd": "1"},
        {"attempts": [{"engine": "x"}]},
        {"attempts": [{"engine": "x", "reason": "y", "message": "z", "model": 5}]},
        {"attempts": [{"engine": "x", "reason": "y", "message": "z", "input_tokens": "9"}]},
        {"attempts": 5},
        {"attempts": "abc"},
        {"doubts": "abc"},
        {"doubts": [1]},
    ],
)
def test_a_line_with_a_good_checksum_and_wrong_fields_is_not_a_page(changes: dict[str, Any]) -> None:
    body = {key: value for key, value in (GOOD | changes).items() if key != "crc32"}
    decoded = decode_segment("s", compressed(line(HEADER), line(body)))
    assert decoded.records == []
    assert "not a page record" in " ".join(decoded.damage)


def test_fields_that_a_later_version_added_are_skipped() -> None:
    body = {key: value for key, value in (GOOD | {"added_later": [1]}).items() if key != "crc32"}
    decoded = decode_segment("s", compressed(line(HEADER), line(body)))
    assert decoded.records == pages(1)
    assert decoded.damage == []


def bomb(size: int) -> bytes:
    """A segment of zeros that inflates to `size` bytes."""
    compressor = zstandard.ZstdCompressor(level=19).compressobj()
    block = bytes(1 << 20)
    return b"".join(compressor.compress(block) for _ in range(size >> 20)) + compressor.flush()


def test_a_segment_that_inflates_without_end_is_damaged_and_not_loaded() -> None:
    data = bomb(1 << 30)
    assert len(data) < 200_000
    tracemalloc.start()
    try:
        decoded = decode_segment("s", data)
        assert documents_of(data[: 1 << 17]) is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not decoded.records
    assert "inflates" in decoded.damage[0]
    assert peak < 3 * MAX_SEGMENT_BYTES
