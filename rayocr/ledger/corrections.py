"""Defines corrections, which are page texts that a person edited: `.rayocr/corrections/<2 hex>/<document_id>.json`, one object
per document. A correction replaces the text of any engine for that page, in every output, now and after `overwrite=true`. A
correction belongs to one version of a document, since a changed source is a new document. Corrections of an earlier version stay
on record until a person applies or discards them in the results view (`settled`). Pure functions; the document worker reads and
writes the objects.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rayocr.errors import RecordCorrupt
from rayocr.messages import PageOutcome, PageRecord
from rayocr.untrusted_json import parse_as

CORRECTIONS_PREFIX = ".rayocr/corrections/"
SCHEMA_VERSION = 1
CORRECTED = "person"  # the `engine` of a corrected page
MAX_TEXT_CHARS = 200_000  # maximum number of characters of one page


class ReplacedPage(BaseModel):
    """The page that the first correction replaced, to undo the correction. `reason` and `message`: the reason for its failure, if
    it failed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str = Field(max_length=MAX_TEXT_CHARS)
    outcome: PageOutcome
    engine: str = ""
    reason: str = ""
    message: str = ""
    doubts: tuple[str, ...] = ()
    agreement: float | None = None


class Correction(BaseModel):
    """The correction of one page. `text` is Markdown; `corrected_at` is ISO 8601, UTC. `settled`: what a person did with it after
    the source was replaced.

    `engine`, `model` and `doubts` are those of a new reading that the author has accepted; empty if a person wrote the text.
    `replaced` is the page as it was before its first correction; None in records of earlier versions."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str = Field(max_length=MAX_TEXT_CHARS)
    author: str = Field(max_length=200)
    corrected_at: str = Field(max_length=40)
    settled: Literal["", "applied", "discarded"] = ""
    engine: str = Field(default="", max_length=40)
    model: str = Field(default="", max_length=200)
    doubts: tuple[str, ...] = ()
    replaced: ReplacedPage | None = None


class Corrections(BaseModel):
    """The corrections of one document, by page number. `source_uri` and `name` are empty in records of earlier versions."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    document_id: str
    source_uri: str = ""
    name: str = ""
    pages: dict[int, Correction] = {}

    def to_json(self) -> bytes:
        return json.dumps(self.model_dump(mode="json"), indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes, *, name: str) -> Corrections:
        """Parses an object. Raises RecordCorrupt, which names the object."""
        found = parse_as(cls, data, name=name, hint="Delete it to drop the corrections of this document.")
        if found.schema_version > SCHEMA_VERSION:
            raise RecordCorrupt(f"{name} has schema {found.schema_version}; this rayocr reads up to {SCHEMA_VERSION}.")
        return found

    def having(self, page_number: int, correction: Correction) -> Corrections:
        return self.model_copy(update={"pages": {**self.pages, page_number: correction}})

    def without(self, page_number: int) -> Corrections:
        return self.model_copy(update={"pages": {number: c for number, c in self.pages.items() if number != page_number}})

    @property
    def unsettled(self) -> list[int]:
        """The numbers of the pages whose corrections are neither applied nor discarded, in order."""
        return sorted(number for number, correction in self.pages.items() if not correction.settled)


def corrections_name(document_id: str) -> str:
    return f"{CORRECTIONS_PREFIX}{document_id[:2]}/{document_id}.json"


def corrected(record: PageRecord, corrections: Mapping[int, Correction]) -> PageRecord:
    """Returns the record with the text of its correction, if there is one. Its cost and its attempts are kept."""
    found = corrections.get(record.page_number)
    if found is None:
        return record
    outcome = PageOutcome.DONE if found.text.strip() else PageOutcome.BLANK
    engine = found.engine or CORRECTED
    return replace(record, text=found.text, outcome=outcome, engine=engine, model=found.model, doubts=found.doubts, boxes="")
