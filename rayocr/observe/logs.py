"""Writes structured logs: a constant message and fields, as JSON lines in `<dir>/json/`, one file per day, deleted after some
days.

Every line has `run_id` and `action` (past tense), and document_id, page_number and attempt if they apply. Fields never contain
page text; the formatter masks secrets in every part of a line. The logs of workers on all nodes arrive here too
(`rayocr.observe.relay`).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from rayocr.masking import for_terminal, masked, masked_data
from rayocr.private_folder import make_private, private_opener

_ROOT = "rayocr"
_OURS = "rayocr_logs"  # marks rayocr's handlers, which a later setup removes


PAGE_FAILED = "page_failed"  # actions of the lines that also go to Supabase


def action_of(record: logging.LogRecord) -> str:
    fields: dict[str, Any] = getattr(record, "rayocr_fields", {})
    return str(fields.get("action", ""))


def log_event(logger: logging.Logger, action: str, message: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Logs one line: the action, a message, and fields."""
    logger.log(level, message, extra={"rayocr_fields": {"action": action, **fields}})


class JsonFormatter(logging.Formatter):
    """Formats one line of JSON, without secrets. `process`: fields of every line (`worker`, `host`)."""

    def __init__(self, run_id: str, process: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._run_id = run_id
        self._process = dict(process or {})

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Returns the line as data, masked."""
        line: dict[str, Any] = json.loads(self.format(record))
        return line

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "logger": record.name,
            "run_id": self._run_id,
            **self._process,
            **getattr(record, "rayocr_fields", {"action": "noted"}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        text = json.dumps(line, default=str)
        if masked(text) == text:  # the usual case
            return text
        return json.dumps(masked_data(json.loads(text)))  # masks each value, so that the result is valid JSON


class TerminalFormatter(logging.Formatter):
    """Formats one readable line: message and fields, without secrets and control characters."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {key: value for key, value in getattr(record, "rayocr_fields", {}).items() if value is not None}
        said = " ".join([record.getMessage(), *(f"{key}={value}" for key, value in fields.items())])
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        return for_terminal(f"{at} {record.levelname.lower()} {said}")


def log_to_terminal() -> None:
    """Also prints the package's log lines to standard error (`--verbose`). Idempotent."""
    logger = logging.getLogger(_ROOT)
    if not any(isinstance(handler.formatter, TerminalFormatter) for handler in logger.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(TerminalFormatter())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


class DailyFileHandler(logging.Handler):
    """Appends to `<folder>/<UTC date>.jsonl`, and opens a new file when the day changes. Calls `on_new_day` whenever it opens a
    file. Writes the same lines to `echo`, if there is one; without a `folder`, only to `echo`."""

    def __init__(self, folder: Path | None, on_new_day: Callable[[], None] = lambda: None, *, echo: TextIO | None = None) -> None:
        super().__init__()
        self.folder = folder
        self._on_new_day = on_new_day
        self._echo = echo
        self._day = ""
        self._file: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        self._write([self.format(record)], record.created)

    def write(self, lines: Sequence[str]) -> None:
        """Writes lines that another process has formatted. Thread-safe."""
        if lines:
            with self.lock or nullcontext():
                self._write(lines, time.time())

    def _write(self, lines: Sequence[str], at: float) -> None:
        text = "".join(line + "\n" for line in lines)
        if self._echo is not None:
            try:
                self._echo.write(text)
                self._echo.flush()
            except (OSError, ValueError):
                self._echo = None  # the reader has closed the stream, which must not end a run
        if self.folder is None:
            return
        try:
            day = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
            if day != self._day:
                self.close_file()
                self._file = open(self.folder / f"{day}.jsonl", "a", encoding="utf-8", opener=private_opener)  # noqa: SIM115 - see close
                self._day = day
                self._on_new_day()
            self._file.write(text)
            self._file.flush()
        except (OSError, ValueError):
            pass  # a full log disk must not end a run; the ledger and the manifests contain the results

    def close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def close(self) -> None:
        """Closes the file. A logger may still hold the handler of a run that has ended; later lines are dropped."""
        self.close_file()
        self.folder = self._echo = None
        super().close()


def configure_logs(folder: Path, *, run_id: str, retention_days: int, echo: TextIO | None = None) -> DailyFileHandler:
    """Sends the package's logs, and warnings of libraries, to files and to `echo`. If the folder cannot be created, logs go only
    to `echo`. Without an `echo`, raises OSError and discards the logs, which Python would otherwise print to the terminal."""
    attach(logging.NullHandler())
    json_folder = folder / "json"
    try:
        make_private(json_folder)
    except OSError:
        if echo is None:
            raise
        return _attach_json(DailyFileHandler(None, echo=echo), run_id)

    def sweep_both() -> None:
        sweep(json_folder, retention_days=retention_days)
        sweep(folder / "dead_letter", retention_days=retention_days)

    sweep_both()
    # A watch can run longer than logs are kept.
    return _attach_json(DailyFileHandler(json_folder, on_new_day=sweep_both, echo=echo), run_id)


def _attach_json(handler: DailyFileHandler, run_id: str) -> DailyFileHandler:
    handler.setFormatter(JsonFormatter(run_id))
    attach(handler)
    return handler


def attach(handler: logging.Handler) -> None:
    """Replaces an earlier run's handler. The new one handles the package's lines from INFO on, and warnings of other packages."""
    logger, root = logging.getLogger(_ROOT), logging.getLogger()
    for old in (h for owner in (logger, root) for h in list(owner.handlers) if getattr(h, _OURS, False)):
        logger.removeHandler(old)
        root.removeHandler(old)
        old.close()
    setattr(handler, _OURS, True)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    root.addHandler(handler)  # the root's level is WARNING


def sweep(folder: Path, *, retention_days: int, now: float | None = None) -> None:
    """Deletes `*.jsonl` files that were last written more than this many days ago."""
    oldest = (time.time() if now is None else now) - retention_days * 86_400
    for path in folder.glob("*.jsonl"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except OSError:
            continue
