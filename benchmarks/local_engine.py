"""rapidocr under rayocr against the same engine in a bare multiprocessing loop over all cores.

The bare loop is this module run as a program: a pool of as many processes as cores, each with the engine, handed one page after
the other. It does what an impatient user would write, and keeps nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pikepdf
from rich.console import Console

from benchmarks.measured import Comparison, compare, run_bare, run_rayocr
from rayocr.config import RapidOcrConfig
from rayocr.engines.rapidocr.engine import RapidOcrEngine
from rayocr.pdf.document import PdfFile

_FEW, _MANY = 8, 56
_SCAN = Path(__file__).parents[1] / "samples" / "scan.pdf"
_state: dict[str, object] = {}


def measure_rapidocr(rounds: int, console: Console) -> list[Comparison]:
    with tempfile.TemporaryDirectory(prefix="rayocr-bench-") as folder:
        work = Path(folder)
        sources = {pages: scan_of(pages, work / f"in-{pages}") for pages in (_FEW, _MANY)}
        console.print(f"rapidocr: {_FEW} and {_MANY} scanned pages, {rounds} rounds, {os.cpu_count()} cores …")
        return [
            compare(
                "rapidocr, scanned page",
                lambda pages: run_bare(pages, "benchmarks.local_engine", [str(sources[pages] / "scan.pdf")]),
                lambda pages: run_rayocr(
                    pages, sources[pages], work, "engine=rapidocr", "engine.chain=[rapidocr]", "outputs=[markdown]"
                ),
                few=_FEW,
                many=_MANY,
                rounds=rounds,
                budget=0.95,
            )
        ]


def scan_of(pages: int, folder: Path) -> Path:
    """One PDF of so many pages: the sample scan's, over and over."""
    folder.mkdir(parents=True)
    with pikepdf.open(_SCAN) as source, pikepdf.new() as pdf:
        for number in range(pages):
            pdf.pages.append(source.pages[number % len(source.pages)])
        pdf.save(folder / "scan.pdf")
    return folder


def _open(path: str) -> None:
    engine = RapidOcrEngine(dpi=RapidOcrConfig().dpi)
    engine.open()
    _state.update(engine=engine, pdf=PdfFile(Path(path).read_bytes(), max_pixels=20_000_000))


def _read(page_number: int) -> int:
    engine, pdf = _state["engine"], _state["pdf"]
    assert isinstance(engine, RapidOcrEngine)
    assert isinstance(pdf, PdfFile)
    page = pdf.page(page_number)
    try:
        return len(engine.recognize(page).text)
    finally:
        page.close()


def _bare(path: str) -> None:
    with pikepdf.open(path) as pdf:
        pages = len(pdf.pages)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawn, initializer=_open, initargs=(path,)) as pool:
        lengths = list(pool.map(_read, range(1, pages + 1)))
    assert len(lengths) == pages
    assert all(lengths)


if __name__ == "__main__":
    _bare(sys.argv[1])
