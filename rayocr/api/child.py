"""The child process of the Python API: runs one run and reports it as JSON lines. Started by process.py with `python -m`.

Standard input carries the request, a JSON list of overrides on one line, and stays open: when it closes, the caller is gone or
cancelled, and the run drains. Standard output carries events; whatever else is printed goes to standard error.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from rayocr.errors import InternalError, RayocrError, UsageError
from rayocr.masking import hide_environment, masked

Emit = Callable[..., None]


def main() -> int:
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    os.dup2(2, 1)
    writing = threading.Lock()

    def emit(kind: str, **fields: Any) -> None:
        line = masked(json.dumps({"event": kind, **fields}, default=str))
        with writing:
            events.write(line + "\n")
            events.flush()

    overrides = json.loads(sys.stdin.readline())
    threading.Thread(target=_drain_when_left, name="caller", daemon=True).start()
    try:
        emit("end", exit_code=_run(overrides, emit))
    except BrokenPipeError:
        return 130
    except RayocrError as error:
        emit("end", exit_code=error.exit_code, error=error.reason, message=str(error), hint=error.hint)
    except Exception as error:  # reported to the caller, who has the traceback on standard error
        import traceback

        traceback.print_exc()
        failure = InternalError(f"Stopped by a bug in rayocr: {type(error).__name__}: {error}")
        emit("end", exit_code=failure.exit_code, error=failure.reason, message=str(failure), hint=failure.hint)
    return 0


def _drain_when_left() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _run(overrides: list[str], emit: Emit) -> int:
    from rayocr.composition import compose, load_dotenv, secrets_from_environment
    from rayocr.config import Mode
    from rayocr.driver.monitor.run_record import run_record
    from rayocr.driver.monitor.terminal import ConsoleTerminal
    from rayocr.driver.plan import plan
    from rayocr.driver.run import Run
    from rayocr.driver.scheduling.progress import Progress
    from rayocr.messages import Document, DocumentOutcome
    from rayocr.storage.uri import place

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

    def on_document(document: Document, outcome: DocumentOutcome) -> None:
        emit("document", document_id=document.document_id, name=document.name, outcome=outcome.value)

    load_dotenv()
    hide_environment()
    config = compose(overrides)
    if config.mode not in (Mode.run, Mode.retry, Mode.watch):
        raise UsageError(
            f"rayocr.run accepts no mode={config.mode.value}.", hint=f"On the command line: rayocr {config.mode.value}"
        )
    run = Run(config, plan(config), secrets_from_environment(), EventTerminal())
    run.progress.on_document = on_document
    emit("started", run_id=run.run_id, dest=place(run.plan.dest.uri))
    try:
        return run.execute()
    finally:
        emit("progress", **_figures(run.progress))
        emit("record", record=run_record(run.progress, run_id=run.run_id, fingerprint=""))


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
