"""Documents of one listing whose outputs would be one file somewhere: `a.pdf` and `A.PDF`, or two spellings of a folder.

The first in listing order has the name; the others are told whose it is. That makes a fresh run come out the same every time;
that it stays so in later runs, over parts of the source and over other sources is the business of claims (`claim.py`).
"""

from __future__ import annotations

import hashlib

from rayocr.actors.discovery.digest_table import DigestTable
from rayocr.outputs.output_paths import folded

_BYTES = 8  # two of a million names share 64 bits by chance once in 37 million listings, and then one carries a hash in vain


class NameCollisions:
    """16 bytes a document of the listing."""

    def __init__(self) -> None:
        self._owners = DigestTable(key_bytes=_BYTES, value_bytes=_BYTES)

    def owner_before(self, stem: str, source_uri: str) -> str:
        """`owner_of` the document that came first with this stem; "" when it is this one."""
        key = hashlib.sha256(folded(stem).encode("utf-8", "surrogatepass")).digest()[:_BYTES]
        mine = bytes.fromhex(owner_of(source_uri))
        first = self._owners.get(key)
        if first is None:
            self._owners.add(key, mine)
        return "" if first is None or first == mine else first.hex()


def owner_of(source_uri: str) -> str:
    """Who a stem belongs to: a document at its source, whatever its version. 16 hex digits."""
    return hashlib.sha256(source_uri.encode("utf-8", "surrogatepass")).hexdigest()[: 2 * _BYTES]
