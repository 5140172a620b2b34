from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from rayocr.actors.page_worker.actor import PageWorker, WorkerSettings
from rayocr.actors.page_worker.document_cache import DocumentCache
from rayocr.config import EngineConfig, Secrets
from rayocr.engines.base import ComputeEngine, Engine, WaitingEngine
from rayocr.engines.registry import ChainLink, Stage, parse_chain
from rayocr.errors import CorruptPdf, CredentialsError, EngineUnavailable, StorageFull
from rayocr.limits.prices import PriceTable
from rayocr.messages import Attempt, Document, DocumentContext, PageOutcome, PageRecord, PageText, Shard, SlotReply, SlotReturn
from rayocr.retry import RetryPolicy
from tests.unit.pdf import pdfs
from tests.unit.virtual_time import pass_time, until

DATA = pdfs.pages_of(("",) * 8)
DOCUMENT = Document(document_id="d", source_uri="u", name="d.pdf", output_name="d", version="1", size_bytes=len(DATA))
CONTEXT = DocumentContext(document=DOCUMENT, page_count=8, title=None, fencing_token=7)


class FakeLedger:
    def __init__(self) -> None:
        self.records: list[PageRecord] = []
        self.error: Exception | None = None

    async def record(self, records: Sequence[PageRecord]) -> None:
        if self.error:
            raise self.error
        self.records.extend(records)

    async def texts(self, document_id: str, first_page: int, last_page: int) -> Sequence[PageRecord]:
        return [r for r in self.records if r.document_id == document_id and first_page <= r.page_number <= last_page]


class FreeLimiter:
    """Grants all slots immediately and counts them."""

    def __init__(self) -> None:
        self.leased = self.released = 0

    async def lease(self, model: str, worker: str, wanted: int) -> tuple[float, ...]:
        self.leased += wanted
        return (0.0,) * wanted

    async def release(self, model: str, worker: str, returned: SlotReturn) -> SlotReply:
        self.released += returned.slots
        return SlotReply()


class Content:
    def __init__(self, data: bytes = DATA) -> None:
        self._data = data
        self.loads = 0

    async def load(self) -> bytes:
        self.loads += 1
        return self._data


class Computing(ComputeEngine):
    name: ClassVar[str] = "rapidocr"

    def __init__(self, read: Callable[[Any], str]) -> None:
        self._read = read

    def open(self) -> None:
        pass

    def recognize(self, page: Any) -> PageText:
        return PageText(text=self._read(page), engine=self.name, model="m")


class Waiting(WaitingEngine):
    name: ClassVar[str] = "gemini"

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def open(self) -> None:
        pass

    @property
    def models(self) -> tuple[str, ...]:
        return ("m",)

    async def probe(self, model: str) -> None: ...

    async def recognize_async(self, page: Any, model: str) -> PageText:
        return PageText(text=await self._read(page), engine=self.name, model=model)


opened: list[PageWorker] = []


@pytest.fixture(autouse=True)
def one_worker_a_process() -> Iterator[None]:
    """PDFium's limits apply to the process, so a worker's thread ends before the next one's starts."""
    yield
    while opened:
        opened.pop()._pdf.close()


