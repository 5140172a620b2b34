"""Assigns output names at the destination. Creates a small record for each name before the first output is written under it.

The record is `.rayocr/names/<2 hex>/<32 hex>.json`, after the hash of the folded output name. A record is created only if absent,
never changed and never deleted. A document therefore keeps its name in every later run, even if the run processes only a part of
the source or other documents were removed. No two documents share a name, across sources, runs and clusters
(docs/decisions/0014). The owner is the document at its source, not one of its versions: a newer version replaces the outputs of
the older.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator

from rayocr.actors.discovery.name_collisions import owner_of
from rayocr.errors import PreconditionFailed, RecordCorrupt, UnusableName
from rayocr.messages import Document
from rayocr.observe.logs import log_event
from rayocr.outputs.output_paths import folded, with_mark
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage
from rayocr.untrusted_json import parse_object

log = logging.getLogger(__name__)

NAMES_PREFIX = ".rayocr/names/"
SCHEMA_VERSION = 1


def reserve_output_name(state: Storage, document: Document, *, policy: RetryPolicy) -> str:
    """Returns the document's output name: the plain name, or one with a hash of the document's name or source. Idempotent. Raises
    StorageError, and UnusableName when all of them have other owners."""
    mine = owner_of(document.source_uri)
    for output_name, owner in _candidates(document, mine):
        if _owner(state, output_name, owner, document, policy) == mine:
            if output_name != document.output_name:
                log_event(
                    log,
                    "output_renamed",
                    "Another document has this output name; a hash is added to the name.",
                    document_id=document.document_id,
                    name=document.name,
                    output=output_name,
                )
            return output_name
    raise UnusableName(f"No output name is free for {document.name}: other documents have all of its possible names.")


def name_record(output_name: str) -> str:
    key = hashlib.sha256(folded(output_name).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{NAMES_PREFIX}{key[:2]}/{key}.json"


def _candidates(document: Document, mine: str) -> Iterator[tuple[str, str]]:
    """Returns the candidate names in the order in which they are tried, each with the owner that it gets if it is free."""
    yield document.output_name, document.name_owner or mine
    yield with_mark(document.output_name, document.name), mine
    yield with_mark(document.output_name, document.source_uri, digits=16), mine


def _owner(state: Storage, output_name: str, owner: str, document: Document, policy: RetryPolicy) -> str:
    """Returns the owner of the output name, after it was reserved for `owner`."""
    name = name_record(output_name)
    record = {"schema_version": SCHEMA_VERSION, "stem": output_name, "owner": owner}
    if owner == owner_of(document.source_uri):
        record["source_uri"] = document.source_uri  # for people who read the record, since a name_owner is only a hash
    data = json.dumps(record).encode()
    try:
        call(lambda: state.write(name, data, if_absent=True), policy=policy)
    except PreconditionFailed:
        there = _owner_in(state, name, policy)
        if there:
            return there
        # A damaged record, for example after a disk failure, is treated as absent.
        call(lambda: state.write(name, data), policy=policy)
    return owner


def _owner_in(state: Storage, name: str, policy: RetryPolicy) -> str:
    try:
        return str(parse_object(call(lambda: state.read(name), policy=policy), name=name).get("owner", ""))
    except RecordCorrupt:
        return ""
