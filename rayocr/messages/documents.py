"""Defines the values of listed, fetched and assembled documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rayocr.messages.pages import PageSummary


class DocumentOutcome(StrEnum):
    COMPLETE = "complete"
    PARTIAL = "partial"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One PDF at its source, at one version.

    `name` is the path below the source, with `/`. `output_name` is the path below the destination, without a suffix, that its
    outputs share unless another document owns it (`reports/2024/a`; see actors/document_worker/output_names.py). `version` is
    opaque (local: `size-mtime_ns`, GCS: generation, Drive: revision and md5). `name_owner` is the owner of that path, if it is
    another document. `has_dead_letter`: true if a run was killed after it wrote the dead letter and before it wrote the manifest.
    """

    document_id: str
    source_uri: str
    name: str
    output_name: str
    version: str
    size_bytes: int
    name_owner: str = ""
    has_dead_letter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedDocument:
    """The facts about a fetched document, whose bytes are in the object store."""

    document: Document
    page_count: int
    title: str | None = None
    content_sha256: str = ""  # set only if dedup.documents is on


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """One file written for a document: its name below the destination and the sha256 of its bytes. `notes`: sentences about
    content that the file could not show exactly."""

    name: str
    size_bytes: int
    sha256: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOf:
    """The document with the same bytes. `name`: its name below the source; empty if unknown."""

    document_id: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembledDocument:
    """The result of assembling. `renamed`: another document owns the plain name. `copy_of` and `copied_pages` are set if the
    document was copied instead of read."""

    document_id: str
    outcome: DocumentOutcome
    outputs: tuple[OutputFile, ...] = field(default=())
    renamed: bool = False
    copy_of: CopyOf | None = None
    copied_pages: tuple[PageSummary, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentContext:
    """The facts that every part needs about a document in progress."""

    document: Document
    page_count: int
    title: str | None
    fencing_token: int
    content_sha256: str = ""
    run_id: str = ""
