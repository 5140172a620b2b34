"""Samples CPU time and peak memory of a running command, separately for rayocr's and Ray's processes."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_INTERVAL_S = 0.5
# Ray's process titles for rayocr's actors, from their classes in spawn.py. A test compares the two, because an unused title would
# silently measure and kill nothing.
PAGE_WORKER = "ray::PageWorkerActor"
LEDGER = "ray::LedgerActor"
DISCOVERY = "ray::DiscoveryActor"
DOCUMENT_WORKER = "ray::DocumentWorkerActor"
RATE_LIMITER = "ray::RateLimiterActor"
BATCH_DESK = "ray::BatchQueueActor"
ACTOR_TITLES = (PAGE_WORKER, LEDGER, DISCOVERY, DOCUMENT_WORKER, RATE_LIMITER, BATCH_DESK)
_OURS = (*ACTOR_TITLES, "ray::Sender")  # actors of slot_senders.py; every other child is one of Ray's processes


@dataclass(slots=True)
class Usage:
    """CPU seconds so far and the peak of the sum of the processes' memory (unique set size), in bytes."""

    cpu_s: dict[int, float] = field(default_factory=dict)
    peak_bytes: int = 0
    memory_bytes: dict[int, int] = field(default_factory=dict)

    @property
    def total_cpu_s(self) -> float:
        return sum(self.cpu_s.values())


class ProcessWatch:
    """`with ProcessWatch(pid) as watch:` samples the process and its descendants until the block is left.

    Every `list_every_s` seconds it lists the processes and reads their memory. A list takes 17 ms of CPU in a run with Ray and
    7 ms in a bare loop, on the cores that are measured.
    """

    def __init__(self, pid: int, list_every_s: float = 1.0) -> None:
        self._root = psutil.Process(pid)
        self._list_every = max(1, round(list_every_s / _INTERVAL_S))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_over, daemon=True)
        self.ours = Usage()
        self.rays = Usage()
        self.driver_peak_bytes = 0
        self.worker_peak_bytes = 0
        self._listed: list[tuple[psutil.Process, Usage]] = []

    def __enter__(self) -> ProcessWatch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample_until_over(self) -> None:
        samples = 0
        while not self._over.wait(_INTERVAL_S):
            if samples % self._list_every == 0:
                self._list()
            samples += 1
            for process, usage in self._listed:
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    times = process.cpu_times()
                    usage.cpu_s[process.pid] = times.user + times.system

    def _list(self) -> None:
        """Lists the processes, and reads their memory."""
        self._listed = []
        now = {id(self.ours): 0, id(self.rays): 0}
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in (self._root, *self._root.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    is_root = process.pid == self._root.pid
                    title = " ".join(process.cmdline()[:1])
                    is_ours = is_root or title.startswith(_OURS) or not _is_rays(process)
                    usage, other = (self.ours, self.rays) if is_ours else (self.rays, self.ours)
                    other.cpu_s.pop(process.pid, None)  # a process of Ray becomes an actor
                    self._listed.append((process, usage))
                    unique = unique_bytes(process.pid)
                    now[id(usage)] += unique
                    if is_root:
                        self.driver_peak_bytes = max(self.driver_peak_bytes, unique)
                    elif title.startswith(PAGE_WORKER):
                        self.worker_peak_bytes = max(self.worker_peak_bytes, unique)
        self.ours.peak_bytes = max(self.ours.peak_bytes, now[id(self.ours)])
        self.rays.peak_bytes = max(self.rays.peak_bytes, now[id(self.rays)])


def unique_bytes(pid: int) -> int:
    """Returns resident memory that is not shared with other processes, which is freed when the process ends; 0 if it has
    ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(b"Private_"))


def _is_rays(process: psutil.Process) -> bool:
    return any("ray" in part for part in process.cmdline()[:4])
