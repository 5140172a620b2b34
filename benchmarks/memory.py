"""`make bench-memory`: checks that memory is flat from 10 to 10,000 documents, and from 10 to 10,000 pages of one document.

Runs the command line over one-page PDFs, and over one PDF of many pages. All pages have a text layer, so that they
pass through quickly. Prints the peak of the driver and of all rayocr processes (unique set size; Ray's processes are separate).
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pikepdf
from rich.console import Console
from rich.table import Table

from benchmarks.measured import Timing, run_rayocr
from benchmarks.text_layer import document_of
from rayocr.observe.console import plain_console

_SIZES = (10, 1_000, 10_000)
_PAGE = Path(__file__).parents[1] / "samples" / "table.pdf"


def main() -> None:
    console = plain_console()
    if not console.is_terminal:
        console.width = 160  # wide enough for the table in a log
    table = Table(title="Memory over the size of the corpus (text layer)", title_justify="left")
    for column in ("corpus", "time s", "driver peak MB", "all rayocr processes, peak MB", "Ray's processes, peak MB"):
        table.add_column(column, justify="left" if column == "corpus" else "right")
    with tempfile.TemporaryDirectory(prefix="rayocr-bench-") as folder:
        work = Path(folder)
        for size in _SIZES:
            source = document_of("table", size, work / f"pages-{size}")
            _add(table, console, f"1 document of {size:,} pages", run_rayocr(size, source, work, "engine=textlayer"))
            shutil.rmtree(source)
        for size in _SIZES:
            source = folder_of(size, work / f"documents-{size}")
            _add(table, console, f"{size:,} documents of 1 page", run_rayocr(size, source, work, "engine=textlayer"))
            shutil.rmtree(source)
    console.print(table)


def _add(table: Table, console: Console, corpus: str, timing: Timing) -> None:
    cells = (timing.wall_s, timing.driver_peak_bytes / 1e6, timing.peak_bytes / 1e6, timing.rays_peak_bytes / 1e6)
    table.add_row(corpus, *(f"{cell:.0f}" for cell in cells))
    console.print(f"{corpus}: {timing.wall_s:.0f} s")


def folder_of(documents: int, folder: Path) -> Path:
    """Creates this many one-page PDFs, a thousand per sub-folder."""
    with pikepdf.open(_PAGE) as source, pikepdf.new() as pdf:
        pdf.pages.append(source.pages[0])
        folder.mkdir(parents=True)
        pdf.save(folder / "first.pdf")
    data = (folder / "first.pdf").read_bytes()
    (folder / "first.pdf").unlink()
    for number in range(documents):
        path = folder / f"{number // 1000:03}" / f"{number:06}.pdf"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return folder


if __name__ == "__main__":
    main()
