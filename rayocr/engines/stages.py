"""One page down one stage of the chain, until an answer passes the checks. Decides outcomes; knows no ledger and no Ray.

A page without ink is `blank` and never asked about; a trusted text layer comes before that question, since it costs nothing and
a lone line of born-digital text is text. What an engine is merely unsure of (LowConfidence) is kept aside, over stages too: if
nobody does better, it is the page's text, with the doubt on record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from rayocr.engines.answers.checks import check_answer, repeats_as_its_page
from rayocr.engines.answers.off_loop import off_loop
from rayocr.engines.answers.verification import VerificationResult, Verifier
from rayocr.engines.base import ComputeEngine, Engine, OfferedPage, WaitingEngine, account_of
from rayocr.engines.completion import complete
from rayocr.engines.model_ladder import MAX_PAID_TRIES, is_paid, lost_in_batches, next_model
from rayocr.engines.registry import Stage
from rayocr.engines.transient_failures import TransientFailures
from rayocr.errors import (
    BadAnswer,
    BatchIncomplete,
    DayQuotaExhausted,
    EngineError,
    EngineTimeout,
    EngineTransient,
    LanguagePackMissing,
    LowConfidence,
    ModelUnavailable,
    OutsideError,
    PictureUndecodable,
    QuotaDenied,
    RayocrError,
    RepetitionLoop,
    Unreadable,
)
from rayocr.ledger.boxes import pack_boxes
from rayocr.messages import OUTAGE, OUTAGE_REASONS, PICTURE_LOST, SUSPECT, UNREAD_INK, Attempt, PageOutcome, PageRecord, PageText
from rayocr.pdf.ink import BLANK_COVERAGE
from rayocr.retry import RetryPolicy, decide

if TYPE_CHECKING:
    from rayocr.pdf.page import Page

T = TypeVar("T")

Remember = Callable[[PageRecord], Awaitable[object]]
# Told before a request is sent again: the page, the model, which try failed, why, and the delay in seconds.
OnRetry = Callable[["PageProgress", str, int, RayocrError, float], None]

_MOSTLY_LOST = 0.5  # of the page under pictures that cannot be decoded: what engines read beside them is not the page
_MESSAGE_CHARS = 300  # of an error kept on record: enough to act on, short enough for a manifest of 10,000 pages


class Slots(Protocol):
    """The limiter as a waiting engine's caller sees it."""

    def slot(self, model: str) -> AbstractAsyncContextManager[None]:
        """Entered when the request may leave. Left with the request's error, so that a 429 slows down everybody."""

    async def tier(self) -> str:
        """The service tier that the run prefers now; empty: none."""

    async def unless_closing(self, asking: Awaitable[T]) -> T:
        """The answer; Draining as soon as the worker drains, since answers of batches come in hours."""

    def failing(self, model: str) -> float:
        """0..1, the share of the model's recent requests that failed; 1 while its server answers nothing."""


class PageDedupPort(Protocol):
    """Identical pages that were read before, or are being read."""

    async def claim(self, content_hash: str) -> PageRecord | None: ...

    def release(self, content_hash: str, record: PageRecord | None) -> None: ...


