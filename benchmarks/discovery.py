"""`make bench-discovery`: what does it cost to find 100,000 new documents among 200,000 in a bucket?

fake-gcs-server holds the source; another one the state, with the manifests of the first half. Discovery lists both and gives what
is left, as it does for a run. Every request is counted on its way. A second measurement in which half as many objects lie in the
source tells whether memory and requests go with the listing.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import resource
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rayocr.config import AccessConfig

_FOLDER = 1000  # objects a sub-folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    objects: int
    done: int
    given: int
    first_s: float
    whole_s: float
    listed_s: float  # both listings, by the bare storage and with nothing done
    requests: int
    pages: int
    grown_bytes: int  # peak of the process that discovers, over what it had before


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.discovery", description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+", default=[100_000, 200_000])
    parser.add_argument("--order", default="listing")
    options = parser.parse_args()
    console = Console()
    if not console.is_terminal:
        console.width = 160  # of a log
    table = Table(title=f"Discovery in a bucket, half of it done (order={options.order})", title_justify="left")
    for column in ("objects", "given", "first s", "all s", "bare listings s", "requests", "listing pages", "memory MB"):
        table.add_column(column, justify="right")
    for objects in options.objects:
        with tempfile.TemporaryDirectory(prefix="rayocr-bench-") as folder:
            found = measure(Path(folder), objects, options.order)
        times = (f"{found.first_s:.1f}", f"{found.whole_s:.1f}", f"{found.listed_s:.1f}")
        counts = (f"{found.requests:,}", f"{found.pages:,}", f"{found.grown_bytes / 1e6:.0f}")
        table.add_row(f"{found.objects:,}", f"{found.given:,}", *times, *counts)
        console.print(f"{objects:,} objects: {found.whole_s:.1f} s")
    console.print(table)


def measure(work: Path, objects: int, order: str) -> Measured:
    from tests.servers.gcs import GcsServer

    names = [f"{number // _FOLDER:04}/{number:07}.pdf" for number in range(objects)]
    fill(work / "source" / "scans", names)
    source = GcsServer(data=work / "source")
    try:
        done = finished(source.url, names[: objects // 2])
        fill(work / "state" / "texts", done)
        state = GcsServer(data=work / "state")
        try:
            shutil.rmtree(work / "source")
            for server in (source, state):
                server.requests.clear()
            started = time.monotonic()
            pages = bare_listing(source.url, "scans", "") + bare_listing(state.url, "texts", ".rayocr/documents/")
            listed_s = time.monotonic() - started
            for server in (source, state):
                server.requests.clear()
            given, first_s, whole_s, grown = in_a_process(discover, source.url, state.url, order)
            requests = source.requests.total() + state.requests.total()
        finally:
            state.close()
    finally:
        source.close()
    return Measured(
        objects=objects,
        done=len(done),
        given=given,
        first_s=first_s,
        whole_s=whole_s,
        listed_s=listed_s,
        requests=requests,
        pages=pages,
        grown_bytes=grown,
    )


def fill(folder: Path, names: list[str]) -> None:
    for name in names:
        path = folder / name
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True)
        path.write_bytes(b"x")


def finished(url: str, names: list[str]) -> list[str]:
    """The names of the manifests of these documents, as the server numbers their generations."""
    from rayocr.actors.discovery import document_id
    from rayocr.ledger.manifest import manifest_name
    from rayocr.storage.gcs import GcsStorage

    wanted = set(names)
    storage = GcsStorage("scans", access=AccessConfig(endpoint=url))
    listed = (entry for entry in storage.list() if entry.name in wanted)
    return [manifest_name(document_id(f"{storage.uri}/{entry.name}", entry.version)) for entry in listed]


def bare_listing(url: str, bucket: str, prefix: str) -> int:
    """How many pages the listing has; the client's own reading of the answers is all that is done."""
    from rayocr.storage.gcs_client import open_client

    client = open_client(AccessConfig(endpoint=url))
    found = client.list_blobs(
        bucket, prefix=prefix or None, page_size=1000, fields="items(name,size,generation,updated),nextPageToken"
    )
    return sum(1 for page in found.pages if sum(1 for _ in page) or True)


def discover(source_url: str, state_url: str, order: str) -> tuple[int, float, float, int]:
    from rayocr.actors.discovery import Discovery, DiscoveryRules
    from rayocr.storage.gcs import GcsStorage

    source = GcsStorage("scans", access=AccessConfig(endpoint=source_url))
    state = GcsStorage("texts", access=AccessConfig(endpoint=state_url))
    source.check_readable()  # the client is loaded, and a connection is open
    gc.collect()
    before = _peak()
    started, first_s, given = time.monotonic(), 0.0, 0
    found = Discovery(source, state, DiscoveryRules(order=order))
    while True:
        batch = found.next_batch(256)
        first_s = first_s or time.monotonic() - started
        given += len(batch.documents)
        if batch.exhausted:
            return given, first_s, time.monotonic() - started, _peak() - before


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_a_process(function, *arguments):  # type: ignore[no-untyped-def]
    """Its answer, from a process that has done nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return json.loads(json.dumps(pool.apply(function, arguments)))


if __name__ == "__main__":
    main()
