"""Checks each file in a child process with time and memory limits, since test folders contain hostile files."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import which
from typing import Any

import cv2

from benchmarks.fidelity.page_check import PageCheck, Reader
from rayocr.errors import RayocrError
from rayocr.pdf.document import PdfFile
from rayocr.pdf.guard import bounded

_FILE_S = 120.0  # time limit for all checked pages of a file
_PAGE_S = 60.0
_PAGE_BYTES = 2_000_000_000
_OTHER_S = 60.0
_MAX_FILE_BYTES = 60_000_000
_MAX_PIXELS = 40_000_000


def pdfs_in(folder: Path) -> Iterator[Path]:
    """Returns the PDFs in the folder and its subfolders, sorted by name; the folder may be a PDF itself."""
    yield from [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".pdf")


def checks_of(path: Path, chain: Sequence[str], *, max_pages: int, spool: Path) -> Iterator[dict[str, Any]]:
    """Returns a row for each checked page, spread over the file, or a row with an `error` if the file ended the child process."""
    spool.write_text("")
    context = multiprocessing.get_context("fork")  # all imports happen here, once
    child = context.Process(target=_check_file, args=(str(path), list(chain), max_pages, str(spool)), daemon=True)
    child.start()
    child.join(_FILE_S)
    if child.is_alive():
        child.kill()
        child.join()
    last = 0
    with spool.open(encoding="utf-8") as rows:
        for line in rows:
            if line.endswith("\n"):
                row = json.loads(line)
                last = row["page"]
                yield row
    if child.exitcode != 0:
        yield {"file": str(path), "page": last + 1, "error": f"The process that read it ended with {child.exitcode}."}


def _check_file(path: str, chain: list[str], max_pages: int, spool: str) -> None:
    cv2.setNumThreads(1)
    reader = Reader(chain)
    with open(spool, "a", encoding="utf-8") as out:

        def write(check: PageCheck) -> None:
            out.write(json.dumps(check.as_row()) + "\n")
            out.flush()

        try:
            if Path(path).stat().st_size > _MAX_FILE_BYTES:
                raise RayocrError("The file is too large for this comparison.")
            with bounded(seconds=_PAGE_S, memory_bytes=_PAGE_BYTES):
                file = PdfFile(Path(path).read_bytes(), max_pixels=_MAX_PIXELS)
        except RayocrError as error:
            write(PageCheck(file=path, page=0, error=str(error)))
            return
        with file:
            for number in spread(file.page_count, max_pages):
                try:
                    with bounded(seconds=_PAGE_S, memory_bytes=_PAGE_BYTES), file.page(number) as page:
                        write(reader.check(page, path, _other_text(path, number)))
                except RayocrError as error:
                    write(PageCheck(file=path, page=number, error=str(error)))


def spread(count: int, most: int) -> list[int]:
    """Returns a limited number of page numbers of a document, from its first to its last page."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(n * (count - 1) / (most - 1)) for n in range(most)}) if most > 1 else [1]


def _other_text(path: str, number: int) -> str | None:
    program = which("pdftotext")
    if program is None:
        return None
    command = [program, "-f", str(number), "-l", str(number), "-enc", "UTF-8", path, "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_OTHER_S, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