class PageProgress:
    """What is known of one page on its way down: who was asked in vain, and the best doubtful answer."""

    def __init__(self, document_id: str, page_number: int, *, is_last_stage: bool, attempts: Sequence[Attempt] = ()) -> None:
        self.document_id = document_id
        self.page_number = page_number
        self.is_last_stage = is_last_stage
        self.outage: OutsideError | None = None  # of a server that could not be asked; engine.on_outage=fallback
        self._attempts = list(attempts)
        self._doubtful: PageText | None = None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return tuple(self._attempts)

    def note(self, engine: Engine, error: Exception, *, model: str = "", answer: PageText | None = None) -> None:
        """`model` where a server was asked, and the `answer` that it gave and that did not serve."""
        attempt = Attempt(
            engine=engine.name,
            reason=error.reason if isinstance(error, RayocrError) else type(error).__name__,
            message=str(error)[:_MESSAGE_CHARS],
            model=model,
            finish=(error.finish or "") if isinstance(error, BadAnswer) else "",
        )
        if answer is not None and model:
            attempt = replace(
                attempt,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
                cost_usd=answer.cost_usd,
                price_class=answer.price_class,
            )
        self._attempts.append(attempt)

    def asked_in_vain(self, first_engine: int) -> PageRecord:
        """What is worth remembering before the next request: kept by the ledger until there is an outcome."""
        return replace(self._record(PageOutcome.HANDED_ON), next_engine=first_engine)

    def keep_doubtful(self, answer: PageText) -> None:
        if self._doubtful is None or (answer.confidence or 0) > (self._doubtful.confidence or 0):
            self._doubtful = answer

    def check_surer(self, answer: PageText) -> None:
        """Raises LowConfidence where an engine before was unsure of the page and this one is less sure: the first engine is
        better at worn pages, the next only at scripts that the first does not know. Raises Unreadable if it does not know them
        either."""
        doubtful = self._doubtful
        if doubtful is not None and doubtful.engine == "rapidocr" and answer.model.endswith("/eng"):
            raise Unreadable("Tesseract had its English pack only, and rapidocr reads Latin print better.", finish=answer.finish)
        before, now = (doubtful.confidence if doubtful else None), answer.confidence
        if before is not None and now is not None and now < before:
            raise LowConfidence(f"mean confidence {now:.2f} is below the {before:.2f} of an engine before.", finish=answer.finish)

    def blank(self) -> PageRecord:
        return self._record(PageOutcome.BLANK)

    def answered(self, answer: PageText, *, doubts: tuple[str, ...] = (), look: VerificationResult | None = None) -> PageRecord:
        # The first engine's own doubtful answer is no fallback, although others were asked after it.
        asked_before = bool(self._attempts) and self._attempts[0].engine != answer.engine
        outcome = PageOutcome.FALLBACK if asked_before else PageOutcome.DONE
        vain = self._record(outcome)
        doubts = (*doubts, *answer.doubts)
        if look is not None and look.suspect:
            doubts = (*doubts, SUSPECT)
        if any(attempt.reason in OUTAGE_REASONS and attempt.engine != answer.engine for attempt in self._attempts):
            doubts = (*doubts, OUTAGE)
        return replace(
            vain,
            text=answer.text,
            engine=answer.engine,
            model=answer.model,
            input_tokens=vain.input_tokens + answer.input_tokens,
            output_tokens=vain.output_tokens + answer.output_tokens,
            cost_usd=vain.cost_usd + answer.cost_usd,
            price_class=answer.price_class,
            doubts=doubts,
            agreement=look.agreement if look is not None else None,
            boxes="" if answer.engine == "textlayer" else pack_boxes(answer.boxes or ()),  # its page can be searched as it is
        )

    def copied(self, duplicate: PageRecord) -> PageRecord:
        """The text of an identical page, at the price of what was tried in vain on this one."""
        vain = self._record(PageOutcome.DONE)
        return replace(
            vain,
            text=duplicate.text,
            engine=duplicate.engine,
            model=duplicate.model,
            content_hash=duplicate.content_hash,
            copied=True,
            doubts=duplicate.doubts,
            agreement=duplicate.agreement,
        )

    def exhausted(self, stage: Stage) -> PageRecord:
        """No engine of the stage delivered for certain. A doubtful text goes along to the next stage, which may do better."""
        best = self._record(PageOutcome.FAILED)
        if self._doubtful is not None:
            best = self.answered(self._doubtful, doubts=() if UNREAD_INK in self._doubtful.doubts else ("low_confidence",))
        if self.is_last_stage:
            return best
        return replace(best, outcome=PageOutcome.HANDED_ON, next_engine=stage.last + 1)

    def settled_for(self, doubtful: PageRecord) -> PageRecord:
        """All failed; an earlier stage had read the page, and was not sure of it."""
        outcome = PageOutcome.FALLBACK if self._attempts and self._attempts[0].engine != doubtful.engine else PageOutcome.DONE
        vain = self._record(outcome)
        return replace(
            vain, text=doubtful.text, engine=doubtful.engine, model=doubtful.model, doubts=doubtful.doubts, boxes=doubtful.boxes
        )

    def unreadable(self, error: RayocrError) -> PageRecord:
        """The page could not even be opened; no engine would fare better."""
        self._attempts.append(Attempt(engine="pdf", reason=error.reason, message=str(error)[:_MESSAGE_CHARS]))
        return self._record(PageOutcome.FAILED)

    def _record(self, outcome: PageOutcome) -> PageRecord:
        return PageRecord(
            document_id=self.document_id,
            page_number=self.page_number,
            outcome=outcome,
            input_tokens=sum(attempt.input_tokens for attempt in self._attempts),
            output_tokens=sum(attempt.output_tokens for attempt in self._attempts),
            cost_usd=sum(attempt.cost_usd for attempt in self._attempts),
            attempts=self.attempts,
        )


