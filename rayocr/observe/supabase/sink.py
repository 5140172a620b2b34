"""Sends errors and dead letters to Supabase in the background: a handler writes rows to a spool, and a thread sends them.

The run never waits for Supabase: it only appends a row to a local file, and the thread retries with its own backoff. The next run
sends rows that could not be sent. Each row has an id, so that a row that is sent twice (after a lost answer) is stored once.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rayocr.config import RayocrConfig, Secrets
from rayocr.errors import RowsRefused, TableMisconfigured, TableUnavailable
from rayocr.extras import install_command, is_installed
from rayocr.observe.logs import log_event
from rayocr.observe.supabase.rows import Row, chosen_columns, is_sent, row_of
from rayocr.observe.supabase.spool import Spool
from rayocr.observe.supabase.table import SupabaseTable

log = logging.getLogger(__name__)

_FIRST_DELAY_S, _LONGEST_DELAY_S = 2.0, 120.0
_CLOSE_S = 2.0  # maximum wait for the last rows of a run if the table answers


class Table(Protocol):
    def insert(self, rows: Sequence[Row]) -> None: ...

    def close(self) -> None: ...


class SupabaseSink(logging.Handler):
    """Sends the rows of a run to Supabase. Calls `warn` once if the table does not match the configuration, but not while the
    server is only unavailable."""

    def __init__(
        self,
        spool: Spool,
        table: Table,
        *,
        run_id: str,
        interval_s: float,
        warn: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.spool = spool
        self._table = table
        self._run_id = run_id
        self._instance = os.environ.get("WORKER_INSTANCE_ID") or socket.gethostname()
        self._interval_s = interval_s
        self._warn = warn
        self._clock = clock
        self._over = threading.Event()
        self._delay_s = 0.0
        self._next_at = 0.0
        self._warned = False
        self._sent = 0
        self._dropped = 0
        self._thread: threading.Thread | None = None

    # -- input ------------------------------------------------------------------------------------------------------

    def emit(self, record: logging.LogRecord) -> None:
        fields: Mapping[str, Any] = getattr(record, "rayocr_fields", {})
        if record.name.startswith(__name__) or not is_sent(fields.get("action", ""), record.levelno):
            return
        if record.exc_info and not fields.get("error"):
            fields = {**fields, "error": record.exc_info[0].__name__ if record.exc_info[0] else None}
            fields["reason"] = str(record.exc_info[1])
        self._add(fields, record.levelname.lower(), record.getMessage(), record.created)

    def line(self, line: Mapping[str, Any]) -> None:
        """Accepts a worker's line."""
        self._add(line, str(line.get("level", "")), str(line.get("message", "")), time.time())

    def _add(self, fields: Mapping[str, Any], level: str, message: str, at: float) -> None:
        self.spool.add(row_of(fields, level=level, run_id=self._run_id, instance=self._instance, message=message, at=at))

    # -- output ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread = threading.Thread(target=self._send_forever, name="supabase", daemon=True)
        self._thread.start()

    def _send_forever(self) -> None:
        while not self._over.wait(self._interval_s):
            self.send_waiting()

    def send_waiting(self) -> None:
        """Sends all waiting rows, unless the table has just failed. Never raises."""
        try:
            self.spool.seal()
            if self.spool.dropped > self._dropped:
                lost, self._dropped = self.spool.dropped - self._dropped, self.spool.dropped
                self._say("supabase_rows_dropped", "Rows for Supabase were dropped: the spool is full.", rows=lost)
            if self._clock() < self._next_at:
                return
            for path in self.spool.waiting():
                with self.spool.rows_of(path) as rows:
                    self._insert(rows)
            if self._delay_s:
                self._say("supabase_recovered", "Supabase accepts rows again.")
            self._delay_s = 0.0
        except TableUnavailable as error:
            if not self._delay_s:
                self._say("supabase_unavailable", "Supabase does not answer; rows wait on disk.", reason=str(error))
            self._back_off()
        except TableMisconfigured as error:
            if not self._warned:
                self._warned = True
                self._say("supabase_misconfigured", "The Supabase table does not match the configuration.", reason=str(error))
                self._warn(
                    f"Supabase does not accept errors ({error}). See docs/supabase.md for its table; rows wait in logs/supabase."
                )
            self._back_off()
        except Exception as error:  # a defect of the client; log it and keep the rows
            self._say("supabase_failed", "Rows could not be sent to Supabase.", reason=f"{type(error).__name__}: {error}")
            self._back_off()

    def _insert(self, rows: Sequence[Row]) -> None:
        """Sends the rows; sets aside those that the table rejects permanently."""
        if not rows:
            return
        try:
            self._table.insert(rows)
            self._sent += len(rows)
        except RowsRefused as error:
            if len(rows) == 1:
                self.spool.refuse(rows[0], str(error))
                self._say("supabase_row_refused", "Supabase rejected a row permanently.", reason=str(error))
                return
            half = len(rows) // 2
            self._insert(rows[:half])
            self._insert(rows[half:])

    def _back_off(self) -> None:
        self._delay_s = min(_LONGEST_DELAY_S, max(_FIRST_DELAY_S, 2 * self._delay_s))
        self._next_at = self._clock() + self._delay_s * random.uniform(0.5, 1.0)

    def _say(self, action: str, words: str, **fields: Any) -> None:
        log_event(log, action, words, level=logging.WARNING, **fields)

    def close(self) -> None:
        """Sends the remaining rows if the table answers; otherwise they wait for the next run. Idempotent."""
        super().close()
        if self._over.is_set():
            return
        self._over.set()
        logging.getLogger("rayocr").removeHandler(self)
        last = threading.Thread(target=self.send_waiting, name="supabase", daemon=True)
        last.start()
        last.join(_CLOSE_S if not self._delay_s else 0.2)  # does not wait for an unavailable table
        self.spool.close()
        if not last.is_alive():
            self._table.close()


def open_sink(config: RayocrConfig, keys: Secrets, *, run_id: str, warn: Callable[[str], None]) -> SupabaseSink | None:
    """Starts the sink and attaches it to the package's log. Returns None without SUPABASE_URL and SUPABASE_API_KEY. Raises
    UsageError."""
    settings = config.supabase
    if not (settings.enabled and keys.supabase_url and keys.supabase_api_key):
        return None
    if not is_installed("supabase"):
        warn(f"No errors are sent to Supabase: its client is not installed. {install_command('supabase')}")
        return None
    columns = chosen_columns(settings.columns)
    folder = Path(config.logs.dir) / "supabase"
    try:
        spool = Spool(
            folder,
            run_id=run_id,
            batch=settings.batch,
            max_bytes=settings.spool_bytes,
            retention_days=config.logs.retention_days,
        )
    except OSError as error:
        warn(f"No errors are sent to Supabase: {folder}: {error.strerror}.")
        return None
    table = SupabaseTable(
        keys.supabase_url, keys.supabase_api_key, table=settings.table, columns=columns, timeout_s=settings.timeout_s
    )
    sink = SupabaseSink(spool, table, run_id=run_id, interval_s=settings.interval_s, warn=warn)
    logging.getLogger("rayocr").addHandler(sink)
    sink.start()
    return sink
