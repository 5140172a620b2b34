"""Fetches a document: reads its bytes from the source for the object store, and checks them. Runs in a DocumentWorker.

No other process opens a file with PDFium before this one, so a file that makes PDFium hang or crash ends only this process.
Idempotent; has no state.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from rayocr.actors.document_identity import document_id
from rayocr.config import AccessConfig, LimitsConfig, RetryConfig
from rayocr.errors import (
    DocumentTooLarge,
    ObjectNotFound,
    ObjectTooLarge,
    ObjectUnreadable,
    StorageDenied,
    StorageError,
    StorageUnavailable,
    UnreadableSource,
    UnsafeName,
    VersionChanged,
)
from rayocr.messages import Document, FetchedDocument
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage

_ROUNDS = 3  # number of reads, each with up to retry.max_attempts calls; the storage is checked after each read


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    source_uri: str
    limits: LimitsConfig
    retry: RetryConfig
    requests_per_s: float | None = None  # limit per process for the source
    access: AccessConfig = field(default_factory=AccessConfig)
    hash_contents: bool = False  # for dedup.documents: SHA-256 of the bytes, which takes one millisecond per megabyte

    def source(self) -> Storage:
        from rayocr.storage.factory import cached_storage

        return cached_storage(self.source_uri, self.requests_per_s, self.access)


def fetch(document: Document, settings: FetchSettings, *, load_pages: bool = True) -> tuple[FetchedDocument, Any]:
    """Returns the facts and the bytes (a read-only uint8 array, which the object store shares without copying).

    `load_pages=False` opens the document without loading pages, for one that crashed an earlier worker.

    Raises DocumentError when the document has to be rejected, VersionChanged when it was replaced since it was listed, and
    StorageError when the source is unavailable.
    """
    import numpy

    from rayocr.pdf.document import validate
    from rayocr.pdf.guard import bounded

    limits = settings.limits
    if document.size_bytes > limits.max_document_bytes:
        raise DocumentTooLarge(
            f"The document has {document.size_bytes:,} bytes; limits.max_document_bytes allows {limits.max_document_bytes:,}."
        )
    data = numpy.frombuffer(_read(settings.source(), document, settings), dtype=numpy.uint8)
    with bounded(seconds=limits.validate_timeout_s, memory_bytes=limits.page_memory):
        facts = validate(data, max_pages=limits.max_document_pages, max_bytes=limits.max_document_bytes, load_pages=load_pages)
    sha256 = hashlib.sha256(data.data).hexdigest() if settings.hash_contents else ""
    return FetchedDocument(document=document, page_count=facts.page_count, title=facts.title, content_sha256=sha256), data


def _read(source: Storage, document: Document, settings: FetchSettings) -> bytes:
    """Reads the bytes. Raises StorageUnavailable if the storage itself does not answer, and UnreadableSource if only this object
    fails."""
    policy = RetryPolicy.from_config(settings.retry)

    def read() -> bytes:
        return source.read(document.name, version=document.version, max_bytes=settings.limits.max_document_bytes)

    try:
        for _ in range(_ROUNDS):
            try:
                return call(read, policy=policy)
            except StorageUnavailable as error:
                failure = error
                source.check_readable()  # raises if the storage as a whole is unavailable
    except ObjectNotFound as error:
        raise UnreadableSource(
            "The document is no longer at the source.", hint="No action is needed unless the document reappears.", gone=True
        ) from error
    except StorageDenied as error:
        raise UnreadableSource(f"The document cannot be read: {error}", hint=error.hint, denied=True) from error
    except ObjectTooLarge as error:
        raise DocumentTooLarge(f"{error} limits.max_document_bytes sets the limit.") from error
    except (ObjectUnreadable, UnsafeName) as error:
        raise UnreadableSource(str(error), hint=error.hint) from error
    tries = _ROUNDS * policy.max_attempts
    raise UnreadableSource(
        f"The document could not be read in {tries} attempts, although its storage answers: {failure}",
        hint="Try again with mode=retry retry.rejected=true.",
    ) from failure


def check_current(document: Document, settings: FetchSettings) -> None:
    """Raises VersionChanged when the source has another version now. Accepts an object that no longer exists or cannot be
    checked."""
    try:
        version = settings.source().stat(document.name).version
    except StorageError:
        return
    if version != document.version:
        raise VersionChanged(f"{document.name} was replaced while it was read.")


def current_version(document: Document, settings: FetchSettings) -> Document:
    """Returns the document's current version at the source. Raises ObjectNotFound if it no longer exists."""
    entry = settings.source().stat(document.name)
    return replace(
        document,
        document_id=document_id(document.source_uri, entry.version),
        version=entry.version,
        size_bytes=entry.size_bytes,
    )
