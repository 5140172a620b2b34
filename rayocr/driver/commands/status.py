"""mode=status: what is finished, what failed and why, what is under way and by whom; read from the state without starting Ray."""

from __future__ import annotations

from collections import Counter, defaultdict

from rayocr.actors.ledger.survey import read_segments, survey
from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.monitor.terminal import ConsoleTerminal, printable
from rayocr.driver.plan import existing_state
from rayocr.driver.scheduling.leases import run_key
from rayocr.errors import RayocrError, RecordCorrupt, StorageError
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, DOCUMENTS_PREFIX, document_id_of
from rayocr.locks.base import Holder
from rayocr.observe.dead_letters import read_dead_letter
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Storage

_SHOWN = 20  # of dead letters, of damaged records


def show_status(config: RayocrConfig, keys: Secrets) -> int:
    """0 when everything finished is complete, 1 when there are dead letters or damaged records."""
    terminal = ConsoleTerminal(config.progress)
    state = existing_state(config)
    letters = [entry.name for entry in state.list(DEAD_LETTERS_PREFIX) if document_id_of(entry.name)]
    damaged = _say_documents(terminal, state, len(letters))
    damaged += _say_ledger(terminal, state, RetryPolicy.from_config(config.retry))
    _say_holders(terminal, config, state, keys)
    _say_letters(terminal, state, letters)
    if damaged:
        words = ", ".join(printable(name) for name in damaged[:_SHOWN]) + (" …" if len(damaged) > _SHOWN else "")
        terminal.warn(f"{len(damaged):,} files under .rayocr are damaged or foreign; the rest counts without them: {words}")
    return 1 if letters or damaged else 0


def _say_documents(terminal: ConsoleTerminal, state: Storage, failed: int) -> list[str]:
    """The names of empty manifests and of what is none; one that is damaged inside is found by whoever opens it."""
    finished, strange = 0, []
    for entry in state.list(DOCUMENTS_PREFIX):
        if document_id_of(entry.name) and entry.size_bytes:
            finished += 1
        else:
            strange.append(entry.name)
    terminal.say(f"{finished:,} documents are finished, {failed:,} of them with failures.")
    return strange


def _say_ledger(terminal: ConsoleTerminal, state: Storage, policy: RetryPolicy) -> list[str]:
    """The names of damaged segments."""
    start = survey(state, policy=policy)
    sizes = {segment.name: segment.size_bytes for segment in start.live}
    pages: defaultdict[str, set[int]] = defaultdict(set)
    damaged = []
    for segment in read_segments(state, list(sizes), policy=policy):
        if segment.damage:
            damaged.append(segment.name)
        for record in segment.records:
            if record.document_id not in start.finished and record.outcome.final:
                pages[record.document_id].add(record.page_number)
    if pages:
        count = sum(len(numbers) for numbers in pages.values())
        terminal.say(
            f"{count:,} pages of {len(pages):,} unfinished documents are on record, in {len(sizes):,} segments"
            f" ({sum(sizes.values()) / 1e6:.1f} MB): they are not read again."
        )
    return damaged


def _say_holders(terminal: ConsoleTerminal, config: RayocrConfig, state: Storage, keys: Secrets) -> None:
    from rayocr.locks.factory import open_locks

    try:
        locks = open_locks(config.locks, state.uri, owner="status", redis_url=keys.redis_url)
        try:
            held = locks.holders()
        finally:
            locks.close()
    except RayocrError as error:
        terminal.warn(f"Who is at work cannot be told: {error}")
        return
    owners: defaultdict[str, list[Holder]] = defaultdict(list)
    for holder in held.values():
        owners[holder.owner].append(holder)
    for owner, holders in sorted(owners.items()):
        run_id = owner.partition("@")[0]
        documents = sum(holder.key != run_key(run_id) for holder in holders)
        oldest = max(holder.age_s for holder in holders)
        where = f"{printable(holders[0].host)}, process {holders[0].pid}"
        terminal.say(f"At work: run {printable(run_id)} on {where}, since {oldest:.0f} s, with {documents:,} documents.")


def _say_letters(terminal: ConsoleTerminal, state: Storage, letters: list[str]) -> None:
    reasons: Counter[str] = Counter()
    for position, name in enumerate(letters):
        try:
            letter = read_dead_letter(state, name)
        except (StorageError, RecordCorrupt) as error:
            terminal.warn(f"The dead letter {printable(name)} cannot be read: {error}")
            continue
        reasons[letter.reason] += 1
        words = f"  {letter.outcome}: {printable(letter.name)}: {letter.reason}: {letter.message}"
        if position < _SHOWN:
            terminal.warn(words)
    if len(letters) > _SHOWN:
        terminal.warn(f"  … and more; by reason: {', '.join(f'{count} {reason}' for reason, count in reasons.most_common())}")
