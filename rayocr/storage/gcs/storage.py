"""Implements a storage in a Google Cloud Storage bucket, or below a prefix of it. The version of an object is its generation.
Every precondition is on generations, so writes are atomic across all clusters. The client's own retries are off, so a call sends
one request, and `rayocr.retry` decides on retries. Listings retry their pages themselves, and large uploads retry their chunks
except the first. The client checks bytes by CRC32C in both directions.
"""

from __future__ import annotations

import io
import mimetypes
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from rayocr.config import AccessConfig
from rayocr.errors import PreconditionFailed, RayocrError, StorageDenied, StorageError, UnsafeName, VersionChanged
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Entry, Storage, check_size, checked_name, checked_prefix
from rayocr.storage.gcs.client import open_client
from rayocr.storage.gcs.errors import passing, translate
from rayocr.storage.os_errors import printable
from rayocr.storage.uri import StorageUri

if TYPE_CHECKING:
    from google.cloud.storage import Blob

_CONNECT_S = 10.0
_PAGE = 1000  # number of names per request, the server's maximum
_FIELDS = "items(name,size,generation,updated),nextPageToken"
_AT_ONCE_BYTES = 8 << 20  # larger objects are uploaded resumably, in chunks
_CHUNK_BYTES = 16 << 20  # bytes of a chunk, a multiple of 256 KiB, as the protocol requires; held in memory while it is sent
_MAX_NAME_BYTES = 1024
_MAX_READ_BYTES = 4 << 30  # timeout of a read without its own limit
_PATIENT = RetryPolicy(max_attempts=6, base_s=1.0, cap_s=30.0)  # timeout of a page of a listing


