"""Corrects pages of finished documents, undoes corrections, and reads pages again. A correction is durable when a call returns;
the outputs and the manifest are then written again (`rewrite.py`). All calls block and may be made on any thread.
"""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from rayocr.actors.document_worker.corrections import corrections_of, new_correction, remove_correction, save_correction
from rayocr.actors.ledger.versions import older_versions
from rayocr.api.reading import Cancellable
from rayocr.api.review.finding import read_manifests
from rayocr.api.review.reread import NewReading, read_page
from rayocr.api.review.rewrite import OWNER_PREFIX, Rewriter
from rayocr.composition import source_accesses
from rayocr.config import RayocrConfig, Secrets
from rayocr.errors import LockError, ObjectNotFound, RayocrError, UsageError
from rayocr.ledger.corrections import MAX_TEXT_CHARS, Correction, ReplacedPage
from rayocr.ledger.manifest import Manifest, PageNote, Spent
from rayocr.locks.factory import open_locks
from rayocr.messages import PageOutcome
from rayocr.outputs.page_texts import engine_of, outputs_are_of, page_outcome, read_texts
from rayocr.outputs.report.pages import Drawing
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Storage

_DPI = 130  # resolution of a page's picture, in which small print is legible when zoomed


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentPage:
    """A page as the outputs or its correction contain it. `text` is Markdown, empty for a failed page. `written`: whether the
    outputs contain this text."""

    number: int
    text: str
    outcome: str
    engine: str
    note: PageNote | None
    correction: Correction | None
    written: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A saved correction. `manifest`: the manifest of the written outputs; None if the outputs do not contain the correction yet,
    for the reason `pending`."""

    manifest: Manifest | None
    pending: RayocrError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    dest: Storage
    state: Storage
    rewriter: Rewriter
    policy: RetryPolicy

    def page(self, manifest: Manifest, number: int) -> PresentPage:
        """Returns a page. Raises ObjectNotFound for a page that the document does not have, and StorageError."""
        check_page(manifest, number)
        correction = corrections_of(self.state, manifest.document_id, policy=self.policy).get(number)
        outcome = page_outcome(manifest, number)
        written = read_texts(manifest, self.dest).get(number, "") if outcome != PageOutcome.FAILED else ""
        return PresentPage(
            number=number,
            text=correction.text if correction else written,
            outcome=outcome,
            engine=engine_of(manifest, number),
            note=next((note for note in manifest.notes if note.page_number == number), None),
            correction=correction,
            written=correction is None or (correction.text.strip() == written.strip() and outcome != PageOutcome.FAILED),
        )

    def save(self, manifest: Manifest, number: int, *, text: str, author: str, read: NewReading | None = None) -> None:
        """Saves a correction durably; `write` then writes the outputs. `read`: the accepted reading from which the text comes.
        Raises UsageError, ObjectNotFound and StorageError."""
        if not author.strip():
            raise UsageError("The correction has no author.", hint="Give the name of the person who makes it.")
        self._check_newest(manifest)
        before = self.page(manifest, number)
        made = new_correction(
            text,
            author.strip(),
            engine=read.engine if read else "",
            model=read.model if read else "",
            doubts=read.doubts if read else (),
            replaced=_replaced(before) if before.correction is None else None,
        )
        source = {"source_uri": manifest.source_uri, "name": manifest.name}
        save_correction(self.state, manifest.document_id, number, made, policy=self.policy, **source)

    def write(self, manifest: Manifest) -> Saved:
        """Writes the outputs with all recorded corrections. Never raises RayocrError, since the corrections are already saved."""
        try:
            return Saved(manifest=self.rewriter.rewrite(manifest.document_id))
        except LockError as error:
            message = f"{error} The correction is saved, and the run applies it."
            return Saved(manifest=None, pending=type(error)(message, hint=error.hint))
        except RayocrError as error:
            return Saved(manifest=None, pending=type(error)(f"The correction is saved. {error}", hint=error.hint))

    def correct(self, manifest: Manifest, number: int, *, text: str, author: str, read: NewReading | None = None) -> Saved:
        """Calls `save`, then `write`. Raises the same errors as `save`."""
        self.save(manifest, number, text=text, author=author, read=read)
        return self.write(manifest)

    def undo(self, manifest: Manifest, number: int) -> tuple[Correction, Manifest]:
        """Restores the text that the page had before its first correction. Returns the removed correction and the new manifest.
        Raises UsageError if that text is not on record, ObjectNotFound, LockError while a run reads the document, and
        StorageError; nothing is changed in these cases."""
        self._check_newest(manifest)
        correction = self.page(manifest, number).correction
        if correction is None:
            raise UsageError(f"Page {number} of {manifest.name} has no correction.")
        if correction.replaced is None:
            raise UsageError(
                f"The text that page {number} of {manifest.name} had before its correction is not on record.",
                hint="Read the page again: rayocr reread OUT NAME PAGE",
            )
        made = self.rewriter.rewrite(manifest.document_id, restored={number: correction.replaced})
        remove_correction(self.state, manifest.document_id, number, correction, policy=self.policy)
        return correction, made

    def _check_newest(self, manifest: Manifest) -> None:
        """Raises UsageError if the file was replaced and read again, since the outputs are those of the newer version then."""
        if outputs_are_of(manifest, self.dest):
            return
        versions = [found for found in read_manifests(self.state) if found.source_uri == manifest.source_uri]
        if manifest.document_id in older_versions(versions):
            raise UsageError(
                f"{manifest.name} was replaced, and a run has read the new version.",
                hint="The text is not saved. Correct the new version: name the document by its name, not by its id.",
            )

    def read_again(
        self, manifest: Manifest, number: int, *, overrides: Sequence[str], reading: Cancellable | None = None, **options: Any
    ) -> NewReading:
        """Returns a new reading of the page; only the recorded cost changes. Raises LockError while a run reads the document, and
        RayocrError like `rayocr.read`."""
        check_page(manifest, number)
        self.rewriter.check_free(manifest)
        found = read_page(
            manifest,
            number,
            drawing=self.rewriter.drawing,
            state=self.state,
            overrides=overrides,
            reading=reading or Cancellable(),
            **options,
        )
        if found.spent != Spent():
            with suppress(LockError):  # a run began to read the document; the cost is in the record of the reading
                self.rewriter.add_spent(manifest.document_id, found.spent)
        return found


@contextmanager
def open_reviewer(config: RayocrConfig, keys: Secrets, *, dest: Storage, state: Storage) -> Iterator[Reviewer]:
    """Yields a reviewer, and closes its locks at the end. Raises UsageError and LocksUnavailable."""
    reviewer = new_reviewer(config, keys, dest=dest, state=state)
    try:
        yield reviewer
    finally:
        reviewer.rewriter.locks.close()


def new_reviewer(config: RayocrConfig, keys: Secrets, *, dest: Storage, state: Storage) -> Reviewer:
    """Creates a reviewer, whose locks the caller must close. Raises UsageError and LocksUnavailable."""
    policy = RetryPolicy.from_config(config.retry)
    locks = open_locks(config.locks, state.uri, owner=f"{OWNER_PREFIX}{secrets.token_hex(4)}", redis_url=keys.redis_url)
    drawing = Drawing(dpi=_DPI, limits=config.limits, access=config.storage.source, kinds=source_accesses(config))
    rewriter = Rewriter(dest=dest, state=state, locks=locks, config=config, policy=policy, drawing=drawing)
    return Reviewer(dest=dest, state=state, rewriter=rewriter, policy=policy)


def check_page(manifest: Manifest, number: int) -> None:
    """Raises ObjectNotFound if the document has no such page."""
    if 1 <= number <= manifest.page_count:
        return
    if not manifest.page_count:
        raise ObjectNotFound(f"{manifest.name} could not be read ({manifest.reason}), so it has no pages.")
    pages = "1 page" if manifest.page_count == 1 else f"pages 1 to {manifest.page_count:,}"
    raise ObjectNotFound(f"{manifest.name} has no page {number}; it has {pages}.")


def user_name() -> str:
    """Returns the name of this process's user, to offer as the author of corrections; "" if the system has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without an entry
        return ""


def _replaced(before: PresentPage) -> ReplacedPage | None:
    if len(before.text) > MAX_TEXT_CHARS or before.outcome not in set(PageOutcome):
        return None
    note = before.note
    failed = before.outcome == PageOutcome.FAILED
    return ReplacedPage(
        text=before.text,
        outcome=PageOutcome(before.outcome),
        engine=before.engine,
        reason=note.reason if note and failed else "",
        message=note.message if note and failed else "",
        doubts=note.doubts if note else (),
        agreement=note.agreement if note else None,
    )
