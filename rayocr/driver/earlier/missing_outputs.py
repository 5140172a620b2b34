"""Adds requested outputs that finished documents lack, from the recorded pages. Considers the documents that the run would read
if they were not finished. Memory does not depend on their number.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.document_identity import document_at
from rayocr.actors.document_worker.commit import commit
from rayocr.actors.document_worker.later_outputs import LaterOutputSettings, add_outputs, holds_texts, lacking_outputs
from rayocr.actors.document_worker.recorded_pages import output_of
from rayocr.config import Mode, RayocrConfig
from rayocr.driver.plan import Plan
from rayocr.errors import InternalError, ObjectNotFound, RayocrError, RecordCorrupt, StorageError
from rayocr.ledger.manifest import Manifest, OutputNote, manifest_name
from rayocr.locks.base import Locks
from rayocr.observe.logs import log_event
from rayocr.outputs.report.pages import single_process
from rayocr.retry import RetryPolicy
from rayocr.storage.base import MAX_STATE_BYTES, Entry

log = logging.getLogger(__name__)

_ALL_CHECKED = 2000  # number of documents that are all checked; after that, one in _ONE_IN is checked, until one lacks an output
_ONE_IN = 1000
_AT_ONCE = 16  # number of manifests; each costs a request if storage is remote
_MOST_PROCESSES = 4


@dataclass(slots=True)
class Addition:
    """Counts the documents to which outputs were added."""

    added: Counter[str] = field(default_factory=Counter)  # documents by added output
    documents: int = 0  # documents that got at least one output
    left: Counter[str] = field(default_factory=Counter)  # documents by output that cannot be made from the record
    left_documents: int = 0
    failed: int = 0
    first_failure: str = ""


@dataclass(slots=True)
class MissingOutputs:
    config: RayocrConfig
    plan: Plan
    rules: DiscoveryRules
    damaged: dict[str, RecordCorrupt] = field(default_factory=dict, init=False)  # manifests that were found damaged, by name

    def exist(self) -> bool:
        """Returns whether outputs are missing. Checks only some of the documents if there are very many. Blocks. Never raises,
        since the run does not depend on it."""
        if self.config.mode is not Mode.run or self.config.overwrite:
            return False
        try:
            found = self._manifests(self._some(self._entries()))
            return any(lacking_outputs(manifest, self.plan.outputs) for manifest in found)
        except RayocrError as error:
            log_event(log, "outputs_not_checked", "Could not check for missing outputs.", error=str(error))
            return False

    def add(self, locks: Locks) -> Addition:
        """Adds outputs, and blocks until every document has the outputs that can be made. Raises StorageError only if the source
        cannot be listed."""
        addition, lock = Addition(), threading.Lock()
        lacking = (
            (manifest, missing)
            for manifest in self._manifests(self._entries())
            if (missing := lacking_outputs(manifest, self.plan.outputs))
        )
        count = max(1, min(_MOST_PROCESSES, os.cpu_count() or 1))
        writers = [_Writer(self.config, self.plan, locks) for _ in range(count)]

        def work(writer: _Writer) -> None:
            while True:
                with lock:
                    found = next(lacking, None)
                if found is None:
                    return
                manifest, missing = found
                names = [output.name for output in missing]
                made: tuple[str, ...] = ()
                failure = ""
                try:
                    made = writer.write(manifest, names) if holds_texts(manifest) else ()
                except RayocrError as error:
                    failure = str(error)
                    fields = {"document_id": manifest.document_id, "error": failure}
                    log_event(log, "outputs_not_added", "Outputs could not be added.", level=logging.WARNING, **fields)
                with lock:
                    addition.added.update(made)
                    addition.documents += bool(made)
                    addition.failed += bool(failure)
                    addition.first_failure = addition.first_failure or failure
                    rest = set(names) - set(made)
                    addition.left.update(rest)
                    addition.left_documents += bool(rest)

        try:
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(work, writers))
        finally:
            for writer in writers:
                writer.close()
        return addition

    def _entries(self) -> Iterator[Entry]:
        rules = self.rules
        if rules.only is not None:
            yield self.plan.source.stat(rules.only)
            return
        yield from (entry for entry in self.plan.source.list() if rules.admits_entry(entry))

    def _some(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        return (entry for number, entry in enumerate(entries) if number < _ALL_CHECKED or not number % _ONE_IN)

    def _manifests(self, entries: Iterable[Entry]) -> Iterator[Manifest]:
        """Yields the manifests of documents that are finished in their current version."""
        names = (manifest_name(document_at(self.plan.source, entry).document_id) for entry in entries)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            batch: list[str] = []
            for name in names:
                batch.append(name)
                if len(batch) == 8 * _AT_ONCE:
                    yield from filter(None, pool.map(self._manifest, batch))
                    batch = []
            yield from filter(None, pool.map(self._manifest, batch))

    def _manifest(self, name: str) -> Manifest | None:
        try:
            return Manifest.from_json(self.plan.state.read(name, max_bytes=MAX_STATE_BYTES), name=name)
        except RecordCorrupt as error:
            self.damaged[name] = error
            return None
        except (ObjectNotFound, StorageError):  # the document is unfinished, or its failure is reported elsewhere
            return None


class _Writer:
    """Writes the outputs of the documents in a child process, one document at a time. A source that crashes it is not opened
    again."""

    def __init__(self, config: RayocrConfig, plan: Plan, locks: Locks) -> None:
        self._state, self._locks = plan.state, locks
        self._policy = RetryPolicy.from_config(config.retry)
        self._pool: ProcessPoolExecutor | None = None
        self._settings = LaterOutputSettings(
            dest_uri=plan.dest.uri,
            state_uri=plan.state.uri,
            output=config.output,
            retry=config.retry,
            limits=config.limits,
            source_access=config.storage.source,
            dest_access=config.storage.dest,
            state_access=config.storage.state,
        )

    def write(self, manifest: Manifest, names: list[str]) -> tuple[str, ...]:
        """Writes the outputs and returns those that the document has now. Raises RayocrError."""
        lease = self._locks.acquire(manifest.document_id)
        if lease is None:
            raise RayocrError(f"Another run is reading {manifest.name}.")
        try:
            place = manifest_name(manifest.document_id)
            # Another run may have changed the manifest before this lease.
            manifest = Manifest.from_json(self._state.read(place, max_bytes=MAX_STATE_BYTES), name=place)
            made = self._made(manifest, names, fencing_token=lease.fencing_token)
            if self._locks.renew([lease]):
                raise RayocrError(f"Another run has begun to read {manifest.name}.")
            outputs = (*manifest.outputs, *made)
            changed = manifest.model_copy(update={"outputs": outputs, "fencing_token": lease.fencing_token})
            commit(self._state, changed, policy=self._policy, check=lambda: None, replace_manifest=True)
        finally:
            self._locks.release(lease)
        kinds = {output_of(note.name) for note in made}
        return tuple(kind.name for kind in kinds if kind is not None)

    def _made(self, manifest: Manifest, names: list[str], *, fencing_token: int) -> tuple[OutputNote, ...]:
        for with_source in (True, False):
            self._pool = self._pool or single_process()
            job = self._pool.submit(
                add_outputs, manifest, names, self._settings, fencing_token=fencing_token, with_source=with_source
            )
            try:
                return job.result()
            except BrokenProcessPool:
                self.close()
        raise InternalError(f"{manifest.name} crashed the process that wrote its outputs.")

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
