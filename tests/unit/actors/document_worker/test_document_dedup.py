"""A duplicate file under another name gets its own outputs and is not read again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from rayocr.actors.document_worker.actor import DocumentWorker
from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.commit import LeaseSettings
from rayocr.actors.document_worker.document_dedup import CONTENTS_PREFIX
from rayocr.actors.document_worker.fetch import FetchSettings, check_current
from rayocr.config import LimitsConfig, LocksConfig, RetryConfig
from rayocr.driver.scheduling.flow.duplicates import DocumentDuplicates
from rayocr.errors import VersionChanged
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.messages import AssembledDocument, Document, DocumentContext, DocumentOutcome, PageOutcome, PageRecord
from rayocr.outputs.registry import parse_outputs
from rayocr.storage.memory import MemoryStorage
from tests.unit.virtual_time import pass_time

FIRST, SECOND = "1" * 32, "2" * 32
SHA256 = "ab" * 32
STARTED = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryStorage]:
    place = MemoryStorage("copies")
    place.clear()
    monkeypatch.setattr("rayocr.storage.factory.cached_storage", lambda uri, _pace=None, _access=None: place)
    monkeypatch.setattr("rayocr.actors.document_worker.assemble.check_lease", lambda settings, document_id, token: None)
    yield place
    place.clear()


def settings(**changes: object) -> AssembleSettings:
    made = AssembleSettings(
        dest_uri="memory://copies",
        state_uri="memory://copies",
        outputs=parse_outputs(["markdown", "jsonl"]),
        run_id="run",
        fingerprint="f",
        retry=RetryConfig(max_attempts=2, base_s=0),
        lease=LeaseSettings(config=LocksConfig(), state_uri="memory://copies", owner="o"),
        keep_contents=True,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def worker(*records: PageRecord, **changes: object) -> DocumentWorker:
    def texts(document_id: str, first: int, last: int) -> Sequence[PageRecord]:
        return records[first - 1 : last]

    fetching = FetchSettings(source_uri="memory://copies", limits=LimitsConfig(), retry=RetryConfig())
    return DocumentWorker(fetching, settings(**changes), texts)


def context(document_id: str, name: str, *, sha256: str = SHA256, pages: int = 2) -> DocumentContext:
    uri = f"memory://in/{name}"
    document = Document(document_id=document_id, source_uri=uri, name=name, output_name=name[:-4], version="1", size_bytes=9)
    return DocumentContext(document=document, page_count=pages, title=None, fencing_token=1, content_sha256=sha256)


def pages(**changes: object) -> list[PageRecord]:
    made = PageRecord(document_id=FIRST, page_number=1, outcome=PageOutcome.DONE, text="one", engine="gemini", cost_usd=0.1)
    return [replace(made, **changes), replace(made, page_number=2, text="two")]  # type: ignore[arg-type]


def copied(place: MemoryStorage, **changes: object) -> AssembledDocument | None:
    return worker(**changes).assemble_copy(context(SECOND, "sub/b.pdf"), STARTED)


def test_a_copy_has_outputs_and_a_manifest_of_its_own_and_says_of_whom_it_is(place: MemoryStorage) -> None:
    worker(*pages()).assemble(context(FIRST, "a.pdf"), STARTED)
    done = copied(place)
    assert done is not None
    assert (done.document_id, done.outcome) == (SECOND, DocumentOutcome.COMPLETE)
    assert [(page.copied, page.cost_usd) for page in done.copied_pages] == [(True, 0.0)] * 2
    assert place.read("sub/b.md") == place.read("a.md")
    assert json.loads(place.read("sub/b.jsonl"))["metadata"]["source_name"] == "sub/b.pdf"
    manifest = Manifest.from_json(place.read(manifest_name(SECOND)), name="m")
    assert manifest.copy_of is not None
    assert (manifest.copy_of.document_id, manifest.copy_of.name) == (FIRST, "a.pdf")
    assert (manifest.cost_usd, manifest.content_sha256, manifest.engines) == (0.0, SHA256, {"gemini": 2})
    original = Manifest.from_json(place.read(manifest_name(FIRST)), name="m")
    assert (original.copy_of, original.cost_usd) == (None, pytest.approx(0.2))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"outcome": PageOutcome.FAILED, "text": ""}, id="a page failed"),
        pytest.param({"doubts": ("low_confidence",)}, id="a page is doubtful"),
    ],
)
def test_what_did_not_come_out_whole_is_read_again_for_the_copy(place: MemoryStorage, changes: dict[str, object]) -> None:
    worker(*pages(**changes)).assemble(context(FIRST, "a.pdf"), STARTED)
    assert copied(place) is None


def test_other_settings_or_other_bytes_are_not_a_copy(place: MemoryStorage) -> None:
    worker(*pages()).assemble(context(FIRST, "a.pdf"), STARTED)
    assert copied(place, fingerprint="other") is None
    assert worker().assemble_copy(context(SECOND, "b.pdf", sha256="cd" * 32), STARTED) is None


def test_a_damaged_record_of_contents_is_not_used(place: MemoryStorage) -> None:
    worker(*pages()).assemble(context(FIRST, "a.pdf"), STARTED)
    (entry,) = place.list(CONTENTS_PREFIX)
    place.write(entry.name, place.read(entry.name)[:-9])
    assert copied(place) is None


def test_a_document_is_not_a_copy_of_itself(place: MemoryStorage) -> None:
    worker(*pages()).assemble(context(FIRST, "a.pdf"), STARTED)
    assert worker().assemble_copy(context(FIRST, "a.pdf"), STARTED) is None


def test_nothing_is_kept_unless_it_was_asked_for(place: MemoryStorage) -> None:
    worker(*pages(), keep_contents=False).assemble(context(FIRST, "a.pdf"), STARTED)
    assert not list(place.list(CONTENTS_PREFIX))


def test_an_older_version_does_not_overwrite_the_outputs_of_a_newer_one(place: MemoryStorage) -> None:
    """The newer version was finished while the older one was still being read."""
    place.write("a.pdf", b"newer")
    place.write("a.md", b"of the newer version")
    with pytest.raises(VersionChanged):
        worker(*pages()).assemble(context(FIRST, "a.pdf"), STARTED)
    assert place.read("a.md") == b"of the newer version"
    fetching = FetchSettings(source_uri="memory://copies", limits=LimitsConfig(), retry=RetryConfig())
    place.delete("a.pdf")
    check_current(context(FIRST, "a.pdf").document, fetching)  # gone: there is nothing newer


async def test_of_copies_at_one_time_one_is_read_and_the_others_wait() -> None:
    originals, order = DocumentDuplicates(), []

    async def read(name: str, content: str) -> None:
        async with originals.reading(content, stop=lambda: None) as may_be_copy:
            order.append((name, may_be_copy))
            await pass_time(0.01)
            order.append((name, None))

    await asyncio.gather(read("a", "x"), read("b", "x"), read("c", "y"), read("d", ""))
    assert order[:3] == [("a", True), ("c", True), ("d", False)]
    assert order.index(("a", None)) < order.index(("b", True))