class Setting:
    """A worker with one engine, its ledger and its limiter."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, engine: Engine, *, in_flight: int = 64, budget_s: float = 3600) -> None:
        self.ledger, self.limiter, self.content = FakeLedger(), FreeLimiter(), Content()
        monkeypatch.setattr("rayocr.actors.page_worker.actor.build_engine", lambda *_, **__: engine)
        settings = WorkerSettings(
            links=parse_chain([engine.name]),
            stage=Stage(kind=engine.kind, first=0, last=0),
            is_last_stage=True,
            engine=EngineConfig(),
            prompts={},
            secrets=Secrets(),
            prices=PriceTable(models={}),
            max_pixels=1_000_000,
            page_timeout_s=300,
            page_memory_bytes=1 << 40,
            shard_budget_s=budget_s,
            pages_in_flight=in_flight,
            policy=RetryPolicy(),
            fingerprint="f",
            dedup=False,  # the pages of these tests are blank sheets that look alike
        )
        self.worker = PageWorker("w", settings, self.ledger, self.limiter)
        opened.append(self.worker)

    async def read(self, *numbers: int, data: bytes | None = None, **shard: Any) -> Any:
        if data is not None:
            self.content = Content(data)
        return await self.worker.recognize(Shard(document_id="d", page_numbers=numbers, **shard), self.content, CONTEXT)

    @property
    def recorded(self) -> list[int]:
        return sorted(record.page_number for record in self.ledger.records)


@pytest.fixture
async def computing(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Setting]:
    setting = Setting(monkeypatch, Computing(lambda page: page.text_layer().text))
    await setting.worker.open()
    yield setting


async def waiting(monkeypatch: pytest.MonkeyPatch, read: Callable[[Any], Any], **options: Any) -> Setting:
    setting = Setting(monkeypatch, Waiting(read), **options)
    await setting.worker.open()
    return setting


async def test_pages_are_read_and_recorded_before_they_are_reported(computing: Setting) -> None:
    report = await computing.read(1, 2, 3)
    assert [page.page_number for page in report.pages] == computing.recorded == [1, 2, 3]
    first = computing.ledger.records[0]
    assert (first.outcome, first.text) == (PageOutcome.DONE, "Hello, this is a page of text")
    assert (first.fencing_token, first.fingerprint, first.document_id) == (7, "f", "d")


async def test_the_last_pages_of_a_shard_are_recorded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayocr.actors.page_worker.actor.COMPUTED_LINGER_S", 86_400.0)
    setting = Setting(monkeypatch, Computing(lambda page: page.text_layer().text))
    await setting.worker.open()
    assert len((await setting.read(1, 2)).pages) == 2
    assert setting.recorded == [1, 2]


async def test_a_report_carries_no_text(computing: Setting) -> None:
    assert not any(hasattr(page, "text") for page in (await computing.read(1)).pages)


async def test_the_bytes_are_loaded_once_for_many_shards(computing: Setting) -> None:
    for number in range(1, 6):
        await computing.read(number)
    assert computing.content.loads == 1


async def test_a_page_that_cannot_be_loaded_fails_alone(computing: Setting) -> None:
    report = await computing.read(1, 5, data=pdfs.pages_of(count="8"))
    assert [page.outcome for page in report.pages] == [PageOutcome.DONE, PageOutcome.FAILED]
    assert [(a.engine, a.reason) for a in report.pages[1].attempts] == [("pdf", "PageUnrenderable")]


async def test_what_earlier_stages_tried_stays_on_record(computing: Setting) -> None:
    before = (Attempt(engine="gemini", reason="Refused"),)
    report = await computing.read(1, 2, attempts={2: before})
    assert [page.outcome for page in report.pages] == [PageOutcome.DONE, PageOutcome.FALLBACK]
    assert report.pages[1].attempts == before


async def test_a_ledger_that_cannot_write_fails_the_shard(computing: Setting) -> None:
    computing.ledger.error = StorageFull("full")
    with pytest.raises(StorageFull):
        await computing.read(1)


async def test_a_document_that_cannot_be_opened_is_not_read(computing: Setting) -> None:
    report = await computing.read(1, data=b"%PDF-1.4\n%%EOF")
    assert [(a.engine, a.reason) for a in report.pages[0].attempts] == [("pdf", CorruptPdf.__name__)]


async def test_pages_that_take_too_long_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Setting(monkeypatch, Computing(lambda page: page.text_layer().text), budget_s=0)
    await setting.worker.open()
    assert [page.page_number for page in (await setting.read(1, 2, 3)).pages] == [1]
    assert setting.recorded == [1]


async def test_a_draining_worker_starts_no_page(computing: Setting) -> None:
    await computing.worker.drain()
    assert (await computing.read(1, 2)).pages == ()
    assert computing.recorded == []


async def test_an_engine_that_cannot_work_here_is_reported_unless_it_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing(Computing):
        def open(self) -> None:
            raise EngineUnavailable("not installed")

    setting = Setting(monkeypatch, Missing(lambda page: ""))
    with pytest.raises(EngineUnavailable):
        await setting.worker.open()
    object.__setattr__(setting.worker._settings, "links", (ChainLink(name="rapidocr", optional=True),))
    assert (await setting.worker.open()).engines == ()


async def test_many_pages_wait_at_once_and_no_more_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    in_flight, most = 0, 0
    full = asyncio.Event()

    async def answer(page: Any) -> str:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        if in_flight == 3:
            full.set()
        await full.wait()
        in_flight -= 1
        return (await page.as_document())[:4].decode()

    setting = await waiting(monkeypatch, answer, in_flight=3)
    await setting.read(*range(1, 9))
    assert setting.recorded == list(range(1, 9))
    assert most == 3
    await until(lambda: setting.limiter.released == 8)
    assert setting.limiter.leased == 8


async def test_an_image_is_made_of_the_page_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(page: Any) -> str:
        return (await page.as_image(dpi=72, format="png"))[1:4].decode()

    setting = await waiting(monkeypatch, answer)
    await setting.read(1)
    assert setting.ledger.records[0].text == "PNG"


async def test_a_defect_costs_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(page: Any) -> str:
        if page.page_number == 2:
            raise ZeroDivisionError("oops")
        return "text"

    setting = await waiting(monkeypatch, answer)
    report = await setting.read(1, 2, 3)
    assert [page.outcome for page in report.pages] == [PageOutcome.DONE, PageOutcome.FAILED, PageOutcome.DONE]


async def test_a_page_that_fails_at_the_end_keeps_the_doubtful_text_of_an_earlier_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(page: Any) -> str:
        return ""

    setting = await waiting(monkeypatch, answer)
    doubtful = PageRecord(
        document_id="d",
        page_number=2,
        outcome=PageOutcome.HANDED_ON,
        text="perhaps",
        engine="rapidocr",
        doubts=("low_confidence",),
        next_engine=1,
    )
    setting.ledger.records = [doubtful]
    report = await setting.read(1, 2, attempts={2: (Attempt(engine="rapidocr", reason="LowConfidence"),)})
    assert [page.outcome for page in report.pages] == [PageOutcome.FAILED, PageOutcome.DONE]
    kept = [record for record in setting.ledger.records if record.page_number == 2][-1]
    assert (kept.text, kept.engine, kept.doubts) == ("perhaps", "rapidocr", ("low_confidence",))
    assert kept.attempts[0].engine == "rapidocr"


async def test_a_wrong_key_ends_the_shard_and_what_was_answered_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = asyncio.Event()

    async def answer(page: Any) -> str:
        if page.page_number == 2:
            raise CredentialsError("wrong key")
        await answered.wait()
        return "paid for"

    setting = await waiting(monkeypatch, answer)
    reading = asyncio.create_task(setting.read(1, 2))
    await pass_time(1.0)
    answered.set()
    with pytest.raises(CredentialsError):
        await reading
    assert setting.recorded == [1]


async def test_a_draining_worker_sends_nothing_more_and_keeps_what_is_in_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, gate = asyncio.Event(), asyncio.Event()

    async def answer(page: Any) -> str:
        sent.set()
        await gate.wait()
        return "text"

    setting = await waiting(monkeypatch, answer, in_flight=1)
    reading = asyncio.create_task(setting.read(1, 2, 3))
    await sent.wait()
    await setting.worker.drain()
    gate.set()
    assert [page.page_number for page in (await reading).pages] == [1]
    assert setting.limiter.leased == 1


# -- the documents that a worker keeps open ---------------------------------------------------------------------------------


def test_the_document_used_longest_ago_is_closed_first() -> None:
    documents = DocumentCache(keep=2, max_pixels=1_000_000)

    def use(name: str) -> None:
        page = documents.open_page(name, 1, DATA)
        assert page is not None
        documents.close_page(name, page)

    for name in ("a", "b", "a", "c"):
        use(name)
    assert documents.open_page("b", 1) is None
    for name in ("a", "c"):
        page = documents.open_page(name, 1)
        assert page is not None
        documents.close_page(name, page)


def test_a_document_with_an_open_page_stays_open() -> None:
    documents = DocumentCache(keep=1, max_pixels=1_000_000)
    held = documents.open_page("a", 1, DATA)
    assert held is not None
    other = documents.open_page("b", 1, DATA)
    assert other is not None
    assert "Hello" in held.text_layer().text
    documents.close_page("b", other)
    documents.close_page("a", held)
    third = documents.open_page("c", 1, DATA)
    assert third is not None
    assert (documents.open_page("a", 1), documents.open_page("b", 1)) == (None, None)
    documents.close_page("c", third)


def test_a_page_that_cannot_be_opened_holds_nothing_open() -> None:
    documents = DocumentCache(keep=1, max_pixels=1_000_000)
    with pytest.raises(Exception, match="damaged"):
        documents.open_page("a", 99, DATA)
    page = documents.open_page("b", 1, DATA)
    assert page is not None
    documents.close_page("b", page)
    assert documents.open_page("a", 1) is None


async def test_a_dropped_document_is_read_again_under_a_later_lease(computing: Setting) -> None:
    await computing.worker.cancel("d", CONTEXT.fencing_token)
    assert (await computing.read(1)).pages == ()
    later = replace(CONTEXT, fencing_token=CONTEXT.fencing_token + 1)
    shard = Shard(document_id="d", page_numbers=(1,))
    report = await computing.worker.recognize(shard, computing.content, later)
    assert [page.page_number for page in report.pages] == [1]
