"""Measures the cost of each output: milliseconds of CPU and kilobytes per page, and peak memory for 100, 1,000 and 10,000 pages.

`python -m benchmarks.outputs` (or `make bench-outputs`) prints the tables of docs/measurements.md; `--pages 100 1000` skips the
long ones. Every case runs in a separate process, which receives the pages one at a time, as assemble passes them. `--random 500`
typesets this many random pages instead and checks each file.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measured import clean_environment

_SIZES = (100, 1000, 10_000)
_CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "markdown": ("markdown", {}),
    "markdown, headers removed, joined, front matter": (
        "markdown",
        {"markdown": {"headers": "remove", "join": True, "front_matter": True}},
    ),
    "jsonl": ("jsonl", {}),
    "parquet": ("parquet", {}),
    "clean_pdf": ("clean_pdf", {}),
    "clean_pdf, PDF/A-2u": ("clean_pdf", {"clean_pdf": {"pdf_a": True}}),
    "searchable_pdf, boxes of the engine": ("searchable_pdf", {"boxes": True}),
    "searchable_pdf, lines found": ("searchable_pdf", {}),
}


_WORDS = "it says what a line of a letter says, and that is nothing much"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, nargs="+", default=list(_SIZES))
    parser.add_argument("--cases", nargs="+", default=list(_CASES), help=f"of {', '.join(_CASES)}")
    parser.add_argument("--random", type=int, metavar="PAGES")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.random:
        return random_pages(options.random)
    if options.case:
        print(json.dumps(measure(options.case, options.pages[0])))
        return 0
    head = " | ".join(f"peak MB, {pages:,} pages" for pages in options.pages)
    print(f"| output | CPU ms per page | KB per page | {head} |\n|---|---|---|{'---|' * len(options.pages)}")
    for case in options.cases:
        found = [_in_a_process(case, pages) for pages in options.pages]
        slow = found[min(1, len(found) - 1)]  # the case of a thousand pages, where startup time is negligible
        peaks = " | ".join(f"{one['peak_mb']:.0f}" for one in found)
        print(f"| {case} | {slow['cpu_ms']:.1f} | {slow['kb']:.1f} | {peaks} |", flush=True)
    return 0


def _in_a_process(case: str, pages: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.outputs", "--case", case, "--pages", str(pages)]
    done = subprocess.run(command, env=clean_environment(), check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(case: str, pages: int) -> dict[str, float]:
    """Measures this process and the typesetter, so call it once per process. The source's bytes, which are in the object store,
    do not count toward the peak."""
    from rayocr.config import CleanPdfConfig, MarkdownConfig, OutputConfig
    from rayocr.messages import Document, DocumentContext
    from rayocr.outputs.base import Output
    from rayocr.outputs.page_pipeline import PagePipeline
    from rayocr.outputs.registry import parse_outputs
    from rayocr.pdf.document import PdfFile

    name, options = _CASES[case]
    (output,) = parse_outputs([name])
    form = MarkdownConfig(**options.get("markdown", {}))
    config = OutputConfig(markdown=form, clean_pdf=CleanPdfConfig(**options.get("clean_pdf", {}), timeout_s=600))
    document = Document(document_id="ab", source_uri="file:///a.pdf", name="a.pdf", output_name="a", version="1", size_bytes=1)
    context = DocumentContext(document=document, page_count=pages, title="A benchmark", fencing_token=1, run_id="run")
    data = _source_in_a_process(pages) if output.needs_source else b""
    source = PdfFile(data, max_pixels=4_000_000) if output.needs_source else None
    cpu = _cpu_s()
    with tempfile.TemporaryFile() as file:
        writer: Output = output(file, context, config=config, source=source)
        writer.begin()
        pipeline = PagePipeline(form, [writer])
        for number in range(1, pages + 1):
            pipeline.add(_record(number, boxes=bool(options.get("boxes"))))
        pipeline.finish()
        writer.finish()
        size = file.tell()
        writer.close()
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + _end_typesetters()
    return {
        "cpu_ms": (_cpu_s() - cpu) / pages * 1000,
        "kb": size / pages / 1000,
        "peak_mb": peak_kb / 1000 - len(data) / 1e6,
    }


def _end_typesetters() -> int:
    """Ends the typesetters and returns their peak in kB. Once ended, they count in this process's times."""
    from rayocr.outputs import clean_pdf

    peak_kb = 0
    for typesetter, _ in clean_pdf._typesetters.values():
        if typesetter._process is not None:
            status = Path(f"/proc/{typesetter._process.pid}/status").read_text()
            peak_kb += int(status.partition("VmHWM:")[2].split()[0])
        typesetter.close()
    return peak_kb


