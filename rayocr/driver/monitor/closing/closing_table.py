"""Makes the table that the terminal prints at the end of a run from the table of figures, and the JSON that `--json` prints
instead."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

from rich.table import Table

from rayocr.config import RayocrConfig
from rayocr.driver.earlier.corrected_documents import CorrectedPages
from rayocr.driver.earlier.missing_outputs import Addition
from rayocr.driver.monitor.run_record import options_of
from rayocr.driver.monitor.terminal import duration, printable
from rayocr.driver.retry_selection import command_on, retry_commands
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import RayocrError
from rayocr.failure_reasons import special_step, step_for_one_document
from rayocr.messages import DiscoveryTotals, DocumentOutcome, PageOutcome
from rayocr.observe.dead_letters import DeadLetter, all_dead_letters
from rayocr.observe.figures import FIGURES
from rayocr.observe.json_fields import error_json
from rayocr.storage.base import Storage

_FAILURES = 20  # number of failures in the JSON
_FAILED = (DocumentOutcome.PARTIAL, DocumentOutcome.REJECTED)
_MOST_READ = 2000  # number of dead letters that are read for the commands that retry them
_FAILURE_FACTS = ("document_id", "name", "outcome", "reason", "message", "pages")  # the same format as in `rayocr status --json`


def closing_json(
    config: RayocrConfig,
    state: Storage,
    progress: Progress,
    rows: Mapping[str, str],
    *,
    addition: Addition,
    corrections: Sequence[CorrectedPages],
    exit_code: int | None,
    error: RayocrError | None,
) -> dict[str, Any]:
    """Returns the fields that `--json` prints besides the record of the run. The fields are the same after success and failure.
    The failures are those of the whole destination, because they determine the exit code. `rows`: the last rows of the table."""
    try:
        first = {document.document_id for document in progress.failed}
        letters, count = all_dead_letters(state, first=first, at_most=_MOST_READ)
    except RayocrError:
        letters, count = [], progress.totals.dead_letters
    rejected = [letter.reason for letter in letters if letter.outcome == DocumentOutcome.REJECTED]
    return error_json(error) | {
        "exit_code": exit_code,
        "failures": [{name: getattr(letter, name) for name in _FAILURE_FACTS} for letter in letters[:_FAILURES]],
        "failed_documents": count,
        "failed_earlier": max(0, count - sum(progress.documents[outcome] for outcome in _FAILED)),
        "retry_with": retry_commands(config, partial=len(rejected) < len(letters), rejected=rejected, options=options_of(config)),
        "corrections": [asdict(found) for found in corrections],
        "outputs_added": dict(addition.added),
        "outputs_missing": dict(addition.left),
        **{name.lower().replace(" ", "_"): rows.get(name) for name in ("Outputs", "Report", "Record", "Failure records")},
    }


def closing_table(
    progress: Progress, places: dict[str, str], *, failed: Sequence[str] = (), corrected: Sequence[str] = ()
) -> Table:
    """Returns the table. `places`: locations of outputs, report and dead letters, by label. `failed`: a line for each of the
    first failed documents. `corrected`: a line for each of the first documents with pages that a person corrected."""
    run = SimpleNamespace(progress=progress)
    read = {figure.key: figure.read(run) for figure in FIGURES if figure.group == "labeled"}
    rows: dict[str, list[str]] = {
        "Documents": [", ".join([_counts(read["documents"]), *_phrases(run, "Documents")])],
        "Pages": [_pages(progress.pages_done, read["engines"]), *_phrases(run, "Pages")],
        "Outputs differ": [_note(progress)] if progress.documents_noted else [],
        **{row: _phrases(run, row) for row in _other_rows()},
        "Unreadable": [unseen(progress.totals)] if progress.totals.unreadable else [],
        "Reasons": [_counts(read["reasons"])] if read["reasons"] else [],
        "Failed": list(failed),
        "Corrections": list(corrected),
        "Time": [", ".join(filter(None, [duration(progress.elapsed_s), _rate(progress), progress.spent_words]))],
        **{label: [printable(place)] for label, place in places.items()},
    }
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, lines in rows.items():
        for number, line in enumerate(lines):
            table.add_row("" if number else label, line)
    return table


def failed_lines(letters: Iterable[DeadLetter], *, steps: bool = False) -> Iterator[str]:
    """Names failed documents by outcome and reason. Shows only the first of several messages that differ only in numbers.
    `steps`: also adds the next steps, for destinations that `rayocr status` cannot read later."""
    groups: dict[tuple[str, str, str], list[DeadLetter]] = {}
    for letter in letters:
        groups.setdefault((letter.outcome, letter.reason, re.sub(r"\d+", "", letter.message)), []).append(letter)
    for (outcome, reason, _), group in groups.items():
        message = group[0].message
        if len(group) == 1:
            yield f"{outcome}: {group[0].name}: {reason}: {message}"
        else:
            yield f"{outcome}: {reason}: {message}"
            yield from (f"    {letter.name}" for letter in group)
        step = group[0].retry if group[0].has_hint else special_step(reason)
        if steps and (of_one := step_for_one_document(_same_command(step))):
            yield f"    {of_one}"


def by_hand(config: RayocrConfig) -> str:
    """Returns the commands that help with pages for which every engine returns an empty answer, for example pictures."""
    correct, dismiss = command_on("correct", config), command_on("dismiss", config)
    return f"{correct} NAME PAGE --file page.md   or stop reporting the document: {dismiss} document=NAME"


def _same_command(step: str) -> str:
    """Returns the next step for a run whose destination no longer exists at its end, so that a retry is not possible there."""
    step = re.sub(r"\s+To [^:]*: rayocr (?:correct|dismiss) OUT.*", "", step)
    step = re.sub(r"rayocr retry OUT (?:with )?(?=\S+=)", "the same command with ", step)
    return step.replace("rayocr retry OUT", "the same command again")


def _pages(done: int, engines: dict[str, int]) -> str:
    """Describes the pages. `engines`: pages by the engine that read them, or by their outcome if no engine did."""
    outcomes = {outcome.value for outcome in PageOutcome}
    parts = [f"{count:,} {name if name in outcomes else f'read by {name}'}" for name, count in Counter(engines).most_common()]
    return f"{done:,}: {', '.join(parts)}" if len(parts) > 1 else "".join(parts) or f"{done:,}"


def _phrases(run: Any, row: str) -> list[str]:
    """Returns the phrases of the row's figures that are not 0."""
    values = ((figure, figure.read(run)) for figure in FIGURES if figure.closing_row == row)
    return [_agreeing(figure.closing_text, value).format(value, run=run) for figure, value in values if value]


