"""make fidelity DIR=…: compares rayocr's text of any PDFs with pdftotext's text and the ink; worst pages first."""

from __future__ import annotations

import argparse
import json
import signal
import tempfile
from pathlib import Path

from rich.progress import track
from rich.table import Table

from benchmarks.fidelity.files import checks_of, pdfs_in
from benchmarks.fidelity.report import Summary, write_report
from rayocr.observe.console import plain_console

_LONG = ("ours", "theirs", "picture")


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    console = plain_console()
    paths = [(folder.name, path) for folder in options.folders for path in pdfs_in(folder)]
    summary = Summary(keep=options.worst)
    with tempfile.TemporaryDirectory(prefix="rayocr-fidelity-") as folder, options.out.with_suffix(".jsonl").open("w") as rows:
        spool = Path(folder) / "rows.jsonl"
        try:
            for group, path in track(paths, "PDFs", console=console, transient=True):
                for row in checks_of(path, options.chain.split(","), max_pages=options.pages, spool=spool):
                    row["group"] = group
                    summary.add(row)
                    rows.write(json.dumps({key: value for key, value in row.items() if key not in _LONG}) + "\n")
                    rows.flush()
                if options.limit and summary.pages >= options.limit:
                    break
        except KeyboardInterrupt:
            console.print(f"Interrupted. The report covers {len(summary.files):,} of {len(paths):,} files.")
    write_report(summary, options.out)
    for line in summary.lines():
        console.print(line)
    head, *rows = summary.table()
    table = Table(*head)
    for cells in rows:
        table.add_row(*cells)
    console.print(table)
    console.print(f"The report is in {options.out}, all figures in {options.out.with_suffix('.jsonl')}.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fidelity", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of PDFs, or PDFs; each is one group in the table")
    parser.add_argument("--out", type=Path, default=Path("fidelity.html"))
    parser.add_argument(
        "--chain", default="textlayer", help="local engines, for example textlayer,rapidocr (3 CPU seconds per scan)"
    )
    parser.add_argument("--pages", type=int, default=20, help="pages per file, spread over the file")
    parser.add_argument("--limit", type=int, default=0, help="stop after this many pages")
    parser.add_argument("--worst", type=int, default=200, help="pages shown in the report")
    return parser.parse_args()


if __name__ == "__main__":
    main()
