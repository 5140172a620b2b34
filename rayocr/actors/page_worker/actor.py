"""The PageWorker actor reads the pages of a shard with the engines of its stage and records them in the ledger.

It has no durable state, only engines, clients and the last few opened documents. PDFium is not thread-safe, so all code that
touches a PDF, and every engine that computes, runs on the one thread of `PdfThread`. The event loop stays free for
acknowledgements and servers. A page that computes too long ends the process, since nothing else stops PDFium.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rayocr.actors.page_worker.document_cache import DocumentCache
from rayocr.actors.page_worker.ledger_client import COMPUTED_LINGER_S, LINGER_S, LedgerPort, PageRecorder
from rayocr.actors.page_worker.loading import kept_for_good
from rayocr.actors.page_worker.local_pages import LocalPages
from rayocr.actors.page_worker.metering import meter
from rayocr.actors.page_worker.offered_page import ThreadedPage
from rayocr.actors.page_worker.page_dedup import DedupLedger, PageDeduplicator
from rayocr.actors.page_worker.page_log import log_defect, log_page, log_retry
from rayocr.actors.page_worker.pdf_thread import PdfThread
from rayocr.actors.page_worker.process_load import ProcessLoad
from rayocr.actors.page_worker.slot_client import Limiter, SlotClient
from rayocr.config import DoubtConfig, EngineConfig, Secrets
from rayocr.engines.answers.verification import Verifier
from rayocr.engines.base import BatchQueuePort, Engine, WaitingEngine
from rayocr.engines.rapidocr.line_reader import RapidLineReader
from rayocr.engines.rapidocr.word_reader import RapidWordReader
from rayocr.engines.registry import ChainLink, Stage, build_engine
from rayocr.engines.stages import ComputeStage, PageProgress, ReadLocally, WaitingStage
from rayocr.errors import (
    DocumentError,
    Draining,
    EngineError,
    EngineUnavailable,
    InternalError,
    OutsideError,
    PageQuarantined,
    RayocrError,
)
from rayocr.limits.prices import PriceTable
from rayocr.messages import DocumentContext, PageOutcome, PageRecord, Shard, ShardReport, WorkerInfo
from rayocr.pdf.page import Page
from rayocr.retry import RetryPolicy

_UNREAD = (PageOutcome.FAILED, PageOutcome.HANDED_ON)
CLOSE_S = 1.0  # time allowed for the current call of the thread, which ends with the process


class WorkersLedger(LedgerPort, DedupLedger, Protocol):
    """The Ledger's methods that a worker uses."""