def _cpu_s() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _record(number: int, *, boxes: bool) -> Any:
    from rayocr.ledger.boxes import pack_boxes
    from rayocr.messages import PageOutcome, PageRecord, TextBox

    lines = [
        f"Line {line} of page {number} says what a line of a letter says, and that is nothing much at all." for line in range(30)
    ]
    rows = "\n".join(f"| item {row} | {number * row} | {row * 7}.50 |" for row in range(8))
    text = f"THE ANNUAL REPORT\n\n# Section {number}\n\n" + "\n".join(lines[:15])
    text += (
        f"\n\n| what | how many | price |\n|---|---|---|\n{rows}\n\n* one\n* two\n\n" + "\n".join(lines[15:]) + f"\n\n{number}"
    )
    packed = pack_boxes(TextBox(text=line, x0=60, y0=60 + 22 * n, x1=520, y1=74 + 22 * n) for n, line in enumerate(lines))
    return PageRecord(
        document_id="ab",
        page_number=number,
        outcome=PageOutcome.DONE,
        text=text,
        engine="gemini",
        model="benchmark",
        boxes=packed if boxes else "",
    )


def _source_in_a_process(pages: int) -> bytes:
    """Creates the source in another process, so that its creation does not count."""
    program = f"import sys; from benchmarks.outputs import source; sys.stdout.buffer.write(source({pages}))"
    return subprocess.run([sys.executable, "-c", program], env=clean_environment(), check=True, capture_output=True).stdout


def source(pages: int) -> bytes:
    """Scans that share one picture of 30 lines, so that the output is measured, not the source."""
    from PIL import Image, ImageDraw
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    image = Image.new("L", (1240, 1754), "white")
    draw = ImageDraw.Draw(image)
    for line in range(30):
        draw.text(
            (125, 125 + 46 * line),
            "Line of a page that says what a line of a letter says, and that is nothing much.",
            font_size=22,
        )
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(595, 842), pageCompression=1)
    picture = ImageReader(image)
    for _ in range(pages):
        canvas.drawImage(picture, 0, 0, width=595, height=842)
        canvas.showPage()
    canvas.save()
    return data.getvalue()


def random_pages(wanted: int) -> int:
    """Typesets and checks documents of random pages until this many pages are done. Returns 1 if a file is wrong."""
    from hypothesis import HealthCheck, given, settings

    from tests.unit.outputs.clean_pages import clean_pdf
    from tests.unit.outputs.random_pages import documents
    from tests.unit.outputs.test_random_pages import check

    seen = {"documents": 0, "pages": 0, "plain": 0, "characters": 0}
    started = time.monotonic()

    @settings(max_examples=wanted, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(documents(75_000))
    def one(texts: list[str]) -> None:
        if seen["pages"] >= wanted:
            return
        data, notes = clean_pdf(texts)
        check(data, notes, pages=len(texts))
        seen["documents"] += 1
        seen["pages"] += len(texts)
        seen["characters"] += sum(map(len, texts))
        seen["plain"] += any("laid out" in note for note in notes)

    one()
    print(f"{seen} in {time.monotonic() - started:.0f} s: every file valid, with exactly its pages.")
    return 0 if seen["pages"] >= wanted else 1


if __name__ == "__main__":
    sys.exit(main())
