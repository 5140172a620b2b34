"""Implements `rayocr reread OUT NAME --pages 2,5-7 engine=…`: reads single pages of a finished document again, and shows the
difference. A new text replaces the present one only if it is accepted. An accepted text is saved immediately, so an interruption
loses no accepted page.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.prompt import Confirm

from rayocr.api.review.reread import NewReading, options_of_reading, unified_diff
from rayocr.api.review.reviewer import PresentPage, Saved
from rayocr.cli.pages import ChosenDocument, author_of, chosen_document, say_written, written_facts
from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.monitor.terminal import ConsoleTerminal, printable
from rayocr.driver.places.source import existing_source
from rayocr.driver.retry_selection import command_on, with_command, with_document
from rayocr.driver.scheduling.progress import money
from rayocr.errors import BudgetExhausted, CredentialsError, RayocrError, UsageError
from rayocr.ledger.manifest import Manifest, Spent
from rayocr.ledger.runs import MAX_PAGES, format_runs, named_pages, parse_runs
from rayocr.observe.json_fields import REREAD, SCHEMA_VERSION
from rayocr.storage.uri import parse_uri

_EXAMPLE = "rayocr reread out/ 2024/a.pdf --pages 2,5-7 engine=tesseract"
_MOST_PAGES = 1000  # maximum number of pages of one command


@dataclass(slots=True)
class _Readings:
    """The results of the command so far."""

    facts: list[dict[str, object]] = field(default_factory=list)
    spent: Spent = Spent()  # noqa: RUF009 - frozen
    failed: int = 0
    accepted: list[int] = field(default_factory=list)
    outdated: bool = False  # true if the outputs lack an earlier text, because writing them was interrupted


def reread_pages(config: RayocrConfig, keys: Secrets, *, given: Sequence[str]) -> int:
    """Reads the pages. Returns 0 if every page was read, otherwise 1. `given`: options of the command line. Raises UsageError,
    LockError while a run reads the document, StorageError, and OutsideError."""
    terminal = ConsoleTerminal(config.progress)
    vertex = config.engine.gemini.vertexai and config.engine.gemini.project
    if "gemini" in config.engine.chain and not keys.gemini_api_key and not vertex:
        raise CredentialsError.no_gemini_key()
    with chosen_document(config, keys, example=_EXAMPLE) as chosen:
        numbers = _numbers(config.reread.pages, chosen)
        asks = not (config.reread.accept or config.reread.keep)
        if asks and (terminal.json or not (sys.stdin.isatty() and sys.stdout.isatty())):
            raise UsageError(
                "There is no terminal to ask whether the new texts replace the present ones.",
                hint="Add --accept, or --keep to only show the difference.",
            )
        author = "" if config.reread.keep else author_of(config.reread.author)
        done = _Readings()
        failure: RayocrError | None = None
        try:
            for number in numbers:
                _reread(chosen, number, done, terminal, given=given, author=author, asks=asks)
        except RayocrError as error:
            if error.hint:
                hint = with_document(error.hint, chosen.manifest.name, config.reread.pages or "")
                error.set_hint(with_command(hint, command_on("retry", config), ()))
            failure = error
        finally:  # also after an interruption
            saved = _written(chosen, done, terminal)
        _say_end(terminal, done, saved, chosen, author)
        if terminal.json:
            terminal.data(_facts(chosen, done, saved, author, failure))
        if failure := failure or saved.pending:
            failure.in_json = True
            raise failure
    return 1 if done.failed else 0


def _written(chosen: ChosenDocument, done: _Readings, terminal: ConsoleTerminal) -> Saved:
    if not done.accepted and not done.outdated:
        return Saved(manifest=None)
    try:
        return chosen.reviewer.write(chosen.manifest)
    except KeyboardInterrupt:
        if done.accepted:
            pages = named_pages(format_runs(done.accepted))
            terminal.warn(f"The accepted text of {pages} is saved. Run the command again to write the outputs.")
        raise


def _reread(
    chosen: ChosenDocument,
    number: int,
    done: _Readings,
    terminal: ConsoleTerminal,
    *,
    given: Sequence[str],
    author: str,
    asks: bool,
) -> None:
    """Reads one page, shows the difference, and saves the new text if it is accepted. Raises RayocrError."""
    before = chosen.reviewer.page(chosen.manifest, number)
    began = time.monotonic()
    manifest = _at_source(chosen)
    engines = " → ".join(name.rstrip("?") for name in chosen.config.engine.chain)
    with terminal.busy(f"Reading page {number} of {chosen.name} with {engines} …"):
        found = chosen.reviewer.read_again(
            manifest, number, overrides=[*options_of_reading(given), *_budget(chosen.config, done.spent)]
        )
    seconds = time.monotonic() - began
    done.spent += found.spent
    done.outdated |= not before.written and bool(author)
    diff = unified_diff(
        before.text, found.text, old=f"page {number}, {before.engine or before.outcome}", new=f"page {number}, {found.engine}"
    )
    diff = [] if found.failed else diff
    _show(terminal, number, before, found, diff, seconds)
    done.failed += found.failed
    accepted = not found.failed and bool(author) and (bool(diff) or before.outcome == "failed") and (not asks or _asked(number))
    if accepted:
        chosen.reviewer.save(chosen.manifest, number, text=found.text, author=author, read=found)
        done.accepted.append(number)
    done.facts.append(
        {
            "page": number,
            "old": _page_facts(before),
            "new": _page_facts(found),
            "diff": "\n".join(diff),
            "cost_usd": _cost(found.spent),
            "seconds": round(seconds, 1),
            "accepted": accepted,
        }
    )


def _at_source(chosen: ChosenDocument) -> Manifest:
    """Returns the manifest with the address of the document below source=, to which its folder was moved. The file must have the
    version on record. Raises UsageError."""
    manifest, source = chosen.manifest, chosen.config.source
    if source is None:
        return manifest
    uri = str(parse_uri(source)).rstrip("/")
    if not uri.endswith(f"/{manifest.name}"):
        existing_source(parse_uri(source), chosen.config.storage.source)
        uri = f"{uri}/{manifest.name}"
    return manifest.model_copy(update={"source_uri": uri})


def _asked(number: int) -> bool:
    """Asks the user. Returns False if standard input ends (Ctrl-D)."""
    try:
        return Confirm.ask(f"Use the new text of page {number}?", default=False)
    except EOFError:
        return False


def _facts(chosen: ChosenDocument, done: _Readings, saved: Saved, author: str, failure: RayocrError | None) -> dict[str, object]:
    facts: dict[str, object] = dict.fromkeys(REREAD)
    facts |= {"schema_version": SCHEMA_VERSION, "document": chosen.manifest.name, "document_id": chosen.manifest.document_id}
    facts |= {"pages": done.facts, "cost_usd": _cost(done.spent), "author": author if done.accepted else None}
    return facts | written_facts(saved) | {"error": str(failure) if failure else None}


def _numbers(pages: str | None, chosen: ChosenDocument) -> list[int]:
    """Returns the page numbers that `--pages` names. Raises UsageError."""
    if pages is None:
        raise UsageError(f"Name the pages of {chosen.name}.", hint=f"For example: {_EXAMPLE}")
    runs = pages.replace(" ", "")
    try:
        numbers = sorted({number for part in runs.split(",") for number in _bounded(part)})
    except ValueError as error:
        raise UsageError(f"--pages {pages} is not a list of page numbers.", hint="For example: --pages 2,5-7") from error
    for number in numbers:
        chosen.check_page(number)
    return numbers


def _bounded(part: str) -> list[int]:
    """Returns the numbers of one range, such as 5-7. Raises ValueError, and UsageError if the range is too long."""
    first, _, last = part.partition("-")
    if part and int(last or first) - int(first) >= _MOST_PAGES:
        raise UsageError(
            f"--pages {part} are more than {_MOST_PAGES:,} pages.",
            hint="To read whole documents again: rayocr IN OUT overwrite=true include=[NAME] engine=…",
        )
    numbers = list(parse_runs(part))
    if not numbers or numbers[-1] > MAX_PAGES:
        raise ValueError(part)
    return numbers


def _budget(config: RayocrConfig, spent: Spent) -> list[str]:
    """Returns the value of budget.usd= for the next page: the rest after the previous pages. Pages that cost nothing are read
    with a budget of 0, too. Raises BudgetExhausted."""
    if config.budget.usd is None:
        return []
    left = config.budget.usd - spent.cost_usd
    if left <= 0 and spent.cost_usd:
        raise BudgetExhausted(f"The budget of ${config.budget.usd:g} is used up.", hint="Raise budget.usd= for the other pages.")
    return [f"budget.usd={max(left, 0):.9f}"]


def _show(
    terminal: ConsoleTerminal, number: int, before: PresentPage, found: NewReading, diff: Sequence[str], seconds: float
) -> None:
    if found.failed:
        why = f"{found.reason}: {found.message}".rstrip(": ")
        terminal.warn(f"Page {number} could not be read ({why}). Its text is unchanged.")
        return
    note = before.note if before.correction is None else None
    old = _words(before.engine or before.outcome, note.doubts if note else ())
    terminal.say(f"Page {number}: {old} → {_words(found.engine or found.outcome, found.doubts)}")
    terminal.say(f"  {seconds:.1f} s, {_cost_words(found.spent)}{'' if diff else '; both texts are the same'}")
    for line in diff[2:]:
        terminal.say(f"  {printable(line)}")


def _words(engine: str, doubts: Sequence[str]) -> str:
    return f"{engine} (in doubt: {', '.join(doubts)})" if doubts else engine


def _say_end(terminal: ConsoleTerminal, done: _Readings, saved: Saved, chosen: ChosenDocument, author: str) -> None:
    if saved.manifest is not None and done.accepted:
        pages = named_pages(format_runs(done.accepted))
        verb = "has its" if len(done.accepted) == 1 else "have their"
        terminal.say(f"{pages.capitalize()} of {chosen.name} {verb} new text now (accepted by {author}).")
        say_written(terminal, saved)
        page = str(*done.accepted) if len(done.accepted) == 1 else "PAGE"
        terminal.say(f"  To undo it: {chosen.command('correct', page, '--undo')}")
    elif done.facts and not done.accepted:
        terminal.say(f"The text of {chosen.name} is unchanged.")
    if len(done.facts) > 1:
        terminal.say(f"  Cost of {len(done.facts)} pages: {_cost_words(done.spent)}")


def _cost(spent: Spent) -> float | None:
    return None if spent.unpriced else round(spent.cost_usd, 9)


def _cost_words(spent: Spent) -> str:
    return money(spent.cost_usd, unknown=spent.unpriced)


def _page_facts(page: PresentPage | NewReading) -> dict[str, object]:
    if isinstance(page, NewReading):
        reason, message, doubts = page.reason, page.message, page.doubts
    else:
        note = page.note if page.correction is None else None
        reason, message, doubts = (note.reason, note.message, note.doubts) if note else ("", "", ())
    facts = {"text": page.text, "engine": page.engine, "outcome": str(page.outcome), "reason": reason, "message": message}
    return facts | {"doubts": list(doubts)}
