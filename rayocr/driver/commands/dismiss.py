"""Implements mode=dismiss: removes failed documents from the list of failures, without reading them. Their dead letters move to
another folder, so that neither `rayocr status` nor the exit code of later runs reports them. A changed document counts as a new
one."""

from __future__ import annotations

from dataclasses import replace

from rayocr.composition import source_accesses
from rayocr.config import RayocrConfig
from rayocr.driver.monitor.terminal import ConsoleTerminal, printable
from rayocr.driver.plan import existing_state
from rayocr.driver.retry_selection import command_on, documents_to_retry, is_narrowed
from rayocr.errors import ObjectNotFound, RecordCorrupt, UnsafeName, UsageError
from rayocr.observe.dead_letters import DeadLetter, dead_letter_name, dismiss_dead_letter, read_dead_letter
from rayocr.storage.base import Storage
from rayocr.storage.factory import open_storage
from rayocr.storage.uri import parse_uri

_SHOWN = 20  # number of documents that the terminal names


def dismiss_failures(config: RayocrConfig) -> int:
    """Dismisses the failures that the options select; without options, those of files that are no longer at the source. Returns
    exit code 0. Raises UsageError and StorageError."""
    terminal = ConsoleTerminal(config.progress)
    state = existing_state(config)
    chosen = _letters(state, replace(config, retry=replace(config.retry, rejected=True)))
    if not is_narrowed(config):
        sources: dict[str, Storage] = {}
        chosen = [letter for letter in chosen if not _is_there(letter, config, sources)]
    for letter in chosen:
        dismiss_dead_letter(state, letter)
    if terminal.json:
        terminal.data({"dismissed": [letter.name for letter in chosen]})
        return 0
    for letter in chosen[:_SHOWN]:
        terminal.say(f"  {printable(letter.name)}: {letter.reason}")
    if len(chosen) > _SHOWN:
        terminal.say(f"  … and {len(chosen) - _SHOWN:,} more")
    terminal.say(_closing_words(config, len(chosen)))
    return 0


def _closing_words(config: RayocrConfig, count: int) -> str:
    if count:
        return f"{'1 failure is' if count == 1 else f'{count:,} failures are'} dismissed. The outputs are unchanged."
    if is_narrowed(config):
        return f"Nothing to dismiss: no failed document matches. `{command_on('status', config)}` lists failed documents."
    others = f"{command_on('dismiss', config)} document=NAME"
    return f"Nothing to dismiss: all failed documents are still at the source. To dismiss one nevertheless: {others}"


def _letters(state: Storage, config: RayocrConfig) -> list[DeadLetter]:
    """Returns the dead letters in the order of their documents' names."""
    found = []
    for document_id in documents_to_retry(state, config):
        try:
            found.append(read_dead_letter(state, dead_letter_name(document_id)))
        except (ObjectNotFound, RecordCorrupt):
            continue
    return sorted(found, key=lambda letter: letter.name)


def _is_there(letter: DeadLetter, config: RayocrConfig, sources: dict[str, Storage]) -> bool:
    """Returns whether the source still has the document. Raises UsageError if the whole source is missing, since an unmounted
    disk must not make all its files look deleted."""
    root = letter.source_uri.removesuffix(f"/{letter.name}")
    if root not in sources:
        access = source_accesses(config).get(root.partition("://")[0], config.storage.source)
        try:
            sources[root] = open_storage(root, access)
            sources[root].check_readable()
        except ObjectNotFound as error:
            raise UsageError(
                f"The source {parse_uri(root).display} does not exist.",
                hint=f"To dismiss its failures: {command_on('dismiss', config)} document='*'",
            ) from error
    try:
        sources[root].stat(letter.name)
    except (ObjectNotFound, UnsafeName):
        return False
    return True
