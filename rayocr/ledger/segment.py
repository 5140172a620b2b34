"""Defines the format of ledger segments: `.rayocr/ledger/<run_id>/<seq>.jsonl.zst`.

A segment is a zstd frame (with a checksum) of JSON lines: a header with the number of pages per document, then one line per page.
Every line has its own schema_version and a crc32 of the preceding part of the line, so that a damaged segment returns every
intact record and no damaged one. Damage is reported and never fatal. `zstdcat segment | jq` reads a segment.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import NoneType
from typing import Any

import zstandard
from pydantic_core import PydanticSerializationError, to_json

from rayocr.errors import RecordCorrupt
from rayocr.messages import Attempt, PageOutcome, PageRecord
from rayocr.untrusted_json import parse_object

LEDGER_PREFIX = ".rayocr/ledger/"
SCHEMA_VERSION = 1

_FORMAT = "rayocr-segment"
_MAGIC = b"\x28\xb5\x2f\xfd"
_LEVEL = 1  # takes 14 µs per page of 3 KB at a ratio of 3.3; level 3 takes 17 µs at 3.8
# Compressed bytes per step. A block of 4 bytes inflates to at most 128 KiB, so a step makes at most 32 MiB. Data of a damaged
# frame is recovered up to this many bytes before the damage.
_CHUNK = 1 << 10
_MAX_HEADER_BYTES = 16 << 20  # maximum inflated bytes of a header, enough for the names of 300,000 documents
MAX_SEGMENT_BYTES = 256 << 20  # inflated bytes; a segment has about 1 MiB, and compaction writes none above this
_MAX_COUNT = 1 << 53
_CRC_FIELD = b',"crc32":"'
_CRC_BYTES = len(_CRC_FIELD) + 8 + len(b'"}')
# Fields of an attempt with a server request, which are written if not empty.
_ASKED: dict[str, tuple[type, ...]] = {
    "model": (str,),
    "finish": (str,),
    "input_tokens": (int,),
    "output_tokens": (int,),
    "cached_tokens": (int,),
    "cost_usd": (float, int),
    "price_class": (str,),
}
_OUTCOMES = {outcome.value: outcome for outcome in PageOutcome}


@dataclass(slots=True)
class DecodedSegment:
    """A decoded segment. `damage`: one sentence per problem; `records` contains intact records only."""

    name: str
    records: list[PageRecord] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    run_id: str | None = None
    seq: int | None = None
    created_at: str | None = None

    @property
    def documents(self) -> dict[str, int]:
        """Number of complete records per document."""
        return Counter(record.document_id for record in self.records)


def segment_name(run_id: str, seq: int) -> str:
    return f"{LEDGER_PREFIX}{run_id}/{seq:08d}.jsonl.zst"


def run_id_of(name: str) -> str:
    """Returns the id of the run that wrote the segment with this name."""
    return name.removeprefix(LEDGER_PREFIX).partition("/")[0]


def encode_segment(
    records: Sequence[PageRecord], *, run_id: str, seq: int, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> bytes:
    lines = [_line(_body(record)) for record in records]
    header = {
        "format": _FORMAT,
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "seq": seq,
        "created_at": now().isoformat(timespec="seconds"),
        "records": len(lines),
        "documents": Counter(record.document_id for record in records),
    }
    lines.insert(0, _line(header))
    lines.append(b"")
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(b"\n".join(lines))


def documents_of(head: bytes) -> dict[str, int] | None:
    """Returns the number of pages per document in a segment, from its first bytes; None if they do not contain it (truncated,
    damaged, or written by an older version)."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    line = b""
    try:
        for start in range(0, len(head), _CHUNK):
            line += frame.decompress(head[start : start + _CHUNK])
            if b"\n" in line or frame.eof or len(line) > _MAX_HEADER_BYTES:
                break
    except (zstandard.ZstdError, MemoryError):
        return None
    line, newline, _ = line.partition(b"\n")
    body = _checked(line) if newline else None
    documents = body.get("documents") if body is not None and body.get("format") == _FORMAT else None
    if not isinstance(documents, dict) or not all(type(count) is int for count in documents.values()):
        return None
    return documents


