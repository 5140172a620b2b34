"""`make bench-watch-polls`: simulates weeks of polls in a minute and measures the memory of a watch, without reading pages.

Runs discovery, the scheduler and the watch in one process, over a memory-backed folder if available, with a flow that finishes
each document immediately. Before every poll a document is added, sometimes one is replaced, and the oldest is removed. With a
poll every 30 s, 20,000 polls are a week.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
from collections import Counter, deque
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.document_identity import document_id
from rayocr.composition import compose
from rayocr.config import WindowConfig
from rayocr.driver.scheduling.flow.document_state import FlowResult
from rayocr.driver.scheduling.outages import Outages
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.scheduler import Scheduler
from rayocr.driver.scheduling.window import Window
from rayocr.driver.watching.watch import Watch
from rayocr.ledger.manifest import manifest_name
from rayocr.messages import DiscoveryBatch, Document, Poll
from rayocr.observe.console import plain_console
from rayocr.storage.local.storage import LocalStorage

_LIVE = 500


class World:
    """Local versions of the actors that a watch calls, and the finished documents."""

    def __init__(self, folder: Path) -> None:
        self.source = LocalStorage(folder / "in", create=True, fsync=False)
        self.state = LocalStorage(folder / "out", create=True, fsync=False)
        self.discovery = Discovery(self.source, self.state, DiscoveryRules(watch=True))
        self.finished: Counter[bytes] = Counter()  # the measurement's own memory, which is subtracted below
        self.live: deque[str] = deque()
        self.put_ids: set[bytes] = set()
        self.polls = 0
        self.enough = asyncio.Event()

    def put(self, name: str) -> None:
        entry = self.source.write(name, b"x" * (self.polls % 1000 + 1))
        self.put_ids.add(bytes.fromhex(document_id(f"{self.source.uri}/{name}", entry.version)))

    async def poll(self, what: Poll) -> None:
        self.polls += 1
        name = f"{self.polls % 10}/{self.polls:07}.pdf"
        self.put(name)
        self.live.append(name)
        if self.polls % 3 == 0:
            self.put(self.live[len(self.live) // 2])
        if len(self.live) > _LIVE:
            self.source.delete(self.live.popleft())
        self.discovery.poll(what)

    async def next_batch(self, count: int) -> DiscoveryBatch:
        return self.discovery.next_batch(count)

    def fencing_token(self, document_id: str) -> int | None:
        return None

    async def run(self, document: Document) -> FlowResult:
        """Finishes a document at once, in place of a flow."""
        self.state.write(manifest_name(document.document_id), b"{}")
        self.finished[bytes.fromhex(document.document_id)] += 1
        return FlowResult.SETTLED


async def watched(console: Console, folder: Path, polls: int) -> None:
    world, draining, progress, window = World(folder), asyncio.Event(), Progress(), Window(WindowConfig())
    outages = Outages(window, progress, probe=lambda: None, say=console.print, warn=console.print)
    scheduler = Scheduler(world, world, window, progress, draining, retry_s=1.0, outages=outages, on_push=world.discovery.note)
    config = compose(["mode=watch", "source=in", "engine=textlayer", "poll_interval_s=0.01", "watch.relist_s=0.01"], {})
    watch = Watch(world, scheduler, outages, progress, config, draining)
    table = Table(title=f"{polls:,} polls, at {_LIVE} documents", title_justify="left")
    for column in ("polls", "documents finished", "seconds", "memory MB", "of which the measurement uses, MB"):
        table.add_column(column, justify="right")
    started = time.monotonic()
    running = asyncio.create_task(watch.run())
    for share in (0.02, 0.25, 0.5, 0.75, 1.0):
        while world.polls < polls * share:
            await asyncio.sleep(0.01)
            if running.done():
                running.result()
        gc.collect()
        own = (
            len(world.put_ids) + len(world.finished)
        ) * 150  # size of the bytes objects (49 bytes each) and of their entries in a set and a dict
        used = psutil.Process().memory_full_info().uss
        seconds = f"{time.monotonic() - started:.0f}"
        table.add_row(f"{world.polls:,}", f"{world.finished.total():,}", seconds, f"{used / 1e6:.1f}", f"{own / 1e6:.1f}")
    draining.set()
    await running
    console.print(table)
    missed = world.put_ids - world.finished.keys()
    twice = sum(times > 1 for times in world.finished.values())
    console.print(f"{len(world.put_ids):,} versions: {len(missed):,} not finished, {twice:,} more than once")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watch_polls", description=__doc__)
    parser.add_argument("--polls", type=int, default=20_000)
    polls = parser.parse_args().polls
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="rayocr-bench-", dir=memory if memory.is_dir() else None) as folder:
        asyncio.run(watched(plain_console(width=160), Path(folder), polls))


if __name__ == "__main__":
    main()
