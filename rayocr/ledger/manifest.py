"""Defines the manifest, the record that makes a document finished: one JSON object per document, written last. Pydantic validates
it on reading. Invalid manifests raise RecordCorrupt with the object's name.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rayocr import __version__
from rayocr.errors import RecordCorrupt
from rayocr.ledger.corrections import Correction
from rayocr.ledger.note_ranges import folded, unfolded
from rayocr.ledger.runs import MAX_PAGES, format_runs, runs_of
from rayocr.messages import Attempt, CopyOf, DocumentContext, DocumentOutcome, OutputFile, PageOutcome, PageRecord, PageSummary
from rayocr.untrusted_json import checked_as, parse_object

DOCUMENTS_PREFIX = ".rayocr/documents/"
DEAD_LETTERS_PREFIX = ".rayocr/dead_letters/"
DISMISSED_PREFIX = ".rayocr/dismissed/"  # dead letters that a person has dismissed
SCHEMA_VERSION = 1

_OF_A_DOCUMENT = re.compile(
    r"\.rayocr/(?:documents|dead_letters|dismissed|corrections|control/cancel)/([0-9a-f]{2})/((?:[0-9a-f]{2})+)\.json"
)


def manifest_name(document_id: str) -> str:
    return f"{DOCUMENTS_PREFIX}{document_id[:2]}/{document_id}.json"


def document_id_of(name: str) -> str | None:
    """Returns the document whose manifest, dead letter, corrections or request has this name; None for other objects."""
    match = _OF_A_DOCUMENT.fullmatch(name)
    return match.group(2) if match and match.group(2).startswith(match.group(1)) else None


def _checked_runs(text: str) -> str:
    runs_of(text)
    return text


_Runs = Annotated[str, AfterValidator(_checked_runs)]


class _Model(BaseModel):
    # Ignores fields of a later version within the same schema.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class AttemptNote(_Model):
    engine: str
    reason: str
    message: str = ""


class PageNote(_Model):
    """A note on a page that failed, was read by a later engine, or is doubtful."""

    page_number: int = Field(ge=1)
    outcome: PageOutcome
    engine: str = ""
    reason: str = ""  # reason of the last engine that failed: a class of rayocr.errors
    message: str = ""
    doubts: tuple[str, ...] = ()
    agreement: float | None = None  # agreement with another reading of the page, 0..1
    attempts: tuple[AttemptNote, ...] = ()
    corrected_by: str = ""  # the person who edited the text
    corrected_at: str = ""


class OutputNote(_Model):
    name: str
    size_bytes: int = Field(ge=0)
    sha256: str
    notes: tuple[str, ...] = ()


class CopyNote(_Model):
    """The document with the same bytes under another name that was read instead."""

    document_id: str
    name: str = ""


class Manifest(_Model):
    """A document's manifest. `pages`: page numbers by outcome, as ranges ("1-3,7"). `engines`: number of pages per engine.
    `engine_pages`: their numbers, as ranges; empty in manifests of earlier versions."""

    schema_version: int = SCHEMA_VERSION
    rayocr_version: str = __version__
    document_id: str = Field(min_length=1)
    source_uri: str
    name: str
    version: str
    size_bytes: int = Field(ge=0)
    title: str | None = None
    page_count: int = Field(ge=0, le=MAX_PAGES)
    outcome: DocumentOutcome
    reason: str | None = None
    message: str | None = None
    settings_fingerprint: str
    pages: dict[PageOutcome, _Runs] = {}
    notes: tuple[PageNote, ...] = ()
    engines: dict[str, int] = {}
    engine_pages: dict[str, _Runs] = {}
    models: tuple[str, ...] = ()
    compared: int = 0  # pages that were compared with another reading; `notes` contains those with low agreement
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0  # the part of the input tokens that the server had cached
    cost_usd: float | None = 0.0  # cost over all runs; None: a model without a known price was used
    outputs: tuple[OutputNote, ...] = ()
    copy_of: CopyNote | None = None
    content_sha256: str | None = None  # SHA-256 of the source's bytes, if duplicates are detected
    fencing_token: int = 0
    run_id: str
    started_at: str
    finished_at: str

    def to_json(self) -> bytes:
        values = self.model_dump(mode="python")
        values["notes"] = folded(values["notes"])
        try:
            text = json.dumps(values, indent=1, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:  # the name contains bytes that are not text
            text = json.dumps(values, indent=1, default=str).encode("ascii")
        return text + b"\n"

    @classmethod
    def from_json(cls, data: bytes, *, name: str) -> Manifest:
        """Parses a manifest. Raises RecordCorrupt, which describes the problem of the named object."""
        hint = "Delete it to have its document read again; pages still in the ledger are not paid for twice."
        shown = f"The manifest {name}"
        values = parse_object(data, name=shown, hint=hint)
        version = values.get("schema_version")
        if type(version) is not int or version < 1:
            raise RecordCorrupt(f"{name} is not a manifest.", hint=hint)
        if version > SCHEMA_VERSION:
            raise RecordCorrupt(
                f"The manifest {name} has schema {version}, but this rayocr reads up to {SCHEMA_VERSION}.",
                hint="Use the rayocr that wrote it, or a newer one.",
            )
        try:
            values["notes"] = unfolded(values.get("notes", []))
        except ValueError as error:
            raise RecordCorrupt(f"{shown} is damaged: {error}", hint=hint) from error
        manifest = checked_as(cls, values, name=shown, hint=hint)
        if (document_id := document_id_of(name)) is not None and manifest.document_id != document_id:
            raise RecordCorrupt(f"{shown} is that of another document.", hint=hint)
        return manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The tokens and cost of pages. `unpriced`: part of the cost is unknown."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: bool = False

    @classmethod
    def on(cls, pages: Iterable[PageSummary | PageRecord]) -> Spent:
        pages = tuple(pages)
        return cls(
            input_tokens=sum(page.input_tokens for page in pages),
            output_tokens=sum(page.output_tokens for page in pages),
            cached_tokens=sum(page.cached_tokens for page in pages),
            cost_usd=sum(page.cost_usd for page in pages),
            unpriced=any(page.unpriced for page in pages),
        )

    @classmethod
    def of(cls, manifest: Manifest) -> Spent:
        return cls(
            input_tokens=manifest.input_tokens,
            output_tokens=manifest.output_tokens,
            cached_tokens=manifest.cached_tokens,
            cost_usd=manifest.cost_usd or 0.0,
            unpriced=manifest.cost_usd is None,
        )

    def fields(self) -> dict[str, Any]:
        """Returns the values as a manifest contains them."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cached_tokens": self.cached_tokens,
            "cost_usd": None if self.unpriced else round(self.cost_usd, 9),
        }

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            unpriced=self.unpriced or other.unpriced,
        )


