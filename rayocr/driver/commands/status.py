"""Implements mode=status: shows finished documents, failures with their reasons, and the runs in progress. Reads only the state
and does not start Ray."""

from __future__ import annotations

from dataclasses import asdict

from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.commands.destination_status import MOST_NAMED, Status, read_status
from rayocr.driver.monitor.terminal import ConsoleTerminal, counted, duration, printable
from rayocr.driver.plan import check_results, existing_state
from rayocr.driver.retry_selection import command_on, resume_command
from rayocr.ledger.runs import named_pages
from rayocr.overrides import for_shell, pattern_option


def show_status(config: RayocrConfig, keys: Secrets) -> int:
    """Returns 0 if all finished documents are complete, 1 if there are dead letters or damaged records. Raises UsageError
    for a folder without results, and StorageError."""
    terminal = ConsoleTerminal(config.progress)
    status = read_status(config, keys)
    if status == Status():
        check_results(config, existing_state(config), example="rayocr status OUT")
    if terminal.json:
        terminal.data(asdict(status))
    else:
        _show(terminal, status)
        if status.corrections:
            terminal.say(f"To apply or discard corrections of earlier versions: {printable(command_on('view', config))}")
        if status.interrupted_runs:
            _show_interrupted(terminal, status, config)
    return 1 if status.failed or status.damaged else 0


def _show(terminal: ConsoleTerminal, status: Status) -> None:
    _show_documents(terminal, status)
    for run in status.active_runs:
        where = f"{printable(run.host)}, process {run.pid}"
        terminal.say(
            f"Active: run {printable(run.run_id)} on {where}, for {duration(run.since_s)}, is reading"
            f" {counted(run.documents, 'document')}."
        )
    _show_failures(terminal, status)
    for corrections in status.corrections[:MOST_NAMED]:
        pages = named_pages(corrections.pages)
        terminal.warn(f"{printable(corrections.name)}: the file was replaced; the correction of {pages} is not applied.")
    if len(status.corrections) > MOST_NAMED:
        terminal.warn(f"  … and corrections of {len(status.corrections) - MOST_NAMED:,} more documents.")
    for warning in status.warnings:
        terminal.warn(printable(warning))
    if status.damaged:
        more = " …" if len(status.damaged) > MOST_NAMED else ""
        names = ", ".join(printable(name) for name in status.damaged[:MOST_NAMED]) + more
        terminal.warn(f"Ignored {len(status.damaged):,} damaged or unknown files under .rayocr: {names}")


def _show_documents(terminal: ConsoleTerminal, status: Status) -> None:
    if status.finished:
        finished = f"{counted(status.finished, 'document')} {'is' if status.finished == 1 else 'are'} finished"
        failed = status.failed - status.unopened
        dismissed = f", {status.dismissed:,} with dismissed failures" if status.dismissed else ""
        terminal.say(f"{finished}: {status.complete:,} complete, {failed:,} with failures{dismissed}.")
    else:
        terminal.say("No document is finished yet.")
    if status.unopened:
        documents, them = counted(status.unopened, "document"), "it" if status.unopened == 1 else "them"
        terminal.warn(f"{documents} could not be read at the source. The next run tries {them} again.")
    if status.replaced:
        versions = "earlier version of replaced files is" if status.replaced == 1 else "earlier versions of replaced files are"
        terminal.say(f"{status.replaced:,} {versions} not counted.")
    elif status.replaced is None:
        terminal.say("These numbers include earlier versions of replaced files.")
    if status.pages_on_record:
        terminal.say(
            f"{counted(status.pages_on_record, 'page')} of {counted(status.unfinished_documents, 'unfinished document')}"
            f" {'is' if status.pages_on_record == 1 else 'are'} on record"
            f" ({counted(status.segments, 'segment')}, {_size(status.segment_bytes)}) and will not be read again."
        )


def _show_failures(terminal: ConsoleTerminal, status: Status) -> None:
    for failure in status.failures:
        terminal.warn(f"  {failure.outcome}: {printable(failure.name)}: {failure.reason}: {failure.message}")
    if status.failed > len(status.failures):
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in status.failures_by_reason.items())
        terminal.warn(f"  … and {status.failed - len(status.failures):,} more. By reason: {reasons}.")
    for reason, hint in status.hints.items():
        terminal.say(f"{printable(reason)}: {printable(hint)}")
    for command in status.retry:
        terminal.say(f"To retry {'rejected documents' if 'rejected' in command else 'failed pages'}: {printable(command)}")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e5 else f"{max(1, round(size_bytes / 1e3))} KB"


def _show_interrupted(terminal: ConsoleTerminal, status: Status, config: RayocrConfig) -> None:
    """Names the last interrupted run, since starting it again does the work of all of them."""
    run = status.interrupted_runs[-1]
    started = run.started_at[:16].replace("T", " ")
    patterns = [pattern_option(name, *getattr(run, name)) for name in ("include", "exclude") if getattr(run, name)]
    again = resume_command(
        config, source=run.source, mode=run.mode, options=map(for_shell, run.options) if run.options else patterns
    )
    terminal.warn(f"The run that started at {printable(started)} UTC did not finish. To resume, start the same command again:")
    terminal.say(f"  {printable(again)}")
    if names := status.not_started:
        more = " and more" if len(names) > MOST_NAMED else ""
        count = "1 document" if len(names) == 1 else f"More than {MOST_NAMED} documents" if more else f"{len(names)} documents"
        have = "has" if len(names) == 1 else "have"
        shown = ", ".join(printable(name) for name in names[:MOST_NAMED])
        terminal.say(f"{count} of {printable(run.source)} {have} not been started: {shown}{more}")
    if status.finished:
        terminal.say(f"To write a report of the finished documents: {printable(command_on('report', config))}")
