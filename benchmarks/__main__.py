"""`make bench`: compares rayocr with bare loops over the same engine, as ratios measured in one run.

Both sides are measured at two lengths, and the rate is computed from the difference, so that startup time does not count. Rounds
alternate, since machines are noisy. Prints the median and the spread.
"""

from __future__ import annotations

import argparse

from rich.table import Table

from benchmarks.local_engine import measure_rapidocr
from benchmarks.measured import Comparison
from benchmarks.text_layer import measure_text_layer
from rayocr.observe.console import plain_console


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement, which alternate")
    parser.add_argument("--only", choices=["rapidocr", "textlayer"])
    arguments = parser.parse_args()
    console = plain_console()
    if not console.is_terminal:
        console.width = 160  # wide enough for the table in a log
    comparisons: list[Comparison] = []
    if arguments.only != "rapidocr":
        comparisons += measure_text_layer(arguments.rounds, console)
    if arguments.only != "textlayer":
        comparisons += measure_rapidocr(arguments.rounds, console)
    console.print(_table(comparisons))


def _table(comparisons: list[Comparison]) -> Table:
    table = Table(title="rayocr against a bare loop", title_justify="left")
    rates = ("bare pages/s", "rayocr pages/s", "ratio", "budget")
    costs = ("CPU ms per page (bare, rayocr)", "start s (bare, rayocr)", "peak MB (rayocr, a page worker, Ray)")
    for column in ("what", *rates, *costs):
        table.add_column(column, justify="left" if column == "what" else "right")
    for c in comparisons:
        table.add_row(
            c.what,
            f"{c.bare_per_s:.2f}",
            f"{c.ours_per_s:.2f}",
            f"{c.ratio:.2f} ({c.lowest:.2f}-{c.highest:.2f})",
            f"{c.budget:.2f}" if c.budget else "",
            f"{c.bare_cpu_ms:.1f}, {c.ours_cpu_ms:.1f}",
            f"{c.bare_start_s:.1f}, {c.ours_start_s:.1f}",
            f"{c.ours_peak_mb:.0f}, {c.worker_peak_mb:.0f}, {c.rays_peak_mb:.0f}",
        )
    return table


if __name__ == "__main__":
    main()
