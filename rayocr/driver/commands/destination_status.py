"""Reads the status of a destination from its state: finished documents, failures with their reasons, and runs that are in
progress or were interrupted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.document_identity import document_at
from rayocr.actors.document_worker.corrections import corrected_documents
from rayocr.actors.ledger.survey import read_segments, survey
from rayocr.actors.ledger.versions import replaced_versions
from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.monitor.run_record import RUNS_PREFIX, STARTED_PREFIX, last_options
from rayocr.driver.plan import existing_state
from rayocr.driver.retry_selection import command_on, retry_commands, with_command, with_document
from rayocr.driver.scheduling.leases import run_key
from rayocr.errors import ObjectNotFound, RayocrError, RecordCorrupt, StorageError
from rayocr.failure_reasons import next_run_retries, special_step
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, DOCUMENTS_PREFIX, document_id_of
from rayocr.ledger.runs import format_runs
from rayocr.locks.base import Holder
from rayocr.messages import DocumentOutcome
from rayocr.observe.dead_letters import dismissed_ids, dismissed_name, read_dead_letter
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Storage
from rayocr.storage.factory import open_storage
from rayocr.untrusted_json import parse_object

MOST_NAMED = 20  # number of failures and of documents that were not started that are named
_MOST_READ = 50_000  # number of manifests; reading them takes a few seconds in a folder, a minute or more in a bucket
_MOST_CORRECTED = 2000  # number of documents whose corrections are read
_MOST_RUNS = 500  # number of records of runs that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    document_id: str
    name: str
    outcome: str
    reason: str
    message: str
    pages: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRun:
    """A run in progress. `since_s`: seconds since it acquired its oldest lease."""

    run_id: str
    host: str
    pid: int
    documents: int
    since_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedRun:
    """A run that did not finish. `mode`: run or retry. `source`: as the user writes it, with the patterns of include= and
    exclude=. `started_at`: ISO 8601, UTC."""

    run_id: str
    mode: str
    source: str
    started_at: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    options: tuple[str, ...] = ()  # all options of the run, as key=value


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierCorrections:
    """Corrections of an earlier version of a file. `pages`: as page ranges."""

    document_id: str
    name: str
    pages: str


@dataclass(slots=True, kw_only=True)
class Status:
    """The state of a destination. `finished` and `failed` count documents in their newest version. `unopened` counts those that
    failed and are not finished for a reason outside the file, such as a missing permission; every run tries them again.
    `failures` are the first failures. `replaced` counts earlier versions of files that were replaced and read again; it is None
    if there are too many records to find them, and `finished` then includes them. `corrections` are those of earlier versions
    that are neither applied nor discarded. `damaged` names empty, damaged and unknown objects."""

    finished: int = 0
    complete: int = 0  # finished without failures
    cost_usd: float | None = None  # cost of the runs on record; None if unknown
    replaced: int | None = 0
    failed: int = 0
    unopened: int = 0
    # The first PDFs in the source of the interrupted run that it did not start.
    not_started: list[str] = field(default_factory=list)
    dismissed: int = 0  # documents whose failure a person has dismissed
    dismissed_documents: list[str] = field(default_factory=list)  # their names
    pages_on_record: int = 0
    unfinished_documents: int = 0
    segments: int = 0
    segment_bytes: int = 0
    failures: list[Failure] = field(default_factory=list)
    failures_by_reason: dict[str, int] = field(default_factory=dict)
    active_runs: list[ActiveRun] = field(default_factory=list)
    interrupted_runs: list[InterruptedRun] = field(default_factory=list)  # interrupted after the last run that ended by itself
    failures_by_outcome: dict[str, int] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)  # next steps by reason
    retry: list[str] = field(default_factory=list)  # commands that retry the failures
    corrections: list[EarlierCorrections] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_status(config: RayocrConfig, keys: Secrets) -> Status:
    """Reads the status of a destination. Raises UsageError and StorageError."""
    state = existing_state(config)
    status = Status()
    policy = RetryPolicy.from_config(config.retry)
    _count_documents(status, state)
    older = _older_versions(status, state, policy)
    dead_letters = [
        entry.name for entry in state.list(DEAD_LETTERS_PREFIX) if (found := document_id_of(entry.name)) and found not in older
    ]
    status.failed = len(dead_letters)
    status.cost_usd = _cost(state)
    there = {document_id_of(name) for name in dead_letters}
    dismissed = sorted(dismissed_ids(state, there) - older)
    status.dismissed = len(dismissed)
    status.dismissed_documents = list(_dismissed_names(state, dismissed[:_MOST_READ]))
    begun = _count_pages(status, state, policy)
    _find_runs(status, config, state, keys)
    _find_interrupted(status, state)
    status.not_started = list(islice(_not_started(status, config, state, begun), MOST_NAMED + 1))
    rejected = _read_dead_letters(status, state, dead_letters)
    status.complete = max(0, status.finished - (status.failed - status.unopened) - status.dismissed)
    command = command_on("retry", config)
    options = last_options(state)
    for failure in status.failures:
        if status.failures_by_reason[failure.reason] == 1 and failure.reason in status.hints:
            status.hints[failure.reason] = with_document(status.hints[failure.reason], failure.name, failure.pages)
    status.hints = {reason: with_command(hint, command, options) for reason, hint in status.hints.items()}
    partial = "partial" in status.failures_by_outcome
    status.retry = retry_commands(config, partial=partial, rejected=rejected, options=options)
    return status


def _cost(state: Storage) -> float | None:
    """Returns the total cost of the runs on record; None without records, with too many of them, and if one has no cost."""
    names = [entry.name for entry in islice(state.list(RUNS_PREFIX), _MOST_RUNS + 1)]
    costs = []
    for name in names[:_MOST_RUNS]:
        with suppress(ObjectNotFound, RecordCorrupt):
            costs.append(parse_object(state.read(name), name=name).get("cost_usd"))
    known = [float(cost) for cost in costs if isinstance(cost, int | float)]
    return round(sum(known), 6) if known and len(known) == len(names) else None


def _dismissed_names(state: Storage, dismissed: list[str]) -> Iterator[str]:
    for document_id in dismissed:
        with suppress(ObjectNotFound, RecordCorrupt):
            yield read_dead_letter(state, dismissed_name(document_id)).name


def _find_interrupted(status: Status, state: Storage) -> None:
    active = {run.run_id for run in status.active_runs}
    for entry in state.list(STARTED_PREFIX):
        try:
            facts = parse_object(state.read(entry.name), name=entry.name)
            found: dict[str, Any] = {name: str(facts[name]) for name in ("run_id", "mode", "source", "started_at")}
            found |= {
                name: tuple(map(str, named))
                for name in ("include", "exclude", "options")
                if isinstance(named := facts.get(name), list)
            }
            run = InterruptedRun(**found)
        except (ObjectNotFound, RecordCorrupt, KeyError):
            continue
        if run.run_id not in active:
            status.interrupted_runs.append(run)


def _not_started(status: Status, config: RayocrConfig, state: Storage, begun: set[str]) -> Iterator[str]:
    """Returns the names of PDFs in the local source of the last interrupted run that have neither a manifest nor pages on
    record."""
    if not status.interrupted_runs or "://" in (place := status.interrupted_runs[-1].source) or place.lower().endswith(".pdf"):
        return
    run = status.interrupted_runs[-1]
    rules = DiscoveryRules(include=run.include, exclude=run.exclude)
    known = {document_id_of(entry.name) for entry in state.list(DOCUMENTS_PREFIX)} | begun
    with suppress(RayocrError):
        source = open_storage(place, config.storage.source)
        for entry in islice(source.list(), _MOST_READ):
            if rules.admits(entry.name) and document_at(source, entry).document_id not in known:
                yield entry.name


def _count_documents(status: Status, state: Storage) -> None:
    """Counts the documents by their manifests. `_older_versions` finds manifests with damaged content."""
    for entry in state.list(DOCUMENTS_PREFIX):
        if document_id_of(entry.name) and entry.size_bytes:
            status.finished += 1
        else:
            status.damaged.append(entry.name)


def _older_versions(status: Status, state: Storage, policy: RetryPolicy) -> frozenset[str]:
    if status.finished > _MOST_READ:
        status.replaced = None
        return frozenset()
    empty = len(status.damaged)
    older = replaced_versions(state, on_damage=status.damaged.append)
    status.replaced = len(older)
    status.finished -= len(older) + len(status.damaged) - empty
    for found in corrected_documents(state, policy=policy, at_most=_MOST_CORRECTED) if older else ():
        if found.document_id in older and found.unsettled:
            pages = format_runs(found.unsettled)
            status.corrections.append(EarlierCorrections(document_id=found.document_id, name=found.name, pages=pages))
    return older


def _count_pages(status: Status, state: Storage, policy: RetryPolicy) -> set[str]:
    """Returns the ids of the unfinished documents that have pages on record."""
    start = survey(state, policy=policy)
    sizes = {segment.name: segment.size_bytes for segment in start.live}
    pages: defaultdict[str, set[int]] = defaultdict(set)
    for segment in read_segments(state, list(sizes), policy=policy):
        if segment.damage:
            status.damaged.append(segment.name)
        for record in segment.records:
            if record.document_id not in start.finished and record.outcome.final:
                pages[record.document_id].add(record.page_number)
    status.pages_on_record = sum(len(numbers) for numbers in pages.values())
    status.unfinished_documents = len(pages)
    status.segments, status.segment_bytes = len(sizes), sum(sizes.values())
    return set(pages)


def _find_runs(status: Status, config: RayocrConfig, state: Storage, keys: Secrets) -> None:
    from rayocr.locks.factory import open_locks

    try:
        locks = open_locks(config.locks, state.uri, owner="status", redis_url=keys.redis_url)
        try:
            held = locks.holders()
        finally:
            locks.close()
    except RayocrError as error:
        status.warnings.append(f"Cannot find out which runs are active: {error}")
        return
    owners: defaultdict[str, list[Holder]] = defaultdict(list)
    for holder in held.values():
        owners[holder.owner].append(holder)
    for owner, holders in sorted(owners.items()):
        run_id = owner.partition("@")[0]
        status.active_runs.append(
            ActiveRun(
                run_id=run_id,
                host=holders[0].host,
                pid=holders[0].pid,
                documents=sum(holder.key != run_key(run_id) for holder in holders),
                since_s=round(max(holder.age_s for holder in holders), 1),
            )
        )


def _read_dead_letters(status: Status, state: Storage, dead_letters: list[str]) -> set[str]:
    """Returns the reasons for which documents were rejected."""
    rejected: set[str] = set()
    reasons: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    for name in dead_letters:
        try:
            dead_letter = read_dead_letter(state, name)
        except (StorageError, RecordCorrupt) as error:
            status.warnings.append(f"Cannot read the record of a failure, {name}: {error}")
            continue
        reasons[dead_letter.reason] += 1
        outcomes[dead_letter.outcome] += 1
        status.unopened += next_run_retries(dead_letter.reason)
        if dead_letter.outcome == DocumentOutcome.REJECTED:
            rejected.add(dead_letter.reason)
        if hint := dead_letter.retry if dead_letter.has_hint else special_step(dead_letter.reason):
            status.hints.setdefault(dead_letter.reason, hint)
        if len(status.failures) < MOST_NAMED:
            status.failures.append(
                Failure(
                    document_id=dead_letter.document_id,
                    name=dead_letter.name,
                    outcome=dead_letter.outcome,
                    reason=dead_letter.reason,
                    message=dead_letter.message,
                    pages=dead_letter.pages,
                )
            )
    status.finished = max(0, status.finished - status.unopened)
    status.failures.sort(key=lambda failure: failure.name)
    status.failures_by_reason = dict(reasons.most_common())
    status.failures_by_outcome = dict(outcomes.most_common())
    return rejected
