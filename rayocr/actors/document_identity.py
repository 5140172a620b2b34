"""Computes the identity of a document: one version of one object at the source."""

from __future__ import annotations

import hashlib

from rayocr.messages import Document
from rayocr.outputs.output_paths import output_name
from rayocr.storage.base import Entry, Storage


def document_id(source_uri: str, version: str) -> str:
    """Returns 32 hex digits, which are always the same for the same URI and version."""
    return hashlib.sha256(f"{source_uri}\0{version}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def document_at(source: Storage, entry: Entry) -> Document:
    uri = f"{source.uri}/{entry.name}"
    return Document(
        document_id=document_id(uri, entry.version),
        source_uri=uri,
        name=entry.name,
        output_name=output_name(entry.name),
        version=entry.version,
        size_bytes=entry.size_bytes,
    )
