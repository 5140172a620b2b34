"""The report: a table of groups, and the worst pages first, each with its picture, both texts, and a filter over the pages."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from pathlib import Path
from typing import Any

from benchmarks.fidelity.report_style import SCRIPT, STYLE

LOW_F1 = 0.85
_LOW, _NUMBERS, _UNCOVERED, _INKLESS = f"F1 below {LOW_F1}", "numbers differ", "uncovered ink", "lines without ink"
_HEAD = ("group", "text layer", "pages", "mean word F1", _LOW, _NUMBERS, _UNCOVERED, _INKLESS)
_FIELDS = ("reason", "engine", "outcome", "doubts", "words", "other_words", "ink_lines", "lost_numbers", "added_numbers", "ms")
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Tally:
    """Counts of one group's pages with one verdict."""

    pages: int = 0
    compared: int = 0
    f1_sum: float = 0.0
    low: int = 0  # pages with a word F1 below LOW_F1
    numbers: int = 0
    uncovered: int = 0
    inkless: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        self.pages += 1
        self.uncovered += row["uncovered"] > 0
        self.inkless += row["inkless"] > 0
        self.numbers += bool(row["lost_numbers"] or row["added_numbers"])
        if row["f1"] is not None:
            self.compared += 1
            self.f1_sum += row["f1"]
            self.low += row["f1"] < LOW_F1

    def cells(self) -> tuple[str, ...]:
        mean = f"{self.f1_sum / self.compared:.3f}" if self.compared else ""
        return (str(self.pages), mean, *(str(count) for count in (self.low, self.numbers, self.uncovered, self.inkless)))


@dataclass(slots=True)
class Summary:
    """Counts, and the worst pages. Memory is bounded by `keep` pages."""

    keep: int
    pages: int = 0
    files: set[str] = field(default_factory=set)
    errors: int = 0
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    doubts: Counter[str] = field(default_factory=Counter)
    worst: list[tuple[float, int, Mapping[str, Any]]] = field(default_factory=list)  # a heap, the best of them first

    def add(self, row: Mapping[str, Any]) -> None:
        self.files.add(row["file"])
        self.pages += 1
        if row.get("error"):
            self.errors += 1
        else:
            self.doubts.update(row["doubts"])
            self.tallies.setdefault((row.get("group", ""), row["verdict"]), Tally()).add(row)
        entry = (badness(row), self.pages, row)
        if len(self.worst) < self.keep:
            heappush(self.worst, entry)
        else:
            heappushpop(self.worst, entry)

    def table(self) -> list[tuple[str, ...]]:
        """Returns rows of cells; the first row has the names of the columns."""
        return [_HEAD, *((*key, *tally.cells()) for key, tally in sorted(self.tallies.items()))]

    def lines(self) -> list[str]:
        found = [f"{self.pages} pages of {len(self.files)} files; {self.errors} of them could not be read."]
        found.append("Doubts: " + (", ".join(f"{doubt} {count}" for doubt, count in self.doubts.most_common()) or "none"))
        return found


def badness(row: Mapping[str, Any]) -> float:
    """Returns the priority for review: pages whose used text differs come first, then lines without ink, uncovered ink, and
    different numbers."""
    if row.get("error"):
        return 0.5
    used = row["outcome"] in ("done", "fallback")
    differs = 1.0 - row["f1"] if row["f1"] is not None else 0.0
    numbers = 0.2 if used and (row["lost_numbers"] or row["added_numbers"]) else 0.0
    return (2.0 if used else 0.5) * differs + float(row["uncovered"] + 2.0 * row["inkless"]) + numbers