class DocumentBytes(Protocol):
    """The document's bytes, wherever they are stored. Only a worker that has not opened the document yet loads them."""

    async def load(self) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The settings of a worker, by value."""

    links: tuple[ChainLink, ...]
    stage: Stage
    is_last_stage: bool
    engine: EngineConfig
    prompts: Mapping[str, str]  # keys by engine
    secrets: Secrets
    prices: PriceTable
    max_pixels: int
    page_timeout_s: float
    page_memory_bytes: int
    shard_budget_s: float
    pages_in_flight: int
    policy: RetryPolicy
    fingerprint: str
    dedup: bool = True  # send identical pages to a server only once
    log_pages: bool = True  # log a line for every page instead of only for failed pages
    keep_boxes: bool = False  # whether an output needs the positions of lines
    doubt: DoubtConfig = field(default_factory=DoubtConfig)

    @property
    def gpus(self) -> float:
        """The share of a GPU that Ray reserves for the worker."""
        return self.engine.gpus_of(self.stage.first, self.stage.last)


class PageWorker:
    def __init__(
        self,
        name: str,
        settings: WorkerSettings,
        ledger: WorkersLedger,
        limiter: Limiter,
        batch_queue: BatchQueuePort | None = None,
        *,
        after_shard: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._after_shard = after_shard
        self._ledger = ledger
        self._batch_queue = batch_queue
        self._slots = SlotClient(limiter, worker=name)
        self._local = LocalPages()
        self._pdf = PdfThread(timeout_s=settings.page_timeout_s, memory_bytes=settings.page_memory_bytes)
        self._duplicates = PageDeduplicator(ledger, fingerprint=settings.fingerprint) if settings.dedup else None
        waits = settings.stage.kind == "wait"
        self._recorder = PageRecorder(
            ledger,
            fingerprint=settings.fingerprint,
            keep_boxes=settings.keep_boxes,
            duplicates=self._duplicates,
            batch_queue=batch_queue,
            linger_s=LINGER_S if waits else COMPUTED_LINGER_S,
        )
        self._documents = DocumentCache(keep=32 if waits else 2, max_pixels=settings.max_pixels)
        self._engines: list[Engine | None] = []
        self._stage: ComputeStage | WaitingStage | None = None
        self._turn: asyncio.Semaphore | None = None
        self._load = ProcessLoad()
        self._draining = False
        self._cancelled: dict[str, int] = {}  # document_id -> the newest fencing token under which it was dropped
        self._asking: defaultdict[str, set[asyncio.Task[Any]]] = defaultdict(set)  # requests in flight, by document_id
        self._stopped: OutsideError | None = None
        self._in_progress: Counter[str] = Counter()  # shards in progress, by document_id

    @property
    def documents_in_progress(self) -> tuple[str, ...]:
        """Returns the documents in progress. You can call it from any thread."""
        return tuple(self._in_progress)

    async def open(self) -> WorkerInfo:
        """Loads the engines of the stage. Raises EngineUnavailable and CredentialsError, which end the run."""
        settings = self._settings
        stage = settings.stage
        with kept_for_good():
            engines = await asyncio.to_thread(self._open_engines)  # there is no time limit, since models are loaded from disk
        self._engines = engines
        if stage.kind == "compute":
            self._stage = ComputeStage(stage, engines, reader=RapidLineReader(), words=RapidWordReader())
            self._turn = asyncio.Semaphore(1)
        else:
            slots = self._slots
            self._stage = WaitingStage(
                stage,
                engines,
                slots=slots,
                policy=settings.policy,
                on_thread=self._pdf.run,
                dedup=self._duplicates,
                fall_back=settings.engine.on_outage == "fallback",
                local=self._local if settings.engine.uses_local_lane else None,
                verifier=Verifier(settings.doubt, RapidLineReader(), prompts=settings.prompts),
                verify_within_s=settings.page_timeout_s / 3,
                sleep=slots.sleep,
                on_retry=log_retry,
            )
            self._turn = asyncio.Semaphore(settings.pages_in_flight)
        return WorkerInfo(engines=tuple(engine.name for engine in engines if engine), host=socket.gethostname(), pid=os.getpid())

    async def recognize(self, shard: Shard, content: DocumentBytes, context: DocumentContext) -> ShardReport:
        """Reads and records the shard's pages, except those that it cannot start because the worker drains or runs out of time.

        Raises DocumentError when the document cannot be opened, StorageError when the ledger could not write, OutsideError when
        the run has to stop.
        """
        assert self._turn is not None, "open() first"
        self._in_progress[shard.document_id] += 1
        try:
            return await self._read_shard(shard, content, context)
        finally:
            self._in_progress[shard.document_id] -= 1
            self._in_progress += Counter()  # removes zero counts

    async def _read_shard(self, shard: Shard, content: DocumentBytes, context: DocumentContext) -> ShardReport:
        assert self._turn is not None
        started = time.monotonic()
        if self._settings.stage.kind == "compute":
            async with self._turn:  # one shard at a time, while the previous one waits for its acknowledgement
                started = time.monotonic()
                results = await self._read_in_time(shard, content, context, started)
                self._recorder.flush()
        else:
            results = await self._read_together(shard, content, context)
        kept = [result for result in results if result is not None]
        compute_s = time.monotonic() - started
        for _, acknowledged in kept:
            await asyncio.shield(acknowledged)
        self._after_shard()
        return ShardReport(
            document_id=shard.document_id,
            pages=tuple(record.summary for record, _ in kept),
            compute_s=compute_s,
            cpu_share=self._load.share(),
        )

    async def local_pages(
        self, document_id: str, page_numbers: tuple[int, ...], known: tuple[int, ...], ended: Mapping[int, bool]
    ) -> tuple[int, ...]:
        """Exchanges pages for local engines; see `LocalPages.exchange`."""
        return await self._local.exchange(document_id, page_numbers, known, ended)

    async def drain(self) -> None:
        """Starts no further page. Pages that are computing or whose request was sent are finished."""
        self._draining = True
        self._slots.close()
        self._local.close()

    async def cancel(self, document_id: str, fencing_token: int) -> None:
        """Drops the document: no further page of it is read, and pending answers are not awaited. A later token means that the
        document was requested again."""
        self._cancelled[document_id] = fencing_token
        for task in self._asking.get(document_id, ()):
            task.cancel()

    async def close(self) -> None:
        """Releases engines and documents, for workers whose process continues. The thread ends after its current call."""
        for engine in self._engines:
            if isinstance(engine, WaitingEngine):
                await engine.aclose()
            elif engine is not None:
                engine.close()
        self._pdf.post(self._documents.close)
        await asyncio.to_thread(self._pdf.close, timeout_s=CLOSE_S)

    def _is_dropped(self, context: DocumentContext) -> bool:
        return context.fencing_token <= self._cancelled.get(context.document.document_id, -1)

    # -- one page -----------------------------------------------------------------------------------------------------------

    async def _read_in_time(
        self, shard: Shard, content: DocumentBytes, context: DocumentContext, started: float
    ) -> list[tuple[PageRecord, asyncio.Future[None]] | None]:
        """Reads page by page until the shard's time is used up. Other workers can share the rest."""
        results: list[tuple[PageRecord, asyncio.Future[None]] | None] = []
        for number in shard.page_numbers:
            if results and time.monotonic() - started > self._settings.shard_budget_s:
                break
            results.append(await self._read(number, shard, content, context))
        return results

    async def _read_together(
        self, shard: Shard, content: DocumentBytes, context: DocumentContext
    ) -> list[tuple[PageRecord, asyncio.Future[None]] | None]:
        """Reads all pages at once. After an error, no further request is sent. If the error ends the run (a budget, a wrong key),
        pending paid requests are still answered and recorded. An error that concerns only this document cancels pending
        requests."""
        tasks = [asyncio.create_task(self._read_in_turn(number, shard, content, context)) for number in shard.page_numbers]
        asking = self._asking[shard.document_id]
        asking.update(tasks)
        try:
            return list(await asyncio.gather(*tasks))
        except OutsideError as error:
            self._stopped = self._stopped or error
            await self.drain()
            kept = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(result[1] for result in kept if isinstance(result, tuple)), return_exceptions=True)
            raise
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._is_dropped(context):
                return []
            raise
        finally:
            asking.difference_update(tasks)
            if not asking:
                self._asking.pop(shard.document_id, None)

    async def _read_in_turn(
        self, number: int, shard: Shard, content: DocumentBytes, context: DocumentContext
    ) -> tuple[PageRecord, asyncio.Future[None]] | None:
        assert self._turn is not None
        async with self._turn:
            return await self._read(number, shard, content, context)

    async def _read(
        self, number: int, shard: Shard, content: DocumentBytes, context: DocumentContext
    ) -> tuple[PageRecord, asyncio.Future[None]] | None:
        if self._stopped is not None:
            raise self._stopped  # None would make the driver send the page again
        if self._draining or self._is_dropped(context):
            return None
        before, started = shard.attempts.get(number, ()), time.monotonic()
        progress = PageProgress(shard.document_id, number, is_last_stage=self._settings.is_last_stage, attempts=before)
        try:
            record = await self._read_opened(number, shard, content, context, progress)
        except (Draining, ReadLocally):
            return None
        except RayocrError:
            raise  # any other error of an engine concerns the run
        except Exception as error:  # a bug is recorded as the page's outcome, so that one bad page never fails a document
            log_defect(error, context, number)
            record = progress.unreadable(InternalError(f"{type(error).__name__}: {error}", hint="The log has the traceback."))
        if shard.least_confidence is not None and (record.doubts or record.outcome in _UNREAD):
            return None
        if record.outcome is PageOutcome.FAILED and number in shard.attempts:
            record = await self._doubtful_text(progress) or record
        if self._settings.log_pages or record.outcome is PageOutcome.FAILED:
            log_page(record, context, duration_s=time.monotonic() - started)
        return await self._recorder.record(record, fencing_token=context.fencing_token)

    async def _read_opened(
        self, number: int, shard: Shard, content: DocumentBytes, context: DocumentContext, progress: PageProgress
    ) -> PageRecord:
        if number in shard.crashed:
            return progress.unreadable(PageQuarantined(shard.crashed[number]))
        try:
            page = await self._open_page(number, shard, content)
        except (EngineError, DocumentError) as error:
            return progress.unreadable(error)
        try:
            return await self._recognize(page, progress, shard, context)
        finally:
            self._pdf.post(self._documents.close_page, shard.document_id, page)

    async def _doubtful_text(self, progress: PageProgress) -> PageRecord | None:
        """Returns a result of an earlier stage, for a page for which all other engines failed."""
        number = progress.page_number
        for earlier in await self._ledger.texts(progress.document_id, number, number):
            if earlier.text and not earlier.outcome.final:
                return progress.settled_for(earlier)
        return None

    async def _open_page(self, number: int, shard: Shard, content: DocumentBytes) -> Page:
        page = await self._pdf.run(self._documents.open_page, shard.document_id, number)
        while page is None:
            data = await content.load()
            page = await self._pdf.run(self._documents.open_page, shard.document_id, number, data)
        return page

    async def _recognize(self, page: Page, progress: PageProgress, shard: Shard, context: DocumentContext) -> PageRecord:
        if isinstance(self._stage, ComputeStage):
            return await self._pdf.run(
                lambda stage: stage.recognize(
                    page, progress, first_engine=shard.first_engine, least_confidence=shard.least_confidence
                ),
                self._stage,
            )
        assert isinstance(self._stage, WaitingStage)
        offered = ThreadedPage(page, self._pdf.run, progress)
        record = await self._stage.recognize(
            page,
            offered,
            progress,
            first_engine=shard.first_engine,
            # Sends the page to the ledger without waiting for the write.
            remember=lambda record: self._recorder.record(record, fencing_token=context.fencing_token),
        )
        self._recorder.note_batch_keys(record, offered.batch_keys)
        return record

    # -- the PDFium thread --------------------------------------------------------------------------------------------------

    def _open_engines(self) -> list[Engine | None]:
        settings = self._settings
        engines: list[Engine | None] = [None] * len(settings.links)
        for position in range(settings.stage.first, settings.stage.last + 1):
            link = settings.links[position]
            engine = build_engine(
                link.name,
                settings.engine,
                prompt=settings.prompts.get(link.name, ""),
                secrets=settings.secrets,
                batch_queue=self._batch_queue,
            )
            try:
                engine.open()
            except EngineUnavailable:
                if not link.optional:
                    raise
                continue
            engines[position] = self._metered(engine)
        return engines

    def _metered(self, engine: Engine) -> Engine:
        if isinstance(engine, WaitingEngine):
            return meter(engine, slots=self._slots, prices=self._settings.prices)
        return engine
