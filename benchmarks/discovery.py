"""`make bench-discovery`: measures the cost of finding 100,000 new documents among 200,000 in a bucket.

One bucket contains the documents, another the manifests of the first half. Discovery lists both and returns the remaining
documents, as in a run, in a separate process. The server counts every request. Two sizes show whether requests and memory grow
with the listing. `--server fake-gcs-server` uses that server, which is much slower: see listing_server.py.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.table import Table

from benchmarks.listing_server import ListingServer
from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.document_identity import document_id
from rayocr.config import AccessConfig
from rayocr.ledger.manifest import manifest_name
from rayocr.observe.console import plain_console
from rayocr.storage.gcs.storage import GcsStorage

_FOLDER = 1000  # objects per sub-folder
_GENERATION = "1700000000000000"
_METADATA = "user.metadata"  # where fake-gcs-server stores file metadata


class Server(Protocol):
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    given: int
    finished: int
    first_s: float
    whole_s: float
    cpu_s: float
    grown_bytes: int  # peak of the discovery process, above its initial memory


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.discovery", description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--orders", nargs="+", default=["listing", "newest"])
    parser.add_argument("--server", choices=["listing", "fake-gcs-server"], default="listing")
    options = parser.parse_args()
    console = plain_console()
    if not console.is_terminal:
        console.width = 160  # wide enough for the table in a log
    table = Table(title=f"Discovery in a bucket, half of it done (server: {options.server})", title_justify="left")
    for column in ("objects", "order=", "given", "finished", "first s", "all s", "our CPU s", "requests", "memory grew by MB"):
        table.add_column(column, justify="right")
    for objects in options.objects:
        with serving(options.server, objects) as (server, count):
            for order in options.orders:
                before = count()
                found = in_a_process(server.url, order)
                times = (f"{found.first_s:.1f}", f"{found.whole_s:.1f}", f"{found.cpu_s:.1f}")
                counts = (f"{found.given:,}", f"{found.finished:,}")
                grown = f"{found.grown_bytes / 1e6:.0f}"
                table.add_row(f"{objects:,}", order, *counts, *times, f"{count() - before:,}", grown)
                console.print(f"{objects:,} objects, order={order}: {found.whole_s:.1f} s")
    console.print(table)


@contextlib.contextmanager
def serving(kind: str, objects: int) -> Iterator[tuple[Server, Any]]:
    """Yields the server and its number of requests."""
    names = [f"{number // _FOLDER:04}/{number:07}.pdf" for number in range(objects)]
    done = sorted(manifest_name(document_id(f"gs://scans/{name}", _GENERATION)) for name in names[: objects // 2])
    if kind == "listing":
        server = ListingServer({"scans": names, "texts": done}, generation=_GENERATION)
        try:
            yield server, lambda: server.requests
        finally:
            server.close()
        return
    from tests.servers.gcs import GcsServer

    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="rayocr-bench-", dir=memory if memory.is_dir() else None) as folder:
        fake = GcsServer(files=Path(folder))
        try:
            for bucket, objects_there in (("scans", names), ("texts", done)):
                fake.make_bucket(bucket)
                fill(Path(folder) / bucket, objects_there)
            yield fake, lambda: fake.requests.total()
        finally:
            fake.close()


def fill(folder: Path, names: list[str]) -> None:
    """Writes files in fake-gcs-server's own format, since uploading 200,000 takes an hour."""
    metadata = '{"ContentType":"application/pdf","Generation":%s,"Created":"%s","Updated":"%s"}'
    at = "2026-01-01T00:00:00.000000Z"
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.setxattr(path, _METADATA, (metadata % (_GENERATION, at, at)).encode())


def in_a_process(url: str, order: str) -> Found:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(discover, (url, order))


def discover(url: str, order: str) -> Found:
    source, state = (GcsStorage(bucket, access=AccessConfig(endpoint=url)) for bucket in ("scans", "texts"))
    source.check_readable()  # the client is loaded, and a connection is open
    gc.collect()
    before, started, cpu = _peak(), time.monotonic(), time.process_time()
    first_s, given = 0.0, 0
    found = Discovery(source, state, DiscoveryRules(order=order))
    while True:
        batch = found.next_batch(256)
        first_s = first_s or time.monotonic() - started
        given += len(batch.documents)
        if batch.exhausted:
            break
    return Found(
        given=given,
        finished=batch.totals.finished,
        first_s=first_s,
        whole_s=time.monotonic() - started,
        cpu_s=time.process_time() - cpu,
        grown_bytes=_peak() - before,
    )


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