class ComputeStage:
    """Engines that compute, on the process's PDFium thread. An entry of `engines` is None where an optional one is missing."""

    def __init__(self, stage: Stage, engines: Sequence[Engine | None]) -> None:
        self.stage = stage
        self._engines = engines

    def recognize(self, page: Page, progress: PageProgress, *, first_engine: int) -> PageRecord:
        inked = _InkedOnce(page.ink_coverage)
        partial: PageText | None = None
        for engine in self._engines[max(first_engine, self.stage.first) : self.stage.last + 1]:
            if engine is None:
                continue
            assert isinstance(engine, ComputeEngine)
            answer: PageText | None = None
            try:
                if partial is not None:
                    answer = complete(page, engine)
                elif engine.name != "textlayer" and inked() < BLANK_COVERAGE:
                    return progress.blank()
                else:
                    answer = engine.recognize(page)
                if answer is None:
                    if partial is None and (partial := engine.partial(page)) is not None:
                        progress.keep_doubtful(partial)
                    continue
                if partial is not None:
                    _check_completion(answer)
                    progress.check_surer(answer)
                elif engine.name != "textlayer":
                    check_answer(answer, ink_coverage=inked, can_loop=False)
                    progress.check_surer(answer)
                answer = _without_lost_pictures(page, answer)
            except LowConfidence as error:
                progress.note(engine, error)
                if answer is not None:
                    progress.keep_doubtful(answer)
                continue
            except LanguagePackMissing as error:
                progress.note(engine, error)
                break  # with its other packs, Tesseract would read a script that they do not know as junk
            except Exception as error:  # recorded as an attempt: one bad page never fails a document
                progress.note(engine, error)
                continue
            return progress.answered(answer)
        return progress.exhausted(self.stage)


def _without_lost_pictures(page: Page, answer: PageText) -> PageText:
    """The answer with a doubt where a picture of the page could not be drawn for the engine. Raises PictureUndecodable where that
    is most of what it should have read."""
    lost = page.undecodable_share
    if lost >= _MOSTLY_LOST and answer.engine != "textlayer":
        raise PictureUndecodable(f"Pictures that cannot be decoded cover {lost:.0%} of page {page.page_number}.")
    return replace(answer, doubts=(*answer.doubts, PICTURE_LOST)) if lost else answer


def _check_completion(answer: PageText) -> None:
    """Raises LowConfidence where the page shows lines that are still not read."""
    if UNREAD_INK in answer.doubts:
        raise LowConfidence("lines of the page that its text layer does not have could not be read for certain.")