def _agreeing(text: str, count: Any) -> str:
    return re.sub(r"\[([^|\]]*)\|([^\]]*)\]", lambda forms: forms[1 if count == 1 else 2], text)


def _other_rows() -> list[str]:
    """Returns the names of the rows that consist of figures only, after the row of document names."""
    return list(dict.fromkeys(["Names", *(f.closing_row for f in FIGURES if f.closing_row not in ("", "Documents", "Pages"))]))


def _note(progress: Progress) -> str:
    """Describes content that an output could not show, for example characters that no font contains."""
    count = "1 document" if progress.documents_noted == 1 else f"{progress.documents_noted:,} documents, for example"
    return f"{count}: {printable(progress.first_note)}"


def _counts(values: dict[str, int]) -> str:
    """Formats counts. Outcomes of documents keep their order. Engines and reasons are Counters, which are sorted by frequency."""
    items = values.most_common() if isinstance(values, Counter) else values.items()
    return ", ".join(f"{count:,} {name}" for name, count in items)


def _rate(progress: Progress) -> str:
    return f"{progress.pages_per_s:.1f} pages/s" if progress.pages_per_s else ""


def unseen(totals: DiscoveryTotals) -> str:
    """Describes the parts of the source that could not be listed."""
    names = ", ".join(printable(name) for name in totals.unreadable_names)
    more = " and more" if totals.unreadable > len(totals.unreadable_names) else ""
    what = "1 folder or link" if totals.unreadable == 1 else f"{totals.unreadable:,} folders or links"
    return f"{what} of the source cannot be read: {names}{more}"
