"""Defines a batch job, from its first page to its answers, and the server that runs it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from rayocr.actors.batch_queue.intents import Intent
from rayocr.errors import RayocrError

if TYPE_CHECKING:
    from rayocr.engines.gemini.batch import JobStatus


class BatchServer(Protocol):
    """The port of the server that runs batch jobs; see `rayocr.engines.gemini.batch.GeminiJobs`."""

    async def upload(self, display_name: str, path: Path) -> str: ...

    async def create(self, display_name: str, model: str, file: str) -> str: ...

    async def find(self, display_name: str) -> str | None: ...

    async def status(self, name: str) -> JobStatus: ...

    async def results(self, file_name: str) -> dict[str, bytes]: ...

    async def cancel(self, job: str) -> None: ...

    async def delete(self, *, files: Iterable[str], job: str | None) -> None: ...


@dataclass(slots=True, eq=False)
class Job:
    """One job, from its first page to its answers. A job of an earlier run is `closed` from the beginning and has no file."""

    display_name: str
    model: str
    keys: set[str] = field(default_factory=set)
    created_at: float = 0.0
    name: str | None = None
    file: IO[bytes] | None = None
    size_bytes: int = 0
    closed: bool = False  # accepts no more pages
    task: asyncio.Task[None] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    state: str = "gathering"
    since: float = 0.0  # time when the current state began
    server_files: list[str] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)
    handed_out: set[str] = field(default_factory=set)
    error: RayocrError | None = None
    words: str = ""  # reason why the server ended the job
    recorded: set[str] = field(default_factory=set)  # keys whose pages the ledger has
    deleted: bool = False
    withdrawn: bool = False  # rayocr cancelled the job; pages without an answer are not billed

    @property
    def intent(self) -> Intent:
        return Intent(
            display_name=self.display_name,
            model=self.model,
            keys=tuple(sorted(self.keys)),
            created_at=self.created_at,
            name=self.name,
        )

    def note(self, state: str, now: float) -> None:
        if state != self.state:
            self.state, self.since = state, now


def progress_of(jobs: Iterable[Job], now: float) -> tuple[str, ...]:
    """Returns one line for each state that unfinished jobs are in, for display."""
    by_state: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if not job.ended.is_set() and (job.task is not None or not job.closed):
            by_state[job.state].append(job)
    return tuple(
        f"{len(jobs):,} batch {'job' if len(jobs) == 1 else 'jobs'}, {sum(len(job.keys) for job in jobs):,} pages, {state}"
        f" for {_duration(now - min(job.since for job in jobs))}"
        for state, jobs in sorted(by_state.items())
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
