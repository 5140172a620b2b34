"""Defines the options for observing a run: logs, Supabase, HTTP API."""

from __future__ import annotations

from dataclasses import dataclass, field

from rayocr.config.ranges import at_least, at_most, one_of


@dataclass
class LogsConfig:
    dir: str = "logs"  # folder of the logs: json/ (JSON lines) and dead_letter/
    retention_days: int = 14  # older files are deleted at the start of a run and daily
    stdout: str = "none"  # json: log lines go to standard output too, messages to standard error; also set by RAYOCR_LOGS_STDOUT
    pages: bool = True  # one log line of 400 bytes per page; false: only for pages that failed or are retried

    def __post_init__(self) -> None:
        at_least(1, **{"logs.retention_days": self.retention_days})
        one_of("logs.stdout", self.stdout, ("none", "json"))


@dataclass
class SupabaseConfig:
    """Writes errors and dead letters to a table; active when SUPABASE_URL and SUPABASE_API_KEY are set."""

    enabled: bool = True  # false: send nothing, regardless of the environment
    table: str = "Activity_Error_Log"  # table name; for its SQL see docs/supabase.md
    # Maps field names to your column names; null omits a field. Fields that are not listed keep their names.
    columns: dict[str, str | None] = field(default_factory=dict)
    batch: int = 200  # rows per request
    interval_s: float = 2.0  # seconds between two checks for pending rows
    timeout_s: float = 10.0  # timeout of a request
    spool_bytes: int = (
        64 << 20
    )  # size of the spool in <logs.dir>/supabase while Supabase is unavailable; the oldest rows are dropped above it

    def __post_init__(self) -> None:
        at_least(1, **{"supabase.batch": self.batch, "supabase.spool_bytes": self.spool_bytes})
        at_least(0.01, **{"supabase.interval_s": self.interval_s, "supabase.timeout_s": self.timeout_s})


@dataclass
class GatewayConfig:
    """The HTTP API of a run: status page, metrics, status, control."""

    enabled: bool = True  # false: open no port
    # Address to listen on. An address other than loopback needs RAYOCR_API_TOKEN in the environment. Without that variable each
    # run generates a token and prints it.
    host: str = "127.0.0.1"
    port: int = 8080  # if it is in use, the next free one of the following twenty; 0: any free port
    after: str = "exit"  # when the run ends: exit; view: serve the results at the same address until Ctrl-C
    push_audience: str | None = (
        None  # audience of the OIDC tokens that Pub/Sub sends to /gcs-event; null: RAYOCR_API_TOKEN protects it
    )
    push_account: str | None = None  # service account that must have signed them; needed with push_audience

    def __post_init__(self) -> None:
        at_least(0, **{"gateway.port": self.port})
        at_most(65_535, **{"gateway.port": self.port})
        one_of("gateway.after", self.after, ("exit", "view"))
