"""Observes a scenario several times per second: pages that are paid for but not yet durable, and issued fencing tokens.

A page is at risk if it was answered or is in flight, and is neither in a ledger segment nor part of a finished document. Only
pages at risk when a fault strikes may be paid for twice.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import redis

from benchmarks.chaos.corpus import PageName
from benchmarks.chaos.durable import Durable, read_json
from benchmarks.simulated import Simulated

_POLL_EVERY_S = 0.15


@dataclass(slots=True)
class Risk:
    """The most pages at risk in any poll since a fault, and the pages answered when it struck."""

    fault: str
    may_lose: bool
    in_flight: int = 0
    unflushed: int = 0

    @property
    def pages(self) -> int:
        return self.in_flight + self.unflushed

    @property
    def bound(self) -> int:
        return self.pages if self.may_lose else 0


@dataclass(frozen=True, slots=True)
class TokenSeen:
    """An observed lease: `at` in seconds since the epoch."""

    fencing_token: int
    owner: str
    at: float


@dataclass(slots=True)
class Witness:
    server: Simulated
    durable: Durable
    leases: Callable[[], dict[str, tuple[int, str]]]
    risks: list[Risk] = field(default_factory=list)
    tokens: dict[str, list[TokenSeen]] = field(default_factory=dict)  # tokens of each document_id, in the observed order
    answered: dict[str, int] = field(default_factory=dict)  # answers by the text of the page
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Witness:
        self._thread = threading.Thread(target=self._poll_until_over, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        assert self._thread is not None
        self._thread.join()

    @property
    def pages_answered(self) -> int:
        """Number of different pages that were answered."""
        return len(self.answered)

    def fault(self, name: str, *, may_lose: bool) -> None:
        """Takes a sample, so that pages currently at risk count. Call this immediately before a fault strikes."""
        with self._lock:
            self.risks.append(Risk(name, may_lose))
        self.poll()

    def poll(self) -> None:
        with self._lock:
            safe = self.durable.poll()
            counts = self.server.counts()
            self.answered = counts["answered"]
            paid = {name for text in self.answered if (name := PageName.said_by(text)) is not None}
            unflushed = len(paid - safe)
            if self.risks:
                risk = self.risks[-1]
                if unflushed + counts["in_flight"] > risk.pages:
                    risk.unflushed, risk.in_flight = unflushed, counts["in_flight"]
            for document_id, (token, owner) in self.leases().items():
                seen = self.tokens.setdefault(document_id, [])
                if not seen or seen[-1].fencing_token != token:
                    seen.append(TokenSeen(token, owner, time.time()))

    def _poll_until_over(self) -> None:
        while not self._over.wait(_POLL_EVERY_S):
            self.poll()


def file_leases(dest: Path) -> dict[str, tuple[int, str]]:
    """Returns token and owner by document_id."""
    found = {}
    for path in (dest / ".rayocr" / "leases").glob("*.json"):
        lease = read_json(path)
        if lease is not None:
            found[lease["key"]] = (lease["fencing_token"], lease["owner"])
    return found


def redis_leases(url: str) -> dict[str, tuple[int, str]]:
    """Returns token and owner by document_id; empty while the server is unavailable."""
    found = {}
    try:
        with redis.Redis.from_url(url, decode_responses=True) as client:
            for key in client.scan_iter(match="*lease:*", count=1000):
                token, owner = client.hmget(key, "token", "owner")
                if token is not None:
                    found[key.rpartition(":")[2]] = (int(token), owner)
    except (redis.RedisError, json.JSONDecodeError, OSError):
        return {}
    return found
