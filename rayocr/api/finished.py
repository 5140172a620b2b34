"""Counts the finished documents of a destination, including those of earlier runs."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rayocr.actors.ledger.versions import replaced_versions
from rayocr.errors import ObjectNotFound, RecordCorrupt
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, DOCUMENTS_PREFIX, Manifest, document_id_of, manifest_name
from rayocr.messages import DocumentOutcome
from rayocr.observe.dead_letters import dismissed_ids, failure_of
from rayocr.storage.base import MAX_STATE_BYTES, Storage

_READERS = 16  # number of dead letters that are read at the same time
_MOST_READ = {"file": 50_000}  # number of manifests whose versions are compared, which takes a few seconds in a folder
_MOST_READ_ELSEWHERE = 5_000  # number of such manifests in remote storage, where each costs a request


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Counts of finished documents: `documents` by outcome, `failures` by reason; neither includes `dismissed` documents.
    `with_versions`: every version of a replaced file counts instead of only the newest, because there are too many manifests to
    compare."""

    documents: dict[str, int]
    failures: dict[str, int]
    dismissed: int = 0
    with_versions: bool = False


def count_documents(state: Storage) -> Finished:
    """Lists the state, and reads the beginnings of its manifests and its dead letters. A damaged manifest counts only if the
    document has a dead letter. Blocks. Raises StorageError."""
    ids = [found for entry in state.list(DOCUMENTS_PREFIX) if entry.size_bytes and (found := document_id_of(entry.name))]
    with_versions = len(ids) > _MOST_READ.get(state.uri.partition(":")[0], _MOST_READ_ELSEWHERE)
    damaged: list[str] = []
    older = frozenset[str]() if with_versions else replaced_versions(state, on_damage=damaged.append)
    letters = {document_id_of(entry.name) for entry in state.list(DEAD_LETTERS_PREFIX)}
    lost = {document_id_of(name) for name in damaged} - letters
    ids = [found for found in ids if found not in lost]
    dismissed = len(dismissed_ids(state, letters).intersection(ids) - older)
    # A dead letter without a manifest comes from a run that was killed before it wrote the manifest.
    failed = [found for found in ids if found in letters and found not in older]
    with ThreadPoolExecutor(_READERS) as pool:
        ends = list(pool.map(lambda document_id: _end_of(state, document_id), failed))
    outcomes = Counter(outcome for outcome, _ in ends)
    outcomes[DocumentOutcome.COMPLETE.value] += len(ids) - len(older) - len(ends) - dismissed
    reasons = Counter(reason for outcome, reason in ends if outcome != DocumentOutcome.COMPLETE)
    documents = {outcome.value: outcomes[outcome.value] for outcome in DocumentOutcome}
    return Finished(documents=documents, failures=dict(reasons.most_common()), dismissed=dismissed, with_versions=with_versions)


def _end_of(state: Storage, document_id: str) -> tuple[str, str]:
    """Returns outcome and reason of a failed document, from its manifest if the dead letter is damaged."""
    if letter := failure_of(state, document_id):
        return letter.outcome, letter.reason
    name = manifest_name(document_id)
    try:
        manifest = Manifest.from_json(state.read(name, max_bytes=MAX_STATE_BYTES), name=name)
        return manifest.outcome.value, manifest.reason or RecordCorrupt.__name__
    except (ObjectNotFound, RecordCorrupt):
        return DocumentOutcome.REJECTED.value, RecordCorrupt.__name__
