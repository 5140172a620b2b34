"""Runs in the child process of the Python API: executes one run and reports it as JSON lines. process.py starts it with `python
-m`. Standard input carries the request, a JSON object on one line, and stays open. Another line means that the caller has
cancelled. If the input closes, or this process gets another parent, the caller has ended (a fork of the caller may keep the input
open). In all cases the run drains. The run of a read has a folder that only its caller needs, so the process removes the folder
and ends instead. Standard output carries events; all other text goes to standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rayocr.api.read_folder import exit_and_remove
from rayocr.errors import InternalError, RayocrError, StorageError, UsageError
from rayocr.masking import hide_environment, masked

if TYPE_CHECKING:
    from rayocr.config import RayocrConfig
    from rayocr.driver.monitor.terminal import ConsoleTerminal
    from rayocr.driver.plan import Plan
    from rayocr.driver.run import Run
    from rayocr.driver.scheduling.progress import Progress
    from rayocr.messages import Document, DocumentOutcome
    from rayocr.storage.base import Storage

Emit = Callable[..., None]

_POLL_S = 1.0  # seconds between two checks of the parent process


def main() -> int:
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    os.dup2(2, 1)
    writing = threading.Lock()

    def emit(kind: str, **fields: Any) -> None:
        line = masked(json.dumps({"event": kind, **fields}, default=str))
        with writing:
            events.write(line + "\n")
            events.flush()

    with open(0, "rb", buffering=0, closefd=False) as stdin:  # reads only this line
        request = json.loads(stdin.readline())
    folder = Path(request["folder"]) if request["folder"] else None
    caller = threading.Thread(target=_end_when_left, args=(folder,), name="caller", daemon=True)
    caller.start()
    code = _report(lambda: _run(request["overrides"], emit), emit)
    if folder is not None:
        caller.join()  # waits until the caller has read the folder
    return code


def _report(run: Callable[[], int], emit: Emit) -> int:
    """Emits the result of the run. Returns the exit code of this process."""
    try:
        emit("end", exit_code=run())
    except BrokenPipeError:
        return 130
    except RayocrError as error:
        emit("end", exit_code=error.exit_code, error=error.reason, message=str(error), hint=error.hint)
    except Exception as error:  # reported to the caller, who gets the traceback on standard error
        import traceback

        traceback.print_exc()
        failure = InternalError(f"Stopped by a bug in rayocr: {type(error).__name__}: {error}")
        emit("end", exit_code=failure.exit_code, error=failure.reason, message=str(failure), hint=failure.hint)
    return 0


def _end_when_left(folder: Path | None) -> None:
    caller = os.getppid()
    while os.getppid() == caller and not select.select([0], [], [], _POLL_S)[0]:
        pass
    if folder is None:
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        exit_and_remove(folder)


def _run(overrides: list[str], emit: Emit) -> int:
    from rayocr.composition import secrets_from_environment
    from rayocr.driver.monitor.run_record import forget_started
    from rayocr.driver.run import Run
    from rayocr.storage.uri import place

    config, planned = _planned(overrides, emit)
    run = Run(config, planned, secrets_from_environment(), _event_terminal(emit))
    # Reports documents in order. A separate thread is needed, because reading a dead letter may block.
    reporting = ThreadPoolExecutor(1)

    def on_document(document: Document, outcome: DocumentOutcome) -> None:
        reporting.submit(_emit_document, document, outcome, run.plan.state, emit)

    run.progress.on_document = on_document
    emit("started", run_id=run.run_id, dest=place(run.plan.dest.uri), state=place(run.plan.state.uri))
    try:
        code = run.execute()
        forget_started(run.plan.state, run.run_id)
        return code
    finally:
        reporting.shutdown()
        _emit_record(run, emit)
        _emit_counts(run.plan.state, emit)


def _planned(overrides: list[str], emit: Emit) -> tuple[RayocrConfig, Plan]:
    from rayocr.composition import compose, load_dotenv
    from rayocr.config import Mode
    from rayocr.driver.plan import existing_state, plan

    load_dotenv()
    hide_environment()
    config = compose(overrides)
    if config.mode not in (Mode.run, Mode.retry, Mode.watch):
        raise UsageError(
            f"rayocr.run accepts no mode={config.mode.value}.", hint=f"On the command line: rayocr {config.mode.value}"
        )
    try:
        return config, plan(config)
    except RayocrError as error:
        if not isinstance(error, UsageError):  # the caller gets a UsageError as an exception, without counts
            with contextlib.suppress(RayocrError):
                _emit_counts(existing_state(config), emit)
        raise


def _event_terminal(emit: Emit) -> ConsoleTerminal:
    """Returns a terminal that emits its messages and the progress as events."""
    from rayocr.driver.monitor.terminal import ConsoleTerminal

    class EventTerminal(ConsoleTerminal):
        def __init__(self) -> None:
            super().__init__("none", stderr=True)

        def say(self, text: str) -> None:
            emit("message", text=text)

        def warn(self, text: str) -> None:
            emit("warning", text=text)

        async def show(self, progress: Progress) -> None:
            while True:
                emit("progress", **_figures(progress))
                await asyncio.sleep(0.5)

    return EventTerminal()


def _emit_document(document: Document, outcome: DocumentOutcome, state: Storage, emit: Emit) -> None:
    from rayocr.messages import DocumentOutcome
    from rayocr.observe.dead_letters import failure_of

    facts = {"document_id": document.document_id, "name": document.name, "outcome": outcome.value}
    if outcome is not DocumentOutcome.COMPLETE:
        with contextlib.suppress(StorageError):
            if letter := failure_of(state, document.document_id):
                facts |= {"reason": letter.reason, "message": letter.message}
    emit("document", **facts)


def _emit_record(run: Run, emit: Emit) -> None:
    """Emits the last progress and the record of the run, and writes the record."""
    from rayocr.driver.monitor.run_record import run_record, write_record

    emit("progress", **_figures(run.progress))
    fingerprint = run.config.fingerprint(run.plan.prompts)
    record = run_record(run.progress, run_id=run.run_id, fingerprint=fingerprint, options=run.announcements.options)
    emit("record", record=record)
    # The command line writes a record only in this case, too.
    if run.progress.documents_started or run.progress.documents_done:
        write_record(run.plan.state, record)


def _emit_counts(state: Any, emit: Emit) -> None:
    """Emits the counts of all documents of the destination. Never raises."""
    from rayocr.api.finished import count_documents

    try:
        finished = count_documents(state)
    except StorageError as error:
        emit("warning", text=f"The finished documents of the destination cannot be counted: {error}")
        return
    emit("counts", documents=finished.documents, failures=finished.failures, dismissed=finished.dismissed)
    if finished.with_versions:
        emit("warning", text="The counts of the destination include every version of replaced files.")


def _figures(progress: Any) -> dict[str, Any]:
    return {
        "documents_done": progress.documents_done,
        "documents_total": progress.documents_total,
        "pages_done": progress.pages_done,
        "pages_total": progress.pages_total,
        "pages_per_s": progress.pages_per_s,
        "eta_s": progress.eta_s,
        "cost_usd": progress.spent_usd,
    }


if __name__ == "__main__":
    sys.exit(main())
