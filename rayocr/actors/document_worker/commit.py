"""Finishes documents and prevents stale owners from doing so: writes outputs and the manifest under preconditions and the lease.
A run that was paused longer than its lease may continue at any line of this module. The module therefore never overwrites another
owner's work without checking the lease. An existing output is replaced only at the version that was seen before the lease was
confirmed. The manifest is created only if absent, and the owner replaces a stale owner's manifest (lower fencing token).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from rayocr.config import LocksConfig
from rayocr.errors import LeaseLost, ObjectNotFound, PreconditionFailed, RecordCorrupt
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.locks.base import Locks
from rayocr.messages import DocumentOutcome, OutputFile
from rayocr.observe.dead_letters import dead_letter_name, dismissed_name
from rayocr.process import host_identity
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage

_opened: dict[tuple[str, str], Locks] = {}  # lock clients of this process, by state URI and owner


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSettings:
    """Contains what a worker needs to check the lease that the driver holds. `redis_url` is a secret; `host` is the driver's
    machine."""

    config: LocksConfig
    state_uri: str
    owner: str
    redis_url: str | None = None
    host: str = field(default_factory=host_identity)

    def __repr__(self) -> str:
        return f"LeaseSettings(state_uri={self.state_uri!r}, owner={self.owner!r})"

    def locks(self) -> Locks:
        from rayocr.locks.factory import open_locks

        key = (self.state_uri, self.owner)
        if key not in _opened:
            _opened[key] = open_locks(self.config, self.state_uri, owner=self.owner, redis_url=self.redis_url)
        return _opened[key]


def check_lease(settings: LeaseSettings, document_id: str, fencing_token: int) -> None:
    """Checks the lease. Raises LeaseLost, or LocksUnavailable when it cannot be checked."""
    if settings.config.backend == "file" and settings.host != host_identity():
        return  # file leases are visible only on the driver's machine; the driver checks them before this call
    holder = settings.locks().holders([document_id]).get(document_id)
    if holder is None or (holder.owner, holder.fencing_token) != (settings.owner, fencing_token):
        raise LeaseLost("The lease was lost before the document could be finished.")


def upload(dest: Storage, name: str, file: BinaryIO, *, policy: RetryPolicy, check: Callable[[], None]) -> OutputFile:
    """Writes an output. `check` raises when this run no longer owns the document. Raises PreconditionFailed when another process
    wrote the output in the meantime."""
    file.seek(0)
    digest, size_bytes = hashlib.sha256(), 0
    while block := file.read(1 << 20):
        digest.update(block)
        size_bytes += len(block)

    def write(version: str | None) -> None:
        file.seek(0)
        dest.write(name, file, if_absent=version is None, if_version=version)

    try:
        call(lambda: write(None), policy=policy)
    except PreconditionFailed:  # the output exists: from an earlier try, an earlier version of the document, or another owner
        version = call(lambda: dest.stat(name), policy=policy).version
        check()
        call(lambda: write(version), policy=policy)
    return OutputFile(name=name, size_bytes=size_bytes, sha256=digest.hexdigest())


def commit(
    state: Storage,
    manifest: Manifest,
    *,
    policy: RetryPolicy,
    check: Callable[[], None],
    replace_manifest: bool,
    has_dead_letter: bool = False,
) -> None:
    """Writes the manifest, which makes the document finished. If the document is complete, deletes an earlier dead letter that
    exists (`has_dead_letter`) or may exist because there was an earlier manifest. Raises PreconditionFailed when another owner
    finished it."""
    created = _write_manifest(state, manifest, policy=policy, check=check, replace_manifest=replace_manifest)
    if manifest.outcome == DocumentOutcome.COMPLETE and (has_dead_letter or replace_manifest or not created):
        _delete_stale_letter(state, manifest.document_id, policy)


def _write_manifest(
    state: Storage, manifest: Manifest, *, policy: RetryPolicy, check: Callable[[], None], replace_manifest: bool
) -> bool:
    """Returns whether the manifest was absent and is written now."""
    name, data = manifest_name(manifest.document_id), manifest.to_json()
    check()
    try:
        call(lambda: state.write(name, data, if_absent=True), policy=policy)
    except PreconditionFailed:
        version = call(lambda: state.stat(name), policy=policy).version
        there = manifest_in(state, name, policy)
        if there is not None:
            if (there.run_id, there.fencing_token) == (manifest.run_id, manifest.fencing_token):
                return False  # this run wrote it; the response to an earlier try was lost
            if not replace_manifest and there.fencing_token > manifest.fencing_token:
                raise
        check()
        call(lambda: state.write(name, data, if_version=version), policy=policy)
        return False
    return True


def manifest_in(state: Storage, name: str, policy: RetryPolicy) -> Manifest | None:
    """Returns the manifest; None if the object is not a manifest, for example after a disk failure."""
    try:
        return Manifest.from_json(call(lambda: state.read(name), policy=policy), name=name)
    except RecordCorrupt:
        return None


def _delete_stale_letter(state: Storage, document_id: str, policy: RetryPolicy) -> None:
    for name in (dead_letter_name(document_id), dismissed_name(document_id)):
        with contextlib.suppress(ObjectNotFound):
            call(lambda stale=name: state.delete(stale), policy=policy)  # type: ignore[misc]
