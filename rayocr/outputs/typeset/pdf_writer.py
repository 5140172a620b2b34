"""Writes PDF objects as bytes with renumbered references, and the cross-reference table. Files are written once from start to
end, so joining them does not hold them in memory."""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

# A string with any content, or a reference. qpdf escapes parentheses in strings with a backslash.
_STRING_OR_REFERENCE = re.compile(rb"\((?:\\.|[^\\)])*+(?:\)|\Z)|(?<![\d.])(\d+) 0 R\b", re.DOTALL)
_IN_STRING = re.compile(rb"([\\()])")
_OBJECTS_A_STREAM = 200
_IN_STREAM = 1 << 62  # flag of a table entry whose object is in an object stream
_INDEX_BITS = 16


def renumbered(serialized: bytes, number_of: Callable[[int], int]) -> bytes:
    """Renumbers the references of an object. `serialized`: the object as qpdf unparses it."""

    def replace(match: re.Match[bytes]) -> bytes:
        return match.group() if match.group(1) is None else b"%d 0 R" % number_of(int(match.group(1)))

    return _STRING_OR_REFERENCE.sub(replace, serialized)


class PdfWriter:
    """Assigns object numbers and writes objects to `file`. Takes 8 bytes of memory per object."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._table = array("Q", [0])  # byte offset, or _IN_STREAM | stream number << _INDEX_BITS | index in it
        self._position = 0
        self._waiting: list[tuple[int, bytes]] = []
        self._put(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def reserve(self, count: int = 1) -> int:
        """Returns the first of `count` new object numbers. You can write them in any order. Numbers that are never written become
        free entries."""
        first = len(self._table)
        self._table.extend([0] * count)
        return first

    def write(self, number: int, body: bytes) -> None:
        """Writes an object that is not a stream into a compressed object stream."""
        self._waiting.append((number, body))
        if len(self._waiting) >= _OBJECTS_A_STREAM:
            self._flush()

    def write_plain(self, number: int, body: bytes) -> None:
        """Writes an object uncompressed, so that the rest of the file does not depend on its values."""
        self._table[number] = self._position
        self._put(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def write_stream(self, number: int, dictionary: bytes, data: bytes) -> None:
        """Writes a stream. `dictionary`: `<< … >>`, with its /Length."""
        self._table[number] = self._position
        self._put(b"%d 0 obj\n%b\nstream\n" % (number, dictionary))
        self._put(data)
        self._put(b"\nendstream\nendobj\n")

    def finish(self, root: int, info: int, file_id: bytes) -> None:
        """Writes the cross-reference stream, which is also the trailer."""
        self._flush()
        number = self.reserve()
        self._table[number] = self._position
        rows = bytearray(b"\x00" * 5 + b"\x00" * 5)
        for entry in self._table[1:]:
            if entry & _IN_STREAM:
                rows += b"\x02" + ((entry & ~_IN_STREAM) >> _INDEX_BITS).to_bytes(5, "big")
                rows += (entry & ((1 << _INDEX_BITS) - 1)).to_bytes(4, "big")
            else:
                rows += (b"\x01" if entry else b"\x00") + entry.to_bytes(5, "big") + bytes(4)
        data = zlib.compress(bytes(rows))
        start = self._position
        self.write_stream(
            number,
            b"<< /Type /XRef /Size %d /W [ 1 5 4 ] /Root %d 0 R /Info %d 0 R /ID [ <%b> <%b> ] /Filter /FlateDecode /Length %d >>"
            % (len(self._table), root, info, file_id, file_id, len(data)),
            data,
        )
        self._put(b"startxref\n%d\n%%%%EOF\n" % start)

    def _flush(self) -> None:
        if not self._waiting:
            return
        stream = self.reserve()
        offsets, bodies, position = [], [], 0
        for index, (number, body) in enumerate(self._waiting):
            self._table[number] = _IN_STREAM | stream << _INDEX_BITS | index
            offsets.append(b"%d %d" % (number, position))
            bodies.append(body)
            position += len(body) + 1
        head = b" ".join(offsets) + b"\n"
        data = zlib.compress(head + b"\n".join(bodies))
        count = len(self._waiting)
        self._waiting = []
        self.write_stream(
            stream,
            b"<< /Type /ObjStm /N %d /First %d /Filter /FlateDecode /Length %d >>" % (count, len(head), len(data)),
            data,
        )

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._position += len(data)


def text_string(text: str) -> bytes:
    """Returns a PDF text string, in UTF-16 unless it is ASCII."""
    if text.isascii() and text.isprintable():
        return b"(" + _IN_STRING.sub(rb"\\\1", text.encode()) + b")"
    return b"<" + (b"\xfe\xff" + text.encode("utf-16-be", "replace")).hex().encode() + b">"


def references(numbers: Sequence[int]) -> bytes:
    return b"[ " + b" ".join(b"%d 0 R" % number for number in numbers) + b" ]"


def unparsed(value: Any) -> bytes:
    """Serializes a pikepdf object one level deep; references stay references."""
    data: bytes = value.unparse(resolved=True)
    return data
