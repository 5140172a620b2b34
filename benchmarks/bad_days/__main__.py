"""`make bad-days`: runs fault scripts over 2,000 pages each, against the simulator on an accelerated clock."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from rich.table import Table

from benchmarks.bad_days.days import DAYS
from benchmarks.bad_days.living import PAGES, Result, live_through
from benchmarks.bad_days.odd_days import ODD_DAYS
from benchmarks.bad_days.protocol_days import PROTOCOL_DAYS
from benchmarks.gemini_pages import make_documents
from rayocr.observe.console import plain_console


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.bad_days", description=__doc__)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--only", default="", help="a regular expression that matches part of the name")
    arguments = parser.parse_args()
    console = plain_console(width=None if sys.stdout.isatty() else 170)
    failed = False
    with tempfile.TemporaryDirectory(prefix="rayocr-bad-days-") as folder:
        work = Path(folder)
        pages = arguments.pages
        sources: dict[int, Path] = {}
        table = _table()
        for number, day in enumerate((*DAYS, *PROTOCOL_DAYS, *ODD_DAYS)):
            if not re.search(arguments.only, day.name):
                continue
            each = max(1, min(day.pages_a_document, pages // 20))
            if each not in sources:
                sources[each] = make_documents(work / f"in-{each}", pages, page_bytes=2000, pages_a_document=each)
            result = live_through(day, sources[each], work / f"day-{number}", arguments.pages)
            failed |= not result.passed
            _add(table, result)
            console.print(f"{day.name}: {'as expected' if result.passed else 'NOT as expected'}, {result.seconds:.0f} s")
        console.print(table)
    sys.exit(failed)


def _table() -> Table:
    table = Table(title="bad days", title_justify="left")
    for column in ("day", "exit codes", "downgraded", "paid twice", "lost", "manifests $", "runs $", "bill $", "s"):
        table.add_column(column, justify="left" if column == "day" else "right")
    return table


def _add(table: Table, result: Result) -> None:
    exits = ", ".join(map(str, result.exits))
    unsaid = f" (not said: {', '.join(result.unsaid)})" if result.unsaid else ""
    money = (f"{usd:.4f}" for usd in (result.manifests_usd, result.runs_usd, result.bill_usd))
    counts = (str(result.downgraded), str(result.paid_twice), str(result.lost))
    table.add_row(result.day.name, exits + unsaid, *counts, *money, f"{result.seconds:.0f}")


if __name__ == "__main__":
    main()
