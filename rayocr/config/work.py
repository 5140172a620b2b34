"""Defines the options for workers, the window, watching, shutdown and submitting."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rayocr.config.mode import Mode
from rayocr.config.ranges import at_least
from rayocr.errors import UsageError


@dataclass
class WorkersConfig:
    min: int = 1  # workers to keep while there is work
    idle_timeout_s: float = 60.0  # a worker above the minimum exits after being idle for this long
    # Null: for engines that compute, one per CPU of the cluster; for engines that wait, as many as the quota keeps busy (60 pages
    # per second each, up to 4), or one per node if there are more nodes.
    max: int | None = None
    documents: int | None = None  # processes that fetch and assemble; null: one per CPU, at least two
    # true: workers run only on nodes that offer the Ray resources rayocr_wait or rayocr_compute; null: only if some node offers
    # these resources.
    groups: bool | None = None
    # Pages in flight per waiting worker; null: derived from the requests per minute and 10 s per answer, between 64 and 1,024.
    pages_in_flight: int | None = None
    target_shard_s: float = (
        2.0  # target duration of a shard: long compared with a Ray call, short compared with what a kill may lose
    )
    max_shard_pages: int = 64  # most pages in one shard
    max_pages: int | None = 20_000  # pages after which a worker process is replaced, to limit leaks; null: never

    def __post_init__(self) -> None:
        at_least(1, **{"workers.min": self.min, "workers.max": self.max, "workers.documents": self.documents})
        at_least(1, **{"workers.pages_in_flight": self.pages_in_flight, "workers.max_shard_pages": self.max_shard_pages})
        at_least(1, **{"workers.max_pages": self.max_pages})
        at_least(0, **{"workers.idle_timeout_s": self.idle_timeout_s})
        if self.max is not None and self.max < self.min:
            raise UsageError(f"workers.max is {self.max}; it must be at least workers.min, which is {self.min}.")


@dataclass
class WindowConfig:
    pages: int = 4096  # pages admitted and not yet finished
    documents: int = 256  # documents admitted and not yet finished; must be large enough to hide the ledger's flush interval
    # Size of admitted documents in the object store, of which they take 60 % at most; one document is always admitted.
    bytes: int = 1 << 30

    def __post_init__(self) -> None:
        at_least(1, **{"window.pages": self.pages, "window.documents": self.documents, "window.bytes": self.bytes})


@dataclass
class WatchConfig:
    """Options of mode=watch; see also poll_interval_s."""

    settle_s: float = 10.0  # a file in a folder is read when nothing has been written to it for this long; buckets need no wait
    # Full listing interval where a change feed or a subscription reports new files, so that nothing is missed.
    relist_s: float = 900.0
    subscription: str | None = None  # projects/…/subscriptions/…: Pub/Sub subscription with notifications of the source's bucket
    endpoint: str | None = None  # Pub/Sub endpoint; also set by PUBSUB_EMULATOR_HOST

    def __post_init__(self) -> None:
        at_least(0, **{"watch.settle_s": self.settle_s})
        at_least(0.01, **{"watch.relist_s": self.relist_s})
        if self.subscription is not None and not re.fullmatch(r"projects/[^/\s]+/subscriptions/[^/\s]+", self.subscription):
            raise UsageError(
                f"watch.subscription={self.subscription} is not a subscription.",
                hint="Write projects/PROJECT/subscriptions/NAME.",
            )


@dataclass
class ShutdownConfig:
    grace_s: float = 20.0  # seconds from SIGTERM to exit; the next run reads the pages that did not finish by then

    def __post_init__(self) -> None:
        at_least(0, **{"shutdown.grace_s": self.grace_s})


@dataclass
class ExitConfig:
    """Exit codes, for schedulers that start a failed job again."""

    partial: int = 1  # exit code when documents have failed pages; 0: they count as success, as do dead letters of earlier runs

    # Exit code of a run whose source has no files. null: 0 for a folder, 2 for a prefix of a bucket, which may be misspelled;
    # 2: for a folder that must not be empty, such as a mounted disk; 0: also for a prefix
    empty: int | None = None

    def __post_init__(self) -> None:
        if self.partial not in (0, 1):
            raise UsageError(f"exit.partial={self.partial} is unknown.", hint="Choose 0 or 1.")
        if self.empty not in (None, 0, 2):
            raise UsageError(f"exit.empty={self.empty} is unknown.", hint="Choose 0 or 2.")


@dataclass
class SubmitConfig:
    """Options of mode=submit, which runs the same command as a job of a Ray cluster (`cluster=http://HOST:8265`)."""

    mode: Mode = Mode.run  # mode of the job
    working_dir: str | None = (
        None  # a checkout to upload, e.g. "." (rayocr/, conf/, *.py and *.md); null: rayocr is installed in the cluster's image
    )
    job_id: str | None = None  # id of the job; null: rayocr-<time>; an existing job is followed, not submitted again
    follow: bool = True  # print the log of the job and exit with its exit code; false: submit and exit
    cpus: float = 0.0  # CPUs reserved for the driver, which mostly waits
    patience_s: float = 300.0  # how long this command waits for an unavailable head before it ends with exit code 3
    stop_wait_s: int = 120  # time for a stopped job to finish its pages in flight before Ray kills it

    def __post_init__(self) -> None:
        at_least(0, **{"submit.cpus": self.cpus, "submit.stop_wait_s": self.stop_wait_s, "submit.patience_s": self.patience_s})
