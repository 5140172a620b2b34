"""What a run says at its beginning and at its end, and the exit code that goes with it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from rayocr.config import Mode, RayocrConfig
from rayocr.driver.monitor.run_record import run_record, write_record
from rayocr.driver.monitor.run_report import make_report
from rayocr.driver.monitor.terminal import ConsoleTerminal, closing_table, printable, unseen
from rayocr.driver.plan import Plan
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import RayocrError, StorageUnavailable
from rayocr.messages import DiscoveryBatch, DocumentOutcome
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Announcements:
    config: RayocrConfig
    plan: Plan
    terminal: ConsoleTerminal
    progress: Progress
    run_id: str
    letters: int = 0  # of mode=retry: dead letters that are to be taken up again

    def say_found(self, batch: DiscoveryBatch) -> None:
        totals = batch.totals
        more = "" if batch.exhausted or totals.found < 20_000 else " so far"
        reason = "are not taken up again" if self.config.mode is Mode.retry else "finished earlier are skipped"
        skipped = f"; {totals.finished:,} {reason}" if totals.finished else ""
        if not self.progress.totals.found:  # until the run's own listing tells more
            self.progress.totals = totals
        documents = "document" if totals.found == 1 else "documents"
        self.terminal.say(f"Found {totals.found:,} {documents}{more}{skipped}.")
        if self.letters and batch.exhausted and not batch.documents:
            self._say_no_letter_fits()
        self._say_strange(batch)

    def say_nothing_to_do(self, batch: DiscoveryBatch) -> None:
        totals = self.progress.totals = batch.totals
        self._say_strange(batch)
        if totals.unreadable:
            self.terminal.warn(f"There are {unseen(totals)}")
        if not totals.found:
            passing = " that include= and exclude= let pass" if self.config.include or self.config.exclude else ""
            self.terminal.warn(f"There are no PDFs{passing} in {_place(self.plan.source.uri)}.")
        if self.letters:
            self._say_no_letter_fits()
            return
        if not totals.found:
            return
        self.terminal.say(
            f"Nothing to do: all {totals.found:,} documents are finished (outputs in {_place(self.plan.dest.uri)})."
        )
        if totals.dead_letters:
            self.terminal.warn(
                f"{totals.dead_letters:,} of them were rejected or have failed pages; their reasons are in"
                f" {_place(self.plan.state.uri)}/.rayocr/dead_letters. mode=retry takes them up again."
            )

    def say_watching(self) -> None:
        told = (
            "notifications and listings" if self.config.watch.subscription else f"a look every {self.config.poll_interval_s:g} s"
        )
        self.terminal.say(f"Watching {_place(self.plan.source.uri)}: {told}. Ctrl-C ends it.")

    def say_locks(self, away: bool) -> None:
        self.progress.locks_away = away
        if away:
            self.terminal.warn("The lock service is away: what is under way goes on, nothing new is taken until it is back.")
        else:
            self.terminal.say("The lock service is back.")

    def announce_drain(self, signal_name: str) -> None:
        self.terminal.warn(
            f"{signal_name}: finishing what is under way (at most {self.config.shutdown.grace_s:g} s); again to stop at once."
        )

    def exit_code(self) -> int:
        """Raises StorageUnavailable when documents were put off."""
        progress = self.progress
        if progress.deferred and self.config.mode is not Mode.watch:
            raise StorageUnavailable(
                f"Storage was away for {progress.deferred} of the documents.",
                hint="Start the same command again to take them up.",
            )
        in_vain = self.letters and not progress.documents_total
        failed = progress.documents[DocumentOutcome.REJECTED] or in_vain or progress.totals.unreadable
        # Of what earlier runs left it is not known how much is partial.
        partial = progress.documents[DocumentOutcome.PARTIAL] or progress.totals.dead_letters > progress.taken_up
        return 1 if failed else self.config.exit.partial if partial else 0

    def summarize(self, *, ended: bool) -> None:
        """The closing table, and the run's record beside the state; its report too, where the run `ended` by itself."""
        if not self.progress.documents_started and not self.progress.documents_done:
            return
        fingerprint = self.config.fingerprint(self.plan.prompts)
        record = write_record(self.plan.state, run_record(self.progress, run_id=self.run_id, fingerprint=fingerprint))
        places = {"Outputs": _place(self.plan.dest.uri)}
        if record:
            places["Report"] = (ended and self._report()) or f"{_place(self.plan.state.uri)}/{record}"
        failed = self.progress.documents[DocumentOutcome.PARTIAL] + self.progress.documents[DocumentOutcome.REJECTED]
        if failed:
            logs = Path(self.config.logs.dir) / "dead_letter"
            places["Dead letters"] = str(logs) if logs.is_dir() else f"{_place(self.plan.state.uri)}/.rayocr/dead_letters"
        self.terminal.table(closing_table(self.progress, places))

    def _report(self) -> str | None:
        """Where it was written. None where it would take long, or cannot be had: the run has ended well without it."""
        if self.progress.totals.found > self.config.report.at_end or self.config.mode is Mode.watch:
            return None
        try:
            return make_report(replace(self.config, report=replace(self.config.report, run=self.run_id)))[1]
        except RayocrError as error:
            log_event(log, "report_failed", "The report could not be written.", level=logging.WARNING, error=str(error))
            return None
        except Exception as error:  # a defect of ours in drawing it: what the run came to stands
            fields = {"action": "report_failed"}
            log.error("The report could not be written: a defect of rayocr.", exc_info=error, extra={"rayocr_fields": fields})
            return None

    def _say_no_letter_fits(self) -> None:
        none = "The dead letter is not" if self.letters == 1 else f"None of the {self.letters:,} dead letters is"
        self.terminal.warn(
            f"{none} of a document of this source as it is now: changed, moved, removed, or left out by an option. Check source=,"
            " include= and exclude=; without mode=retry, changed documents are read as new ones. mode=status shows the letters."
        )

    def _say_strange(self, batch: DiscoveryBatch) -> None:
        if names := ", ".join(printable(name) for name in batch.totals.strange):
            self.terminal.warn(f"Damaged or foreign, and taken as if they were not there: {names}")


def _place(uri: str) -> str:
    from rayocr.storage.uri import parse_uri

    return parse_uri(uri).display
