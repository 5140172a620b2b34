"""A document has one owner: an owner that was paused or disconnected overwrites nothing of its successor."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rayocr.actors.document_worker.commit import LeaseSettings, check_lease, commit, upload
from rayocr.config import LocksConfig
from rayocr.errors import LeaseLost, PreconditionFailed
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, Manifest, build_manifest, manifest_name
from rayocr.locks.file import FileLocks
from rayocr.messages import Document, DocumentContext, DocumentOutcome
from rayocr.observe.dead_letters import dead_letter_name
from rayocr.process import host_identity
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage

POLICY = RetryPolicy(max_attempts=2, base_s=0.0, cap_s=0.0)
DOCUMENT = Document(document_id="d" * 32, source_uri="u", name="d.pdf", output_name="d", version="1", size_bytes=1)


def manifest(token: int, *, run_id: str = "a", outcome: DocumentOutcome = DocumentOutcome.COMPLETE) -> Manifest:
    context = DocumentContext(document=DOCUMENT, page_count=0, title=None, fencing_token=token)
    return build_manifest(
        context, outcome=outcome, summaries=(), outputs=(), run_id=run_id, fingerprint="f", started_at="2026-01-01T00:00:00+00:00"
    )


def still_ours() -> None:
    pass


def lost() -> None:
    raise LeaseLost("lost")


def state_with(content: Manifest | None = None) -> MemoryStorage:
    state = MemoryStorage("state")
    state.clear()
    if content is not None:
        state.write(manifest_name(content.document_id), content.to_json())
    return state


def finish(
    state: MemoryStorage,
    content: Manifest,
    check: Callable[[], None] = still_ours,
    *,
    replace: bool = False,
    has_dead_letter: bool = False,
) -> None:
    commit(state, content, policy=POLICY, check=check, replace_manifest=replace, has_dead_letter=has_dead_letter)


def owner_of(state: MemoryStorage) -> str:
    name = manifest_name(DOCUMENT.document_id)
    return Manifest.from_json(state.read(name), name=name).run_id


def test_a_lost_lease_commits_nothing() -> None:
    state = state_with()
    with pytest.raises(LeaseLost):
        finish(state, manifest(1), lost)
    assert not list(state.list(""))


def test_the_manifest_of_a_later_owner_stays() -> None:
    state = state_with(manifest(2, run_id="later"))
    with pytest.raises(PreconditionFailed):
        finish(state, manifest(1, run_id="stale"))
    assert owner_of(state) == "later"


def test_the_manifest_of_a_stale_owner_gives_way_to_the_holder_of_the_lease() -> None:
    state = state_with(manifest(1, run_id="stale"))
    finish(state, manifest(2, run_id="owner"))
    assert owner_of(state) == "owner"


def test_a_manifest_that_was_written_by_a_try_whose_answer_was_lost_is_our_own() -> None:
    state = state_with(manifest(3))
    finish(state, manifest(3))
    assert owner_of(state) == "a"


def test_overwriting_replaces_a_manifest_whatever_its_token() -> None:
    state = state_with(manifest(9, run_id="earlier"))
    finish(state, manifest(1, run_id="again"), replace=True)
    assert owner_of(state) == "again"


def test_an_output_that_is_there_is_replaced_while_the_lease_is_held() -> None:
    dest = MemoryStorage()
    dest.write("d.md", b"of an earlier version")
    written = upload(dest, "d.md", io.BytesIO(b"new"), policy=POLICY, check=still_ours)
    assert dest.read("d.md") == b"new"
    assert written.size_bytes == 3


def test_a_stale_owner_overwrites_no_output() -> None:
    dest = MemoryStorage()
    dest.write("d.md", b"of the owner")
    with pytest.raises(LeaseLost):
        upload(dest, "d.md", io.BytesIO(b"stale"), policy=POLICY, check=lost)
    assert dest.read("d.md") == b"of the owner"


def test_an_owner_paused_after_its_last_check_of_the_lease_overwrites_no_output() -> None:
    dest = MemoryStorage()
    dest.write("d.md", b"of an earlier version")

    def held_and_then_paused() -> None:
        dest.write("d.md", b"of the new owner")

    with pytest.raises(PreconditionFailed):
        upload(dest, "d.md", io.BytesIO(b"stale"), policy=POLICY, check=held_and_then_paused)
    assert dest.read("d.md") == b"of the new owner"


def test_the_lease_of_the_driver_is_seen_from_a_worker_and_belongs_to_one_token(tmp_path: Path) -> None:
    settings = LeaseSettings(config=LocksConfig(), state_uri=str(tmp_path), owner="run@host:1")
    locks = FileLocks(tmp_path / ".rayocr" / "leases", owner="run@host:1")
    lease = locks.acquire(DOCUMENT.document_id)
    assert lease is not None
    check_lease(settings, DOCUMENT.document_id, lease.fencing_token)
    with pytest.raises(LeaseLost):
        check_lease(settings, DOCUMENT.document_id, lease.fencing_token - 1)
    locks.release(lease)
    with pytest.raises(LeaseLost):
        check_lease(settings, DOCUMENT.document_id, lease.fencing_token)
    locks.close()
    settings.locks().close()


def test_a_worker_on_another_machine_cannot_see_file_leases_and_does_not_take_them_for_lost(tmp_path: Path) -> None:
    settings = LeaseSettings(config=LocksConfig(), state_uri=str(tmp_path), owner="o", host="another")
    assert settings.host != host_identity()
    check_lease(settings, DOCUMENT.document_id, 1)  # raises nothing
    with pytest.raises(LeaseLost):
        check_lease(replace(settings, host=host_identity()), DOCUMENT.document_id, 1)


def test_the_address_of_redis_is_not_printed(tmp_path: Path) -> None:
    settings = LeaseSettings(config=LocksConfig(), state_uri="s", owner="o", redis_url="redis://:hush@localhost")
    assert "hush" not in f"{settings} {settings!r}"


@pytest.mark.parametrize(
    ("outcome", "there", "has_dead_letter", "replace", "left"),
    [
        (DocumentOutcome.COMPLETE, None, True, False, False),  # of a run that was killed before its manifest
        (DocumentOutcome.COMPLETE, None, False, True, False),
        (DocumentOutcome.COMPLETE, manifest(1, run_id="earlier"), False, True, False),
        (DocumentOutcome.COMPLETE, manifest(2), False, False, False),  # killed between the manifest and the letter
        (DocumentOutcome.PARTIAL, None, True, True, True),
    ],
)
def test_a_complete_document_keeps_no_dead_letter(
    outcome: DocumentOutcome, there: Manifest | None, has_dead_letter: bool, replace: bool, left: bool
) -> None:
    state = state_with(there)
    letter = dead_letter_name(DOCUMENT.document_id)
    state.write(letter, b"{}")
    finish(state, manifest(2, outcome=outcome), replace=replace, has_dead_letter=has_dead_letter)
    assert [entry.name for entry in state.list(DEAD_LETTERS_PREFIX)] == ([letter] if left else [])


def test_a_new_document_costs_no_check_for_a_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_with()
    monkeypatch.setattr(state, "delete", lambda name: pytest.fail(f"a request for {name}"))
    finish(state, manifest(1))
