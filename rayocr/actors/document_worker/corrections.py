"""Reads and saves the corrections of a document. assemble, a run that lists them, and `rayocr/api/review` use this module."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

from rayocr.errors import ObjectNotFound, PreconditionFailed, RecordCorrupt, UsageError
from rayocr.ledger.corrections import (
    CORRECTIONS_PREFIX,
    MAX_TEXT_CHARS,
    Correction,
    Corrections,
    ReplacedPage,
    corrections_name,
)
from rayocr.ledger.manifest import Manifest, document_id_of, manifest_name
from rayocr.observe.logs import log_event
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import MAX_STATE_BYTES, Storage

log = logging.getLogger(__name__)

_SURROGATE = re.compile("[\ud800-\udfff]")
_READ_AT_ONCE = 16  # number of records; in a bucket each costs a request
_TRIES = 5  # number of attempts when several people save pages of one document at the same time


def corrections_of(state: Storage, document_id: str, *, policy: RetryPolicy) -> dict[int, Correction]:
    """Returns the corrections by page number. Logs and ignores a damaged record. Raises StorageError."""
    try:
        return dict(_read(state, document_id, policy)[0].pages)
    except RecordCorrupt as error:
        log_event(
            log,
            "corrections_damaged",
            "Cannot read the corrections of a document; it is assembled without them.",
            level=logging.WARNING,
            document_id=document_id,
            error=str(error),
        )
        return {}


def save_correction(
    state: Storage,
    document_id: str,
    page_number: int,
    made: Correction,
    *,
    policy: RetryPolicy,
    source_uri: str = "",
    name: str = "",
) -> None:
    """Saves a correction durably. The text that an earlier correction of the page replaced is kept. `source_uri` and `name`
    identify the document, so that its later versions find the correction. Raises RecordCorrupt, PreconditionFailed and
    StorageError."""
    source = {"source_uri": source_uri, "name": name} if source_uri else {}

    def saved(found: Corrections) -> Corrections:
        earlier = found.pages.get(page_number)
        kept = made.model_copy(update={"replaced": earlier.replaced}) if earlier else made
        return found.having(page_number, kept).model_copy(update=source)

    _change(state, document_id, saved, policy)


def new_correction(
    text: str,
    author: str,
    *,
    engine: str = "",
    model: str = "",
    doubts: Sequence[str] = (),
    replaced: ReplacedPage | None = None,
) -> Correction:
    """Creates a correction with the current time; its lines end with `\\n`. Raises UsageError if the text is too long or is not a
    text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise UsageError("The correction is not a text: it contains NUL characters.")
    if _SURROGATE.search(text):
        raise UsageError("The correction is not a text: it contains halves of characters (surrogates).")
    if len(text) > MAX_TEXT_CHARS:
        raise UsageError(f"The text has {len(text):,} characters; the limit is {MAX_TEXT_CHARS:,} per page.")
    return Correction(
        text=text,
        author=" ".join("".join(c if c.isprintable() else " " for c in author).split())[:200],
        corrected_at=datetime.now(UTC).isoformat(timespec="seconds"),
        engine=engine,
        model=model,
        doubts=tuple(doubts),
        replaced=replaced,
    )


def remove_correction(state: Storage, document_id: str, page_number: int, removed: Correction, *, policy: RetryPolicy) -> None:
    """Removes the correction, unless the page has another correction by now. Raises the same errors as `save_correction`."""

    def without(found: Corrections) -> Corrections:
        return found.without(page_number) if found.pages.get(page_number) == removed else found

    _change(state, document_id, without, policy)


def settle_correction(
    state: Storage, document_id: str, page_number: int, how: Literal["applied", "discarded"], *, policy: RetryPolicy
) -> None:
    """Marks the correction of an earlier version as applied or discarded. The record keeps its text. Raises the same errors as
    `save_correction`, and ObjectNotFound if there is no such correction."""

    def settled(found: Corrections) -> Corrections:
        if page_number not in found.pages:
            raise ObjectNotFound(f"There is no correction of page {page_number}.")
        return found.having(page_number, found.pages[page_number].model_copy(update={"settled": how}))

    _change(state, document_id, settled, policy)


def corrected_documents(state: Storage, *, policy: RetryPolicy, at_most: int) -> list[Corrections]:
    """Returns the first documents with corrections, each with its source and name. Damaged records are skipped. Raises
    StorageError."""
    entries = (entry for entry in state.list(CORRECTIONS_PREFIX) if document_id_of(entry.name))
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        found = pool.map(lambda entry: _with_source(state, entry.name, policy), islice(entries, at_most))
        return [corrections for corrections in found if corrections is not None]


def _with_source(state: Storage, name: str, policy: RetryPolicy) -> Corrections | None:
    try:
        found = Corrections.from_json(call(lambda: state.read(name, max_bytes=MAX_STATE_BYTES), policy=policy), name=name)
        if found.source_uri:
            return found
        record = manifest_name(found.document_id)
        manifest = Manifest.from_json(call(lambda: state.read(record, max_bytes=MAX_STATE_BYTES), policy=policy), name=record)
    except (ObjectNotFound, RecordCorrupt):
        return None
    return found.model_copy(update={"source_uri": manifest.source_uri, "name": manifest.name})


def _change(state: Storage, document_id: str, change: Callable[[Corrections], Corrections], policy: RetryPolicy) -> None:
    for attempt in range(1, _TRIES + 1):
        found, version = _read(state, document_id, policy)
        try:
            state.write(corrections_name(document_id), change(found).to_json(), if_absent=version is None, if_version=version)
            return
        except PreconditionFailed:
            if attempt == _TRIES:
                raise


def _read(state: Storage, document_id: str, policy: RetryPolicy) -> tuple[Corrections, str | None]:
    """Returns the record with the version of the object, or None if there is none."""
    name = corrections_name(document_id)
    try:
        entry = call(lambda: state.stat(name), policy=policy)
        data = call(lambda: state.read(name, version=entry.version, max_bytes=MAX_STATE_BYTES), policy=policy)
    except ObjectNotFound:
        return Corrections(document_id=document_id), None
    return Corrections.from_json(data, name=name), entry.version
