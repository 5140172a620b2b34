"""Finds a finished document of a destination by its name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from rayocr.actors.ledger.versions import older_versions
from rayocr.errors import ObjectNotFound, RecordCorrupt, UsageError
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest, document_id_of
from rayocr.masking import for_terminal
from rayocr.storage.base import MAX_STATE_BYTES, Storage

_READ_AT_ONCE = 16  # maximum number of manifests; each is one request to a bucket
_TOGETHER = 1000  # number of names that are passed to the threads at a time
_MOST_NAMES = 200_000  # maximum number of names that are compared with a misspelled name
_CLOSE = 3  # maximum number of names in a message


def find_document(state: Storage, wanted: str) -> Manifest:
    """Returns the newest version of the document with this name below the source, with this id, or with an output of this name.
    Raises UsageError, with close names, if there is none or if several sources have one; and StorageError."""
    wanted = wanted.removeprefix("./")
    found: list[Manifest] = []
    names: list[str] = []
    for manifest in read_manifests(state):
        if wanted in (manifest.name, manifest.document_id) or any(wanted == output.name for output in manifest.outputs):
            found.append(manifest)
        elif len(names) < _MOST_NAMES:
            names.append(manifest.name)
    older = older_versions(found)
    newest = [manifest for manifest in found if manifest.document_id not in older]
    exact = [manifest for manifest in newest if wanted in (manifest.name, manifest.document_id)] or newest
    if len(exact) > 1:
        ids = ", ".join(f"{manifest.document_id} ({manifest.source_uri})" for manifest in exact)
        raise UsageError(f"{len(exact)} documents have the name {_shown(wanted)}.", hint=f"Give the id of one: {ids}")
    if exact:
        return exact[0]
    raise UsageError(f"No finished document has the name '{_shown(wanted)}'.", hint=_close_names(wanted, names))


def _close_names(wanted: str, names: list[str]) -> str:
    """Returns a hint with names that begin alike, then with similar ones. Compares without the suffix, which most names share."""
    stems = {name: name.lower().removesuffix(".pdf") for name in names}
    stem = wanted.lower().removesuffix(".pdf")
    close = [name for name in names if name.rpartition("/")[2] == wanted.rpartition("/")[2]]
    close += [name for name in names if stem and stems[name].startswith(stem)]
    similar = difflib.get_close_matches(stem, set(stems.values()), n=_CLOSE, cutoff=0.6)
    close += sorted((name for name in names if stems[name] in similar), key=lambda name: similar.index(stems[name]))
    if close := list(dict.fromkeys(close))[:_CLOSE]:
        *first, last = map(_shown, close)
        return f"Did you mean {', '.join(first)} or {last}?" if first else f"Did you mean {last}?"
    if len(names) <= _CLOSE:
        return f"The documents are: {', '.join(map(_shown, names))}." if names else "No document is finished here."
    return "Use its name below the source, for example 2024/a.pdf; `rayocr view OUT` lists all documents."


def _shown(name: str) -> str:
    """Returns the name on one line, with escaped line breaks."""
    return for_terminal("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name))


def read_manifests(state: Storage) -> Iterator[Manifest]:
    """Returns all versions of all documents. Skips damaged records. Raises StorageError."""

    def read(name: str) -> Manifest | None:
        try:
            return Manifest.from_json(state.read(name, max_bytes=MAX_STATE_BYTES), name=name)
        except (ObjectNotFound, RecordCorrupt):
            return None

    names = (entry.name for entry in state.list(DOCUMENTS_PREFIX) if document_id_of(entry.name) and entry.size_bytes)
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        while together := list(islice(names, _TOGETHER)):
            yield from (manifest for manifest in pool.map(read, together) if manifest is not None)