def load_segment(name: str, read: Callable[[], bytes]) -> DecodedSegment:
    """Does the same as `decode_segment`. A segment that cannot be loaded counts as damaged. Passes on other errors of `read`."""
    try:
        return decode_segment(name, read())
    except RecordCorrupt as error:
        return DecodedSegment(name=name, damage=[str(error)])


def decode_segment(name: str, data: bytes) -> DecodedSegment:
    """Decodes the bytes. Never raises, even if the bytes are damaged."""
    decoded = DecodedSegment(name=name)
    if not data:
        decoded.damage.append("The file is empty.")
        return decoded
    if not data.startswith(_MAGIC):
        decoded.damage.append("The file is not a ledger segment.")
        return decoded
    payload = _decompress(data, decoded.damage)
    lines = payload.split(b"\n")
    if lines.pop():
        decoded.damage.append("The last line is truncated.")
    expected = None
    for number, line in enumerate(lines, start=1):
        body = _checked(line)
        if body is None:
            decoded.damage.append(f"Line {number} is damaged.")
        elif body.get("format") == _FORMAT:
            expected = _take_header(decoded, body)
        else:
            _take_record(decoded, body, number)
    if not lines or expected is None:
        decoded.damage.append("The header is missing.")
    elif expected != len(lines) - 1:
        decoded.damage.append(f"The header declares {expected} records, but the file has {len(lines) - 1}.")
    return decoded


# -- lines --------------------------------------------------------------------------------------------------------------------


def _line(body: dict[str, Any]) -> bytes:
    try:
        text = to_json(body, inf_nan_mode="constants")
    except PydanticSerializationError:  # lone surrogates, from names that are not text, which JSON can encode only in ASCII
        text = json.dumps(body, separators=(",", ":")).encode("ascii")
    text = text[:-1]
    return b'%b%b%08x"}' % (text, _CRC_FIELD, zlib.crc32(text))


def _checked(line: bytes) -> dict[str, Any] | None:
    """Returns the line's object, or None if its checksum does not match."""
    text = line[:-_CRC_BYTES]
    if line[-_CRC_BYTES:] != b'%b%08x"}' % (_CRC_FIELD, zlib.crc32(text)):
        return None
    try:
        return parse_object(text + b"}", name="line")
    except RecordCorrupt:
        return None


