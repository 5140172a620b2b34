"""`make bench-scale`: measures the calls per second that each shared part of a run sustains, alone on this machine.

docs/scale.md gives the load of 100 and 1,000 nodes. Callers represent nodes: each has its own name and sends a node's
requests. Several callers share a process, since only the called part is measured.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil
from rich.table import Table

from rayocr.driver.cluster.base import Content
from rayocr.driver.cluster.pools.page_worker_pool import PageWorkerPool
from rayocr.errors import ActorFailed
from rayocr.messages import Document, DocumentContext, PageOutcome, PageSummary, Shard, ShardReport, WorkerInfo
from rayocr.observe.console import plain_console

_SECONDS = 6.0
_MODEL = "gemini-3.1-flash-lite"
_PROCESSES = 2  # calling processes, on a machine with two cores
_TEXT = "A line of a page of a document, as long as lines are.\n" * 50  # 2.7 KB


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    what: str
    callers: int
    calls_per_s: float
    pages_per_s: float
    cpu_ms: float  # CPU of the called part, per page (for Redis: per call)


class SlotCaller:
    """Simulates nodes, each of which requests slots for its pages and returns them after the answers."""

    async def run(self, limiter: Any, names: list[str], rate_per_s: float, seconds: float) -> int:
        from rayocr.actors.page_worker.slot_client import SlotClient
        from rayocr.actors.remote import Remote

        done = 0
        until = time.monotonic() + seconds

        async def node(name: str) -> None:
            nonlocal done
            slots = SlotClient(Remote(limiter), worker=name)  # type: ignore[arg-type]
            while time.monotonic() < until:
                async with slots.slot(_MODEL):
                    slots.used(_MODEL, input_tokens=600, cost_usd=0.0)
                done += 1
                await asyncio.sleep(1 / rate_per_s)

        await asyncio.gather(*(node(name) for name in names))
        return done


class PageCaller:
    """Simulates nodes, each of which records its pages through a Recorder."""

    async def run(self, ledger: Any, names: list[str], in_flight: int, seconds: float) -> int:
        from rayocr.actors.page_worker.ledger_client import LedgerClient
        from rayocr.actors.remote import Remote
        from rayocr.messages import PageOutcome, PageRecord

        done = 0
        until = time.monotonic() + seconds

        async def page(recorder: LedgerClient, name: str, number: int) -> None:
            nonlocal done
            while time.monotonic() < until:
                number += in_flight
                record = PageRecord(document_id=name, page_number=number, outcome=PageOutcome.DONE, text=_TEXT, engine="gemini")
                await (await recorder.put(record))
                done += 1

        async def node(name: str) -> None:
            recorder = LedgerClient(Remote(ledger))  # type: ignore[arg-type]
            await asyncio.gather(*(page(recorder, name, number) for number in range(1, in_flight + 1)))

        await asyncio.gather(*(node(name) for name in names))
        return done


def main() -> None:
    console = plain_console(width=None if sys.stdout.isatty() else 130)
    before = os.getloadavg()[0]
    rates = [*measure_redis(), asyncio.run(measure_driver())]
    console.print(_table(rates))
    if "--without-ray" not in sys.argv:
        rates = measure_actors()
        console.print(_table(rates))
    console.print(f"load average {before:.1f} before, {os.getloadavg()[0]:.1f} after")


def _table(rates: list[Rate]) -> Table:
    table = Table(title="shared parts of a run, each alone on this machine", title_justify="left")
    for column in ("what", "callers", "calls/s", "pages/s", "its CPU ms per page (Redis: per call)"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for rate in rates:
        pages = f"{rate.pages_per_s:,.0f}" if rate.pages_per_s else ""
        table.add_row(rate.what, str(rate.callers), f"{rate.calls_per_s:,.0f}", pages, f"{rate.cpu_ms:.3f}")
    return table


# -- actors --------------------------------------------------------------------------------------------------------------------


def measure_actors() -> list[Rate]:
    import ray

    from rayocr.actors.rate_limiter.rules import LimiterRules
    from rayocr.actors.spawn import spawn_ledger, spawn_limiter
    from rayocr.config import AccessConfig, LedgerConfig, LimitsConfig, RetryConfig, Secrets
    from rayocr.limits.prices import PriceTable

    _start_ray()
    rates = []
    try:
        for callers in (4, 100, 1000):
            rules = LimiterRules(limits=LimitsConfig(rpm=6_000_000), prices=PriceTable(models={}))
            limiter = spawn_limiter(f"scale{callers}", rules, Secrets())
            rates.append(_call("limiter: slots, as fast as they are requested", SlotCaller, limiter, callers, 2000.0 / callers))
            ray.kill(limiter)
        for callers in (4, 100, 1000):
            with tempfile.TemporaryDirectory(prefix="rayocr-scale-") as folder:
                ledger = spawn_ledger(folder, AccessConfig(), f"scale{callers}", LedgerConfig(), RetryConfig())
                rates.append(
                    _call("ledger: pages of 2.7 KB, to local disk", PageCaller, ledger, callers, max(2, 2000 // callers))
                )
                ray.kill(ledger)
    finally:
        ray.shutdown()
    return rates


def _start_ray() -> None:
    """Starts Ray with longer timeouts: Ray's defaults are 15 to 30 s, even on a busy machine."""
    import ray

    for left in reversed(range(6)):
        try:
            ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level="ERROR", num_cpus=2)
            return
        except Exception:
            ray.shutdown()
            if not left:
                raise


