"""How much is under way, where, and how a run ends or goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rayocr.config.mode import Mode
from rayocr.config.ranges import at_least
from rayocr.errors import UsageError


@dataclass
class WorkersConfig:
    min: int = 1  # workers kept while there is work
    idle_timeout_s: float = 60.0  # a worker above the minimum goes when it has had nothing to do for so long
    # Null: one a CPU of the cluster for engines that compute; for engines that wait as many as the quota keeps busy (60 pages a
    # second each, up to 4), or one a node where there are more.
    max: int | None = None
    documents: int | None = None  # processes that fetch and assemble; null: one a CPU, two at least
    # Whether workers ask for nodes that offer rayocr_wait or rayocr_compute (custom resources of Ray); null: if some node does.
    groups: bool | None = None
    # A waiting worker's pages at one time; null: what the requests a minute come to when an answer takes 10 s, 64 to 1,024.
    pages_in_flight: int | None = None
    target_shard_s: float = 2.0  # shards are cut to take about this long: long against a Ray call, short against a kill
    max_shard_pages: int = 64  # of a shard, however quick its pages are
    max_pages: int | None = 20_000  # a worker's, after which a new process takes its place, against leaks; null: none

    def __post_init__(self) -> None:
        at_least(1, **{"workers.min": self.min, "workers.max": self.max, "workers.documents": self.documents})
        at_least(1, **{"workers.pages_in_flight": self.pages_in_flight, "workers.max_shard_pages": self.max_shard_pages})
        at_least(1, **{"workers.max_pages": self.max_pages})
        at_least(0, **{"workers.idle_timeout_s": self.idle_timeout_s})
        if self.max is not None and self.max < self.min:
            raise UsageError(f"workers.max is {self.max}, below workers.min, which is {self.min}.")


@dataclass
class WindowConfig:
    pages: int = 4096  # admitted and not yet finished
    documents: int = 256  # likewise; hides the ledger's flush interval from folders of one-page documents
    bytes: int = 1 << 30  # of documents in the object store; one document is always admitted, whatever its size

    def __post_init__(self) -> None:
        at_least(1, **{"window.pages": self.pages, "window.documents": self.documents, "window.bytes": self.bytes})


@dataclass
class WatchConfig:
    """Of mode=watch, besides poll_interval_s."""

    settle_s: float = 10.0  # a file in a folder is taken when nothing was written to it for so long; buckets need no such wait
    # Where a feed or a subscription tells what is new, everything is listed all the same after so long: nothing is forgotten.
    relist_s: float = 900.0
    subscription: str | None = None  # projects/…/subscriptions/…: notifications of the source's bucket, pulled from Pub/Sub
    endpoint: str | None = None  # of Pub/Sub; PUBSUB_EMULATOR_HOST sets it too

    def __post_init__(self) -> None:
        at_least(0, **{"watch.settle_s": self.settle_s})
        at_least(0.01, **{"watch.relist_s": self.relist_s})
        if self.subscription is not None and not re.fullmatch(r"projects/[^/\s]+/subscriptions/[^/\s]+", self.subscription):
            raise UsageError(f"watch.subscription is {self.subscription!r}, and is written projects/PROJECT/subscriptions/NAME.")


@dataclass
class ShutdownConfig:
    grace_s: float = 20.0  # from SIGTERM to exit; pages still in flight then are given up and read again later

    def __post_init__(self) -> None:
        at_least(0, **{"shutdown.grace_s": self.grace_s})


@dataclass
class SubmitConfig:
    """Of mode=submit: the same command as a job of a Ray cluster, `cluster=http://HOST:8265`."""

    mode: Mode = Mode.run  # what the job does
    working_dir: str | None = None  # a folder sent along, e.g. "." for a checkout; null: rayocr is in the cluster's image
    job_id: str | None = None  # null: rayocr-<time>; one that exists already is followed and not submitted again
    follow: bool = True  # show its log, and end with its exit code; false: submit and end
    cpus: float = 0.0  # kept free for the driver itself, which mostly waits
    stop_wait_s: int = 120  # that a job which is stopped has to finish its pages in flight, before Ray kills it

    def __post_init__(self) -> None:
        at_least(0, **{"submit.cpus": self.cpus, "submit.stop_wait_s": self.stop_wait_s})
