"""The report: a summary, and the worst pages first, each with its picture and both texts."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from pathlib import Path
from typing import Any

LOW_F1 = 0.85
_FIELDS = (
    "verdict",
    "reason",
    "engine",
    "outcome",
    "doubts",
    "f1",
    "words",
    "other_words",
    "ink_lines",
    "uncovered",
    "inkless",
    "ms",
)
_STYLE = (
    "body{font:14px sans-serif;margin:2em} table{border-collapse:collapse} td,th{padding:2px 10px;text-align:left}"
    "section{border-top:1px solid #999;margin-top:1em} .row{display:flex;gap:1em} pre{white-space:pre-wrap;flex:1;"
    "max-height:60em;overflow:auto;background:#f6f6f6;padding:6px} img{max-width:420px;"
    "align-self:flex-start;border:1px solid #ccc}"
)


@dataclass(slots=True)
class Summary:
    """Counts, and the worst pages. Memory is bounded by `keep` pages."""

    keep: int
    pages: int = 0
    files: set[str] = field(default_factory=set)
    errors: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    low: Counter[str] = field(default_factory=Counter)  # trusted or partial pages with a word F1 below LOW_F1, by verdict
    with_f1: Counter[str] = field(default_factory=Counter)
    f1_sum: Counter[str] = field(default_factory=Counter)
    uncovered: int = 0
    inkless: int = 0
    doubts: Counter[str] = field(default_factory=Counter)
    worst: list[tuple[float, int, Mapping[str, Any]]] = field(default_factory=list)  # a heap, the best of them first

    def add(self, row: Mapping[str, Any]) -> None:
        self.files.add(row["file"])
        self.pages += 1
        if row.get("error"):
            self.errors += 1
        else:
            verdict = row["verdict"]
            self.verdicts[verdict] += 1
            self.doubts.update(row["doubts"])
            self.uncovered += row["uncovered"] > 0
            self.inkless += row["inkless"] > 0
            if row["f1"] is not None:
                self.with_f1[verdict] += 1
                self.f1_sum[verdict] += row["f1"]
                self.low[verdict] += row["f1"] < LOW_F1
        entry = (badness(row), self.pages, row)
        if len(self.worst) < self.keep:
            heappush(self.worst, entry)
        else:
            heappushpop(self.worst, entry)

    def lines(self) -> list[str]:
        found = [f"{self.pages} pages of {len(self.files)} files; {self.errors} of them could not be read."]
        for verdict, count in self.verdicts.most_common():
            line = f"text layer {verdict}: {count} pages"
            if self.with_f1[verdict]:
                mean = self.f1_sum[verdict] / self.with_f1[verdict]
                line += (
                    f", word F1 {mean:.3f} against pdftotext on {self.with_f1[verdict]}, below {LOW_F1} on {self.low[verdict]}"
                )
            found.append(line)
        found.append(f"Lines of ink that no word covers: on {self.uncovered} pages. Words without ink: on {self.inkless} pages.")
        found.append("Doubts: " + (", ".join(f"{doubt} {count}" for doubt, count in self.doubts.most_common()) or "none"))
        return found


def badness(row: Mapping[str, Any]) -> float:
    """The priority for review: pages whose used text differs, then uncovered ink."""
    if row.get("error"):
        return 0.5
    used = row["outcome"] in ("done", "fallback")
    differs = 1.0 - row["f1"] if row["f1"] is not None else 0.0
    return (2.0 * differs if used else 0.5 * differs) + row["uncovered"] + 2.0 * row["inkless"]


def write_report(summary: Summary, path: Path) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(f"<!doctype html><meta charset=utf-8><title>Fidelity</title><style>{_STYLE}</style><h1>Fidelity</h1>")
        out.write("".join(f"<p>{html.escape(line)}</p>" for line in summary.lines()))
        for value, _, row in sorted(summary.worst, key=lambda entry: -entry[0]):
            out.writelines(_section(value, row))


def _section(value: float, row: Mapping[str, Any]) -> Iterable[str]:
    yield f"<section><h2>{html.escape(str(row['file']))}, page {row['page']} ({value:.2f})</h2>"
    if row.get("error"):
        yield f"<p>{html.escape(row['error'])}</p></section>"
        return
    yield "<table>" + "".join(f"<tr><th>{name}<td>{html.escape(_shown(row[name]))}" for name in _FIELDS) + "</table>"
    yield f"<div class=row><img alt='the page' src='data:image/jpeg;base64,{row['picture']}'>"
    yield f"<pre dir=auto>{html.escape(row['ours'])}</pre><pre dir=auto>{html.escape(row['theirs'])}</pre></div></section>"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return ", ".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
