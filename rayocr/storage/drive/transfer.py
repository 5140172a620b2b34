"""Transfers bytes from and to Google Drive: small files in one request, large ones in resumable chunks.

The caller retries a failure of the first request. Failures of later chunks are retried here, up to the policy's limit per chunk,
since the earlier chunks have arrived. The callers check the MD5 in both directions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from rayocr.errors import PartMissing, StorageUnavailable
from rayocr.retry import RetryPolicy, call
from rayocr.storage.drive.client import DriveClient, item_of
from rayocr.storage.drive.errors import status_of
from rayocr.storage.drive.names import Item

if TYPE_CHECKING:
    from googleapiclient.http import MediaUpload

AT_ONCE_BYTES = 5 << 20  # larger files are uploaded resumably, in chunks
_UP_BYTES = 8 << 20  # bytes of a chunk, a multiple of 256 KiB, as the protocol requires; held in memory while it is sent
_DOWN_BYTES = 16 << 20


def download(client: DriveClient, item: Item, start: int, end: int, *, place: str, policy: RetryPolicy) -> bytes:
    """Reads the bytes from `start` up to `end` (exclusive), both within the file. Raises PartMissing if fewer arrive."""
    if end <= start:
        return b""
    if end - start <= _DOWN_BYTES:
        return _chunk(client, item, start, end, place)
    data = bytearray(_chunk(client, item, start, start + _DOWN_BYTES, place))
    while (position := start + len(data)) < end:
        until = min(end, position + _DOWN_BYTES)
        data += call(lambda: _chunk(client, item, position, until, place), policy=policy)  # noqa: B023 - called at once
    return bytes(data)


def _chunk(client: DriveClient, item: Item, start: int, end: int, place: str) -> bytes:
    request = client.files.get_media(fileId=item.id, supportsAllDrives=True)
    request.headers["accept-encoding"] = "identity"
    whole = start == 0 and end == item.size_bytes
    if not whole:
        request.headers["range"] = f"bytes={start}-{end - 1}"
    statuses: list[int] = []
    request.add_response_callback(lambda response: statuses.append(response.status))
    data: bytes = client.run(request, place=place, doing="read")
    if not whole and statuses[-1] != 206:  # a server without range support returns the whole file
        data = data[start:end]
    if len(data) != end - start:
        raise PartMissing(f"{place}: received {len(data):,} of {end - start:,} bytes.")
    return data


class Content:
    """The content of a write: bytes, or a file from its position to its end. Has an MD5 and can be read repeatedly."""

    def __init__(self, data: bytes | BinaryIO) -> None:
        self._data = data
        if isinstance(data, bytes | bytearray | memoryview):
            self._data = bytes(data)
            self.size_bytes = len(self._data)
            self._base = 0
        else:
            self._base = data.tell()
            self.size_bytes = data.seek(0, 2) - self._base
            data.seek(self._base)
        self._md5: str | None = None

    @property
    def md5(self) -> str:
        if self._md5 is None:
            digest = hashlib.md5(usedforsecurity=False)
            for begin in range(0, self.size_bytes, _UP_BYTES):
                digest.update(self.part(begin, _UP_BYTES))
            self._md5 = digest.hexdigest()
        return self._md5

    def part(self, begin: int, length: int) -> bytes:
        length = min(length, self.size_bytes - begin)
        if isinstance(self._data, bytes):
            return self._data[begin : begin + length]
        self._data.seek(self._base + begin)
        parts: list[bytes] = []
        while length > 0 and (piece := self._data.read(length)):
            parts.append(piece)
            length -= len(piece)
        return b"".join(parts)

    def media(self, mime_type: str) -> MediaUpload:
        """Returns the content in the form that Google's client needs."""
        from googleapiclient.http import MediaUpload

        content = self

        class Media(MediaUpload):  # type: ignore[misc]
            def chunksize(self) -> int:
                return _UP_BYTES

            def mimetype(self) -> str:
                return mime_type

            def size(self) -> int:
                return content.size_bytes

            def resumable(self) -> bool:
                return content.size_bytes > AT_ONCE_BYTES

            def getbytes(self, begin: int, length: int) -> bytes:
                return content.part(begin, length)

        return Media()


def upload(client: DriveClient, request: Any, *, place: str, policy: RetryPolicy) -> Item:
    """Sends a request that was made with `content.media(…)`. Returns the stored file, whose bytes the caller must check."""
    if request.resumable is None:
        return item_of(client.run(request, place=place, doing="write"))
    return item_of(_resumably(client, request, place=place, policy=policy))


def _resumably(client: DriveClient, request: Any, *, place: str, policy: RetryPolicy) -> Any:
    step: Callable[[], Any] = lambda: client.ask(lambda: _next(request, client), place=place, doing="write")  # noqa: E731
    done = step()  # the session and the first chunk
    while done is None:
        done = call(step, policy=policy)
    return done


def _next(request: Any, client: DriveClient) -> Any:
    """Sends a chunk. Returns the file's metadata when it is complete, else None. After a failure the client first asks how much
    has arrived, and resumes there."""
    started = request.resumable_uri is not None
    try:
        return request.next_chunk(http=client.http, num_retries=0)[1]
    except Exception as error:
        if started and status_of(error) in (404, 410):  # the session has expired, so the caller restarts the upload
            request.resumable_uri, request.resumable_progress = None, 0
            raise StorageUnavailable("The upload must start again.") from error
        raise
