"""`make bench-resume`: measures the time to the first new page with a million finished and a thousand pending pages.

The state is that of a killed run without compaction of the ledger: finished documents of a hundred pages with
their manifests, every one of their pages still in a segment, and ten documents of which a few pages were read. The benchmark
writes it in the product's formats and starts the command line on it, once with few pages done and once with a million.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rich.table import Table

from benchmarks.measured import clean_environment
from benchmarks.processes import ProcessWatch
from benchmarks.text_layer import document_of
from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.ledger.manifest import build_manifest, manifest_name
from rayocr.ledger.segment import encode_segment, segment_name
from rayocr.messages import Document, DocumentContext, DocumentOutcome, PageOutcome, PageRecord
from rayocr.observe.console import plain_console
from rayocr.storage.local.storage import LocalStorage

_PAGES, _OPEN_DOCUMENTS, _READ = 100, 10, 10  # pages of a finished document; each open document has 100 pending pages
_RUN = "20260101T000000Z-000000"
_TEXT = "The quick brown fox jumps over the lazy dog, and then it rests for the remainder of the afternoon. " * 6
_PAGES_OF_A_SEGMENT = 1000  # about a MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    done: int
    segments: int
    first_page_s: float
    whole_s: float
    driver_peak_bytes: int
    peak_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resume", description=__doc__)
    parser.add_argument(
        "--done", type=int, nargs="+", default=[10_000, 1_000_000], help="pages that are done, for each measurement"
    )
    console = plain_console()
    table = Table(title="Resume with 1,000 pages open (text layer)", title_justify="left")
    for column in (
        "pages done",
        "segments left",
        "first new page s (≤ 10)",
        "whole run s",
        "driver peak MB",
        "all rayocr processes, peak MB",
    ):
        table.add_column(column, justify="right")
    for done in parser.parse_args().done:
        with tempfile.TemporaryDirectory(prefix="rayocr-bench-") as folder:
            resumed = measure(Path(folder), done)
        peaks = (resumed.driver_peak_bytes / 1e6, resumed.peak_bytes / 1e6)
        times = (f"{resumed.first_page_s:.1f}", f"{resumed.whole_s:.1f}")
        table.add_row(f"{resumed.done:,}", f"{resumed.segments:,}", *times, *(f"{peak:.0f}" for peak in peaks))
        console.print(f"{done:,} pages done: {resumed.first_page_s:.1f} s")
    console.print(table)


def measure(work: Path, done: int) -> Resumed:
    source, dest = work / "in", LocalStorage(work / "out", create=True)
    segments = make_state(source, dest, done)
    command = [sys.executable, "-m", "rayocr", f"source={source}", f"dest={work / 'out'}", "cluster=local", "engine=textlayer"]
    command += ["outputs=[markdown]", "report.at_end=0"]
    process = subprocess.Popen(
        [*command, "progress=none"], cwd=work, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    started = time.monotonic()
    first = None
    ledger = work / "out" / ".rayocr" / "ledger"
    with ProcessWatch(process.pid) as watch:
        while process.poll() is None:
            if first is None and any(run.name != _RUN and any(run.iterdir()) for run in ledger.iterdir()):
                first = time.monotonic() - started
            time.sleep(0.02)
    assert process.returncode == 0, f"exit code {process.returncode}"
    assert first is not None, "no page was read"
    return Resumed(
        done=done,
        segments=segments,
        first_page_s=first,
        whole_s=time.monotonic() - started,
        driver_peak_bytes=watch.driver_peak_bytes,
        peak_bytes=watch.ours.peak_bytes,
    )


def make_state(source: Path, dest: LocalStorage, done: int) -> int:
    """Writes the state and returns the number of segments."""
    _make_source(source, done // _PAGES)
    listing = Discovery(LocalStorage(source), dest, DiscoveryRules())
    documents: list[Document] = []
    while not (batch := listing.next_batch(1000)).exhausted or batch.documents:
        documents += batch.documents
    finished = [document for document in documents if "/open" not in document.name]
    unfinished = [document for document in documents if "/open" in document.name]
    for document in finished:
        context = DocumentContext(document=document, page_count=_PAGES, title=None, fencing_token=1)
        manifest = build_manifest(
            context,
            outcome=DocumentOutcome.COMPLETE,
            summaries=[_record(document, number).summary for number in range(1, _PAGES + 1)],
            outputs=[],
            run_id=_RUN,
            fingerprint="f",
            started_at="2026-01-01T00:00:00+00:00",
        )
        path = Path(dest.uri.removeprefix("file://")) / manifest_name(document.document_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(manifest.to_json())
    pages = (_record(document, number) for document in finished for number in range(1, _PAGES + 1))
    segments = _write_segments(dest, pages, start=0)
    return _write_segments(dest, (_record(d, number) for d in unfinished for number in range(1, _READ + 1)), start=segments)


def _make_source(folder: Path, finished: int) -> None:
    """Creates file names, a thousand per sub-folder."""
    whole = document_of("table", _PAGES, folder.parent / "whole") / "a.pdf"
    longer = document_of("table", _PAGES + _READ, folder.parent / "longer") / "a.pdf"
    for number in range(finished):
        path = folder / f"{number // 1000:04}" / f"{number:07}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(whole, path)
    (folder / "open").mkdir(parents=True)
    for number in range(_OPEN_DOCUMENTS):
        os.link(longer, folder / "open" / f"open{number}.pdf")


def _record(document: Document, page_number: int) -> PageRecord:
    return PageRecord(
        document_id=document.document_id,
        page_number=page_number,
        outcome=PageOutcome.DONE,
        text=f"Page {page_number} of {document.name}. {_TEXT}",
        engine="textlayer",
        fingerprint="f",
        fencing_token=1,
    )


def _write_segments(dest: LocalStorage, pages: Iterable[PageRecord], *, start: int) -> int:
    records, seq = iter(pages), start
    while some := list(islice(records, _PAGES_OF_A_SEGMENT)):
        dest.write(segment_name(_RUN, seq), encode_segment(some, run_id=_RUN, seq=seq))
        seq += 1
    return seq


if __name__ == "__main__":
    main()