class WaitingStage:
    """Engines that wait for a server, with the light ones before them.

    Two kinds of trying again: transient errors, which cost nothing, at the limiter's pace (`policy`); and answers that do not
    serve, down the ladder of models. Each of those is handed to `remember` before the next request leaves, so that what was
    paid for in vain is not paid for again after a crash.
    """

    def __init__(
        self,
        stage: Stage,
        engines: Sequence[Engine | None],
        *,
        slots: Slots,
        policy: RetryPolicy,
        on_thread: Callable[..., Awaitable[object]],
        dedup: PageDedupPort | None = None,
        verifier: Verifier | None = None,
        fall_back: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_retry: OnRetry = lambda *_: None,
    ) -> None:
        self.stage = stage
        self._engines = engines
        self._slots = slots
        self._policy = policy
        self._on_thread = on_thread  # runs a function on the PDFium thread
        self._duplicates = dedup
        self._verifier = verifier
        self._fall_back = fall_back  # engine.on_outage: to the next engine, where the server is unavailable
        self._sleep = sleep
        self._on_retry = on_retry

    async def recognize(
        self, page: Page, offered: OfferedPage, progress: PageProgress, *, first_engine: int, remember: Remember
    ) -> PageRecord:
        """Raises CredentialsError and other OutsideErrors, which concern the run and not the page."""
        engines = [e for e in self._engines[max(first_engine, self.stage.first) : self.stage.last + 1] if e is not None]
        while engines and isinstance(engines[0], ComputeEngine):
            light = await self._read_light(engines.pop(0), page, progress)
            if light is not None:
                return progress.answered(light)
        if not engines:
            return progress.exhausted(self.stage)
        try:
            if not await self._on_thread(_is_inked, page):
                return progress.blank()
        except EngineError as error:  # what cannot be drawn cannot be sent either
            progress.note(engines[0], error)
            return progress.exhausted(self.stage)
        ask = partial(self._ask_in_turn, engines, page, offered, progress, lambda: remember(progress.asked_in_vain(first_engine)))
        return await (self._once_for_all_twins(offered, progress, ask) if self._duplicates else ask())

    async def _once_for_all_twins(
        self, offered: OfferedPage, progress: PageProgress, ask: Callable[[], Awaitable[PageRecord]]
    ) -> PageRecord:
        assert self._duplicates is not None
        try:
            content_hash = await offered.content_hash()
        except EngineError:  # it cannot be cut out; an engine that asks for a picture may still read it
            return await ask()
        duplicate = await self._duplicates.claim(content_hash)
        if duplicate is not None:
            return progress.copied(duplicate)
        record: PageRecord | None = None
        try:
            record = replace(await ask(), content_hash=content_hash)
            return record
        finally:
            self._duplicates.release(content_hash, record)

    async def _ask_in_turn(
        self,
        engines: Sequence[Engine],
        page: Page,
        offered: OfferedPage,
        progress: PageProgress,
        remember: Callable[[], Awaitable[object]],
    ) -> PageRecord:
        used_up: DayQuotaExhausted | None = None
        for engine in engines:
            try:
                if isinstance(engine, WaitingEngine):
                    answer = await self._ask(engine, page, offered, progress, remember)
                elif used_up is None:
                    answer = await self._read_light(engine, page, progress)
                else:
                    continue
            except DayQuotaExhausted as error:  # another server may have some left
                used_up = error if used_up is None else min(used_up, error, key=lambda e: e.resumes_at or 0.0)
                continue
            if answer is not None:
                return progress.answered(answer, look=await self._look(engine, page, offered, answer))
        if used_up is not None:
            raise used_up  # and not a fallback: tomorrow the page can be read by the engine that was asked for
        if progress.outage is not None and progress.is_last_stage:
            raise progress.outage  # no engine is left to fall back to
        return progress.exhausted(self.stage)

    async def _look(self, engine: Engine, page: Page, offered: OfferedPage, answer: PageText) -> VerificationResult | None:
        if self._verifier is None or not isinstance(engine, WaitingEngine):
            return None
        try:
            sampled = self._verifier.samples and self._verifier.chosen(await offered.content_hash())
        except EngineError:
            return None
        look = await self._on_thread(partial(self._verifier.look, sampled=sampled), page, answer)
        return look if isinstance(look, VerificationResult) else None

    async def _read_light(self, engine: Engine, page: Page, progress: PageProgress) -> PageText | None:
        assert isinstance(engine, ComputeEngine)
        try:
            answer = await self._on_thread(_whole_or_partial, engine, page)
        except Exception as error:  # recorded as an attempt, as in a ComputeStage
            progress.note(engine, error)
            return None
        if not isinstance(answer, PageText):
            return None
        if UNREAD_INK in answer.doubts:  # better than nothing, should all others fail
            progress.keep_doubtful(answer)
            return None
        return answer

    async def _ask(
        self,
        engine: WaitingEngine,
        page: Page,
        offered: OfferedPage,
        progress: PageProgress,
        remember: Callable[[], Awaitable[object]],
    ) -> PageText | None:
        """Down the engine's models until an answer passes. Raises DayQuotaExhausted when those that may be asked are parked."""
        parked: dict[str, DayQuotaExhausted] = {}
        while True:
            models = [model for model in engine.models if model not in parked]
            model = next_model(models, progress.attempts, engine=engine.name)
            if model is None:
                if parked and next_model(engine.models, progress.attempts, engine=engine.name) is not None:
                    raise min(parked.values(), key=lambda error: error.resumes_at or 0.0)
                return None
            answer: PageText | None = None
            try:
                answer = await self._request(engine, offered, progress, model, remember)
                await self._check(answer, page)
            except DayQuotaExhausted as error:
                parked[model] = error
                continue
            except (ModelUnavailable, QuotaDenied) as error:
                if not self._fall_back:
                    raise
                progress.note(engine, error, model=model)
                progress.outage = error
                continue
            except EngineError as error:
                progress.note(engine, error, model=model, answer=answer)
            else:
                return answer
            if is_paid(progress.attempts[-1]):
                await remember()

    async def _check(self, answer: PageText, page: Page) -> None:
        try:
            # Inked: that was asked before the page was sent.
            await off_loop(len(answer.text), check_answer, answer, ink_coverage=lambda: 1.0)
        except RepetitionLoop:
            if not repeats_as_its_page(answer, str(await self._on_thread(_own_text, page))):
                raise

    async def _request(
        self,
        engine: WaitingEngine,
        offered: OfferedPage,
        progress: PageProgress,
        model: str,
        remember: Callable[[], Awaitable[object]],
    ) -> PageText:
        """Until the server answers. Raises EngineTransient only when the page is to blame: what keeps a server from answering
        anybody is waited out by the limiter."""
        attempt = 0
        failures = TransientFailures(max_attempts=self._policy.max_attempts, max_timeouts=MAX_PAID_TRIES)
        while True:
            attempt += 1
            try:
                if engine.chooses_tier:
                    engine.lane = await self._slots.tier()
                async with self._slots.slot(account_of(engine, model)):
                    asking = engine.recognize_async(offered, model)
                    return await (self._slots.unless_closing(asking) if engine.batched else asking)
            except EngineTransient as error:
                failure = error
                if isinstance(error, EngineTimeout | BatchIncomplete) and error.probably is not None:
                    progress.note(engine, error, model=model, answer=error.probably)
                    await remember()
                    if lost_in_batches(progress.attempts, model):
                        raise
                decision = decide(error, min(attempt, self._policy.max_attempts - 1), policy=self._policy)
                assert decision is not None, "transient, and not the last attempt"
                self._on_retry(progress, model, attempt, error, decision.delay_s)
            await self._sleep(decision.delay_s)
            # Only now: by this time the limiter has told how the requests of others fare.
            failures.add(failure, failing=self._slots.failing(account_of(engine, model)))
            if failures.blame_the_page:
                raise failure


class _InkedOnce:
    """The page's ink coverage, measured at most once: it costs a rendering."""

    def __init__(self, measure: Callable[[], float]) -> None:
        self._measure = measure
        self._coverage: float | None = None

    def __call__(self) -> float:
        if self._coverage is None:
            self._coverage = self._measure()
        return self._coverage


def _whole_or_partial(engine: ComputeEngine, page: Page) -> PageText | None:
    answer = engine.recognize(page)
    answer = engine.partial(page) if answer is None else answer
    return _without_lost_pictures(page, answer) if answer is not None else None


def _own_text(page: Page) -> str:
    return page.text_layer().text


def _is_inked(page: Page) -> bool:
    try:
        return page.certainly_inked() or page.ink_coverage() >= BLANK_COVERAGE
    except PictureUndecodable:  # a server may have another decoder
        return True