class GcsStorage(Storage):
    """Stores objects in a bucket. Needs only the role Storage Object User. The bucket must exist."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        access: AccessConfig | None = None,
        policy: RetryPolicy = _PATIENT,
        on_error: Callable[[str, StorageError], None] | None = None,
    ) -> None:
        access = access or AccessConfig()
        self._uri = StorageUri(scheme="gs", root=bucket, prefix=prefix)
        self._below = f"{prefix}/" if prefix else ""
        self._client = open_client(access)
        self._bucket = self._client.bucket(bucket, user_project=access.user_project)
        self._policy = policy
        self._timeout = (min(_CONNECT_S, access.timeout_s), access.timeout_s)
        self.on_error = on_error

    @property
    def uri(self) -> str:
        return self._uri.text

    def check_readable(self) -> None:
        self._page("", None, None, None, size=1)

    def check_writable(self, *, outputs_only: bool = False) -> None:
        """Checks the bucket. A retention policy forbids deleting objects, including the test object, so rayocr refuses such a
        bucket for the state before it writes anything. For outputs only, it starts and abandons an upload, which leaves no object
        behind."""
        if outputs_only:
            self._begin_upload(f".rayocr/probe-{secrets.token_hex(8)}")
            return
        if self._is_retained():
            raise StorageDenied(
                f"{self.uri} is in a bucket with a retention policy; the state cannot be there, since rayocr rewrites it.",
                hint="Set state= to a bucket or a folder without a retention policy.",
            )
        super().check_writable()

    def _begin_upload(self, name: str) -> None:
        blob = self._blob(name)
        with self._errors(name, "write"):
            session = blob.create_resumable_upload_session(size=1, if_generation_match=0, timeout=self._timeout, retry=None)
            try:
                self._client._http.delete(session, headers={"Content-Length": "0"}, timeout=self._timeout)
            except Exception:  # noqa: S110 - it ends by itself after a week, and holds no bytes
                pass

    def _is_retained(self) -> bool:
        """Returns whether the bucket has a retention policy, by its metadata if the account may read it, otherwise by that of an
        object in it."""
        try:
            with self._errors("", "read"):
                self._bucket.reload(timeout=self._timeout, retry=None)
                return bool(self._bucket.retention_period or self._bucket.default_event_based_hold)
        except StorageError:
            pass
        with self._errors("", "list"):
            found = self._client.list_blobs(
                self._bucket, max_results=1, fields="items(retentionExpirationTime)", timeout=self._timeout, retry=None
            )
            return any(blob.retention_expiration_time is not None for blob in found)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        checked_prefix(prefix)
        if prefix:
            yield from self._listed(prefix, None, None)
            return
        # Skip the state, which may be the larger part. "0" is the character after "/".
        yield from self._listed("", None, ".rayocr/")
        yield from self._listed("", ".rayocr0", None)

    def stat(self, name: str) -> Entry:
        blob = self._blob(name)
        with self._errors(name, "read"):
            blob.reload(retry=None, timeout=self._timeout)
        return _entry(name, blob)

    def read(
        self,
        name: str,
        *,
        start: int = 0,
        length: int | None = None,
        version: str | None = None,
        max_bytes: int | None = None,
    ) -> bytes:
        from google.api_core.exceptions import RequestRangeNotSatisfiable

        if length == 0:
            current = self.stat(name).version
            if version not in (None, current):
                raise VersionChanged(f"{printable(name)} was changed since it was listed.")
            return b""
        whole = start == 0 and length is None
        file = _Bounded(min(_MAX_READ_BYTES, max_bytes if max_bytes is not None else _MAX_READ_BYTES), self._place(name))
        try:
            with self._errors(name, "read"):
                self._blob(name).download_to_file(
                    file,
                    start=start or None,
                    end=None if length is None else start + length - 1,
                    raw_download=not whole,  # compressed objects are inflated, as in browsers; this is not possible for parts
                    if_generation_match=_generation(version),
                    checksum="auto" if whole else None,
                    timeout=self._timeout,
                    retry=None,
                )
        except PreconditionFailed as error:
            raise VersionChanged(f"{printable(name)} was changed since it was listed.") from error
        except RayocrError as error:
            if isinstance(error.__cause__, RequestRangeNotSatisfiable):  # `start` is after the end, or the object is empty
                return b""
            raise
        return file.getvalue()

    def write(self, name: str, data: bytes | BinaryIO, *, if_absent: bool = False, if_version: str | None = None) -> Entry:
        if if_absent and if_version is not None:
            raise ValueError("if_absent and if_version exclude each other")
        blob = self._blob(name)
        file = io.BytesIO(data) if isinstance(data, bytes) else data
        head = _up_to(file, _AT_ONCE_BYTES + 1)
        size = len(head) if len(head) <= _AT_ONCE_BYTES else None
        if size is None:
            file.seek(-len(head), io.SEEK_CUR)
            blob.chunk_size = _CHUNK_BYTES
        with self._errors(name, "write"):
            blob.upload_from_file(
                file if size is None else io.BytesIO(head),
                size=size,
                content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
                if_generation_match=0 if if_absent else _generation(if_version),
                checksum="crc32c",
                timeout=self._timeout,
                retry=_RestOfUpload(self._policy) if size is None else None,
            )
        return _entry(name, blob)

    def delete(self, name: str, *, if_version: str | None = None) -> None:
        with self._errors(name, "delete"):
            self._blob(name).delete(if_generation_match=_generation(if_version), timeout=self._timeout, retry=None)

    # -- inside -------------------------------------------------------------------------------------------------------------

    def _listed(self, prefix: str, start: str | None, end: str | None) -> Iterator[Entry]:
        token: str | None = None
        while True:
            blobs, token = call(lambda token=token: self._page(prefix, start, end, token), policy=self._policy)  # type: ignore[misc]
            for blob in blobs:
                name = blob.name[len(self._below) :]
                if name.endswith("/") or not name:
                    continue  # placeholder objects that consoles create for folders
                try:
                    checked_name(name)
                except UnsafeName as error:
                    if self.on_error is not None:
                        self.on_error(name, error)
                    continue
                yield _entry(name, blob)
            if not token:
                return

    def _page(
        self, prefix: str, start: str | None, end: str | None, token: str | None, *, size: int = _PAGE
    ) -> tuple[Sequence[Blob], str | None]:
        with self._errors("", "list"):
            found = self._client.list_blobs(
                self._bucket,
                prefix=self._below + prefix or None,
                start_offset=None if start is None else self._below + start,
                end_offset=None if end is None else self._below + end,
                fields=_FIELDS,
                page_size=size,
                page_token=token,
                timeout=self._timeout,
                retry=None,
            )
            page = next(found.pages, None)
            return (tuple(page) if page is not None else ()), found.next_page_token

    def _blob(self, name: str) -> Blob:
        full = self._below + checked_name(name)
        if "\n" in name or "\r" in name:
            raise UnsafeName(f"Google Cloud Storage does not allow line breaks in names: {printable(name)}")
        try:
            size = len(full.encode())
        except UnicodeEncodeError as error:
            raise UnsafeName(f"Google Cloud Storage allows only Unicode names: {printable(name)}") from error
        if size > _MAX_NAME_BYTES:
            raise UnsafeName(f"Google Cloud Storage allows names of at most {_MAX_NAME_BYTES} bytes: {printable(name)}")
        return self._bucket.blob(full)

    def _place(self, name: str) -> str:
        return self.uri + (f"/{name}" if name else "")

    @contextmanager
    def _errors(self, name: str, doing: str) -> Iterator[None]:
        try:
            yield
        except RayocrError:
            raise
        except Exception as error:  # errors of the client, requests or google-auth, which are all translated
            if isinstance(error, OSError) and type(error).__module__ == "builtins" and not isinstance(error, ConnectionError):
                raise  # errors of the file that is sent
            translated = translate(error, self._place(name), doing=doing, name=name)
            if (answer := getattr(error, "response", None)) is not None:
                answer.close()  # the client leaves a download unread and its connection open
            raise translated from error


class _Bounded(io.BytesIO):
    """Accepts up to `limit` bytes of a download, in pieces of 8 KB. For compressed objects, the inflated size counts."""

    def __init__(self, limit: int, place: str) -> None:
        super().__init__()
        self._limit = limit
        self._place = place

    def write(self, data: Any) -> int:
        check_size(self.tell() + len(data), self._limit, printable(self._place))
        return super().write(data)


class _RestOfUpload:
    """A retry strategy for the client, which wraps the start of a resumable upload and each chunk. Failures of the start and of
    the first chunk go to the caller. Later chunks are retried, since the earlier ones have arrived."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._requests = 0

    def __call__(self, send: Callable[[], Any]) -> Callable[[], Any]:
        self._requests += 1
        return send if self._requests <= 2 else lambda: call(lambda: passing(send), policy=self._policy)


def _entry(name: str, blob: Any) -> Entry:
    modified = blob.updated or blob.time_created
    return Entry(
        name=name,
        size_bytes=blob.size or 0,
        version=str(blob.generation),
        modified_at=modified.timestamp() if modified else 0.0,
    )


def _up_to(file: BinaryIO, size: int) -> bytes:
    """Reads this many bytes, fewer only at the end. A single read may return less."""
    parts: list[bytes] = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _generation(version: str | None) -> int | None:
    if version is None:
        return None
    try:
        return int(version)
    except ValueError as error:
        raise PreconditionFailed(f"{version!r} is not a generation.") from error
