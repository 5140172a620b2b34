"""Returns documents in another order than the listing's: newest first, smallest first. The first document is returned after the
listing has ended. Until then documents wait in a temporary file. Memory holds a key and a position, 16 bytes per document, and
twice that during sorting (names are kept whole).
"""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from rayocr.errors import StorageUnavailable
from rayocr.messages import Document
from rayocr.storage.base import Entry

ORDERS: dict[str, tuple[Callable[[Entry], Any], bool]] = {
    "newest": (lambda entry: entry.modified_at, True),
    "oldest": (lambda entry: entry.modified_at, False),
    "smallest": (lambda entry: float(entry.size_bytes), False),
    "largest": (lambda entry: float(entry.size_bytes), True),
    "name": (lambda entry: entry.name, False),
}


def in_order(found: Iterable[tuple[Entry, Document]], order: str) -> Iterator[Document]:
    """Yields the documents in order. `order`: one of ORDERS. Equal documents stay in listing order. Raises StorageUnavailable for
    the local disk."""
    key_of, descending = ORDERS[order]
    keys: Any = [] if order == "name" else array("d")
    offsets = array("Q")
    try:
        with tempfile.TemporaryFile(prefix="rayocr-order-") as file:
            position = 0
            for entry, document in found:
                keys.append(key_of(entry))
                offsets.append(position)
                position += file.write(json.dumps(asdict(document)).encode() + b"\n")
            ordered = array("Q", sorted(range(len(offsets)), key=keys.__getitem__, reverse=descending))
            del keys
            for index in ordered:
                file.seek(offsets[index])
                yield Document(**json.loads(file.readline()))
    except OSError as error:
        message = f"order={order} needs room for a list of the documents in the local temporary folder: {error}."
        message = f"order={order} needs room for a list of the documents in the local temporary folder: {error}."
        raise StorageUnavailable(message) from error