def _call(what: str, caller: type, called: Any, callers: int, amount: float) -> Rate:
    import ray

    names = [f"{what}-{number}" for number in range(callers)]
    remote = ray.remote(caller).options(num_cpus=0, max_concurrency=10_000)
    groups = [names[part::_PROCESSES] for part in range(_PROCESSES)]
    actors = [remote.remote() for group in groups if group]
    pid = ray.get(called.__ray_call__.remote(lambda self: __import__("os").getpid()))
    process = psutil.Process(pid)
    before, started = process.cpu_times(), time.monotonic()
    pages = sum(ray.get([a.run.remote(called, group, amount, _SECONDS) for a, group in zip(actors, groups, strict=True)]))
    took_s, after = time.monotonic() - started, process.cpu_times()
    cpu_s = after.user + after.system - before.user - before.system
    for actor in actors:
        ray.kill(actor)
    return Rate(what=what, callers=callers, calls_per_s=0, pages_per_s=pages / took_s, cpu_ms=1000 * cpu_s / max(1, pages))


# -- the driver --------------------------------------------------------------------------------------------------------------


class _NoContent:
    node_id = ""

    async def load(self) -> bytes:
        return b""


class _InstantWorker:
    """A page worker that returns the same report at once."""

    def __init__(self, name: str, report: ShardReport) -> None:
        self._info = WorkerInfo(engines=("e",), host="h", pid=1, node_id=name)
        self._report = report

    async def running(self) -> WorkerInfo:
        return self._info

    async def open(self) -> WorkerInfo:
        return self._info

    async def recognize(self, shard: Shard, content: Content, context: DocumentContext) -> ShardReport:
        await asyncio.sleep(0)
        return self._report

    async def local_pages(
        self, document_id: str, page_numbers: tuple[int, ...], known: tuple[int, ...], ended: Mapping[int, bool]
    ) -> tuple[int, ...]:
        return ()

    async def lost_with_node(self, node_id: str, error: ActorFailed) -> bool:
        return False

    def drain(self) -> None: ...

    def cancel(self, document_id: str, fencing_token: int) -> None: ...

    def kill(self) -> None: ...


