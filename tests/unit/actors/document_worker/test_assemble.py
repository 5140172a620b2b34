"""A document is finished if and only if it has a manifest, which is written last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rayocr.actors.document_worker.actor import DocumentWorker
from rayocr.actors.document_worker.assemble import assemble, reject
from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.commit import LeaseSettings
from rayocr.actors.document_worker.fetch import FetchSettings
from rayocr.actors.document_worker.output_names import name_record
from rayocr.config import LimitsConfig, LocksConfig, RetryConfig
from rayocr.errors import EncryptedPdf, LeaseLost, RayocrError, StorageFull, StorageUnavailable
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.messages import Attempt, Document, DocumentContext, DocumentOutcome, PageOutcome, PageRecord
from rayocr.observe.dead_letters import dead_letter_name
from rayocr.outputs.registry import parse_outputs
from rayocr.storage.memory import MemoryStorage

ID = "d" * 32
DOCUMENT = Document(
    document_id=ID, source_uri="memory://in/sub/a.pdf", name="sub/a.pdf", output_name="sub/a", version="1", size_bytes=9
)
STARTED = "2026-01-01T00:00:00+00:00"


class Place:
    """One storage for destination and state, which records writes and fails on demand."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.errors: dict[str, list[Exception]] = {}
        self.storage = MemoryStorage("assemble", faults=self._fault)
        self.storage.clear()

    def _fault(self, operation: str, name: str) -> None:
        if operation == "written":
            self.written.append(name)
        for part, errors in self.errors.items():
            if operation == "write" and part in name and errors:
                raise errors.pop(0)

    def manifest(self) -> Manifest:
        return Manifest.from_json(self.storage.read(manifest_name(ID)), name="manifest")

    def is_finished(self) -> bool:
        return any(entry.name == manifest_name(ID) for entry in self.storage.list(".rayocr/"))


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = Place()
    monkeypatch.setattr("rayocr.storage.factory.cached_storage", lambda uri, _pace=None, _access=None: place.storage)
    monkeypatch.setattr("rayocr.actors.document_worker.assemble.check_lease", lambda settings, document_id, token: None)
    yield place
    place.storage.clear()


SETTINGS = AssembleSettings(
    dest_uri="memory://assemble",
    state_uri="memory://assemble",
    outputs=parse_outputs(["markdown", "jsonl"]),
    run_id="run",
    fingerprint="f",
    retry=RetryConfig(max_attempts=3, base_s=0),
    lease=LeaseSettings(config=LocksConfig(), state_uri="memory://assemble", owner="o"),
)


def context(pages: int) -> DocumentContext:
    return DocumentContext(document=DOCUMENT, page_count=pages, title="A title", fencing_token=7)


def page(number: int, outcome: PageOutcome = PageOutcome.DONE, *attempts: Attempt) -> PageRecord:
    text = "" if outcome in (PageOutcome.FAILED, PageOutcome.BLANK) else f"text of {number}"
    return PageRecord(document_id=ID, page_number=number, outcome=outcome, text=text, engine="e", model="m", attempts=attempts)


class Texts:
    """The ledger interface that the assembler uses."""

    def __init__(self, records: Sequence[PageRecord]) -> None:
        self._records = records
        self.asked: list[tuple[int, int]] = []

    def __call__(self, document_id: str, first: int, last: int) -> Sequence[PageRecord]:
        assert document_id == ID
        self.asked.append((first, last))
        return [record for record in self._records if first <= record.page_number <= last]


def of(*records: PageRecord) -> Texts:
    return Texts(records)


def test_outputs_are_written_first_and_the_manifest_last(place: Place) -> None:
    done = assemble(context(2), SETTINGS, of(page(1), page(2)), STARTED)
    assert place.written == [name_record("sub/a"), "sub/a.md", "sub/a.jsonl", manifest_name(ID)]
    assert done.outcome is DocumentOutcome.COMPLETE
    assert [output.name for output in done.outputs] == ["sub/a.md", "sub/a.jsonl"]


def test_the_manifest_reports_what_was_written(place: Place) -> None:
    assemble(context(3), SETTINGS, of(page(1), page(2, PageOutcome.BLANK), page(3)), STARTED)
    manifest = place.manifest()
    assert (manifest.outcome, manifest.page_count, manifest.fencing_token, manifest.title) == ("complete", 3, 7, "A title")
    assert manifest.pages == {PageOutcome.DONE: "1,3", PageOutcome.BLANK: "2"}
    for output in manifest.outputs:
        data = place.storage.read(output.name)
        assert (output.sha256, output.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))


def test_a_failed_page_is_marked_and_makes_the_document_partial_with_a_dead_letter(place: Place) -> None:
    failed = page(2, PageOutcome.FAILED, Attempt(engine="gemini", reason="Refused", message="RECITATION"))
    done = assemble(context(3), SETTINGS, of(page(1), failed, page(3)), STARTED)
    assert done.outcome is DocumentOutcome.PARTIAL
    assert place.written[-2:] == [dead_letter_name(ID), manifest_name(ID)]
    markdown = place.storage.read("sub/a.md").decode()
    assert "Page 2 could not be read (Refused)" in markdown
    assert "text of 1" in markdown
    assert "text of 3" in markdown
    letter = json.loads(place.storage.read(dead_letter_name(ID)))
    assert (letter["reason"], letter["pages"]) == ("Refused", "2")


