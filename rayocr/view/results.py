"""Implements the operations of the results view: the index, the pages of a document, corrections and downloads. All calls block
and can be made on any thread.
"""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rayocr.actors.document_worker.corrections import corrections_of, settle_correction
from rayocr.api.reading import Cancellable
from rayocr.api.review.reread import compared
from rayocr.api.review.reviewer import Reviewer, check_page
from rayocr.driver.monitor.run_record import last_options
from rayocr.driver.retry_selection import options_to_retry, with_command, with_ocr
from rayocr.errors import ObjectNotFound, RayocrError, UsageError
from rayocr.failure_reasons import explanation, rejects_document, retry_helps, special_step
from rayocr.gateway.pictures import Pictures
from rayocr.ledger.corrections import Correction
from rayocr.ledger.manifest import Manifest
from rayocr.outputs.page_html import html_of
from rayocr.outputs.page_texts import outputs_are_of
from rayocr.overrides import for_shell
from rayocr.storage.base import Storage
from rayocr.view.index import ResultsIndex
from rayocr.view.reread import Rereader
from rayocr.view.word_boxes import PlacedWord, place_words

_BLOCK = 1 << 20
_UPDATE_S = 30.0  # seconds between two checks of the destination, while the view is open


@dataclass(slots=True, kw_only=True)
class Results:
    place: str  # the destination as the user writes it
    dest: Storage
    state: Storage
    index: ResultsIndex
    reviewer: Reviewer
    pictures: Pictures
    rereader: Rereader
    problem: str = ""  # the reason why the index could not be updated

    def keep_updated(self, stop: threading.Event) -> None:
        """Updates the index until stopped. Never raises. After a failure the list shows the indexed documents and the reason."""
        while not stop.is_set():
            try:
                self.index.update(stop)
                self.problem = ""
            except RayocrError as error:
                self.problem = str(error)
            stop.wait(_UPDATE_S)

    def failure(self, reason: str) -> dict[str, Any]:
        """Returns the meaning of the reason, and the next step or the command that retries. `whole`: the reason concerns whole
        documents."""
        command = f"rayocr retry {for_shell(self.place)}"
        of_run = last_options(self.state)
        whole, found = rejects_document(reason), explanation(reason)
        options = f"retry.reason={reason}{' retry.rejected=true' if whole else ''}"
        kept = options_to_retry(of_run)
        if reason == "NoTextLayer":
            kept = with_ocr(kept)
        return {
            "whole": whole,
            "meaning": found.meaning if found else "",
            "step": with_command(special_step(reason), command, of_run),
            "command": " ".join([command, options, *kept]) if retry_helps(reason) else "",
        }

    def document(self, document_id: str) -> dict[str, Any]:
        """Returns a document. Raises ObjectNotFound, RecordCorrupt and StorageError."""
        manifest = self.index.manifest(document_id)
        notes = [note.model_dump(mode="json") for note in manifest.notes]
        return {
            "document_id": document_id,
            # Id of the newer version, whose outputs have replaced those of this one.
            "newest": self.index.newest_version(document_id),
            "name": manifest.name,
            "outcome": manifest.outcome.value,
            "reason": manifest.reason or "",
            "message": manifest.message or "",
            "page_count": manifest.page_count,
            "cost_usd": manifest.cost_usd,
            "finished_at": manifest.finished_at,
            "engines": manifest.engines,
            "engine_pages": manifest.engine_pages,  # as ranges ("1-3,7")
            "pages": {outcome.value: runs for outcome, runs in manifest.pages.items()},  # page numbers by outcome, as ranges
            "models": manifest.models,
            "notes": notes,
            "earlier": [
                {"page_number": min(number, manifest.page_count), "author": found.author, "corrected_at": found.corrected_at}
                for _, number, found in self._earlier(document_id)
            ],
            "outputs": [{"name": o.name, "size_bytes": o.size_bytes, "notes": o.notes} for o in manifest.outputs],
        }

    def page(self, document_id: str, number: int) -> dict[str, Any]:
        """Returns a page. Raises ObjectNotFound, also for a page that the document does not have."""
        manifest = self._having(document_id, number)
        page = self.reviewer.page(manifest, number)
        note, correction, text = page.note, page.correction, page.text
        return {
            "page_number": number,
            "outcome": page.outcome,
            "engine": page.engine,
            "text": text,
            "text_id": _text_id(text),
            "html": html_of(text),
            "doubts": list(note.doubts) if note else [],
            "attempts": [attempt.model_dump(mode="json") for attempt in note.attempts] if note else [],
            "corrected_by": correction.author if correction else "",
            "corrected_at": correction.corrected_at if correction else "",
            "earlier": [
                {
                    "document_id": earlier_id,
                    "page_number": page_number,
                    "author": found.author,
                    "corrected_at": found.corrected_at,
                    "compared": compared(text, found.text),
                }
                for earlier_id, page_number, found in self._earlier(document_id)
                if min(page_number, manifest.page_count) == number
            ],
        }

    def picture(self, document_id: str, number: int) -> bytes | None:
        return self.pictures.draw(self._having(document_id, number), number)

    def words(self, document_id: str, number: int) -> list[PlacedWord]:
        """Returns the page's words with their positions on the picture; empty if these are unknown. Raises ObjectNotFound."""
        manifest = self._having(document_id, number)
        return place_words(
            manifest, number, self.reviewer.rewriter.drawing, dest=self.dest, access=self.reviewer.rewriter.config.storage.dest
        )

    def correct(self, document_id: str, number: int, *, text: str, author: str, text_id: str = "") -> str:
        """Saves the text of a page. `text_id`: of the text that the author has seen; "" if unknown. Returns "" if the outputs now
        contain the text, otherwise the reason why they do not. Raises UsageError, ObjectNotFound and StorageError when it was not
        saved."""
        manifest = self._having(document_id, number)
        self._check_newest(manifest)
        if text_id and _text_id((now := self.reviewer.page(manifest, number)).text) != text_id:
            by = now.correction.author if now.correction else "Another process"
            raise UsageError(
                f"{by} has changed page {number} of {manifest.name} since you opened it.",
                hint="The text is not saved: copy it, and open the page again.",
            )
        saved = self.reviewer.correct(manifest, number, text=text, author=author)
        if saved.pending is not None:
            return " ".join(filter(None, (str(saved.pending), saved.pending.hint)))
        self.index.refresh(document_id)
        return ""

    def _check_newest(self, manifest: Manifest) -> None:
        """Raises UsageError if the file was replaced and read again, since this version's correction would overwrite the newer
        outputs. If the outputs differ from the manifest, the newer version may be missing in the index."""
        if not outputs_are_of(manifest, self.dest):
            self.index.update()
        if self.index.newest_version(manifest.document_id) != manifest.document_id:
            raise UsageError(
                f"{manifest.name} was replaced, and a run has read the new version.",
                hint="The text is not saved: copy it, and open the document again.",
            )

    def settle(self, document_id: str, number: int, earlier: tuple[str, int], *, apply: bool) -> str:
        """Applies a correction of an earlier version (its document id and page) to this page, with its author, or discards it.
        Returns and raises the same as `correct`."""
        there = {(earlier_id, page): found for earlier_id, page, found in self._earlier(document_id)}
        if earlier not in there:
            raise ObjectNotFound("This correction was applied or discarded already.")
        pending = ""
        if apply:
            pending = self.correct(document_id, number, text=there[earlier].text, author=there[earlier].author)
        settle_correction(self.state, *earlier, "applied" if apply else "discarded", policy=self.reviewer.policy)
        self.index.refresh_corrections()
        return pending

    def _earlier(self, document_id: str) -> Iterator[tuple[str, int, Correction]]:
        """Returns the corrections of earlier versions that are neither applied nor discarded, each with its document id and page
        number."""
        for earlier_id in self.index.earlier_versions(document_id):
            for number, found in sorted(corrections_of(self.state, earlier_id, policy=self.reviewer.policy).items()):
                if not found.settled:
                    yield earlier_id, number, found

    def read_again(
        self, document_id: str, number: int, *, engine: str, prompt: str, reading: Cancellable | None = None
    ) -> dict[str, Any]:
        """Returns a second reading of the page, and how it differs from the text on record. Does not change the results. Raises
        RayocrError."""
        manifest = self._having(document_id, number)
        before = self.reviewer.page(manifest, number).text
        found = self.rereader.read(manifest, number, engine=engine, prompt=prompt, reading=reading)
        self.index.refresh(document_id)
        return {
            "text": found.text,
            "engine": found.engine,
            "outcome": found.outcome,
            "reason": found.reason,
            "message": found.message,
            "doubts": list(found.doubts),
            "cost_usd": None if found.spent.unpriced else found.spent.cost_usd,
            "html": html_of(found.text),
            "compared": [] if found.failed else compared(before, found.text),  # a failed page has no text to compare
        }

    def output(self, document_id: str, position: int) -> tuple[str, bytes]:
        """Returns name and bytes of one output. Raises ObjectNotFound and StorageError."""
        outputs = self.index.manifest(document_id).outputs
        if not 0 <= position < len(outputs):
            raise ObjectNotFound(f"The document has no output {position}.")
        return outputs[position].name, self.dest.read(outputs[position].name)

    def zipped(self, document_ids: Iterable[str]) -> Iterator[bytes]:
        """Yields all outputs of these documents as a ZIP stream, one output in memory at a time. MISSING.txt lists outputs that
        no longer exist."""
        sink = _Sink()
        missing: list[str] = []
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for document_id in document_ids:
                try:
                    outputs = self.index.manifest(document_id).outputs
                except RayocrError as error:
                    missing.append(f"{document_id}: {error}")
                    continue
                for output in outputs:
                    try:
                        archive.writestr(output.name, self.dest.read(output.name))
                    except RayocrError as error:
                        missing.append(f"{output.name}: {error}")
                    yield sink.taken()
            if missing:
                archive.writestr("MISSING.txt", "\n".join(missing) + "\n")
        yield sink.taken()

    def _having(self, document_id: str, number: int) -> Manifest:
        manifest = self.index.manifest(document_id)
        check_page(manifest, number)
        return manifest


class _Sink(io.RawIOBase):
    """A file without seek, which makes `zipfile` write a stream."""

    def __init__(self) -> None:
        super().__init__()
        self._parts = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts += data
        return len(data)

    def taken(self) -> bytes:
        data = bytes(self._parts)
        self._parts.clear()
        return data


def _text_id(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
