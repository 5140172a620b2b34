"""Renders the report as one HTML file. It loads no other files, and its content security policy allows only the script of its own
filter."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rayocr import __version__
from rayocr.ledger.manifest import Manifest
from rayocr.ledger.runs import runs_of
from rayocr.messages import PageOutcome
from rayocr.outputs.report.embedded_fonts import font_faces
from rayocr.outputs.report.facts import ReportFacts
from rayocr.outputs.report.pages import ShownPage
from rayocr.outputs.report.text import rendered
from rayocr.outputs.typeset.literal import printable

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER = Path(__file__).parent
Link = Callable[[str], str | None]  # maps the name of an output to its address; None if it has none


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
    """Returns the report. `runs`: the records of the runs, oldest first. `unreadable`: the number of manifests that could not be
    read."""
    script = (_FOLDER / "filter.js").read_text(encoding="utf-8")
    pages = [*doubtful, *sample]
    return _template().render(
        fonts=font_faces([*(shown.text or "" for shown in pages), *(manifest.name for manifest in facts.rows)]),
        script=script,
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        facts=facts,
        title=title,
        dest=dest,
        runs=runs,
        elapsed_s=sum(float(run.get("elapsed_s") or 0) for run in runs),
        bins=facts.throughput(),
        doubtful=doubtful,
        sample=sample,
        link=link,
        unreadable=unreadable,
        now=now,
        version=__version__,
    )


@cache
def _template() -> Template:
    # Imported on first use, since every run imports this module.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_without_controls,
    )
    environment.filters |= {
        "number": "{:,}".format,
        "dollars": _dollars,
        "duration": _duration,
        "short": _short,
        "kind": _kind,
        "failed_pages": _failed_pages,
        "markdown": lambda text: Markup(rendered(text)),  # noqa: S704  the renderer escapes the HTML of the page
    }
    environment.tests["endswith"] = str.endswith
    return environment.get_template("report.html.j2")


def _without_controls(value: object) -> object:
    """Removes control characters, since a terminal that shows the file would execute them. Jinja escapes the result unless it is
    already HTML."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return printable(value.encode("utf-8", "replace").decode())


def _dollars(usd: float, unknown: object = False, digits: int = 2) -> str:
    """Formats a cost. `unknown`: part of the cost is not known."""
    known = f"${usd:,.{digits}f}"
    return known if not unknown else f"{known} + unknown" if usd else "unknown"


def _failed_pages(manifest: Manifest) -> int:
    return sum(map(len, runs_of(manifest.pages.get(PageOutcome.FAILED, ""))))


def _kind(output: str, document: str) -> str:
    """Returns the part of its name that distinguishes an output of a document from the others: md, clean.pdf."""
    stem = output.rpartition("/")[2]
    source = document.rpartition("/")[2]
    base = source[: -len(".pdf")] if source.lower().endswith(".pdf") else source
    return stem[len(base) :].lstrip(".") if stem.startswith(base + ".") else stem


def _short(count: int) -> str:
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return str(count)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(float(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