def spent_before(earlier: Manifest, kept: Spent) -> Spent:
    """Returns the tokens and cost of the earlier reading of a document, without the pages that are `kept`."""
    spent = Spent.of(earlier)
    return Spent(
        input_tokens=max(0, spent.input_tokens - kept.input_tokens),
        output_tokens=max(0, spent.output_tokens - kept.output_tokens),
        cached_tokens=max(0, spent.cached_tokens - kept.cached_tokens),
        cost_usd=max(0.0, spent.cost_usd - kept.cost_usd),
        unpriced=spent.unpriced,
    )


def build_manifest(
    context: DocumentContext,
    *,
    outcome: DocumentOutcome,
    summaries: Sequence[PageSummary],
    outputs: Sequence[OutputFile],
    run_id: str,
    fingerprint: str,
    started_at: str,
    finished_at: str | None = None,
    reason: str | None = None,
    message: str | None = None,
    copy_of: CopyOf | None = None,
    corrections: Mapping[int, Correction] | None = None,
    spent_before: Spent | None = None,
) -> Manifest:
    """Builds the manifest. `summaries`: every page, in order; none for a rejected document. `finished_at` defaults to now.
    `spent_before`: the spending on pages that were read again later."""
    numbers: defaultdict[PageOutcome, list[int]] = defaultdict(list)
    for page in summaries:
        numbers[page.outcome].append(page.page_number)
    document = context.document
    spent = Spent.on(summaries) + (spent_before or Spent())
    return Manifest(
        document_id=document.document_id,
        source_uri=document.source_uri,
        name=document.name,
        version=document.version,
        size_bytes=document.size_bytes,
        title=context.title,
        page_count=context.page_count,
        outcome=outcome,
        reason=reason,
        message=message,
        settings_fingerprint=fingerprint,
        pages={kind: format_runs(numbers[kind]) for kind in PageOutcome if kind in numbers},
        notes=tuple(
            with_correction(_note(page), (corrections or {}).get(page.page_number))
            for page in summaries
            if _is_notable(page) or page.page_number in (corrections or {})
        ),
        **read_by(summaries),
        models=tuple(sorted({page.model for page in summaries if page.model})),
        compared=sum(page.agreement is not None for page in summaries),
        **spent.fields(),
        outputs=tuple(OutputNote(name=o.name, size_bytes=o.size_bytes, sha256=o.sha256, notes=o.notes) for o in outputs),
        copy_of=CopyNote(document_id=copy_of.document_id, name=copy_of.name) if copy_of else None,
        content_sha256=context.content_sha256 or None,
        fencing_token=context.fencing_token,
        run_id=run_id,
        started_at=started_at,
        finished_at=finished_at or datetime.now(UTC).isoformat(timespec="seconds"),
    )


def read_by(pages: Iterable[PageSummary | PageRecord]) -> dict[str, Any]:
    """Returns the fields `engines` and `engine_pages` of a manifest. Neither field contains pages without an engine (blank,
    failed)."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for page in pages:
        if page.engine and page.outcome in (PageOutcome.DONE, PageOutcome.FALLBACK):
            numbers[page.engine].append(page.page_number)
    return {
        "engines": {engine: len(numbers[engine]) for engine in sorted(numbers)},
        "engine_pages": {engine: format_runs(numbers[engine]) for engine in sorted(numbers)},
    }


def _is_notable(page: PageSummary) -> bool:
    return page.outcome in (PageOutcome.FAILED, PageOutcome.FALLBACK) or bool(page.attempts or page.doubts)


def _note(page: PageSummary) -> PageNote:
    last: Attempt | None = page.attempts[-1] if page.attempts else None
    return PageNote(
        page_number=page.page_number,
        outcome=page.outcome,
        engine=page.engine,
        reason=last.reason if last else "",
        message=last.message if last else "",
        doubts=page.doubts,
        agreement=page.agreement,
        attempts=tuple(AttemptNote(engine=a.engine, reason=a.reason, message=a.message) for a in page.attempts),
    )


def with_correction(note: PageNote, correction: Correction | None) -> PageNote:
    if correction is None:
        return note
    return note.model_copy(update={"corrected_by": correction.author, "corrected_at": correction.corrected_at})
