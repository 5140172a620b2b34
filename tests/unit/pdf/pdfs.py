"""PDFs written byte by byte, so that they can contain any error."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

HEADER = b"%PDF-1.7\n"
A4 = "[0 0 595 842]"
HELLO = b"BT /F1 24 Tf 72 700 Td (Hello, this is a page of text) Tj ET"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def stream(data: bytes, entries: str = "") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries.encode(), data)


def deflated(data: bytes, entries: str = "") -> bytes:
    return stream(zlib.compress(data, 9), f"/Filter /FlateDecode {entries}")


def zeros_deflated(size_bytes: int) -> bytes:
    """Zlib data of this many zero bytes, about a thousandth of the size."""
    return padded_deflated(bytes(size_bytes & 0xFFFFF), padding=b"\0", megabytes=size_bytes >> 20)


def padded_deflated(data: bytes, *, padding: bytes, megabytes: int) -> bytes:
    """Zlib data: `data`, followed by megabytes of one repeated byte. Compresses one megabyte and repeats the result."""
    packer = zlib.compressobj(9)
    block = padding * (1 << 20)
    head = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = zlib.adler32(data)
    for _ in range(megabytes):
        checksum = zlib.adler32(block, checksum)
    return head + packed * megabytes + zlib.compressobj(wbits=-15).flush() + checksum.to_bytes(4, "big")


def file_of(objects: Mapping[int, bytes], *, root: int = 1, trailer: str = "", header: bytes = HEADER) -> bytes:
    """A file with a cross-reference table over these objects."""
    out = bytearray(header)
    offsets: dict[int, int] = {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    size = max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 00001 f \n"
    out += b"trailer\n<< /Size %d /Root %d 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, root, trailer.encode(), start)
    return bytes(out)


def pages_of(
    page_entries: Sequence[str] = ("",),
    *,
    content: bytes = HELLO,
    media_box: str = A4,
    resources: str = "",
    extra: Mapping[int, bytes] | None = None,
    count: str | None = None,
    pages_entries: str = "",
    trailer: str = "",
    header: bytes = HEADER,
) -> bytes:
    """A document with one page for each of `page_entries`, all with the same content. Numbers 5 to 9 are free for `extra`."""
    first = 10
    kids = " ".join(f"{first + n} 0 R" for n in range(len(page_entries)))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {count or len(page_entries)} {pages_entries} >>".encode(),
        3: FONT,
        4: content if content.startswith(b"<<") else stream(content),
    }
    box = "" if not media_box else f"/MediaBox {media_box}"
    for n, entries in enumerate(page_entries):
        own = "" if "/MediaBox" in entries else box
        body = (
            f"<< /Type /Page /Parent 2 0 R {own} /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> {resources} >> {entries} >>"
        )
        objects[first + n] = body.encode()
    return file_of(objects | dict(extra or {}), trailer=trailer, header=header)


def image_page(
    image_entries: str,
    data: bytes,
    *,
    placed: str = "595 0 0 842 0 0",
    media_box: str = A4,
    page_entries: str = "",
    over: bytes = b"",
) -> bytes:
    """One page with one image on it, and `over` drawn after it."""
    image = stream(data, f"/Type /XObject /Subtype /Image {image_entries}")
    content = f"q {placed} cm /Im Do Q\n".encode() + over
    return pages_of((page_entries,), content=content, resources="/XObject << /Im 5 0 R >>", media_box=media_box, extra={5: image})


def shared_page(references: int) -> bytes:
    """One page object that the tree references many times, in levels of ten, so that the file stays small."""
    objects = {1: b"<< /Type /Catalog /Pages 2 0 R >>", 3: FONT, 4: stream(HELLO)}
    page, number, below, count = 10, 11, 10, 1
    objects[page] = (
        f"<< /Type /Page /MediaBox {A4} /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> >> /Parent 2 0 R >>".encode()
    )
    while count * 10 < references:
        count *= 10
        objects[number] = f"<< /Type /Pages /Count {count} /Kids [{f'{below} 0 R ' * 10}] >>".encode()
        below, number = number, number + 1
    objects[2] = f"<< /Type /Pages /Count {references} /Kids [{f'{below} 0 R ' * (references // count)}] >>".encode()
    return file_of(objects)


def tree_of(*nodes: tuple[int, str], root_kids: str, count: str = "1") -> bytes:
    """A document with a page tree as given: (object number, body)."""
    objects = {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: f"<< /Type /Pages /Kids [{root_kids}] /Count {count} >>".encode()}
    return file_of(objects | {number: body.encode() for number, body in nodes})


def with_update(original: bytes, objects: Mapping[int, bytes], *, size: int, root: int = 1) -> bytes:
    """An incremental update after the unchanged original."""
    previous = int(original.rpartition(b"startxref")[2].split()[0])
    out = bytearray(original)
    sections = []
    for number, body in objects.items():
        sections.append(b"%d 1\n%010d 00000 n \n" % (number, len(out)))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n" + b"".join(sections)
    out += b"trailer\n<< /Size %d /Root %d 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (size, root, previous, start)
    return bytes(out)


def in_object_stream(padding_bytes: int = 0) -> bytes:
    """A document with its page tree in an object stream, followed by spaces that compress to almost nothing."""
    pages = b"2 0 << /Type /Pages /Kids [10 0 R] /Count 1 >> "
    packed = padded_deflated(pages, padding=b" ", megabytes=padding_bytes >> 20)
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        10: b"<< /Type /Page /MediaBox [0 0 100 100] /Parent 2 0 R >>",
        5: stream(packed, "/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode"),
    }
    out, offsets = bytearray(HEADER), {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    offsets[6] = len(out)
    rows = b"".join(
        b"\x02" + (5).to_bytes(4) + bytes(2) if n == 2 else bytes([n in offsets]) + offsets.get(n, 0).to_bytes(4) + bytes(2)
        for n in range(11)
    )
    table = deflated(rows, "/Type /XRef /W [1 4 2] /Size 11 /Root 1 0 R")
    out += b"6 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, offsets[6])
    return bytes(out)


def reindexed(data: bytes) -> bytes:
    """The file with a corrected cross-reference table, after its objects were edited."""
    import re

    body = data[: data.rindex(b"xref\n0 ")]
    offsets = {int(m.group(1)): m.start() for m in re.finditer(rb"^(\d+) 0 obj", body, re.MULTILINE)}
    size = max(offsets) + 1
    rows = b"".join(b"%010d 00000 n \n" % offsets[n] if n in offsets else b"0000000000 00001 f \n" for n in range(1, size))
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + rows + trailer
