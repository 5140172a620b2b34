"""Prints the messages of a run, and determines its exit code."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rayocr.actors.document_worker.later_outputs import lacking_outputs
from rayocr.config import Mode, RayocrConfig
from rayocr.driver.earlier.corrected_documents import CorrectedPages
from rayocr.driver.earlier.missing_outputs import Addition
from rayocr.driver.monitor.closing.closing_table import closing_json, unseen
from rayocr.driver.monitor.closing.run_summary import RunSummary
from rayocr.driver.monitor.nothing_to_read import is_empty, no_pdfs, not_pdfs, nothing_passes, warn_of_unmatched
from rayocr.driver.monitor.run_record import forget_started, options_of
from rayocr.driver.monitor.terminal import ConsoleTerminal, printable
from rayocr.driver.plan import Plan
from rayocr.driver.retry_selection import command_on, count_rejected, is_narrowed, resume_command, source_words
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import RayocrError, StorageUnavailable, UsageError
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest, document_id_of
from rayocr.messages import DiscoveryBatch, DiscoveryTotals, Document, DocumentOutcome
from rayocr.overrides import for_shell
from rayocr.storage.base import MAX_STATE_BYTES
from rayocr.storage.uri import parse_uri


@dataclass(slots=True, kw_only=True)
class Announcements:
    config: RayocrConfig
    plan: Plan
    terminal: ConsoleTerminal
    progress: Progress
    run_id: str
    dead_letters: int = 0  # in mode=retry, the number of documents to retry
    finished_before: int | None = None  # number of documents that were finished when the run began; None: no number was announced
    corrections: Callable[[], Sequence[CorrectedPages]] = tuple  # corrections that concern the documents of this run
    addition: Addition = field(default_factory=Addition)
    lacks_outputs: bool = False  # manifest of a finished document
    unmatched_named: bool = False  # whether patterns of include= and exclude= that match nothing were reported
    other_settings: bool = False  # whether finished documents were read with another engine or other options

    def say_found(self, batch: DiscoveryBatch) -> None:
        totals = batch.totals
        self.finished_before = totals.finished
        more = "" if batch.exhausted or totals.found < 20_000 else " so far"
        reason = "not retried" if self.config.mode is Mode.retry else "finished earlier and skipped"
        skipped = f"; {totals.finished:,} {reason}" if totals.finished else ""
        if not self.progress.totals.found:  # used until the run's own listing has more documents
            self.progress.totals = totals
        documents = "document" if totals.found == 1 else "documents"
        self.terminal.say(f"Found {totals.found:,} {documents}{more}{skipped}.{not_pdfs(totals) if batch.exhausted else ''}")
        self._warn_of_unmatched(totals)
        self._say_other_settings()
        if self.dead_letters and batch.exhausted and not batch.documents:
            self._report_no_match()
        self._say_damaged(batch)

    def say_nothing_to_do(self, batch: DiscoveryBatch, *, lacking: bool = False) -> None:
        """Reports that no document is left to read. `lacking`: finished documents lack an output that is requested now."""
        totals = self.progress.totals = batch.totals
        self._say_damaged(batch)
        self._warn_of_unmatched(totals)
        if totals.unreadable:
            self.terminal.warn(f"{unseen(totals)}.")
        if not totals.found and not self._wrong(totals):
            self.terminal.warn(f"There are no PDFs in {parse_uri(self.plan.source.uri).display}.")
        if self.dead_letters:
            self._report_no_match()
            return
        if not totals.found:
            return
        finished = "the document is finished" if totals.found == 1 else f"all {totals.found:,} documents are finished"
        if lacking:  # overwrite=true would read and pay for the recorded pages again
            self.terminal.say(f"Nothing to read: {finished}. Outputs that are missing are written from the recorded pages.")
        else:
            self.terminal.say(f"Nothing to do: {finished} (outputs in {parse_uri(self.plan.dest.uri).display}).")
            self._say_other_settings()
        if totals.dead_letters:
            were = "1 document was" if totals.dead_letters == 1 else f"{totals.dead_letters:,} documents were"
            self.terminal.warn(
                f"{were} rejected or partly failed; `{self._status_command}` lists the reasons and the next steps."
            )

    def say_outputs_added(self, addition: Addition) -> None:
        """Reports the outputs that finished documents got from the record, and those that they still lack."""
        self.addition = addition
        if addition.documents:
            got = _listed(addition.added)
            documents, pages = ("document", "its") if addition.documents == 1 else ("documents", "their")
            self.terminal.say(
                f"{addition.documents:,} finished {documents} got {got}; {pages} pages were not read again (outputs in"
                f" {parse_uri(self.plan.dest.uri).display})."
            )
        if addition.left_documents:
            lack = _listed(addition.left)
            documents, have = ("document", "lacks") if addition.left_documents == 1 else ("documents", "lack")
            failure = f" {printable(addition.first_failure)}" if addition.first_failure else ""
            if not failure:
                failure = " Without Markdown or JSON Lines, or without the source, the recorded pages do not suffice."
            self.terminal.warn(
                f"{addition.left_documents:,} finished {documents} still {have} {lack}.{failure} To read the pages again, at"
                " their full cost, set overwrite=true."
            )

    def find_other_settings(self) -> None:
        """Compares the settings with those of one finished document. Blocks. Does not report an unreadable state, since the run
        does."""
        with contextlib.suppress(RayocrError):
            for entry in self.plan.state.list(DOCUMENTS_PREFIX):
                if document_id_of(entry.name) and entry.size_bytes:
                    found = Manifest.from_json(self.plan.state.read(entry.name, max_bytes=MAX_STATE_BYTES), name=entry.name)
                    self.lacks_outputs = bool(lacking_outputs(found, self.plan.outputs))
                    self.other_settings = found.settings_fingerprint != self.config.fingerprint(self.plan.prompts)
                    return

    def _say_other_settings(self) -> None:
        # A run adds missing outputs at its end, and a watch does not end.
        if self.lacks_outputs and self.config.mode is Mode.watch:
            self.terminal.warn(
                "Finished documents lack an output that outputs= names. A run with the same options (rayocr IN OUT) adds it from"
                " the recorded pages."
            )
        if self.other_settings and not self.config.overwrite and self.config.mode is not Mode.retry:
            self.terminal.warn(
                "Finished documents were read with another engine or other options. Set overwrite=true to read them again."
            )

    def say_document(self, document: Document, outcome: DocumentOutcome) -> None:
        """Reports a document of a watch, which prints no closing table for days."""
        if outcome is DocumentOutcome.COMPLETE:
            self.terminal.say(f"{printable(document.name)}: complete")
        else:
            self.terminal.warn(
                f"{printable(document.name)}: {outcome.value}; `rayocr status` on the destination shows the reason"
            )

    def say_nothing_to_retry(self) -> int:
        """Reports how many documents were rejected, because `mode=retry` without other options skips them."""
        rejected, helped = (0, 0) if self.config.retry.rejected else count_rejected(self.plan.state, self.config)
        if not rejected:
            none = "no failed document matches the filters" if is_narrowed(self.config) else "no finished document has failures"
            self.terminal.say(f"Nothing to retry: {none}. `{self._status_command}` lists failed documents.")
            return 0
        pages = "no failed page matches the filters" if is_narrowed(self.config) else "no document has failed pages"
        if not helped:
            documents = "the rejected document" if rejected == 1 else f"the {rejected:,} rejected documents"
            self.terminal.warn(
                f"Nothing to retry: {pages}, and a retry of the unchanged files cannot help {documents}. `{self._status_command}`"
                " lists the next steps."
            )
            return 1
        documents = "1 rejected document needs" if helped == 1 else f"{helped:,} rejected documents need"
        self.terminal.warn(f"Nothing to retry: {pages}; {documents} retry.rejected=true.")
        return 1

    def say_watching(self) -> None:
        told = "by notifications" if self.config.watch.subscription else f"every {self.config.poll_interval_s:g} s"
        self.terminal.say(f"Watching {parse_uri(self.plan.source.uri).display} {told}. Press Ctrl-C to stop.")

    def say_locks(self, away: bool) -> None:
        self.progress.locks_unavailable = away
        if away:
            self.terminal.warn(
                "The lock service is unavailable. Documents in progress continue. No new ones start until it is available again."
            )
        else:
            self.terminal.say("The lock service is available again.")

    def announce_drain(self, signal_name: str) -> None:
        self.progress.stops_at = self.progress.clock() + self.config.shutdown.grace_s
        self.terminal.warn(
            f"{signal_name}: pages in progress will finish (within {self.config.shutdown.grace_s:g} s). Repeat to stop at once."
        )

    def announce_stop(self) -> None:
        self.terminal.close()
        again = printable(resume_command(self.config, source=source_words(self.plan), options=map(for_shell, self.options)))
        self.terminal.warn(f"Stopped at once. `{self._status_command}` lists the finished documents. To resume: {again}")

    def exit_code(self) -> int:
        """Returns the exit code. Raises StorageUnavailable when documents were deferred, and UsageError when an option leaves out
        all documents."""
        progress = self.progress
        if self.config.mode is Mode.run and (wrong := self._wrong(progress.totals)) is not None:
            forget_started(self.plan.state, self.run_id)
            raise wrong
        if progress.deferred and self.config.mode is not Mode.watch:
            raise StorageUnavailable(
                f"Storage was unavailable for {progress.deferred} of the documents.",
                hint="Start the same command again to process them.",
            )
        in_vain = self.dead_letters and not progress.documents_total
        failed = progress.documents[DocumentOutcome.REJECTED] or in_vain or progress.totals.unreadable
        # The number of partial documents of earlier runs is unknown.
        partial = progress.documents[DocumentOutcome.PARTIAL] or progress.totals.dead_letters > progress.retried
        failed = failed or self.addition.failed
        return 1 if failed else self.config.exit.partial if partial else 0

    def summarize(
        self, *, ended: bool, places: bool = True, exit_code: int | None = None, error: RayocrError | None = None
    ) -> None:
        """Prints the closing table with the `places` of outputs and report, and writes the record of the run to the state. Also
        writes the report if the run `ended` by itself. `error`: the error that stopped it."""
        self._warn_of_unmatched(self.progress.totals)
        summary = RunSummary(
            config=self.config,
            plan=self.plan,
            terminal=self.terminal,
            progress=self.progress,
            run_id=self.run_id,
            corrections=self.corrections,
            finished_before=self.finished_before,
            source_is_empty=not self.progress.totals.found and self._wrong(self.progress.totals) is None,
        )
        made, rows = summary.show(ended=ended, places=places)
        if self.terminal.json and (ended or error is not None):
            facts = closing_json(
                self.config,
                self.plan.state,
                self.progress,
                rows,
                addition=self.addition,
                corrections=self.corrections(),
                exit_code=exit_code,
                error=error,
            )
            self.terminal.data(made | facts)
            if error is not None:
                error.in_json = True
        if ended:
            forget_started(self.plan.state, self.run_id)

    def _wrong(self, totals: DiscoveryTotals) -> UsageError | None:
        """Returns the error for a source without anything to read."""
        if self.progress.documents_done:
            return None
        place = parse_uri(self.plan.source.uri).display
        return nothing_passes(self.config, totals) or no_pdfs(place, totals) or is_empty(self.config, place, totals)

    @property
    def options(self) -> list[str]:
        return options_of(self.config)

    @property
    def _status_command(self) -> str:
        return command_on("status", self.config)

    def _report_no_match(self) -> None:
        none = (
            "The failed document does not match"
            if self.dead_letters == 1
            else f"None of the {self.dead_letters:,} failed documents matches"
        )
        self.terminal.warn(
            f"{none} a document of this source: it changed, was moved or removed, or an option leaves it out. Check source=,"
            f" include= and exclude=. `rayocr IN OUT` reads a changed or moved document as a new one. `{self._status_command}`"
            f" lists failed documents; `{command_on('dismiss', self.config)} document=NAME` stops reporting one."
        )

    def _warn_of_unmatched(self, totals: DiscoveryTotals) -> None:
        """Warns once, because a long listing ends during the run."""
        if not self.unmatched_named and not self._wrong(totals):
            self.unmatched_named = warn_of_unmatched(self.terminal, self.config, totals)

    def say_damaged_manifests(self, damaged: Mapping[str, RayocrError]) -> None:
        """Names the first manifest that was found damaged. Its document counts as finished, since listings do not open it."""
        for error in list(damaged.values())[:1]:
            more = f" {len(damaged) - 1:,} more: `{self._status_command}` lists them." if len(damaged) > 1 else ""
            self.terminal.warn(f"{error} {error.hint}{more}")

    def _say_damaged(self, batch: DiscoveryBatch) -> None:
        if names := ", ".join(printable(name) for name in batch.totals.strange):
            self.terminal.warn(f"Ignored damaged or unknown files: {names}")


def _listed(names: Iterable[str]) -> str:
    *others, last = sorted(names)
    return f"{', '.join(others)} and {last}" if others else last