def write_report(summary: Summary, path: Path) -> None:
    shown = [(value, row) for value, _, row in sorted(summary.worst, key=lambda entry: -entry[0])]
    with path.open("w", encoding="utf-8") as out:
        out.write(f"<!doctype html><html lang=en><meta charset=utf-8><title>Fidelity</title><style>{STYLE}</style>")
        out.write("<header><h1>Fidelity</h1>" + "".join(f"<p>{html.escape(line)}</p>" for line in summary.lines()))
        head, *rows = summary.table()
        out.write("<table class=groups><tr>" + "".join(f"<th>{html.escape(name)}" for name in head))
        out.writelines("<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in row) for row in rows)
        out.write("</table></header>" + _filter(row for _, row in shown) + "<main>")
        for value, row in shown:
            out.writelines(_section(value, row))
        out.write(f"</main><script>{SCRIPT}</script>")


def _filter(rows: Iterable[Mapping[str, Any]]) -> str:
    verdicts, groups = set(), set()
    for row in rows:
        verdicts.add(row.get("verdict", "") or "error")
        groups.add(row.get("group", ""))
    return (
        "<nav><label>Group " + _select("group", groups) + "</label><label>Text layer " + _select("verdict", verdicts) + "</label>"
        "<label>Shows " + _select("kind", (_LOW, _NUMBERS, _UNCOVERED, _INKLESS, "error")) + "</label>"
        "<label>File or text <input id=search type=search></label> <output id=count></output>"
        "<p><span class=red>red frame: ink without text</span> <span class=blue>blue frame: text without ink</span> "
        "<mark>word that only this side has</mark></p></nav>"
    )


def _select(name: str, values: Iterable[str]) -> str:
    options = "".join(f"<option>{html.escape(value)}" for value in sorted(values))
    return f"<select id={name}><option value=''>all{options}</select>"


def _kinds(row: Mapping[str, Any]) -> list[str]:
    if row.get("error"):
        return ["error"]
    kinds = {
        _LOW: row["f1"] is not None and row["f1"] < LOW_F1,
        _NUMBERS: bool(row["lost_numbers"] or row["added_numbers"]),
        _UNCOVERED: row["uncovered"] > 0,
        _INKLESS: row["inkless"] > 0,
    }
    return [kind for kind, is_so in kinds.items() if is_so]


def _section(value: float, row: Mapping[str, Any]) -> Iterable[str]:
    attributes = {
        "group": row.get("group", ""),
        "verdict": row.get("verdict", "") or "error",
        "kind": "|".join(_kinds(row)),
    }
    yield "<section " + " ".join(f'data-{name}="{html.escape(text)}"' for name, text in attributes.items()) + ">"
    yield f"<h2>{html.escape(Path(row['file']).name)}, page {row['page']}</h2><p class=path>{html.escape(str(row['file']))}</p>"
    if row.get("error"):
        yield f"<p>{html.escape(row['error'])}</p></section>"
        return
    badges = [row["verdict"], *_kinds(row), f"priority {value:.2f}"]
    if row["f1"] is not None:
        badges.insert(1, f"F1 {row['f1']:.3f}")
    yield "<p>" + " ".join(f"<b>{html.escape(badge)}</b>" for badge in badges) + "</p>"
    yield "<table>" + "".join(f"<tr><th>{name}<td>{html.escape(_shown(row[name]))}" for name in _FIELDS if row[name]) + "</table>"
    yield "<div class=row>"
    if row["picture"]:
        yield f"<a><img alt='the page' loading=lazy src='data:image/jpeg;base64,{row['picture']}'></a>"
    for program, text, other in (("rayocr", row["ours"], row["theirs"]), ("pdftotext", row["theirs"], row["ours"])):
        yield f"<figure><figcaption>{program}</figcaption><pre dir=auto>{marked(text, other)}</pre></figure>"
    yield "</div></section>"


def marked(text: str, other: str) -> str:
    """Returns the text as HTML, with marks around words that it has more often than the other text."""
    left = Counter(word.casefold() for word in _WORD.findall(other))
    parts: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        parts.append(html.escape(text[end : match.start()]))
        word = match.group()
        known = left[word.casefold()] > 0
        left[word.casefold()] -= known
        parts.append(html.escape(word) if known else f"<mark>{html.escape(word)}</mark>")
        end = match.end()
    return "".join([*parts, html.escape(text[end:])])


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    return ", ".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