def _decompress(data: bytes, damage: list[str]) -> bytes:
    """Decompresses the data up to the first damage."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    parts: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(data), _CHUNK):
            part = frame.decompress(data[start : start + _CHUNK])
            parts.append(part)
            size += len(part)
            if frame.eof or size > MAX_SEGMENT_BYTES:
                break
    except (zstandard.ZstdError, MemoryError) as error:
        damage.append(f"The compressed data is damaged: {error}.")
        return b"".join(parts)
    if size > MAX_SEGMENT_BYTES:
        damage.append(f"The file inflates to more than {MAX_SEGMENT_BYTES:,} bytes, the limit of a segment.")
    elif not frame.eof:
        damage.append("The file is truncated.")
    elif frame.unused_data or start + _CHUNK < len(data):
        damage.append("The file has data after the end of the segment.")
    return b"".join(parts)


# -- header and records -------------------------------------------------------------------------------------------------------


def _take_header(decoded: DecodedSegment, body: dict[str, Any]) -> int | None:
    run_id, seq, created_at, records = (body.get(key) for key in ("run_id", "seq", "created_at", "records"))
    decoded.run_id = run_id if isinstance(run_id, str) else None
    decoded.seq = seq if isinstance(seq, int) else None
    decoded.created_at = created_at if isinstance(created_at, str) else None
    return records if isinstance(records, int) else None


def _take_record(decoded: DecodedSegment, body: dict[str, Any], number: int) -> None:
    version = body.get("schema_version")
    reader = _READERS.get(version) if type(version) is int else None
    if reader is None:
        sentence = f"Records of schema {version!r} were written by a newer rayocr; this one reads up to {SCHEMA_VERSION}."
        if sentence not in decoded.damage:
            decoded.damage.append(sentence)
        return
    try:
        decoded.records.append(reader(body))
    except (KeyError, TypeError, ValueError) as error:
        decoded.damage.append(f"Line {number} is not a page record: {type(error).__name__}: {error}.")


def _body(record: PageRecord) -> dict[str, Any]:
    """Returns the record without empty fields. The order of the fields serves only readable dumps."""
    body: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "document_id": record.document_id,
        "page_number": record.page_number,
        "outcome": record.outcome.value,
        "engine": record.engine,
        "model": record.model,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cost_usd": record.cost_usd,
        "fencing_token": record.fencing_token,
        "fingerprint": record.fingerprint,
    }
    if record.attempts:
        body["attempts"] = [_attempt_body(attempt) for attempt in record.attempts]
    if record.next_engine:
        body["next_engine"] = record.next_engine
    if record.doubts:
        body["doubts"] = list(record.doubts)
    if record.content_hash:
        body["content_hash"] = record.content_hash
    if record.cached_tokens:
        body["cached_tokens"] = record.cached_tokens
    if record.price_class:
        body["price_class"] = record.price_class
    if record.copied:
        body["copied"] = True
    if record.agreement is not None:
        body["agreement"] = record.agreement
    if record.boxes:
        body["boxes"] = record.boxes
    body["text"] = record.text
    return body


def _attempt_body(attempt: Attempt) -> dict[str, Any]:
    body: dict[str, Any] = {"engine": attempt.engine, "reason": attempt.reason, "message": attempt.message}
    for name in _ASKED:
        if value := getattr(attempt, name):
            body[name] = value
    return body


def _read_1(body: dict[str, Any]) -> PageRecord:
    """Parses a record without pydantic, which takes three times as long. This runs for every page of every unfinished document at
    the start. Raises KeyError, TypeError, ValueError."""
    record = PageRecord(
        document_id=body["document_id"],
        page_number=body["page_number"],
        outcome=_OUTCOMES[body["outcome"]],
        text=body["text"],
        engine=body["engine"],
        model=body["model"],
        input_tokens=body["input_tokens"],
        output_tokens=body["output_tokens"],
        cached_tokens=body.get("cached_tokens", 0),
        cost_usd=body["cost_usd"],
        attempts=tuple(_attempts(body["attempts"])) if "attempts" in body else (),
        next_engine=body.get("next_engine", 0),
        doubts=_strings(body["doubts"]) if "doubts" in body else (),
        fencing_token=body["fencing_token"],
        fingerprint=body["fingerprint"],
        content_hash=body.get("content_hash", ""),
        copied=body.get("copied", False) is True,
        boxes=body.get("boxes", ""),
        agreement=body.get("agreement"),
        price_class=body.get("price_class", ""),
    )
    texts = (record.document_id, record.text, record.engine, record.model, record.fingerprint, record.content_hash, record.boxes)
    tokens = (record.input_tokens, record.output_tokens, record.cached_tokens)
    counts = (record.page_number, *tokens, record.next_engine, record.fencing_token)
    if type(record.price_class) is not str:
        raise TypeError("a price class is not a string")
    if {*map(type, texts)} != {str} or {*map(type, counts)} != {int} or type(record.cost_usd) not in (float, int):
        raise TypeError("a field has the wrong type")
    if not all(0 <= count <= _MAX_COUNT for count in counts):
        raise ValueError("a count is out of range")
    if type(record.agreement) not in (float, int, NoneType):
        raise TypeError("an agreement is not a number")
    if not record.document_id or record.page_number < 1:
        raise ValueError("no such page")
    return record


def _attempts(value: Any) -> Iterator[Attempt]:
    for attempt in value:
        engine, reason, message = _strings([attempt["engine"], attempt["reason"], attempt["message"]])
        asked = {name: attempt[name] for name in _ASKED if name in attempt}
        if any(type(value) not in _ASKED[name] for name, value in asked.items()):
            raise TypeError("a field of an attempt has the wrong type")
        yield Attempt(engine=engine, reason=reason, message=message, **asked)


def _strings(value: list[Any]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(type(item) is str for item in value):
        raise TypeError("not a list of strings")
    return tuple(value)


_READERS: dict[int, Callable[[dict[str, Any]], PageRecord]] = {1: _read_1}  # readers of older schemas are kept here
