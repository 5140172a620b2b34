"""Counts the finished documents of a destination, those of earlier runs included."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from rayocr.actors.ledger.versions import replaced_versions
from rayocr.errors import ObjectNotFound, RecordCorrupt
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, DOCUMENTS_PREFIX, Manifest, document_id_of, manifest_name
from rayocr.messages import DocumentOutcome
from rayocr.observe.dead_letters import dead_letter_name, read_dead_letter
from rayocr.storage.base import MAX_STATE_BYTES, Storage

_READERS = 16  # dead letters that are read at once


def count_documents(state: Storage) -> tuple[dict[str, int], dict[str, int]]:
    """Finished documents by outcome, and those that failed by reason; of a replaced file, only the newest version. Lists the state
    and reads its dead letters. Blocks. Raises StorageError."""
    older = replaced_versions(state)
    letters = {document_id_of(entry.name) for entry in state.list(DEAD_LETTERS_PREFIX)} - {None}
    finished, failed = 0, list[str]()
    for entry in state.list(DOCUMENTS_PREFIX):
        document_id = document_id_of(entry.name)
        if document_id is not None and entry.size_bytes and document_id not in older:
            finished += 1
            if document_id in letters:  # else the dead letter of a run that was killed before it wrote the manifest
                failed.append(document_id)
    with ThreadPoolExecutor(_READERS) as pool:
        ends = list(pool.map(lambda document_id: _end_of(state, document_id), failed))
    outcomes = Counter(outcome for outcome, _ in ends)
    outcomes[DocumentOutcome.COMPLETE.value] += finished - len(ends)
    reasons = Counter(reason for outcome, reason in ends if outcome != DocumentOutcome.COMPLETE)
    return {outcome.value: outcomes[outcome.value] for outcome in DocumentOutcome}, dict(reasons.most_common())


def _end_of(state: Storage, document_id: str) -> tuple[str, str]:
    """Outcome and reason of a failed document: of its manifest if the dead letter is damaged."""
    try:
        letter = read_dead_letter(state, dead_letter_name(document_id))
        return letter.outcome, letter.reason
    except (ObjectNotFound, RecordCorrupt):
        pass
    name = manifest_name(document_id)
    try:
        manifest = Manifest.from_json(state.read(name, max_bytes=MAX_STATE_BYTES), name=name)
        return manifest.outcome.value, manifest.reason or RecordCorrupt.__name__
    except (ObjectNotFound, RecordCorrupt):
        return DocumentOutcome.REJECTED.value, RecordCorrupt.__name__
