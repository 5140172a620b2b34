"""Selects the documents that a run reads, and in mode=retry the dead letters to retry. A run processes their documents like any
other. Recorded pages are not read or paid for again."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from rayocr import errors
from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.config import Mode, RayocrConfig, RetryConfig
from rayocr.errors import ObjectNotFound, RecordCorrupt, UsageError
from rayocr.failure_reasons import next_run_retries, retry_helps
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, Manifest, document_id_of, manifest_name
from rayocr.messages import DocumentOutcome
from rayocr.observe.dead_letters import DeadLetter, dead_letter_name, read_dead_letter
from rayocr.outputs.registry import pdf_suffixes
from rayocr.overrides import for_shell
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage
from rayocr.storage.name_patterns import matches
from rayocr.storage.uri import parse_uri

if TYPE_CHECKING:
    from rayocr.driver.plan import Plan, Scope

_READ_FOR_SOURCE = 200  # number of dead letters that are read to determine their source
_MOST_TRIED_AGAIN = 1000  # number of dead letters that are read at the start of a run
_CHOOSES_DOCUMENTS = re.compile(
    r"(?:include|exclude|document|limit|min_bytes|max_bytes|order|overwrite|progress|retry\.(?:reason|engine|since|rejected))="
)
_RETRY = re.compile(r"rayocr retry OUT(?: [\w.]+=[^\s,]+)*")  # as explanations of failures contain it
_AT_ONCE = 16  # number of dead letters; each costs a request if storage is remote


def discovery_rules(config: RayocrConfig, plan: Plan) -> DiscoveryRules:
    """Reads dead letters. Raises UsageError and StorageError."""
    return replace(
        chosen_documents(config, plan),
        retried=documents_to_retry(plan.state, config) if config.mode is Mode.retry else None,
        again=documents_to_try_again(plan.state, config) if config.mode in (Mode.run, Mode.watch) else frozenset(),
        holds_results=f"*{pdf_suffixes()[0]}" in plan.exclude,
        narrowed=is_narrowed(config),
        watch=config.mode is Mode.watch,
        settle_s=config.watch.settle_s,
    )


def chosen_documents(config: RayocrConfig, found: Scope | Plan) -> DiscoveryRules:
    """Returns the rules for the documents that the options choose, for a run or an estimate."""
    return DiscoveryRules(
        only=found.only,
        include=found.include,
        exclude=found.exclude,
        reported=reported_patterns(config, found.only),
        min_bytes=config.min_bytes,
        max_bytes=config.max_bytes,
        order=config.order,
        limit=config.limit,
        overwrite=config.overwrite,
    )


def reported_patterns(config: RayocrConfig, only: str | None) -> tuple[str, ...]:
    """Returns the user's patterns, so that those without a match can be reported. A source that is a single file does not need
    include=."""
    return tuple(dict.fromkeys([*(config.include if only is None else ()), *config.exclude]))


def documents_to_retry(state: Storage, config: RayocrConfig) -> frozenset[str]:
    """Returns the ids of the documents whose dead letters match the filters. Raises UsageError and StorageError."""
    since = _since(config.retry.since)
    policy = RetryPolicy.from_config(config.retry)

    def chosen(name: str) -> str | None:
        try:
            dead_letter = call(lambda: read_dead_letter(state, name), policy=policy)
            wanted = _passes(dead_letter, config, since)
        except (ObjectNotFound, RecordCorrupt, ValueError):  # the dead letter was retried in the meantime, or is damaged
            return None
        document_id = dead_letter.document_id
        if wanted and config.retry.engine is not None:
            wanted = config.retry.engine in _failed_engines(state, document_id, policy)
        return document_id if wanted else None

    names = (entry.name for entry in state.list(DEAD_LETTERS_PREFIX) if document_id_of(entry.name))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = frozenset(document_id for document_id in pool.map(chosen, names) if document_id)
    reason = config.retry.reason or ""
    if not found and reason not in ("", "unknown", *errors.__all__):
        raise UsageError(f"No failure has the reason {reason}.", hint=_near_reason(reason, config))
    return found


def check_reason(config: RayocrConfig) -> None:
    """Raises UsageError if retry.reason= names a reason that neither rayocr nor a dead letter has; and StorageError."""
    from rayocr.driver.plan import existing_state

    if config.mode is Mode.retry and (config.retry.reason or "unknown") not in ("unknown", *errors.__all__):
        documents_to_retry(existing_state(config), config)


def _near_reason(reason: str, config: RayocrConfig) -> str:
    near = difflib.get_close_matches(reason, errors.__all__, n=1)
    return f"Did you mean retry.reason={near[0]}?" if near else f"`{command_on('status', config)}` lists the reasons."


def documents_to_try_again(state: Storage, config: RayocrConfig) -> frozenset[str]:
    """Returns the ids of the documents that could not be read for a reason outside the file, such as a missing permission: every
    run tries them again. Reads a limited number of dead letters. Raises StorageError."""
    policy = RetryPolicy.from_config(config.retry)

    def chosen(name: str) -> str | None:
        try:
            dead_letter = call(lambda: read_dead_letter(state, name), policy=policy)
        except (ObjectNotFound, RecordCorrupt):
            return None
        return dead_letter.document_id if next_run_retries(dead_letter.reason) else None

    names = (entry.name for entry in state.list(DEAD_LETTERS_PREFIX) if document_id_of(entry.name))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return frozenset(document_id for document_id in pool.map(chosen, islice(names, _MOST_TRIED_AGAIN)) if document_id)


def recorded_source(state: Storage) -> str | None:
    """Returns the source of the dead letters, for a retry that names no source; None without dead letters. Raises UsageError if
    they have several sources, and StorageError."""
    found: set[str] = set()
    for entry in islice(state.list(DEAD_LETTERS_PREFIX), _READ_FOR_SOURCE):
        try:
            dead_letter = read_dead_letter(state, entry.name)
        except (ObjectNotFound, RecordCorrupt):
            continue
        found.add(dead_letter.source_uri.removesuffix(f"/{dead_letter.name}"))
    if len(found) > 1:
        raise UsageError(
            f"The failed documents come from several sources: {', '.join(sorted(found))}.", hint="Set source= to one of them."
        )
    return next(iter(found), None)


def check_recorded_source(config: RayocrConfig) -> None:
    """Raises UsageError if the source of the failed documents no longer exists. A moved document counts as a new one, so a retry
    cannot find it at its new place."""
    from rayocr.driver.places.source import existing_source

    if config.source is None:
        return
    try:
        existing_source(parse_uri(config.source), config.storage.source)
    except UsageError as error:
        dismiss = f"{command_on('dismiss', config)} document='*'"
        error.set_hint(
            "Put the folder back, for example as a link to its new place. Or read the failed documents as new ones"
            f" ({command_on('run NEW_IN', config).replace('rayocr run', 'rayocr')} include=[NAME]), and stop reporting the old"
            f" failures: {dismiss}"
        )
        raise


def retry_commands(config: RayocrConfig, *, partial: bool, rejected: Iterable[str], options: Sequence[str] = ()) -> list[str]:
    """Returns the command lines that retry the failures in the destination: failed pages of partial documents, and documents that
    were `rejected` for these reasons, as far as a retry can help. `options`: those of the run."""
    command, kept = command_on("retry", config), options_to_retry(options)
    reasons = set(rejected)
    helped = sorted(reason for reason in reasons if retry_helps(reason))
    again = f"{command} retry.rejected=true"
    only = [again] if helped and len(helped) == len(reasons) else [f"{again} retry.reason={reason}" for reason in helped]
    return [" ".join([command, *with_ocr(kept)])] * partial + [" ".join([line, *kept]) for line in only]


def with_ocr(options: Sequence[str]) -> list[str]:
    """Returns the options with an OCR engine, since pages that failed with the text layer alone (NoTextLayer) fail again without
    one."""
    return ["engine=local" if option == "engine=textlayer" else option for option in options]


def options_to_retry(options: Sequence[str], step: str = "") -> list[str]:
    """Returns the options of a run that a retry of its failures needs, quoted for a shell. They do not include options that chose
    documents, nor the engine if the command in `step` names another one."""
    other = re.search(r"\bengine(?:\.chain)?=", step) is not None
    kept = [option for option in options if not _CHOOSES_DOCUMENTS.match(option)]
    return [for_shell(option) for option in kept if not (other and re.match(r"engine[.=]", option))]


def with_command(step: str, command: str, options: Sequence[str]) -> str:
    """Returns the next step of a failure, with the complete command in place of `rayocr retry OUT`, and with the destination in
    other commands. `command`: `rayocr retry` with the destination."""
    step = _RETRY.sub(lambda found: " ".join([found[0], *options_to_retry(options, found[0])]), step)
    return re.sub(r"rayocr ([a-z]+) OUT\b", lambda found: command.replace("rayocr retry", f"rayocr {found[1]}", 1), step)


def command_on(command: str, config: RayocrConfig) -> str:
    """Returns the command line of a sub-command for this destination, as the user types it."""
    state = [for_shell(f"state={config.state}")] if config.state is not None else []
    return " ".join([f"rayocr {command}", for_shell(config.dest), *state])


def with_document(step: str, name: str, pages: str) -> str:
    """Returns the next step of a failure with the name of the document, and its page if only one failed."""
    step = re.sub(r"\bOUT NAME\b", lambda _: f"OUT {document_argument(name)}", step)
    step = re.sub(r"\bdocument=NAME\b", lambda _: for_shell(f"document={name}"), step)
    return re.sub(r"\bPAGE\b", pages, step) if pages.isdecimal() else step


def document_argument(name: str) -> str:
    """Returns the name of a document as a word of a command line. A name that looks like a flag or an option begins with ./"""
    return for_shell(f"./{name}" if name.startswith("-") or "=" in name.partition("/")[0] else name)


def source_words(plan: Plan) -> str:
    """Returns the source as the user writes it."""
    source = parse_uri(plan.source.uri).display
    return f"{source.rstrip('/')}/{plan.only}" if plan.only else source


def resume_command(config: RayocrConfig, *, source: str, options: Iterable[str], mode: str = "") -> str:
    """Returns the complete command line that resumes a run. `options`: quoted for a shell. `mode`: that of the configuration, if
    not given."""
    mode = mode or config.mode.value
    words = [mode] * (mode != Mode.run) + [for_shell(source)]
    return " ".join([command_on(" ".join(words), config), *options])


def count_rejected(state: Storage, config: RayocrConfig) -> tuple[int, int]:
    """Counts the dead letters of rejected documents that match the other filters, and those of them that a retry can help. Raises
    UsageError and StorageError."""
    asked = replace(config, retry=replace(config.retry, rejected=True))
    rejected = documents_to_retry(state, asked) - documents_to_retry(state, config)
    return len(rejected), sum(_retry_helps(state, document_id) for document_id in rejected)


def _retry_helps(state: Storage, document_id: str) -> bool:
    try:
        return retry_helps(read_dead_letter(state, dead_letter_name(document_id)).reason)
    except (ObjectNotFound, RecordCorrupt):
        return False


def is_narrowed(config: RayocrConfig) -> bool:
    """Returns whether the run is limited to certain dead letters."""
    settings = config.retry
    return any(wanted is not None for wanted in (config.document, settings.reason, settings.engine, settings.since))


def _passes(dead_letter: DeadLetter, config: RayocrConfig, since: datetime | None) -> bool:
    settings: RetryConfig = config.retry
    if dead_letter.outcome == DocumentOutcome.REJECTED and not settings.rejected:
        return False
    if settings.reason is not None and dead_letter.reason != settings.reason:
        return False
    if since is not None and datetime.fromisoformat(dead_letter.at) < since:
        return False
    return (
        config.document is None
        or config.document in (dead_letter.document_id, dead_letter.name)
        or matches(dead_letter.name, config.document)
    )


def _failed_engines(state: Storage, document_id: str, policy: RetryPolicy) -> set[str]:
    """Returns the engines that failed on a page of the document."""
    name = manifest_name(document_id)
    try:
        manifest = Manifest.from_json(call(lambda: state.read(name), policy=policy), name=name)
    except (ObjectNotFound, RecordCorrupt):
        return set()
    return set(_engines(manifest))


def _engines(manifest: Manifest) -> Iterator[str]:
    for note in manifest.notes:
        for attempt in note.attempts:
            yield attempt.engine


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"retry.since={text} is not a date.", hint="Write 2026-11-20 or 2026-11-20T18:30") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
