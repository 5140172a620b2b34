"""The report as one HTML file: no script, nothing fetched from anywhere, and a policy in it that forbids both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from rayocr import __version__
from rayocr.ledger.manifest import Manifest
from rayocr.ledger.runs import parse_runs
from rayocr.messages import SUSPECT, DocumentOutcome, PageOutcome
from rayocr.outputs.report.chart import throughput_chart
from rayocr.outputs.report.facts import ReportFacts
from rayocr.outputs.report.pages import ShownPage
from rayocr.outputs.report.text import rendered
from rayocr.outputs.typeset.literal import printable

_NOTES_SHOWN = 50
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_STYLE = Path(__file__).with_name("style.css")

Link = Callable[[str], str | None]  # the name of an output to its address; None where there is none


def report_html(
    facts: ReportFacts,
    *,
    title: str,
    dest: str,
    runs: Sequence[Mapping[str, Any]],
    doubtful: Sequence[ShownPage],
    sample: Sequence[ShownPage],
    link: Link,
    unreadable: int,
    now: datetime,
) -> str:
    """`runs`: their records, oldest first; `unreadable`: manifests that could not be read."""
    sections = [
        f"<header><h1>{_text(title)}</h1><p>{_text(dest)} · {now:%Y-%m-%d %H:%M} UTC · rayocr {__version__}</p></header>",
        _tiles(facts, runs),
        f'<p class="bad">{unreadable} manifests could not be read and are not counted.</p>' if unreadable else "",
        throughput_chart(facts.throughput()),
        '<div class="columns">',
        _counts("Pages", {outcome.value: facts.pages[outcome] for outcome in PageOutcome if facts.pages[outcome]}),
        _counts("Read by", facts.engines),
        _counts("Why engines and documents failed", facts.reasons),
        _counts("Doubts", facts.doubts),
        "</div>",
        _runs(runs) if len(runs) > 1 else "",
        _documents(facts, link),
        _pages("Doubtful pages", doubtful, link, more=facts.doubtful_count - len(doubtful)),
        _notes(facts.notes),
        _pages("A sample of all pages", sample, link, more=0),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{_STYLE.read_text('utf-8')}</style></head><body>{''.join(sections)}</body></html>\n"
    )


def _tiles(facts: ReportFacts, runs: Sequence[Mapping[str, Any]]) -> str:
    pages = facts.page_count
    trouble = facts.documents[DocumentOutcome.PARTIAL] + facts.documents[DocumentOutcome.REJECTED]
    elapsed = sum(float(run.get("elapsed_s") or 0) for run in runs)
    tiles = [
        ("documents", f"{facts.documents.total():,}", f"{trouble:,} with failures" if trouble else "all complete"),
        ("pages", f"{pages:,}", f"{facts.pages[PageOutcome.FAILED]:,} failed, {facts.doubtful_count:,} to look at"),
        (
            "cost",
            _total_cost(facts),
            f"${facts.cost_usd / pages * 1000:,.2f} for 1,000 pages" if pages and facts.cost_usd else "",
        ),
        ("tokens", _short(facts.input_tokens + facts.output_tokens), f"{_short(facts.input_tokens)} in"),
    ]
    if facts.compared:
        suspect = facts.doubts[SUSPECT]
        tiles.append(
            ("pages compared", f"{facts.compared:,}", f"{suspect:,} suspect" if suspect else "with another reading: all agree")
        )
    if elapsed:
        tiles.append(("time", _duration(elapsed), f"{pages / elapsed:.1f} pages/s"))
    shown = (f"<div><b>{value}</b><span>{name}</span><small>{more}</small></div>" for name, value, more in tiles)
    return f'<section class="tiles">{"".join(shown)}</section>'


def _total_cost(facts: ReportFacts) -> str:
    if not facts.unpriced_documents:
        return f"${facts.cost_usd:,.2f}"
    return f"${facts.cost_usd:,.2f} + unknown" if facts.cost_usd else "unknown"


def _run_cost(run: Mapping[str, Any]) -> str:
    usd = float(run.get("cost_usd") or 0)
    if not run.get("unpriced_pages"):
        return f"${usd:,.2f}"
    return f"${usd:,.2f} + unknown" if usd else "unknown"


def _cost(usd: float | None) -> str:
    return "unknown" if usd is None else f"${usd:,.4f}" if usd else ""


def _counts(title: str, counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    most = max(counts.values())
    rows = "".join(
        f"<tr><th>{_text(name)}</th><td>{count:,}</td>"
        f'<td class="bar"><i style="width:{max(1, 100 * count // most)}%"></i></td></tr>'
        for name, count in Counter(counts).most_common()
    )
    return f"<section><h2>{title}</h2><table>{rows}</table></section>"


def _runs(runs: Sequence[Mapping[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td>{_text(str(run.get('run_id', '')))}</td><td>{sum((run.get('documents') or {}).values()):,}</td>"
        f"<td>{sum((run.get('pages') or {}).values()):,}</td><td>{_duration(float(run.get('elapsed_s') or 0))}</td>"
        f"<td>{_run_cost(run)}</td></tr>"
        for run in runs
    )
    head = "<tr><th>run</th><th>documents</th><th>pages</th><th>time</th><th>cost</th></tr>"
    return f'<section><h2>Runs</h2><div class="scroll"><table class="list">{head}{rows}</table></div></section>'


def _documents(facts: ReportFacts, link: Link) -> str:
    shown = facts.rows
    more = facts.documents.total() - len(shown)
    rows = "".join(_document(manifest, link) for manifest in shown)
    head = "<tr><th>document</th><th>outcome</th><th>pages</th><th>failed</th><th>doubtful</th><th>cost</th><th>outputs</th></tr>"
    left = f"<p>{more:,} more, all without failures or less doubtful, are not listed.</p>" if more > 0 else ""
    return f'<section><h2>Documents</h2><div class="scroll"><table class="list">{head}{rows}</table></div>{left}</section>'


def _document(manifest: Manifest, link: Link) -> str:
    failed = sum(1 for _ in parse_runs(manifest.pages.get(PageOutcome.FAILED, "")))
    doubtful = sum(1 for note in manifest.notes if note.doubts)
    why = f"<small>{_text(manifest.reason)}: {_text(manifest.message or '')}</small>" if manifest.reason else ""
    outputs = " · ".join(_anchor(link(output.name), _kind(output.name, manifest)) for output in manifest.outputs)
    return (
        f"<tr><td>{_text(manifest.name)}{why}</td>"
        f"<td><em class={manifest.outcome.value}>{manifest.outcome.value}</em></td>"
        f"<td>{manifest.page_count:,}</td><td>{failed or ''}</td><td>{doubtful or ''}</td>"
        f"<td>{_cost(manifest.cost_usd)}</td><td>{outputs}</td></tr>"
    )


def _kind(output: str, manifest: Manifest) -> str:
    """What tells the outputs of one document apart: md, clean.pdf."""
    stem = output.rpartition("/")[2]
    source = manifest.name.rpartition("/")[2]
    base = source[: -len(".pdf")] if source.lower().endswith(".pdf") else source
    return stem[len(base) :].lstrip(".") if stem.startswith(base + ".") else stem


def _pages(title: str, pages: Sequence[ShownPage], link: Link, *, more: int) -> str:
    if not pages:
        return ""
    left = f"<p>{more:,} more are not shown; report.pages= shows more of them.</p>" if more > 0 else ""
    return f"<section><h2>{title}</h2>{''.join(_page(page, link) for page in pages)}{left}</section>"


def _page(shown: ShownPage, link: Link) -> str:
    manifest, number = shown.page.manifest, shown.page.page_number
    picture = (
        f'<img alt="page {number}" src="{shown.picture_uri}">' if shown.picture else f"<p>No picture. {_text(shown.missing)}</p>"
    )
    text = "<p>No text.</p>" if not shown.text else rendered(shown.text)
    why = f"<em class=partial>{_text(shown.page.why)}</em>" if shown.page.why else ""
    attempts = "".join(
        f"<li>{_text(attempt.engine)}: {_text(attempt.reason)} {_text(attempt.message)}</li>"
        for attempt in (shown.page.note.attempts if shown.page.note else ())
    )
    tried = f"<ul class=tried>{attempts}</ul>" if attempts else ""
    clean = next((output.name for output in manifest.outputs if output.name.endswith(".pdf")), None)
    address = link(clean) if clean else None
    heading = _anchor(f"{address}#page={number}" if address else None, f"{manifest.name}, page {number}")
    return (
        f"<article><h3>{heading} {why}</h3>{tried}"
        f'<div class="beside"><div class="picture">{picture}</div><div class="text" dir="auto">{text}</div></div></article>'
    )


def _notes(notes: Mapping[str, int]) -> str:
    if not notes:
        return ""
    rows = "".join(
        f"<li>{_text(note)} <small>({count:,} ×)</small></li>" for note, count in Counter(notes).most_common(_NOTES_SHOWN)
    )
    return f"<section><h2>What outputs could not show</h2><ul>{rows}</ul></section>"


def _anchor(address: str | None, text: str) -> str:
    return f'<a href="{_text(address)}">{_text(text)}</a>' if address else _text(text)


def _text(words: str) -> str:
    """As HTML shows it. Control characters go: whoever looks at the file in a terminal would have them obeyed."""
    return escape(printable(words.encode("utf-8", "replace").decode()))


def _short(count: int) -> str:
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return str(count)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
