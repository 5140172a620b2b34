"""Who reads and writes a bucket or a Drive; leases; the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field

from rayocr.config.ranges import at_least, one_of
from rayocr.errors import UsageError


@dataclass(unsafe_hash=True)
class AccessConfig:
    """Who reads and writes a bucket or a Drive, and where."""

    credentials: str | None = None  # a JSON file (service account, authorized user), there on every node; null: the node's own
    anonymous: bool = False  # public buckets
    user_project: str | None = None  # pays for buckets whose readers pay
    endpoint: str | None = None  # another server than Google's, for example an emulator
    subject: str | None = None  # of Drive: the person for whom a service account with domain-wide delegation acts
    timeout_s: float = 120.0  # without a byte from the server, after which a request is given up and tried again

    def __post_init__(self) -> None:
        at_least(0.1, **{"storage.*.timeout_s": self.timeout_s})


@dataclass
class StorageConfig:
    source: AccessConfig = field(default_factory=AccessConfig)
    dest: AccessConfig = field(default_factory=AccessConfig)
    state: AccessConfig = field(default_factory=AccessConfig)  # not given: as dest, unless state= is of another kind (gs, gdrive)
    # Requests a second of all processes that fetch and assemble, to each backend; null: no limit. Drive allows 200 a project.
    requests_per_s: float | None = None

    def __post_init__(self) -> None:
        at_least(0.01, **{"storage.requests_per_s": self.requests_per_s})


@dataclass
class LoginConfig:
    """Of mode=login: a person signs in to Google Drive, once."""

    service: str = "drive"  # what to sign in to; `mode=login drive` says it too
    client: str | None = None  # the OAuth client, as the Google Cloud console gives it (JSON); null: GOOGLE_DRIVE_CREDENTIALS
    token: str | None = None  # where the sign-in is kept; null: ~/.config/rayocr/drive-token.json
    browser: str = "auto"  # auto: open one where there is one; none: only print the address
    port: int = 0  # of this machine, to which Google sends the browser back; 0: any
    timeout_s: float = 600.0  # that the person has

    def __post_init__(self) -> None:
        one_of("login.service", self.service, ("drive",))
        one_of("login.browser", self.browser, ("auto", "none"))
        at_least(0, **{"login.port": self.port})
        at_least(1, **{"login.timeout_s": self.timeout_s})


@dataclass
class LocksConfig:
    backend: str = "file"  # file: processes of one machine; redis: any number of clusters
    ttl_s: float = 60.0  # a dead cluster's documents are free after this; renewed at a third of it
    prefix: str = "rayocr:"  # of Redis keys

    def __post_init__(self) -> None:
        at_least(1, **{"locks.ttl_s": self.ttl_s})
        if self.backend not in ("file", "redis"):
            raise UsageError(f"locks.backend is {self.backend!r}; choose file or redis.")


@dataclass
class LedgerConfig:
    flush_interval_s: float = 1.0  # at most one segment in this time: what a crash of the ledger can cost
    flush_bytes: int = 1 << 20  # or as soon as this much text waits
    memory_bytes: int = 256 << 20  # text of unfinished documents above this goes to local disk

    def __post_init__(self) -> None:
        at_least(0.0, **{"ledger.flush_interval_s": self.flush_interval_s})
        at_least(1, **{"ledger.flush_bytes": self.flush_bytes, "ledger.memory_bytes": self.memory_bytes})


@dataclass
class DedupConfig:
    pages: bool = True  # identical pages (the same bytes once cut out) are sent to a server once, and counted
    documents: bool = False  # files of the same bytes are read once; what they came to is kept beside the state for the others
    memory_bytes: int = 64 << 20  # of the texts of identical pages, kept in memory: about 20,000 pages

    def __post_init__(self) -> None:
        at_least(1, **{"dedup.memory_bytes": self.memory_bytes})