@pytest.mark.parametrize(
    "records",
    [
        pytest.param((page(1),), id="the last page is missing"),
        pytest.param((page(2), page(3)), id="the first page is missing"),
        pytest.param((page(1), page(3)), id="a page in the middle is missing"),
        pytest.param((page(1), page(1), page(2)), id="a page occurs twice"),
        pytest.param((page(1), page(2, PageOutcome.HANDED_ON), page(3)), id="a page is not final"),
        pytest.param((), id="all pages are missing"),
    ],
)
def test_a_document_of_which_a_page_is_missing_is_not_finished(place: Place, records: tuple[PageRecord, ...]) -> None:
    with pytest.raises(RayocrError, match="no text of page"):
        assemble(context(3), SETTINGS, of(*records), STARTED)
    assert place.written == []


def test_pages_come_in_runs_and_each_once(place: Place) -> None:
    texts = Texts([page(number) for number in range(1, 301)])
    assemble(context(300), SETTINGS, texts, STARTED)
    assert texts.asked == [(1, 128), (129, 256), (257, 300)]
    assert place.storage.read("sub/a.md").decode().count("<!-- page ") == 300


@pytest.mark.parametrize("part", ["sub/a.md", "sub/a.jsonl"])
def test_without_all_outputs_there_is_no_manifest_and_trying_again_finishes_it(place: Place, part: str) -> None:
    place.errors[part] = [StorageFull("full")]
    with pytest.raises(StorageFull):
        assemble(context(1), SETTINGS, of(page(1)), STARTED)
    assert not place.is_finished()
    assert assemble(context(1), SETTINGS, of(page(1)), STARTED).outcome is DocumentOutcome.COMPLETE
    assert place.is_finished()


def test_without_its_dead_letter_a_partial_document_is_not_finished(place: Place) -> None:
    place.errors["dead_letters"] = [StorageFull("full")]
    with pytest.raises(StorageFull):
        assemble(context(1), SETTINGS, of(page(1, PageOutcome.FAILED)), STARTED)
    assert not place.is_finished()


def test_a_destination_that_is_briefly_unavailable_is_asked_again_with_the_whole_file(place: Place) -> None:
    place.errors["sub/a.md"] = [StorageUnavailable("503")] * 2
    assemble(context(1), SETTINGS, of(page(1)), STARTED)
    assert place.storage.read("sub/a.md").startswith(b"<!-- page 1 -->")


def test_a_document_whose_lease_was_lost_is_not_finished(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise LeaseLost("lost")

    monkeypatch.setattr("rayocr.actors.document_worker.assemble.check_lease", lost)
    with pytest.raises(LeaseLost):
        assemble(context(1), SETTINGS, of(page(1)), STARTED)
    assert not place.is_finished()


def test_a_rejected_document_has_its_dead_letter_before_its_manifest_and_no_output(place: Place) -> None:
    letter = reject(DOCUMENT, EncryptedPdf("It needs a password."), SETTINGS, fencing_token=7, started_at=STARTED)
    assert place.written == [dead_letter_name(ID), manifest_name(ID)]
    assert (letter.reason, letter.message, letter.retry) == ("EncryptedPdf", "It needs a password.", EncryptedPdf.default_hint)
    manifest = place.manifest()
    assert (manifest.outcome, manifest.reason, manifest.outputs, manifest.page_count) == ("rejected", "EncryptedPdf", (), 0)


def test_invalid_text_does_not_stop_the_document(place: Place) -> None:
    record = PageRecord(document_id=ID, page_number=1, outcome=PageOutcome.DONE, text="half \ud800 a pair", engine="e")
    assemble(context(1), SETTINGS, of(record), STARTED)
    assert "half ? a pair" in place.storage.read("sub/a.md").decode()


def test_the_document_worker_hands_on_to_fetch_and_assemble(place: Place, tmp_path: Path) -> None:
    entry = place.storage.write("sub/a.pdf", b"no PDF")
    fetching = FetchSettings(source_uri="memory://assemble", limits=LimitsConfig(), retry=RetryConfig())
    worker = DocumentWorker(fetching, SETTINGS, of(page(1)))
    with pytest.raises(RayocrError, match="is not a PDF"):
        worker.fetch(
            Document(document_id=ID, source_uri="u", name="sub/a.pdf", output_name="sub/a", version=entry.version, size_bytes=6)
        )
    assert worker.assemble(context(1), STARTED).outcome is DocumentOutcome.COMPLETE


def test_a_full_disk_of_temporary_files_ends_the_run_and_not_the_document(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with monkeypatch.context() as patched, Path("/dev/full").open("r+b", buffering=0) as full:
        patched.setattr("rayocr.actors.document_worker.output_writing._temporary_file", lambda: full)
        with pytest.raises(StorageFull) as raised:
            assemble(context(1), SETTINGS, lambda *_: [page(1)], STARTED)
    assert "TMPDIR" in (raised.value.hint or "")
    assert place.written == []
    assemble(context(1), SETTINGS, lambda *_: [page(1)], STARTED)
    assert place.is_finished()
