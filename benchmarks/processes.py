"""Samples CPU time and peak memory of a running command, separately for rayocr's and Ray's processes."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_INTERVAL_S = 0.25
_MEMORY_EVERY = 4  # samples between memory reads: the kernel scans a process's pages, which takes 2 to 3 ms for one of Ray's
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
    """`with ProcessWatch(pid) as watch:` samples the process and its descendants until the block is left."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_over, daemon=True)
        self.ours = Usage()
        self.rays = Usage()
        self.driver_peak_bytes = 0
        self._samples = 0

    def __enter__(self) -> ProcessWatch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample_until_over(self) -> None:
        while not self._over.wait(_INTERVAL_S):
            self._sample()

    def _sample(self) -> None:
        ours = rays = 0
        with_memory = self._samples % _MEMORY_EVERY == 0
        self._samples += 1
        try:
            processes = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                is_ours = process.pid == self._root.pid or " ".join(process.cmdline()[:1]).startswith(_OURS)
                usage = self.ours if is_ours or not _is_rays(process) else self.rays
                times = process.cpu_times()
                usage.cpu_s[process.pid] = times.user + times.system
                unique = unique_bytes(process.pid) if with_memory else 0
                if process.pid == self._root.pid:
                    self.driver_peak_bytes = max(self.driver_peak_bytes, unique)
                if usage is self.ours:
                    ours += unique
                else:
                    rays += unique
        self.ours.peak_bytes = max(self.ours.peak_bytes, ours)
        self.rays.peak_bytes = max(self.rays.peak_bytes, rays)


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
