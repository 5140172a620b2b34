from __future__ import annotations

from dataclasses import replace

import pytest

from rayocr.actors.document_identity import document_id
from rayocr.actors.document_worker.fetch import FetchSettings, current_version, fetch
from rayocr.config import LimitsConfig, RetryConfig
from rayocr.errors import (
    CorruptPdf,
    DocumentTooLarge,
    NotAPdf,
    ObjectNotFound,
    ObjectUnreadable,
    StorageDenied,
    StorageUnavailable,
    UnreadableSource,
    UnsafeName,
    VersionChanged,
)
from rayocr.messages import Document
from rayocr.storage.memory import MemoryStorage
from tests.unit.pdf import pdfs

GOOD = pdfs.pages_of(("", "", ""), extra={5: b"<< /Title (Three pages) >>"}, trailer="/Info 5 0 R")


class Source:
    """A storage with one document and scripted behavior."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, data: bytes = GOOD) -> None:
        self.errors: list[Exception] = []
        self.asked = 0
        self.storage = MemoryStorage("fetch", faults=self._fault)
        self.storage.clear()
        entry = self.storage.write("a.pdf", data)
        self.document = Document(
            document_id=document_id("memory://fetch/a.pdf", entry.version),
            source_uri="memory://fetch/a.pdf",
            name="a.pdf",
            output_name="a",
            version=entry.version,
            size_bytes=entry.size_bytes,
        )
        monkeypatch.setattr("rayocr.storage.factory.cached_storage", lambda uri, _pace=None, _access=None: self.storage)

    def _fault(self, operation: str, name: str) -> None:
        if operation == "read":
            self.asked += 1
            if self.errors:
                raise self.errors.pop(0)


def settings(**limits: float) -> FetchSettings:
    return FetchSettings(
        source_uri="memory://fetch",
        limits=LimitsConfig(**limits),  # type: ignore[arg-type]
        retry=RetryConfig(max_attempts=3, base_s=0),
    )


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    return Source(monkeypatch)


def test_a_document_comes_with_its_pages_title_and_bytes(source: Source) -> None:
    fetched, data = fetch(source.document, settings())
    assert (fetched.page_count, fetched.title, fetched.document) == (3, "Three pages", source.document)
    assert data.tobytes() == GOOD
    assert not data.flags.writeable


def test_fetching_twice_gives_the_same(source: Source) -> None:
    assert fetch(source.document, settings())[0] == fetch(source.document, settings())[0]


def test_a_document_listed_as_too_large_is_not_even_read(source: Source) -> None:
    with pytest.raises(DocumentTooLarge, match="max_document_bytes"):
        fetch(replace(source.document, size_bytes=1001), settings(max_document_bytes=1000))
    assert source.asked == 0


def test_a_document_that_is_larger_than_it_was_listed_is_refused_too(source: Source) -> None:
    with pytest.raises(DocumentTooLarge):
        fetch(replace(source.document, size_bytes=10), settings(max_document_bytes=100))


def test_a_document_with_too_many_pages_is_refused(source: Source) -> None:
    with pytest.raises(DocumentTooLarge, match="max_document_pages"):
        fetch(source.document, settings(max_document_pages=2))


@pytest.mark.parametrize(("data", "error"), [(b"", NotAPdf), (b"<html>", NotAPdf), (GOOD[:300], CorruptPdf)])
def test_a_bad_document_is_refused_with_its_reason(data: bytes, error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(error):
        fetch(Source(monkeypatch, data).document, settings())


def test_a_source_that_is_briefly_unavailable_is_asked_again(source: Source) -> None:
    source.errors = [StorageUnavailable("503"), StorageUnavailable("503")]
    assert fetch(source.document, settings())[0].page_count == 3
    assert source.asked == 3


def test_a_source_that_stays_unavailable_is_not_the_document_s_fault(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.errors = [StorageUnavailable("503")] * 3
    monkeypatch.setattr(source.storage, "check_readable", lambda: source.storage.read("a.pdf"))
    source.errors.append(StorageUnavailable("503"))
    with pytest.raises(StorageUnavailable):
        fetch(source.document, settings())


@pytest.mark.parametrize("error", [ObjectNotFound("gone"), StorageDenied("no permission")])
def test_a_document_that_cannot_be_read_any_more_is_rejected_and_not_asked_for_again(source: Source, error: Exception) -> None:
    source.errors = [error]
    with pytest.raises(UnreadableSource):
        fetch(source.document, settings())
    assert source.asked == 1


def test_a_document_that_was_replaced_is_reported_and_has_a_new_identity(source: Source) -> None:
    source.storage.write("a.pdf", pdfs.pages_of(("",)))
    with pytest.raises(VersionChanged):
        fetch(source.document, settings())
    newer = current_version(source.document, settings())
    assert newer.document_id != source.document.document_id
    assert newer.output_name == source.document.output_name
    assert fetch(newer, settings())[0].page_count == 1


def test_a_document_that_vanished_has_no_current_version(source: Source) -> None:
    source.storage.delete("a.pdf")
    with pytest.raises(ObjectNotFound):
        current_version(source.document, settings())


def test_one_object_that_keeps_failing_is_rejected_while_its_storage_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(monkeypatch)
    source.errors = [StorageUnavailable("The bytes did not match their checksum.") for _ in range(100)]
    with pytest.raises(UnreadableSource, match=r"in 9 attempts, although its storage answers: The bytes") as raised:
        fetch(source.document, settings())
    assert source.asked == 9
    assert "retry.rejected=true" in str(raised.value.hint)


def test_a_storage_that_does_not_answer_rejects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(monkeypatch)
    source.errors = [StorageUnavailable("503") for _ in range(100)]

    def away() -> None:
        raise StorageUnavailable("503, for everything")

    monkeypatch.setattr(source.storage, "check_readable", away)
    with pytest.raises(StorageUnavailable, match="for everything"):
        fetch(source.document, settings())


@pytest.mark.parametrize("error", [ObjectUnreadable("another key", hint="Rewrite it."), UnsafeName("400")])
def test_a_permanent_error_of_one_object_rejects_that_document(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    source = Source(monkeypatch)
    source.errors = [error]
    with pytest.raises(UnreadableSource) as raised:
        fetch(source.document, settings())
    assert not raised.value.denied


def test_an_object_that_inflates_beyond_the_limit_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(monkeypatch)
    document = replace(source.document, size_bytes=1)  # as it is stored
    with pytest.raises(DocumentTooLarge, match=r"limits\.max_document_bytes"):
        fetch(document, settings(max_document_bytes=10))
