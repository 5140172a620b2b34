"""Shows the result of a run at its end: the closing table, the report, and the record of the run in the state."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rayocr.config import Mode, RayocrConfig
from rayocr.driver.earlier.corrected_documents import CorrectedPages
from rayocr.driver.monitor.closing.closing_table import by_hand, closing_table, failed_lines, unseen
from rayocr.driver.monitor.run_record import options_of, run_record, write_record
from rayocr.driver.monitor.run_report import make_report
from rayocr.driver.monitor.terminal import ConsoleTerminal, counted, printable
from rayocr.driver.plan import Plan
from rayocr.driver.retry_selection import command_on, retry_commands
from rayocr.driver.scheduling.progress import MOST_NAMED, Progress
from rayocr.errors import RayocrError
from rayocr.failure_reasons import rejects_document, retry_helps
from rayocr.ledger.runs import named_pages
from rayocr.messages import DocumentOutcome
from rayocr.observe.dead_letters import DeadLetter, dead_letter_name, read_dead_letter
from rayocr.observe.logs import log_event
from rayocr.storage.uri import parse_uri

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class RunSummary:
    """Shows the result of one run. `corrections`: those that concern the documents of this run. `finished_before`: number of
    documents that were finished when the run began; None: no number was announced. `source_is_empty`: no PDF was found, and no
    error says so."""

    config: RayocrConfig
    plan: Plan
    terminal: ConsoleTerminal
    progress: Progress
    run_id: str
    corrections: Callable[[], Sequence[CorrectedPages]]
    finished_before: int | None
    source_is_empty: bool

    def show(self, *, ended: bool, places: bool) -> tuple[dict[str, Any], dict[str, str]]:
        """Prints the closing table, and writes the record and, if the run `ended` by itself, the report. Returns the record and
        the last rows of the table. `places`: whether the table has these rows."""
        fingerprint = self.config.fingerprint(self.plan.prompts)
        made = run_record(self.progress, run_id=self.run_id, fingerprint=fingerprint, options=options_of(self.config))
        rows = {"Outputs": parse_uri(self.plan.dest.uri).display}
        if not self.progress.documents_started and not self.progress.documents_done:
            if ended:
                self._say_nothing_was_read()
            return made, rows
        if record := write_record(self.plan.state, made):
            report = self._report() if ended else None
            rows["Report" if report else "Record"] = report or f"{parse_uri(self.plan.state.uri).display}/{record}"
        failed = self._failed_lines(steps=not places)
        if failed:
            rows |= self._next_steps()
        if earlier := self._failed_earlier():
            rows["Failed earlier"] = earlier
        corrected = [printable(line) for line in self._correction_lines(self.corrections())]
        if self.terminal.silent:  # these lines alone explain the exit code
            unread = [unseen(self.progress.totals)] if self.progress.totals.unreadable else []
            for line in [*failed, *corrected, *unread, *([f"Failed earlier: {earlier}."] if earlier else [])]:
                self.terminal.warn(line)
        if not self.terminal.json:
            self.terminal.table(closing_table(self.progress, rows if places else {}, failed=failed, corrected=corrected))
        return made, rows

    def _say_nothing_was_read(self) -> None:
        before = self.progress.totals.finished if self.finished_before is None else self.finished_before
        if count := self.progress.elsewhere or max(0, self.progress.totals.finished - before):
            documents = "the document" if count == 1 else f"the {count:,} documents"
            self.terminal.say(
                f"Another run has finished {documents} in the meantime. Nothing is left to do (outputs in"
                f" {parse_uri(self.plan.dest.uri).display})."
            )
        if self.finished_before is not None and self.source_is_empty:
            self.terminal.warn(f"There are no PDFs in {parse_uri(self.plan.source.uri).display}.")

    def _failed_lines(self, *, steps: bool) -> list[str]:
        """Describes the first failed documents of this run, except those whose dead letter cannot be read."""
        letters: list[DeadLetter] = []
        for document in self.progress.failed:
            with contextlib.suppress(RayocrError):
                letters.append(read_dead_letter(self.plan.state, dead_letter_name(document.document_id)))
        ended = self.progress.documents
        more = ended[DocumentOutcome.PARTIAL] + ended[DocumentOutcome.REJECTED] - len(letters)
        last = [f"… and {more:,} more; `{self._status_command}` lists them"] if more > 0 else []
        return [*(printable(line) for line in failed_lines(letters, steps=steps)), *last]

    def _next_steps(self) -> dict[str, str]:
        """Returns the rows that say where failures are recorded and what helps."""
        logs = Path(self.config.logs.dir) / "dead_letter"
        kept = f"{parse_uri(self.plan.state.uri).display}/.rayocr/dead_letters"
        rows = {"Failure records": str(logs.absolute()) if logs.is_dir() else kept}
        if commands := self._retry_commands():
            rows["Retry with"] = "   ".join(commands)
        if self.progress.reasons["EmptyAnswer"]:
            rows["If a page stays empty"] = by_hand(self.config)
        if beyond_retry := self._beyond_retry():
            others = f" {beyond_retry}" if commands else ""
            rows["To repair"] = (
                f"`{self._status_command}` lists the next steps; a retry of the unchanged files cannot help{others}"
            )
        return rows

    def _failed_earlier(self) -> str:
        """Names the failures of earlier runs, which set the exit code, too; "" if there are none."""
        earlier = self.progress.totals.dead_letters - self.progress.retried
        return f"{counted(earlier, 'document')}; `{self._status_command}` lists the reasons" if earlier > 0 else ""

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

    @property
    def _status_command(self) -> str:
        return command_on("status", self.config)

    def _retry_commands(self) -> list[str]:
        ended = self.progress.documents
        rejected = [reason for reason in self.progress.reasons if rejects_document(reason)]
        if ended[DocumentOutcome.REJECTED] and not rejected:
            rejected = ["unknown"]
        partial = ended[DocumentOutcome.PARTIAL] > 0
        return retry_commands(self.config, partial=partial, rejected=rejected, options=options_of(self.config))

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
