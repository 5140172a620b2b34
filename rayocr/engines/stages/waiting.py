"""Implements the stage for engines that wait for a server."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from rayocr.engines.answers.checks import check_answer, repeats_as_its_page
from rayocr.engines.answers.finish_reasons import finish_reason_of
from rayocr.engines.answers.off_loop import off_loop
from rayocr.engines.answers.verification import VerificationResult, Verifier
from rayocr.engines.base import ComputeEngine, Engine, OfferedPage, WaitingEngine, account_of
from rayocr.engines.model_ladder import DURING_OUTAGE, is_paid, lost_in_batches, next_model
from rayocr.engines.registry import Stage
from rayocr.engines.stages.lost_pictures import without_lost_pictures
from rayocr.engines.stages.page_requests import PageRequests
from rayocr.engines.stages.ports import LocalEngines, OnRetry, PageDedupPort, Remember, Slots
from rayocr.engines.stages.progress import PageProgress
from rayocr.engines.stages.refused_documents import Refusal, RefusedDocuments
from rayocr.errors import (
    DayQuotaExhausted,
    EmptyAnswer,
    EngineError,
    EngineRejected,
    MalformedAnswer,
    ModelUnavailable,
    PictureUndecodable,
    QuotaDenied,
    Refused,
    RepetitionLoop,
    Truncated,
    UnknownModel,
)
from rayocr.messages import UNREAD_INK, PageRecord, PageText
from rayocr.pdf.ink import BLANK_COVERAGE
from rayocr.retry import RetryPolicy

if TYPE_CHECKING:
    from rayocr.pdf.page import Page

_Parked = DayQuotaExhausted | UnknownModel | QuotaDenied
_Stopped = TypeVar("_Stopped", bound=_Parked)
_BATCHES_HINT = (
    "Start the same command again to resume: with engine.batch=false to read the remaining pages in single requests, or"
    " unchanged to try one more batch."
)
_SUSPECTED = "{} refused this page after pages of other documents, so the page may not be the cause. `rayocr retry` asks again."
_REFUSAL_WAITS = 4  # number of waits until the limiter knows whether pages of other documents are refused, too
_HANGING_S = 1.0  # after a verification was given up, the next one must end within this time
_OTHERS_S = 0.5  # time for the results of other requests; longer than a worker waits before it returns its slots


class WaitingStage:
    """Runs engines that wait for a server, after the light engines of the stage.

    There are two kinds of retry. Transient errors cost nothing and are retried at the limiter's pace (`policy`). Answers that
    fail the checks are retried with the next model. Each failed answer is passed to `remember` before the next request is sent,
    so that it is not paid for again after a crash.
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
        local: LocalEngines | None = None,
        verify_within_s: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_retry: OnRetry = lambda *_: None,
    ) -> None:
        self.stage = stage
        self._engines = engines
        self._slots = slots
        self._on_thread = on_thread  # runs a function on the PDFium thread
        self._duplicates = dedup
        self._verifier = verifier
        self._verify_within_s = verify_within_s
        self._thread_hangs = False  # the last verification was given up
        self._fall_back = fall_back  # engine.on_outage: use the next engine if the server is unavailable
        self._sleep = sleep
        self._requests = PageRequests(slots, policy=policy, local=local, sleep=sleep, on_retry=on_retry)
        self._refused = RefusedDocuments(slots.refused_in_a_row, sleep)

    async def recognize(
        self, page: Page, offered: OfferedPage, progress: PageProgress, *, first_engine: int, remember: Remember
    ) -> PageRecord:
        """Reads the page. Raises CredentialsError and other OutsideErrors, which concern the run, not the page, and
        ReadLocally."""
        progress.is_placeholder = page.is_placeholder
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
        except EngineError as error:  # a page that cannot be drawn cannot be sent either
            progress.note(engines[0], error)
            return progress.exhausted(self.stage)
        ask = partial(
            self._ask_in_turn, engines, page, offered, progress, lambda: remember(progress.all_engines_failed(first_engine))
        )
        return await (self._once_for_duplicates(offered, progress, ask) if self._duplicates else ask())

    async def _once_for_duplicates(
        self, offered: OfferedPage, progress: PageProgress, ask: Callable[[], Awaitable[PageRecord]]
    ) -> PageRecord:
        assert self._duplicates is not None
        try:
            content_hash = await offered.content_hash()
        except EngineError:  # the page cannot be extracted; an engine that needs a picture may still read it
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
        used_up: DayQuotaExhausted | UnknownModel | None = None
        for engine in engines:
            try:
                if isinstance(engine, WaitingEngine):
                    try:
                        answer = await self._ask(engine, page, offered, progress, remember)
                    finally:
                        self._refused.left(progress)
                elif used_up is None:
                    answer = await self._read_light(engine, page, progress)
                else:
                    continue
            except (DayQuotaExhausted, UnknownModel) as error:  # another server may have quota left, or may have the model
                used_up = error if used_up is None else _first([used_up, error])
                continue
            if answer is not None:
                return progress.answered(answer, verification=await self._verify(engine, page, offered, answer))
        if used_up is not None:
            raise used_up  # no fallback, since the requested engine can read the page tomorrow or with another model
        if progress.outage is not None and progress.is_last_stage:
            raise progress.outage  # no engine is left to fall back to
        return progress.exhausted(self.stage)

    async def _verify(self, engine: Engine, page: Page, offered: OfferedPage, answer: PageText) -> VerificationResult | None:
        if self._verifier is None or not isinstance(engine, WaitingEngine):
            return None
        try:
            # A page that hangs on the thread ends the process, and answers that are not recorded by then are paid twice.
            async with asyncio.timeout(_HANGING_S if self._thread_hangs else self._verify_within_s):
                sampled = self._verifier.samples and self._verifier.chosen(await offered.content_hash())
                verification = await self._on_thread(partial(self._verifier.verify, sampled=sampled), page, answer)
        except EngineError:
            return None
        except TimeoutError:
            self._thread_hangs = True
            return None
        self._thread_hangs = False
        return verification if isinstance(verification, VerificationResult) else None

    async def _read_light(self, engine: Engine, page: Page, progress: PageProgress) -> PageText | None:
        assert isinstance(engine, ComputeEngine)
        try:
            answer = await self._on_thread(_whole_or_partial, engine, page)
        except Exception as error:  # recorded as an attempt, as in a ComputeStage
            progress.note(engine, error)
            return None
        if not isinstance(answer, PageText):
            return None
        if UNREAD_INK in answer.doubts:  # kept as a fallback if all other engines fail
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
        """Tries the engine's models in order until an answer passes. Raises DayQuotaExhausted if all allowed models are parked,
        UnknownModel if the server has none of them, and QuotaDenied if the project has a quota for none of them."""
        parked: dict[str, _Parked] = {}
        suspected: str | None = None  # a model that refused this page, and earlier pages of other documents
        while True:
            models = [model for model in engine.models if model not in parked]
            model = next_model(models, progress.attempts, engine=engine.name)
            if model is None:
                self._note_unread(engine, progress, parked, suspected)
                return None
            account = account_of(engine, model)
            answer: PageText | None = None
            try:
                answer = await self._requests.send(engine, offered, progress, model, remember)
                await self._check(answer, page)
            except (DayQuotaExhausted, UnknownModel, QuotaDenied) as error:
                parked[model] = error
                continue
            except ModelUnavailable as error:
                if not self._fall_back:
                    raise
                progress.note(engine, error, model=model)
                progress.outage = error
                continue
            except (EngineRejected, MalformedAnswer, Refused, Truncated, EmptyAnswer) as error:
                outage, is_suspect = await self._examine(engine, model, progress, error)
                suspected = model if is_suspect else suspected
                progress.note(engine, error, model=model, answer=answer, finish=DURING_OUTAGE if outage else "")
            except EngineError as error:
                progress.note(engine, error, model=model, answer=answer)
            else:
                self._refused.answered(progress, account, progress.document_id)
                return answer
            if answer is not None or is_paid(progress.attempts[-1]):
                await remember()

    async def _examine(self, engine: WaitingEngine, model: str, progress: PageProgress, error: EngineError) -> tuple[bool, bool]:
        """Returns whether the error belongs to an outage of the model, and whether the model may refuse all pages."""
        explained = isinstance(error, Refused | Truncated | EmptyAnswer) and not finish_reason_of(error.finish or "").unexplained
        outage = await self._is_outage(engine, model, waits=_REFUSAL_WAITS if explained else 1)
        if not explained:
            return outage, False
        account = account_of(engine, model)
        if self._slots.refusing(account):
            return outage, True
        refusal = await self._judge(engine, account, progress, error)
        return refusal is Refusal.AGAIN, refusal is Refusal.SUSPECTED

    def _note_unread(
        self,
        engine: WaitingEngine,
        progress: PageProgress,
        parked: Mapping[str, _Parked],
        suspected: str | None,
    ) -> None:
        """Records why no model of the engine remains for the page. Raises the error if the run must end for it."""
        gone = [model for model, error in parked.items() if not isinstance(error, DayQuotaExhausted)]
        known = [model for model in engine.models if model not in gone]
        outage: _Parked | ModelUnavailable
        if parked and next_model(known or gone, progress.attempts, engine=engine.name) is not None:
            outage, model, ends = _first(parked.values()), next(iter(gone), ""), bool(known)
        elif (lost := next((one for one in engine.models if lost_in_batches(progress.attempts, one)), None)) is not None:
            message = f"Batches for {lost} ended without answers: {progress.attempts[-1].message}"
            outage, model, ends = ModelUnavailable(message, hint=_BATCHES_HINT), lost, False
        else:
            if suspected is not None and not (progress.is_last_stage and engine is self._engines[-1]):
                progress.note(engine, ModelUnavailable(_SUSPECTED.format(suspected)), model=suspected)
            return
        if ends or not self._fall_back:
            raise outage
        progress.note(engine, outage, model=model)
        progress.outage = outage

    async def _is_outage(self, engine: WaitingEngine, model: str, *, waits: int) -> bool:
        """Returns whether the server rejects the requests of all pages, or gives a usable answer to none of them. Waits until the
        limiter has the results of other requests, and longer while all of them are refused."""
        account = account_of(engine, model)
        for _ in range(waits):
            await self._sleep(_OTHERS_S)
            if self._slots.failing(account) >= 1.0:
                return True
            if not self._slots.refused_in_a_row(account):
                return False
        return False

    async def _judge(self, engine: WaitingEngine, account: str, progress: PageProgress, error: EngineError) -> Refusal:
        if engine.batched:  # a repeated request for the page would be answered hours later
            return Refusal.CONTENT
        return await self._refused.judge(progress, account, progress.document_id, truncated=isinstance(error, Truncated))

    async def _check(self, answer: PageText, page: Page) -> None:
        try:
            # The page has ink: this was checked before it was sent.
            await off_loop(len(answer.text), check_answer, answer, ink_coverage=lambda: 1.0)
        except RepetitionLoop:
            if not repeats_as_its_page(answer, str(await self._on_thread(page.visible_text))):
                raise


def _first(stopped: Iterable[_Stopped]) -> _Stopped:
    """Returns the error of the model that resumes first. Models that do not resume by themselves come last."""
    return min(stopped, key=lambda error: (error.resumes_at or 0.0) if isinstance(error, DayQuotaExhausted) else math.inf)


def _whole_or_partial(engine: ComputeEngine, page: Page) -> PageText | None:
    answer = engine.recognize(page)
    answer = engine.partial(page) if answer is None else answer
    return without_lost_pictures(page, answer) if answer is not None else None


def _is_inked(page: Page) -> bool:
    try:
        return page.certainly_inked() or page.ink_coverage() >= BLANK_COVERAGE
    except PictureUndecodable:  # the server may have another decoder
        return True