async def measure_driver() -> Rate:
    """Measures the pool and its selection among 1,000 workers, with immediate answers and without Ray: rayocr's cost per
    shard."""
    workers, pages = 1000, 8
    done = tuple(PageSummary(page_number=number, outcome=PageOutcome.DONE) for number in range(1, pages + 1))
    report = ShardReport(document_id="d", pages=done)
    pool = PageWorkerPool(
        "e",
        spawn=lambda name: _InstantWorker(name, report),
        on_failure=lambda name: None,
        load_of=lambda shard: float(len(shard.page_numbers)),
        capacity=1000.0,
        min_workers=workers,
        max_workers=workers,
    )
    pool.prestart()
    while pool.size < workers:
        await asyncio.sleep(0.01)
    document = Document(document_id="d", source_uri="u", name="d.pdf", output_name="d", version="1", size_bytes=1)
    context = DocumentContext(document=document, page_count=9, title=None, fencing_token=1)
    shard = Shard(document_id="d", page_numbers=tuple(range(1, pages + 1)))
    sent, started, cpu_s = 0, time.monotonic(), time.process_time()
    while time.monotonic() < started + _SECONDS:
        await asyncio.gather(*(pool.recognize(shard, _NoContent(), context) for _ in range(100)))
        sent += 100
    took_s, cpu_s = time.monotonic() - started, time.process_time() - cpu_s
    await pool.close()
    return Rate(
        what="driver: choosing among 1,000 workers, shards of 8",
        callers=1,
        calls_per_s=sent / took_s,
        pages_per_s=sent * pages / took_s,
        cpu_ms=1000 * cpu_s / (sent * pages),
    )


# -- Redis --------------------------------------------------------------------------------------------------------------


def measure_redis() -> list[Rate]:
    from benchmarks.valkey import Valkey

    valkey = Valkey()
    try:
        assert valkey._process is not None
        process = psutil.Process(valkey._process.pid)
        return [_locks(valkey.url, process), _renewals(valkey.url, process), asyncio.run(_bucket(valkey.url, process))]
    finally:
        valkey.close()


def _locks(url: str, process: psutil.Process) -> Rate:
    from rayocr.locks.redis import RedisLocks

    calls = [0, 0]
    until = time.monotonic() + _SECONDS

    def documents(number: int) -> None:
        locks = RedisLocks(url, owner=f"owner{number}")
        while time.monotonic() < until:
            lease = locks.acquire(f"{number}-{calls[number]}")
            assert lease is not None
            locks.release(lease)
            calls[number] += 2
        locks.close()

    before, started = process.cpu_times(), time.monotonic()
    threads = [threading.Thread(target=documents, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _redis_rate("Redis: leases acquired and released", 2, sum(calls), process, before, started)


def _renewals(url: str, process: psutil.Process) -> Rate:
    from rayocr.locks.redis import RedisLocks

    locks = RedisLocks(url, owner="one", ttl_s=600)
    leases = [lease for number in range(5000) if (lease := locks.acquire(f"held-{number}")) is not None]
    before, started, renewed = process.cpu_times(), time.monotonic(), 0
    while time.monotonic() < started + _SECONDS:
        renewed += len(leases) - len(locks.renew(leases))
    rate = _redis_rate("Redis: leases renewed, 500 per script", 1, renewed, process, before, started)
    locks.close()
    return rate


async def _bucket(url: str, process: psutil.Process) -> Rate:
    from rayocr.config import LimitsConfig, Secrets
    from rayocr.limits.base import Take
    from rayocr.limits.factory import bucket_opener

    limits = LimitsConfig(rpm=60_000_000, shared="redis")
    callers = 20  # clusters
    calls = 0
    until = time.monotonic() + _SECONDS

    async def cluster(number: int) -> None:
        nonlocal calls
        opener = bucket_opener(limits, Secrets(redis_url=url), cluster=f"c{number}")
        assert opener is not None
        bucket = opener(_MODEL)
        while time.monotonic() < until:
            await bucket.take(Take(wanted=16, request_interval_s=1e-6))
            calls += 1
        await bucket.close()

    before, started = process.cpu_times(), time.monotonic()
    await asyncio.gather(*(cluster(number) for number in range(callers)))
    return _redis_rate("Redis: shared limits, 16 slots per call", callers, calls, process, before, started)


def _redis_rate(what: str, callers: int, calls: int, process: psutil.Process, before: Any, started: float) -> Rate:
    took_s, after = time.monotonic() - started, process.cpu_times()
    cpu_s = after.user + after.system - before.user - before.system
    return Rate(what=what, callers=callers, calls_per_s=calls / took_s, pages_per_s=0, cpu_ms=1000 * cpu_s / max(1, calls))


if __name__ == "__main__":
    main()
