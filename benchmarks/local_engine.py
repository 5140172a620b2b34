"""Compares rapidocr in rayocr with bare multiprocessing loops over all cores: with the same engine, and with rapidocr's own
pipeline.

A bare loop is this module run as a program: a pool with one process per core, each with the engine, which gets the pages one at a
time. A user would quickly write such a loop; it stores no results.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
from rich.console import Console

from benchmarks.measured import Comparison, Timing, compare, run_bare, run_rayocr
from benchmarks.quality_readers import bare_rapidocr
from rayocr.config import RapidOcrConfig
from rayocr.engines.rapidocr.engine import RapidOcrEngine
from rayocr.pdf.document import PdfFile

_FEW, _LIST_EVERY_S = 8, 4.0
_SCAN = Path(__file__).parents[1] / "samples" / "scan.pdf"
# Title, the reader of the bare loop, engine.rapidocr.speed, pages, minimum ratio of pages per second. The start of a local Ray
# takes a second more or less from run to run, which is 2 % of 200 pages and 10 % of 56.
_COMPARISONS = (
    ("rapidocr, speed=auto, against a bare loop of the same engine", "auto", "auto", 200, 0.95),
    ("rapidocr, speed=best, against rapidocr's own pipeline", "rapidocr", "best", 56, 2.0),
    ("rapidocr, speed=auto, against rapidocr's own pipeline", "rapidocr", "auto", 56, 4.0),
)
_state: dict[str, Any] = {}


def measure_rapidocr(rounds: int, console: Console) -> list[Comparison]:
    with tempfile.TemporaryDirectory(prefix="rayocr-bench-") as folder:
        work = Path(folder)
        lengths = {_FEW, *(many for _, _, _, many, _ in _COMPARISONS)}
        sources = {pages: scan_of(pages, work / f"in-{pages}") for pages in lengths}
        console.print(f"rapidocr: up to {max(lengths)} scanned pages, {rounds} rounds, {os.cpu_count()} cores …")

        def bare(reader: str) -> Callable[[int], Timing]:
            module = "benchmarks.local_engine"
            return lambda pages: run_bare(pages, module, [reader, str(sources[pages] / "scan.pdf")], list_every_s=_LIST_EVERY_S)

        def ours(speed: str) -> Callable[[int], Timing]:
            settings = ("engine=rapidocr", "engine.chain=[rapidocr]", f"engine.rapidocr.speed={speed}", "outputs=[markdown]")
            return lambda pages: run_rayocr(pages, sources[pages], work, *settings, list_every_s=_LIST_EVERY_S)

        return [
            compare(what, bare(reader), ours(speed), few=_FEW, many=many, rounds=rounds, budget=budget)
            for what, reader, speed, many, budget in _COMPARISONS
        ]


def scan_of(pages: int, folder: Path) -> Path:
    """Returns one PDF with this many copies of the sample scan."""
    folder.mkdir(parents=True)
    with pikepdf.open(_SCAN) as source, pikepdf.new() as pdf:
        for number in range(pages):
            pdf.pages.append(source.pages[number % len(source.pages)])
        pdf.save(folder / "scan.pdf")
    return folder


def _open(reader: str, path: str) -> None:
    _state["pdf"] = PdfFile(Path(path).read_bytes(), max_pixels=20_000_000)
    if reader == "rapidocr":
        pipeline = bare_rapidocr()
        _state["read"] = lambda page: "".join(pipeline(np.asarray(page.render(dpi=200).image)[:, :, ::-1]).txts or ())
        return
    engine = RapidOcrEngine(dpi=RapidOcrConfig().dpi, speed=reader)
    engine.open()
    _state["read"] = lambda page: engine.recognize(page).text


def _read(page_number: int) -> int:
    page = _state["pdf"].page(page_number)
    try:
        return len(_state["read"](page))
    finally:
        page.close()


def _bare(reader: str, path: str) -> None:
    with pikepdf.open(path) as pdf:
        pages = len(pdf.pages)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawn, initializer=_open, initargs=(reader, path)) as pool:
        lengths = list(pool.map(_read, range(1, pages + 1)))
    assert len(lengths) == pages
    assert all(lengths)


if __name__ == "__main__":
    _bare(*sys.argv[1:3])
