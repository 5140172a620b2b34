"""Compares the text-layer path with a bare pypdfium2 loop that writes the text of every page to one file.

The bare loop (this module run as a program) does not check the layer, order columns, or find headings and tables. rayocr does, so
this ratio shows the cost of those steps; rayocr uses all cores, and the loop uses one.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pikepdf
import pypdfium2
from rich.console import Console

from benchmarks.measured import Comparison, compare, run_bare, run_rayocr

_FEW, _MANY = 200, 6000
_SAMPLES = Path(__file__).parents[1] / "samples"


def measure_text_layer(rounds: int, console: Console) -> list[Comparison]:
    comparisons = []
    with tempfile.TemporaryDirectory(prefix="rayocr-bench-") as folder:
        work = Path(folder)
        for name in ("letter", "table"):
            sources = {pages: document_of(name, pages, work / f"{name}-{pages}") for pages in (_FEW, _MANY)}
            console.print(f"textlayer, {name}: {_FEW} and {_MANY} born-digital pages, {rounds} rounds …")
            comparisons.append(_compare(name, sources, work, rounds))
    return comparisons


def _compare(name: str, sources: dict[int, Path], work: Path, rounds: int) -> Comparison:
    return compare(
        f"textlayer, {name}",
        lambda pages: run_bare(pages, "benchmarks.text_layer", [str(sources[pages] / "a.pdf"), str(work / "bare.txt")]),
        lambda pages: run_rayocr(pages, sources[pages], work, "engine=textlayer", "outputs=[markdown]"),
        few=_FEW,
        many=_MANY,
        rounds=rounds,
        budget=None,
    )


def document_of(sample: str, pages: int, folder: Path) -> Path:
    """Returns one PDF with this many copies of the sample's first page."""
    folder.mkdir(parents=True)
    with pikepdf.open(_SAMPLES / f"{sample}.pdf") as source, pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.pages.append(source.pages[0])
        pdf.save(folder / "a.pdf")
    return folder


def _bare(path: str, target: str) -> None:
    pdf = pypdfium2.PdfDocument(path)
    with open(target, "w", encoding="utf-8", errors="replace") as out:
        for page in pdf:
            text = page.get_textpage()
            out.write(text.get_text_bounded())
            text.close()
            page.close()


if __name__ == "__main__":
    _bare(sys.argv[1], sys.argv[2])
