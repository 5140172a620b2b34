"""Finds documents of one listing whose output names would collide on some file systems: `a.pdf` and `A.PDF`, or two spellings of
a folder. The first in listing order gets the name, and the others get its owner. This makes a fresh run reproducible. The records
of `actors/document_worker/output_names.py` keep the names stable in later runs, over parts of the source and across sources.
"""

from __future__ import annotations

import hashlib

from rayocr.actors.discovery.digest_table import DigestTable
from rayocr.outputs.output_paths import folded

_BYTES = 8  # in one of 37 million listings, two of a million names share 64 bits; one of them then gets an unnecessary hash


class NameCollisions:
    """Finds collisions. Uses 16 bytes per document of the listing."""

    def __init__(self) -> None:
        self._owners = DigestTable(key_bytes=_BYTES, value_bytes=_BYTES)

    def owner_before(self, output_name: str, source_uri: str) -> str:
        """Returns `owner_of` the first document with this output name; "" if it is this one."""
        key = hashlib.sha256(folded(output_name).encode("utf-8", "surrogatepass")).digest()[:_BYTES]
        mine = bytes.fromhex(owner_of(source_uri))
        first = self._owners.get(key)
        if first is None:
            self._owners.add(key, mine)
        return "" if first is None or first == mine else first.hex()


def owner_of(source_uri: str) -> str:
    """Returns the owner of an output name, as 16 hex digits. The owner is a document at its source, in any version."""
    return hashlib.sha256(source_uri.encode("utf-8", "surrogatepass")).hexdigest()[: 2 * _BYTES]
