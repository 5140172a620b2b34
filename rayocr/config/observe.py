"""What people and other systems see of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

from rayocr.config.ranges import at_least


@dataclass
class LogsConfig:
    dir: str = "logs"  # JSON lines in json/, dead letters in dead_letter/

    retention_days: int = 14  # older files are swept at the start of a run, and daily
    pages: bool = True  # a line of 400 bytes for every page; false: only for those that failed or are asked for again

    def __post_init__(self) -> None:
        at_least(1, **{"logs.retention_days": self.retention_days})


@dataclass
class SupabaseConfig:
    """Errors and dead letters as rows of a table; on when SUPABASE_URL and SUPABASE_API_KEY are in the environment."""

    enabled: bool = True  # false: nothing is sent, whatever the environment says
    table: str = "Activity_Error_Log"  # its SQL: docs/supabase.md
    # Our field -> your column, for a table with other names; null leaves a field out. Those not named keep theirs.
    columns: dict[str, str | None] = field(default_factory=dict)
    batch: int = 200  # rows a request
    interval_s: float = 2.0  # between two looks at what waits
    timeout_s: float = 10.0  # of a request
    spool_bytes: int = 64 << 20  # rows that wait while it is away, in <logs.dir>/supabase; above it the oldest go

    def __post_init__(self) -> None:
        at_least(1, **{"supabase.batch": self.batch, "supabase.spool_bytes": self.spool_bytes})
        at_least(0.01, **{"supabase.interval_s": self.interval_s, "supabase.timeout_s": self.timeout_s})


@dataclass
class GatewayConfig:
    """The HTTP face of a run: its page, metrics, status, control."""

    enabled: bool = True  # false: no port is opened
    host: str = "127.0.0.1"  # others need RAYOCR_API_TOKEN in the environment
    port: int = 8080  # or the next free one of twenty; 0: any
    push_audience: str | None = None  # of the OIDC tokens that Pub/Sub sends to /gcs-event; null: RAYOCR_API_TOKEN guards it
    push_account: str | None = None  # the service account that they must be of; null: any of Google's for the audience

    def __post_init__(self) -> None:
        at_least(0, **{"gateway.port": self.port})
