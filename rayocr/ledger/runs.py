"""Formats page numbers as ranges (`1-3,7`), which are short for whole books and readable in a manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MAX_PAGES = 10_000_000  # maximum number of pages of a document; the longest PDFs have about 100,000
_RUNS = re.compile(r"[0-9]{1,8}(-[0-9]{1,8})?(,[0-9]{1,8}(-[0-9]{1,8})?)*")


def format_runs(numbers: Iterable[int]) -> str:
    """Formats page numbers in any order; duplicates count once. Returns "" for no numbers."""
    runs: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def named_pages(runs: str) -> str:
    """Returns the form for a sentence: "page 3", "pages 3-5,7"."""
    return f"page {runs}" if runs.isdigit() else f"pages {runs}"


def parse_runs(text: str) -> Iterator[int]:
    """Yields the numbers in order, without storing long ranges. Raises ValueError before the first number."""
    return _numbers(runs_of(text))


def runs_of(text: str) -> list[range]:
    """Returns the ranges, ascending and disjoint. Raises ValueError."""
    if not text:
        return []
    if not _RUNS.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is not a list of page numbers such as 1-3,7.")
    runs: list[range] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        run = range(int(first), int(last or first) + 1)
        if not run or (runs and run.start < runs[-1].stop):
            raise ValueError(f"{part!r}: page numbers must ascend.")
        if run.stop > MAX_PAGES + 1:
            raise ValueError(f"{part!r}: no document has more than {MAX_PAGES:,} pages.")
        runs.append(run)
    return runs


def _numbers(runs: list[range]) -> Iterator[int]:
    for run in runs:
        yield from run
