"""Structured logs: a constant message and fields, as JSON lines in `<dir>/json/`, one file a day, swept after some days.

Every line has `action` (past tense). Page text and keys never go into a field.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_ROOT = "rayocr"


def log_event(logger: logging.Logger, action: str, message: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """One line: what happened (`action`), in words, and with what."""
    logger.log(level, message, extra={"rayocr_fields": {"action": action, **fields}})


class JsonFormatter(logging.Formatter):
    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "logger": record.name,
            "run_id": self._run_id,
            **getattr(record, "rayocr_fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class DailyFileHandler(logging.Handler):
    """Appends to `<folder>/<UTC date>.jsonl`, opened anew when the day changes."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._day = ""
        self._file: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            day = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d")
            if day != self._day:
                self.close_file()
                self._file = (self._folder / f"{day}.jsonl").open("a", encoding="utf-8")
                self._day = day
            self._file.write(self.format(record) + "\n")
            self._file.flush()
        except OSError:
            pass  # a full disk must not end a run over its log; what matters is in the ledger and the manifests

    def close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def close(self) -> None:
        self.close_file()
        super().close()


def configure_logs(folder: Path, *, run_id: str, retention_days: int) -> None:
    """Send the package's logs to files and nowhere else. Raises OSError when the folder cannot be made; then they go nowhere, and
    not to the terminal, where Python would put them."""
    _send_to(logging.NullHandler())
    json_folder = folder / "json"
    json_folder.mkdir(parents=True, exist_ok=True)
    sweep(json_folder, retention_days=retention_days)
    sweep(folder / "dead_letter", retention_days=retention_days)
    handler = DailyFileHandler(json_folder)
    handler.setFormatter(JsonFormatter(run_id))
    _send_to(handler)


def _send_to(handler: logging.Handler) -> None:
    logger = logging.getLogger(_ROOT)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def sweep(folder: Path, *, retention_days: int, now: float | None = None) -> None:
    """Delete `*.jsonl` files that have not been written to for that many days."""
    oldest = (time.time() if now is None else now) - retention_days * 86_400
    for path in folder.glob("*.jsonl"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except OSError:
            continue
