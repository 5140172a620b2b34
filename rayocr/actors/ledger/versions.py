"""Finds finished documents whose source was replaced and read again. Their manifests are kept; their outputs are overwritten."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice

from rayocr.errors import ObjectNotFound, ObjectUnreadable, RecordCorrupt, StorageDenied
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest, document_id_of, manifest_name
from rayocr.storage.base import MAX_STATE_BYTES, Entry, Storage
from rayocr.untrusted_json import parse_value

_READ_AT_ONCE = 16  # number of manifests; in a bucket each costs a request
_TOGETHER = 1000  # number of names handed to the threads at a time
_HEAD_BYTES = 4096  # first bytes of a manifest, which include the source
_UNREADABLE = (ObjectNotFound, ObjectUnreadable, StorageDenied)  # the error concerns only this manifest
_END_BYTES = 16  # last bytes of a manifest, which show whether it is truncated
_SOURCE = re.compile(rb'"source_uri": ("(?:[^"\\]|\\.)*")')


def replaced_versions(state: Storage, *, on_damage: Callable[[str], None] | None = None) -> frozenset[str]:
    """Returns the ids of documents whose file was replaced, if the newer version has a manifest. Reads the beginning of every
    manifest, and keeps about 200 bytes for each. Skips damaged and unreadable manifests. With `on_damage`, which gets the names
    of damaged manifests, it also reads the ends of long ones. Raises StorageError."""
    entries = (entry for entry in state.list(DOCUMENTS_PREFIX) if entry.size_bytes and document_id_of(entry.name))
    first: dict[int, str] = {}
    repeated: defaultdict[int, set[str]] = defaultdict(set)  # hashes of the sources that have several manifests
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        while together := list(islice(entries, _TOGETHER)):
            if on_damage is not None:
                whole = list(pool.map(lambda entry: _is_whole(state, entry), together))
                for entry in (entry for entry, is_whole in zip(together, whole, strict=True) if not is_whole):
                    on_damage(entry.name)
                together = [entry for entry, is_whole in zip(together, whole, strict=True) if is_whole]
            ids = [entry.name.rpartition("/")[2].removesuffix(".json") for entry in together]
            for document_id, source in zip(ids, pool.map(lambda found: _source_of(state, found), ids), strict=True):
                if source is None:
                    continue
                if source in first:
                    repeated[source] |= {first[source], document_id}
                else:
                    first[source] = document_id
        several = [found for versions in repeated.values() for found in versions]
        manifests = [manifest for manifest in pool.map(lambda found: _manifest(state, found), several) if manifest is not None]
    return older_versions(manifests)


def older_versions(manifests: Iterable[Manifest]) -> frozenset[str]:
    """Returns the ids of all but the newest manifest of each source."""
    newest: dict[str, Manifest] = {}
    older: set[str] = set()
    for manifest in manifests:
        there = newest.setdefault(manifest.source_uri, manifest)
        if there is manifest:
            continue
        last, other = (manifest, there) if _age(manifest) > _age(there) else (there, manifest)
        newest[manifest.source_uri] = last
        older.add(other.document_id)
    return frozenset(older)


def _age(manifest: Manifest) -> tuple[str, str]:
    return manifest.finished_at, manifest.document_id


def _is_whole(state: Storage, entry: Entry) -> bool:
    """Returns False for a manifest that is truncated or contains something else. Reads only the end of a long one."""
    try:
        end = state.read(entry.name, start=0 if entry.size_bytes <= _HEAD_BYTES else entry.size_bytes - _END_BYTES)
    except _UNREADABLE:
        return True  # its content is unknown
    if entry.size_bytes > _HEAD_BYTES:
        return end.endswith(b"}\n")
    try:
        return isinstance(parse_value(end), dict)
    except ValueError:
        return False


def _source_of(state: Storage, document_id: str) -> int | None:
    """Returns a hash of the document's source; None for a damaged manifest."""
    try:
        head = _SOURCE.search(state.read(manifest_name(document_id), length=_HEAD_BYTES))
    except _UNREADABLE:
        return None
    if head is not None:
        with suppress(ValueError):
            return hash(parse_value(head[1]))
    manifest = _manifest(state, document_id)
    return hash(manifest.source_uri) if manifest is not None else None


def _manifest(state: Storage, document_id: str) -> Manifest | None:
    name = manifest_name(document_id)
    try:
        return Manifest.from_json(state.read(name, max_bytes=MAX_STATE_BYTES), name=name)
    except (*_UNREADABLE, RecordCorrupt):
        return None
