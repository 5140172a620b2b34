"""`make bench-view`: measures the results view over many documents, as a browser uses it. Prints durations, memory and sizes.

Writes documents as runs write them, starts `rayocr view` on them, and sends the requests of the first screen and of searches.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from benchmarks.folder_bucket import FolderBucket
from rayocr.actors.document_identity import document_id
from rayocr.ledger.manifest import build_manifest, manifest_name
from rayocr.messages import Attempt, Document, DocumentContext, DocumentOutcome, OutputFile, PageOutcome, PageSummary

_PAGES, _WORDS = 3, 180
_SEARCHES = ("umbrella", "harbour council", '"annual budget"', "zzz", "doc-01", "th")
_LATENCY_S = 0.02  # latency of the bucket's server
_AT = "2026-01-01T00:00:00+00:00"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--bucket", action="store_true", help="use a bucket whose server answers after 20 ms")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rayocr-view-") as folder:
        work = Path(folder)
        write_results(work / "out", arguments.documents)
        place, variables = str(work / "out"), {}
        if arguments.bucket:
            bucket = FolderBucket(work / "out", latency_s=_LATENCY_S)
            place, variables = "gs://bucket", {"STORAGE_EMULATOR_HOST": bucket.url}
        for figure, value in measure(work, place, arguments.documents, variables).items():
            print(f"{figure:<40} {value}")
        if arguments.bucket:
            bucket.close()


def write_results(out: Path, documents: int) -> None:
    rng = random.Random(7)
    common = [
        f"{a}{b}" for a in ("har", "coun", "an", "bud", "re", "lo", "mi", "ta", "ve", "so") for b in ("bor", "cil", "nual", "get")
    ]
    for number in range(documents):
        name = f"{number % 100:02}/doc-{number:05}.pdf"
        texts = [" ".join(rng.choices(common, k=_WORDS)) for _ in range(_PAGES)]
        if number % 500 == 0:
            texts[1] += " the umbrella of the harbour council and its annual budget"
        failed = number % 40 == 0
        write_document(out, name, texts, failed=failed)


def write_document(out: Path, name: str, texts: list[str], *, failed: bool) -> None:
    """Writes a finished document. `failed`: the last page could not be read."""
    uri = f"file:///nowhere/{name}"
    document = Document(
        document_id=document_id(uri, "1"), source_uri=uri, name=name, output_name=name[:-4], version="1", size_bytes=1
    )
    text = "".join(f"<!-- page {number} -->\n\n{page}\n\n" for number, page in enumerate(texts, 1))
    pages = [PageSummary(page_number=n, outcome=PageOutcome.DONE, engine="gemini") for n in range(1, len(texts) + 1)]
    if failed:
        refused = (Attempt(engine="gemini", reason="Refused", message="RECITATION"),)
        pages[-1] = PageSummary(page_number=len(texts), outcome=PageOutcome.FAILED, engine="", attempts=refused)
    manifest = build_manifest(
        DocumentContext(document=document, page_count=len(texts), title=None, fencing_token=1),
        outcome=DocumentOutcome.PARTIAL if failed else DocumentOutcome.COMPLETE,
        summaries=pages,
        outputs=(OutputFile(name=f"{name[:-4]}.md", size_bytes=len(text), sha256="0" * 64),),
        run_id="run-1",
        fingerprint="f",
        started_at=_AT,
        finished_at=_AT,
    )
    for path, content in ((f"{name[:-4]}.md", text), (manifest_name(document.document_id), manifest.model_dump_json())):
        file = out / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def measure(work: Path, place: str, documents: int, variables: dict[str, str]) -> dict[str, str]:
    environment = os.environ | {"XDG_CACHE_HOME": str(work / "cache")} | variables
    command = [sys.executable, "-m", "rayocr", "view", place, "login.browser=none", "gateway.port=0"]
    started = time.perf_counter()
    view = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=work)
    try:
        assert view.stdout is not None
        address, token = next(
            (found[1], found[2]) for line in view.stdout if (found := re.search(r"(http://\S+)/#token=(\S+)", line))
        )
        ask = Asker(address, token)
        process = psutil.Process(view.pid)
        first = ask.first_screen()
        shown = time.perf_counter() - started
        peak = 0
        while (status := ask("/api/status")[0])["indexed"] < documents:
            peak = max(peak, process.memory_info().rss)
            time.sleep(0.2)
        built, cpu = time.perf_counter() - started, sum(process.cpu_times()[:2])
        assert status["total"] == documents
        screens = [ask.first_screen() for _ in range(5)]
        searches = {words: [ask(f"/api/documents?q={urllib.parse.quote(words)}")[1] for _ in range(5)] for words in _SEARCHES}
        peak = max(peak, process.memory_info().rss)
    finally:
        view.terminate()
        view.wait()
    index = sum(file.stat().st_size for file in (work / "cache").rglob("*.sqlite"))
    return {
        "documents": f"{documents:,} of {_PAGES} pages with {_WORDS} words",
        "from the command to the first screen": f"{shown:.2f} s, of which the requests {first * 1e3:.0f} ms",
        "index complete": f"{built:.1f} s, {cpu:.1f} s of CPU",
        "first screen then": f"{min(screens) * 1e3:.0f} to {max(screens) * 1e3:.0f} ms",
        **{f"search {words}": f"{min(took) * 1e3:.0f} to {max(took) * 1e3:.0f} ms" for words, took in searches.items()},
        "memory, peak": f"{peak / 1e6:.0f} MB",
        "index": f"{index / 1e6:.0f} MB",
    }


class Asker:
    def __init__(self, address: str, token: str) -> None:
        self._address, self._token = address, token

    def __call__(self, path: str) -> tuple[Any, float]:
        """Returns the answer and its duration in seconds."""
        request = urllib.request.Request(self._address + path, headers={"Authorization": f"Bearer {self._token}"})
        started = time.perf_counter()
        with urllib.request.urlopen(request, timeout=600) as answer:
            data = answer.read()
        return json.loads(data), time.perf_counter() - started

    def first_screen(self) -> float:
        return self("/api/status")[1] + self("/api/documents")[1]


if __name__ == "__main__":
    main()
