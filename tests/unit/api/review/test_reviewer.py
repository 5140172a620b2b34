"""What a person does with finished pages, over a real destination in a folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rayocr.actors.document_worker.corrections import corrections_of, new_correction, save_correction
from rayocr.api.review import reviewer as reviewer_module
from rayocr.api.review import rewrite
from rayocr.api.review.account import PageAccount
from rayocr.api.review.finding import find_document
from rayocr.api.review.reread import NewReading
from rayocr.api.review.reviewer import Reviewer, open_reviewer
from rayocr.composition import compose
from rayocr.config import LocksConfig, Secrets
from rayocr.driver.monitor.spend_account import SpendAccount
from rayocr.errors import LockError, ObjectNotFound, UsageError, VersionChanged
from rayocr.ledger.manifest import Manifest, Spent, manifest_name
from rayocr.limits.quota_day import quota_day
from rayocr.locks.factory import open_locks
from rayocr.observe.dead_letters import dead_letter_name
from rayocr.storage.factory import open_storage
from tests.unit.view.written_documents import write_document


@pytest.fixture
def reviewer(tmp_path: Path) -> Iterator[Reviewer]:
    write_document(tmp_path, "form.pdf", ["Signal Street", "lost", "Last page"], failed=2)
    config = compose([f"dest={tmp_path / 'out'}"], environment={})
    storage = open_storage(str(tmp_path / "out"))
    with open_reviewer(config, Secrets(), dest=storage, state=storage) as opened:
        yield opened


@pytest.fixture
def form(reviewer: Reviewer) -> Manifest:
    return find_document(reviewer.state, "form.pdf")


def manifest_of(reviewer: Reviewer, document_id: str) -> Manifest:
    name = manifest_name(document_id)
    return Manifest.from_json(reviewer.state.read(name), name=name)


def test_undoing_the_correction_of_a_failed_page_restores_its_failure_and_its_dead_letter(
    tmp_path: Path, reviewer: Reviewer, form: Manifest
) -> None:
    letter = tmp_path / "out" / dead_letter_name(form.document_id)
    saved = reviewer.correct(form, 2, text="found again", author="Ada")
    assert saved.manifest is not None
    assert (saved.manifest.outcome, letter.exists()) == ("complete", False)
    removed, made = reviewer.undo(saved.manifest, 2)
    assert removed.author == "Ada"
    assert (made.outcome, made.pages) == (form.outcome, form.pages)
    assert (made.notes, made.engine_pages) == (form.notes, form.engine_pages)
    assert "**Page 2 could not be read (Refused).**" in (tmp_path / "out" / "form.md").read_text()
    assert json.loads(letter.read_text())["pages"] == "2"
    assert corrections_of(reviewer.state, form.document_id, policy=reviewer.policy) == {}


def test_undo_goes_back_to_the_text_before_the_first_correction(tmp_path: Path, reviewer: Reviewer, form: Manifest) -> None:
    for text in ("first", "second"):
        reviewer.correct(form, 1, text=text, author="Ada")
    _, made = reviewer.undo(form, 1)
    assert reviewer.page(made, 1).text == "Signal Street"
    assert "Signal Street" in (tmp_path / "out" / "form.jsonl").read_text()
    with pytest.raises(UsageError, match="has no correction"):
        reviewer.undo(made, 1)


def test_a_correction_of_an_earlier_version_of_rayocr_is_not_undone_to_an_empty_page(reviewer: Reviewer, form: Manifest) -> None:
    save_correction(reviewer.state, form.document_id, 1, new_correction("by hand", "Ada"), policy=reviewer.policy)
    reviewer.write(form)
    with pytest.raises(UsageError, match="not on record"):
        reviewer.undo(form, 1)
    assert reviewer.page(form, 1).text == "by hand"


def test_an_accepted_reading_keeps_its_engine_and_its_doubts(reviewer: Reviewer, form: Manifest) -> None:
    read = NewReading(text="Signal St", outcome="done", engine="gemini", model="flash", doubts=("low_confidence",))
    saved = reviewer.correct(form, 1, text=read.text, author="Ada", read=read)
    assert saved.manifest is not None
    (note,) = [note for note in saved.manifest.notes if note.page_number == 1]
    assert (note.engine, note.doubts, note.corrected_by) == ("gemini", ("low_confidence",), "Ada")
    assert "flash" in saved.manifest.models


def test_a_run_that_reads_the_document_applies_the_correction_and_nothing_is_undone(
    reviewer: Reviewer, form: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrite, "sleep", lambda seconds: None)
    reviewer.correct(form, 1, text="before", author="Ada")
    with closing(open_locks(LocksConfig(), reviewer.state.uri, owner="20261127T150627Z-fc2c51@host", redis_url=None)) as locks:
        lease = locks.acquire(form.document_id)
        assert lease is not None
        saved = reviewer.correct(form, 1, text="during", author="Ada")
        assert isinstance(saved.pending, LockError)
        assert "The correction is saved, and the run applies it." in str(saved.pending)
        for refused in (lambda: reviewer.undo(form, 1), lambda: reviewer.read_again(form, 1, overrides=())):
            with pytest.raises(LockError, match=r"A run is reading form\.pdf"):
                refused()
        locks.release(lease)
    assert reviewer.page(form, 1).text == "during"


def test_a_correction_waits_for_a_run_that_finishes_the_document(
    tmp_path: Path, reviewer: Reviewer, form: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_locks(LocksConfig(), reviewer.state.uri, owner="20261127T150627Z-fc2c51@host", redis_url=None)) as locks:
        lease = locks.acquire(form.document_id)
        assert lease is not None
        monkeypatch.setattr(rewrite, "sleep", lambda seconds: locks.release(lease))
        assert reviewer.correct(form, 1, text="at the last moment", author="Ada").pending is None
    assert "at the last moment" in (tmp_path / "out" / "form.md").read_text()


def test_two_corrections_at_the_same_time_are_written_one_after_the_other(
    tmp_path: Path, reviewer: Reviewer, form: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = reviewer.rewriter.config
    with open_reviewer(config, Secrets(), dest=reviewer.dest, state=reviewer.state) as other:
        lease = other.rewriter.locks.acquire(form.document_id)
        assert lease is not None
        waits: list[float] = []

        def waits_once(seconds: float) -> None:
            waits.append(seconds)
            other.rewriter.locks.release(lease)

        monkeypatch.setattr(rewrite, "sleep", waits_once)
        assert reviewer.correct(form, 1, text="mine, too", author="Ada").pending is None
    assert len(waits) == 1
    assert "mine, too" in (tmp_path / "out" / "form.md").read_text()


def test_a_page_that_the_document_does_not_have_is_named_with_those_it_has(reviewer: Reviewer, form: Manifest) -> None:
    with pytest.raises(ObjectNotFound, match=r"form\.pdf has no page 4; it has pages 1 to 3\."):
        reviewer.page(form, 4)


def test_what_a_reading_spends_counts_in_budgets_records_and_the_manifest(
    tmp_path: Path, reviewer: Reviewer, form: Manifest
) -> None:
    now = time.time()
    day, month = quota_day(now), quota_day(now)[:7]
    SpendAccount(reviewer.state, "earlier").keep({day: 0.75}, now=True)
    account, out = PageAccount(reviewer.state), tmp_path / "reading"
    account.begin(out)
    (told,) = (out / ".rayocr" / "spend" / month).iterdir()
    assert json.loads(told.read_text())["days"] == {day: 0.75}
    (told.parent / "mine.json").write_text(json.dumps({"schema_version": 1, "run_id": "mine", "days": {day: 0.25}}))
    record = {"run_id": "mine", "cost_usd": 0.25, "input_tokens": 900, "output_tokens": 80, "documents": {"complete": 1}}
    account.end(out, record)
    assert SpendAccount(reviewer.state, "next").spent_by_others(now) == {day: 1.0}
    written = json.loads(reviewer.state.read(".rayocr/runs/mine.json"))
    assert (written["mode"], written["cost_usd"], written["documents"]) == ("reread", 0.25, {})
    reviewer.rewriter.add_spent(form.document_id, account.spent)
    found = manifest_of(reviewer, form.document_id)
    assert Spent.of(found) == Spent.of(form) + Spent(input_tokens=900, output_tokens=80, cost_usd=0.25)


def test_the_outputs_of_a_newer_version_are_not_overwritten(tmp_path: Path, reviewer: Reviewer, form: Manifest) -> None:
    reviewer.correct(form, 1, text="of the first version", author="Ada")
    name = manifest_name(write_document(tmp_path, "form.pdf", ["one", "two", "three"], revision="2"))
    newer = Manifest.from_json(reviewer.state.read(name), name=name)
    reviewer.state.write(name, newer.model_copy(update={"finished_at": "2099-01-01T00:00:00+00:00"}).to_json())
    written = (tmp_path / "out" / "form.md").read_bytes()
    for change in (lambda: reviewer.correct(form, 2, text="late", author="Ada"), lambda: reviewer.undo(form, 1)):
        with pytest.raises(UsageError, match=r"form\.pdf was replaced, and a run has read the new version\."):
            change()
    assert (tmp_path / "out" / "form.md").read_bytes() == written
    assert reviewer.correct(find_document(reviewer.state, "form.pdf"), 2, text="in time", author="Ada").pending is None


def test_a_page_of_a_source_that_has_changed_or_is_gone_is_not_read(tmp_path: Path, reviewer: Reviewer, form: Manifest) -> None:
    source = tmp_path / "in" / "form.pdf"
    source.parent.mkdir()
    source.write_bytes(b"%PDF-1.4 another file")
    with pytest.raises(VersionChanged, match=r"form\.pdf was changed after it was read, so its page 1 may be another page now"):
        reviewer.read_again(form, 1, overrides=["engine=textlayer"])
    source.unlink()
    with pytest.raises(ObjectNotFound, match=r"form\.pdf is no longer at its source"):
        reviewer.read_again(form, 1, overrides=["engine=textlayer"])


def test_a_reading_that_is_paid_is_not_lost_when_a_run_begins_to_read_the_document(
    reviewer: Reviewer, form: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrite, "sleep", lambda seconds: None)
    with closing(open_locks(LocksConfig(), reviewer.state.uri, owner="20261127T150627Z-fc2c51@host", redis_url=None)) as locks:

        def paid(*_: object, **__: object) -> NewReading:
            assert locks.acquire(form.document_id) is not None
            return NewReading(text="paid", outcome="done", engine="gemini", spent=Spent(cost_usd=0.5))

        monkeypatch.setattr(reviewer_module, "read_page", paid)
        assert reviewer.read_again(form, 1, overrides=()).text == "paid"


def test_a_free_reading_leaves_no_record(tmp_path: Path, reviewer: Reviewer) -> None:
    account = PageAccount(reviewer.state)
    account.begin(tmp_path / "reading")
    account.end(tmp_path / "reading", {"run_id": "mine", "cost_usd": 0.0, "pages": {"done": 1}})
    assert not list(reviewer.state.list(".rayocr/runs/"))
