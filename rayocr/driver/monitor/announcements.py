"""Prints the messages of a run at its start and end, and determines its exit code."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rayocr.actors.document_worker.later_outputs import lacking_outputs
from rayocr.config import Mode, RayocrConfig
from rayocr.driver.corrected_documents import CorrectedPages
from rayocr.driver.missing_outputs import Addition
from rayocr.driver.monitor.closing_table import by_hand, closing_json, closing_table, failed_lines, unseen
from rayocr.driver.monitor.nothing_to_read import is_empty, no_pdfs, not_pdfs, nothing_passes, warn_of_unmatched
from rayocr.driver.monitor.run_record import forget_started, options_of, run_record, write_record
from rayocr.driver.monitor.run_report import make_report
from rayocr.driver.monitor.terminal import ConsoleTerminal, printable
from rayocr.driver.plan import Plan
from rayocr.driver.retry_selection import command_on, count_rejected, is_narrowed, resume_command, retry_commands, source_words
from rayocr.driver.scheduling.progress import MOST_NAMED, Progress
from rayocr.errors import RayocrError, StorageUnavailable, UsageError
from rayocr.failure_reasons import rejects_document, retry_helps
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest, document_id_of
from rayocr.ledger.runs import named_pages
from rayocr.messages import DiscoveryBatch, DiscoveryTotals, Document, DocumentOutcome
from rayocr.observe.dead_letters import DeadLetter, dead_letter_name, read_dead_letter
from rayocr.observe.logs import log_event
from rayocr.overrides import for_shell
from rayocr.storage.base import MAX_STATE_BYTES

log = logging.getLogger(__name__)


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
            self.terminal.warn(f"There are no PDFs in {_place(self.plan.source.uri)}.")
        if self.dead_letters:
            self._report_no_match()
            return
        if not totals.found:
            return
        finished = "the document is finished" if totals.found == 1 else f"all {totals.found:,} documents are finished"
        if lacking:  # overwrite=true would read and pay for the recorded pages again
            self.terminal.say(f"Nothing to read: {finished}. Outputs that are missing are written from the recorded pages.")
        else:
            self.terminal.say(f"Nothing to do: {finished} (outputs in {_place(self.plan.dest.uri)}).")
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
                f" {_place(self.plan.dest.uri)})."
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
        self.terminal.say(f"Watching {_place(self.plan.source.uri)} {told}. Press Ctrl-C to stop.")

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
        made, named = self._summarize(ended=ended, places=places)
        if self.terminal.json and (ended or error is not None):
            facts = closing_json(
                self.config,
                self.plan.state,
                self.progress,
                named,
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

    def _summarize(self, *, ended: bool, places: bool) -> tuple[dict[str, Any], dict[str, str]]:
        """Returns the record of the run, and the last rows of the table."""
        self._warn_of_unmatched(self.progress.totals)
        fingerprint = self.config.fingerprint(self.plan.prompts)
        made = run_record(self.progress, run_id=self.run_id, fingerprint=fingerprint, options=self.options)
        named = {"Outputs": _place(self.plan.dest.uri)}
        if not self.progress.documents_started and not self.progress.documents_done:
            if ended and (count := self.progress.elsewhere or self._finished_meanwhile()):
                documents = "the document" if count == 1 else f"the {count:,} documents"
                self.terminal.say(
                    f"Another run has finished {documents} in the meantime. Nothing is left to do (outputs in"
                    f" {_place(self.plan.dest.uri)})."
                )
            if (
                ended
                and self.finished_before is not None
                and not (self.progress.totals.found or self._wrong(self.progress.totals))
            ):
                self.terminal.warn(f"There are no PDFs in {_place(self.plan.source.uri)}.")
            return made, named
        record = write_record(self.plan.state, made)
        if record:
            report = self._report() if ended else None
            named["Report" if report else "Record"] = report or f"{_place(self.plan.state.uri)}/{record}"
        letters = self._dead_letters()
        failed = self._failed_lines(letters, steps=not places)
        if failed:
            logs = Path(self.config.logs.dir) / "dead_letter"
            kept = f"{_place(self.plan.state.uri)}/.rayocr/dead_letters"
            named["Failure records"] = str(logs.absolute()) if logs.is_dir() else kept
            if commands := self._retry_commands():
                named["Retry with"] = "   ".join(commands)
            if self.progress.reasons["EmptyAnswer"]:
                named["If a page stays empty"] = by_hand(self.config)
            if beyond_retry := self._beyond_retry():
                others = f" {beyond_retry}" if commands else ""
                named["To repair"] = (
                    f"`{self._status_command}` lists the next steps; a retry of the unchanged files cannot help{others}"
                )
        earlier = self.progress.totals.dead_letters - self.progress.retried
        if earlier > 0:  # the exit code is 1 although nothing failed in this run
            documents = "1 document" if earlier == 1 else f"{earlier:,} documents"
            named["Failed earlier"] = f"{documents}; `{self._status_command}` lists the reasons"
        corrections = self.corrections()
        corrected = [printable(line) for line in self._correction_lines(corrections)]
        if self.terminal.silent:  # this row alone explains the exit code
            unseen_parts = [unseen(self.progress.totals)] if self.progress.totals.unreadable else []
            earlier_line = [f"Failed earlier: {named['Failed earlier']}."] if earlier > 0 else []
            for line in [*failed, *corrected, *unseen_parts, *earlier_line]:
                self.terminal.warn(line)
        if not self.terminal.json:
            self.terminal.table(closing_table(self.progress, named if places else {}, failed=failed, corrected=corrected))
        return made, named

    def _dead_letters(self) -> list[DeadLetter]:
        """Returns the dead letters of the first failed documents of this run, except unreadable ones."""
        letters = []
        for document in self.progress.failed:
            with contextlib.suppress(RayocrError):
                letters.append(read_dead_letter(self.plan.state, dead_letter_name(document.document_id)))
        return letters

    def _failed_lines(self, letters: list[DeadLetter], *, steps: bool) -> list[str]:
        more = self.progress.documents[DocumentOutcome.PARTIAL] + self.progress.documents[DocumentOutcome.REJECTED] - len(letters)
        last = [f"… and {more:,} more; `{self._status_command}` lists them"] if more > 0 else []
        return [*(printable(line) for line in failed_lines(letters, steps=steps)), *last]

    def _correction_lines(self, corrections: Sequence[CorrectedPages]) -> Iterator[str]:
        for found in corrections[:MOST_NAMED]:
            pages = named_pages(found.pages)
            authors = ", ".join(found.authors)
            if found.earlier:
                yield f"{found.name}: the file was replaced. {authors} corrected {pages} of its earlier version; not applied."
            else:
                yield f"{found.name}: {pages} read again; the text of {authors} is kept."
        if len(corrections) > MOST_NAMED:
            yield f"… and {len(corrections) - MOST_NAMED:,} more"
        if any(found.earlier for found in corrections):
            yield f"`{command_on('view', self.config)}` shows corrections of earlier versions, to apply or discard them."

    def _wrong(self, totals: DiscoveryTotals) -> UsageError | None:
        """Returns the error for a source without anything to read."""
        if self.progress.documents_done:
            return None
        place = _place(self.plan.source.uri)
        return nothing_passes(self.config, totals) or no_pdfs(place, totals) or is_empty(self.config, place, totals)

    def _finished_meanwhile(self) -> int:
        """Returns the number of documents that another run finished before this run listed the source."""
        return 0 if self.finished_before is None else max(0, self.progress.totals.finished - self.finished_before)

    @property
    def options(self) -> list[str]:
        return options_of(self.config)

    @property
    def _status_command(self) -> str:
        return command_on("status", self.config)

    def _retry_commands(self) -> list[str]:
        ended = self.progress.documents
        rejected = [reason for reason in self.progress.reasons if rejects_document(reason)]
        if ended[DocumentOutcome.REJECTED] and not rejected:
            rejected = ["unknown"]
        partial = ended[DocumentOutcome.PARTIAL] > 0
        return retry_commands(self.config, partial=partial, rejected=rejected, options=self.options)

    def _beyond_retry(self) -> str:
        """Names the rejected documents that a retry cannot help; "" if there are none."""
        count = sum(n for reason, n in self.progress.reasons.items() if rejects_document(reason) and not retry_helps(reason))
        return "" if not count else "the rejected document" if count == 1 else f"{count:,} rejected documents"

    def _report(self) -> str | None:
        """Writes the report and returns its location; None if it would take long or fails, since the run has succeeded without
        it."""
        if self.progress.totals.found > self.config.report.at_end or self.config.mode is Mode.watch:
            return None
        report = self.config.report
        if report.run == "last":  # another run of this destination may have ended in the meantime
            report = replace(report, run=self.run_id)
        try:
            with self.terminal.busy("Writing the report …") as tell:
                return make_report(replace(self.config, report=report), tell)[1]
        except KeyboardInterrupt:  # the run has ended, so its result stands
            self.terminal.warn(f"Interrupted: the report was not written. `{command_on('report', self.config)}` writes it.")
            return None
        except RayocrError as error:
            log_event(
                log, "report_failed", "The report could not be written.", level=logging.WARNING, error=str(error), hint=error.hint
            )
            self.terminal.warn(f"The report was not written: {error} To write it: {command_on('report', self.config)}")
            return None
        except Exception as error:  # a bug in rendering it does not change the result of the run
            fields = {"action": "report_failed"}
            log.error("The report could not be written: a bug in rayocr.", exc_info=error, extra={"rayocr_fields": fields})
            return None

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

    def _say_damaged(self, batch: DiscoveryBatch) -> None:
        if names := ", ".join(printable(name) for name in batch.totals.strange):
            self.terminal.warn(f"Ignored damaged or unknown files: {names}")


def _place(uri: str) -> str:
    from rayocr.storage.uri import parse_uri

    return parse_uri(uri).display


def _listed(names: Iterable[str]) -> str:
    *others, last = sorted(names)
    return f"{', '.join(others)} and {last}" if others else last
