"""Defines the options for access to storage, sign-in, locks, ledger and deduplication."""

from __future__ import annotations

from dataclasses import dataclass, field

from rayocr.config.ranges import at_least, at_most, one_of
from rayocr.errors import UsageError


@dataclass(unsafe_hash=True)
class AccessConfig:
    """Access to a bucket or to Google Drive: credentials and server."""

    credentials: str | None = (
        None  # a JSON file (service account or authorized user) that exists on every node; null: the node's own credentials
    )
    anonymous: bool = False  # true for public buckets
    user_project: str | None = None  # project that pays for requester-pays buckets
    endpoint: str | None = None  # a server other than Google's, for example an emulator
    subject: str | None = None  # Drive only: the user for whom a service account with domain-wide delegation acts
    follow_links: bool = False  # folders only: follow symbolic links that lead out of the folder, too
    timeout_s: float = 120.0  # a request that receives no byte for this long is aborted and retried

    def __post_init__(self) -> None:
        at_least(0.1, **{"storage.*.timeout_s": self.timeout_s})


@dataclass
class StorageConfig:
    source: AccessConfig = field(default_factory=AccessConfig)
    dest: AccessConfig = field(default_factory=AccessConfig)
    state: AccessConfig = field(
        default_factory=AccessConfig
    )  # defaults to dest, unless state= uses another kind of storage (gs, gdrive)
    # Requests per second to each storage backend, over all document workers; null: no limit. Drive allows 200 per project.
    requests_per_s: float | None = None

    def __post_init__(self) -> None:
        at_least(0.01, **{"storage.requests_per_s": self.requests_per_s})


@dataclass
class LoginConfig:
    """Options of mode=login: a person signs in to Google Drive once."""

    service: str = "drive"  # service to sign in to; `mode=login drive` sets it too
    client: str | None = None  # OAuth client (JSON from the Google Cloud console); null: GOOGLE_DRIVE_CREDENTIALS
    token: str | None = None  # file for the sign-in; null: ~/.config/rayocr/drive-token.json
    browser: str = "auto"  # auto: open a browser if there is one; none: only print the address
    port: int = 0  # local port that Google redirects the browser to; 0: any free port
    timeout_s: float = 600.0  # time for the person to sign in

    def __post_init__(self) -> None:
        one_of("login.service", self.service, ("drive",))
        one_of("login.browser", self.browser, ("auto", "none"))
        at_least(0, **{"login.port": self.port})
        at_most(65_535, **{"login.port": self.port})
        at_least(1, **{"login.timeout_s": self.timeout_s})


@dataclass
class LocksConfig:
    backend: str = "file"  # file: for processes on one machine; redis: for any number of clusters
    ttl_s: float = 60.0  # lifetime of a lease, renewed after a third of it; documents of a dead cluster become available after it
    prefix: str = "rayocr:"  # prefix of Redis keys, which begin with it in braces: {rayocr:
    # A lock service that is unavailable for longer ends the run, which can be resumed; null, and always in mode=watch: no limit.
    patience_s: float | None = 900.0

    def __post_init__(self) -> None:
        at_least(1, **{"locks.ttl_s": self.ttl_s})
        at_least(0, **{"locks.patience_s": self.patience_s})
        if self.backend not in ("file", "redis"):
            raise UsageError(f"locks.backend={self.backend} is unknown.", hint="Choose file or redis.")


@dataclass
class LedgerConfig:
    flush_interval_s: float = 1.0  # at most one segment is written in this time; a crash of the ledger can lose this much
    flush_bytes: int = 1 << 20  # a segment is written earlier if this much text is pending
    memory_bytes: int = 256 << 20  # text of unfinished documents beyond this size goes to local disk

    def __post_init__(self) -> None:
        at_least(0.0, **{"ledger.flush_interval_s": self.flush_interval_s})
        at_least(1, **{"ledger.flush_bytes": self.flush_bytes, "ledger.memory_bytes": self.memory_bytes})


@dataclass
class DedupConfig:
    pages: bool = True  # send identical pages (the same bytes once cut out) to a server only once
    documents: bool = False  # read files with the same bytes only once; their pages are kept beside the state for the duplicates
    memory_bytes: int = 64 << 20  # memory for the texts of identical pages; 64 MiB is about 20,000 pages

    def __post_init__(self) -> None:
        at_least(1, **{"dedup.memory_bytes": self.memory_bytes})
