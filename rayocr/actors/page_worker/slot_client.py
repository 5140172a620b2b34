"""Implements a worker's client of the RateLimiter: turns leased slots into an `async with`, with one call for all waiting pages.
At most one lease call per model is in progress. The call requests as many slots as pages are waiting at that moment, so many
requests share a round trip, and no slot stays unused if there are few. A slot is valid only briefly, since a request sent long
after its slot's start would crowd the window of later requests.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from rayocr.actors.page_worker.lane_client import LaneClient
from rayocr.actors.rate_limiter.slot_returns import Returning, graver, throttle_of
from rayocr.engines.base import BATCH_ACCOUNT
from rayocr.errors import (
    BadAnswer,
    BatchIncomplete,
    Draining,
    EngineConnectionLost,
    EngineError,
    EngineRejected,
    EngineShed,
    EngineTimeout,
    EngineTransient,
    MalformedAnswer,
    OutsideError,
    UnknownModel,
)
from rayocr.limits.lanes import LaneReport
from rayocr.messages import LaneGrant, SlotReply, SlotReturn, Throttle, ThrottleKind

# Pages that begin to wait, and returned slots, are collected for this long. The delay is negligible compared with the seconds
# that a request takes, and saves a call to the limiter per page when a server answers at once.
_LEASE_LINGER_S = 0.002
_RELEASE_LINGER_S = 0.05
_ABOVE_EXPECTED = 1.02  # factor on the expected tokens; tokens reserved above it are not given back
_GOOD_FOR_S = 0.5  # seconds after a slot's start, less than the headroom of one percent of a minute, which is 0.6 s


T = TypeVar("T")


class Limiter(Protocol):
    """The RateLimiter's methods that this module calls, directly or through a Ray handle."""

    async def lease(self, model: str, worker: str, wanted: int, input_tokens: tuple[float, ...] = ()) -> tuple[float, ...]: ...

    async def release(self, model: str, worker: str, returned: SlotReturn) -> SlotReply: ...

    async def lanes(self, worker: str, wanted: int, local: bool = True) -> tuple[LaneGrant, ...]: ...

    async def report_lanes(self, worker: str, reports: tuple[LaneReport, ...]) -> None: ...


class _Grant(NamedTuple):
    start: float  # the instant at which the request may be sent
    reserved_tokens: float | None  # None: the limiter reserved the average


class _Waiting(NamedTuple):
    granted: asyncio.Future[_Grant]
    input_tokens: float | None


@dataclass(slots=True)
class _Model:
    waiting: deque[_Waiting] = field(default_factory=deque)
    counted: bool = False  # whether the use of the next returned slot is known
    expected_tokens: float | None = None  # expected tokens of the request in that slot
    returning: Returning = field(default_factory=Returning)
    leasing: asyncio.Task[None] | None = None
    releasing: asyncio.Task[None] | None = None
    paused_until: float = 0.0
    failing: float = 0.0
    refused_in_a_row: int = 0
    refusing: bool = False


class SlotClient:
    """Requests slots from the RateLimiter for this worker's pages, and returns them. In tests, `sleep` replaces the wait for a
    slot's start, and `linger` disables waiting for other pages."""

    def __init__(
        self,
        limiter: Limiter,
        *,
        worker: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        linger: bool = True,
    ) -> None:
        self._limiter = limiter
        self._worker = worker
        self._clock = clock
        self._sleep = sleep or self.sleep
        self._linger = float(linger)
        self._closing = False
        self._lanes = LaneClient(limiter, worker=worker, clock=clock, linger=linger)
        self._asking: set[asyncio.Task[Any]] = set()  # tasks whose answers are not awaited when the client is closed
        self._sleeping: set[asyncio.Future[None]] = set()
        self._models: dict[str, _Model] = defaultdict(_Model)

    def close(self) -> None:
        """Closes the client. Callers that wait for a slot get Draining."""
        self._closing = True
        self._lanes.close()
        for task in self._asking:
            task.cancel()
        for sleeper in self._sleeping:
            _wake(sleeper)
        for state in self._models.values():
            self._fail_waiting(state, Draining())

    async def sleep(self, delay_s: float) -> None:
        """Works like asyncio.sleep, but returns immediately when the client is closed."""
        if self._closing:
            return
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(delay_s, _wake, over)
        self._sleeping.add(over)
        try:
            await over
        finally:
            timer.cancel()
            self._sleeping.discard(over)

    @asynccontextmanager
    async def slot(self, model: str, *, may_shed: bool = False, input_tokens: float | None = None) -> AsyncIterator[None]:
        """Waits until one request to the model may be sent, and holds the slot until the block exits. Raises Draining and the
        limiter's errors. Reports a refusal by the server that leaves the block to the limiter, for all workers. `may_shed`: a
        shed request does not count against the server, since another lane takes the page. `input_tokens`: the expected number for
        the request, if the worker can estimate it from the request's shape."""
        state = self._models[model]
        reserved = await self._start(model, state, input_tokens)
        sent_at = self._clock()
        try:
            yield
        except EngineShed as error:
            moves = may_shed or error.elsewhere
            throttle = None if moves else throttle_of(error, age_s=self._clock() - sent_at)
            self._finish(model, state, reserved, free=int(error.probably is None), throttle=throttle)
            raise
        except EngineTransient as error:
            # The server may bill a request whose answer was not awaited.
            is_lost = isinstance(error, BatchIncomplete) or (isinstance(error, EngineTimeout) and not error.unbilled)
            free = 0 if is_lost else 1
            state.returning.possibly_billed += isinstance(error, EngineConnectionLost) and error.in_flight
            self._finish(model, state, reserved, free=free, throttle=throttle_of(error, age_s=self._clock() - sent_at))
            raise
        except UnknownModel as error:
            self._finish(model, state, reserved, free=1, throttle=Throttle(kind=ThrottleKind.GONE, words=str(error)))
            raise
        # While draining, only answers of batches are not awaited, since the next run fetches them.
        except (OutsideError, Draining):
            self._finish(model, state, reserved, free=1)
            raise
        except EngineError as error:
            state.returning.replied += 1
            state.returning.possibly_billed += isinstance(error, MalformedAnswer)
            if isinstance(error, EngineRejected | MalformedAnswer):
                self.unusable(model, str(error))
            is_free = isinstance(error, MalformedAnswer) or not isinstance(error, BadAnswer)
            self._finish(model, state, reserved, free=int(is_free))
            raise
        except BaseException:  # the next run fetches an answer of a batch that is no longer awaited, and counts it then
            self._finish(model, state, reserved, free=int(model.endswith(BATCH_ACCOUNT)))
            raise
        self._finish(model, state, reserved)

    def lane(self, *, local: bool = False) -> AbstractAsyncContextManager[LaneGrant]:
        """Waits for a lane; see `LaneClient.lane`."""
        return self._lanes.lane(local=local)

    async def unless_closing(self, asking: Awaitable[T]) -> T:
        """Returns the awaited answer; raises Draining as soon as the client is closed. Runs in the caller's own task, since no
        other code may run between counting an answer's cost and returning its slot. Otherwise the slot would be returned with an
        unknown cost."""
        task = asyncio.current_task()
        assert task is not None
        self._asking.add(task)
        try:
            return await asking
        except asyncio.CancelledError:
            if self._closing and task.uncancel() == 0:
                raise Draining from None
            raise
        finally:
            self._asking.discard(task)

    def failing(self, model: str) -> float:
        """Returns the share of the model's recent requests that failed, 0..1, over all workers; 1 while the limiter holds the
        model."""
        return self._models[model].failing

    def refused_in_a_row(self, model: str) -> int:
        """Returns the number of pages that the model refused or truncated since its last usable answer to any worker."""
        return self._models[model].refused_in_a_row

    def refusing(self, model: str) -> bool:
        """Returns whether the model refused the last pages, which belong to several documents."""
        return self._models[model].refusing

    def used(self, model: str, *, input_tokens: int, cost_usd: float, expected_tokens: float | None = None) -> None:
        """Records the cost of an answered request, whose slot is still held. The client sends it with the next returned slots.
        `expected_tokens`: the number of tokens that is now expected for a request of its shape."""
        self._models[model].returning.answered += 1
        self._count(model, input_tokens, cost_usd, expected_tokens)

    def lost(self, model: str, *, input_tokens: int, cost_usd: float, expected_tokens: float | None = None) -> None:
        """Records the probable cost of a request that timed out, or that a batch did not answer. Its slot is still held."""
        self._models[model].returning.lost += 1
        self._count(model, input_tokens, cost_usd, expected_tokens)

    def _count(self, model: str, input_tokens: int, cost_usd: float, expected_tokens: float | None) -> None:
        state = self._models[model]
        state.returning.input_tokens += input_tokens
        state.returning.cost_usd += cost_usd
        state.counted, state.expected_tokens = True, expected_tokens

    def possibly_billed(self, model: str) -> None:
        """Records that the answer of a request did not include its consumption. Its slot is still held."""
        self._models[model].returning.possibly_billed += 1

    def unusable(self, model: str, words: str) -> None:
        """Records why an answer cannot be used. Its slot is still held."""
        returning = self._models[model].returning
        returning.unusable += 1
        returning.words = words

    def refused(self, model: str, words: str, *, document_id: str, again: bool, empty: bool) -> None:
        """Records that the model refused or truncated a page, or returned an `empty` text. Its slot is still held. `again`: the
        page was requested before."""
        returning = self._models[model].returning
        returning.refused += 1
        if not again:
            returning.refused_first += 1
            returning.empty_first += empty
            returning.refused_documents.add(document_id)
        returning.words = words

    # -- taking -------------------------------------------------------------------------------------------------------------

    async def _start(self, model: str, state: _Model, input_tokens: float | None) -> float | None:
        """Waits until a slot begins, and returns the tokens reserved for it. Exchanges a slot that is missed or falls into a
        pause for another."""
        missed = False
        while True:
            grant = await self._granted(model, state, input_tokens)
            try:
                delay_s = grant.start - self._clock()
                if delay_s > 0:
                    await self._sleep(delay_s)
            except BaseException:
                self._unsent(model, state, grant)
                raise
            now = self._clock()
            if self._closing:
                self._unsent(model, state, grant)
                raise Draining
            # A slot is exchanged only once in a row, since a machine that is too busy for its slots must still make progress.
            late = now - grant.start > _GOOD_FOR_S and not missed
            if not late and now >= state.paused_until:
                return grant.reserved_tokens
            missed = missed or late
            self._unsent(model, state, grant)

    async def _granted(self, model: str, state: _Model, input_tokens: float | None) -> _Grant:
        if self._closing:
            raise Draining
        granted: asyncio.Future[_Grant] = asyncio.get_running_loop().create_future()
        state.waiting.append(_Waiting(granted, input_tokens))
        if state.leasing is None:
            state.leasing = asyncio.get_running_loop().create_task(self._lease(model, state))
        try:
            return await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled() and granted.exception() is None:
                self._unsent(model, state, granted.result())
            raise

    async def _lease(self, model: str, state: _Model) -> None:
        try:
            await asyncio.sleep(self._linger * _LEASE_LINGER_S)
            while self._next_waiting(state) is not None:
                wanted = [waiting.input_tokens for waiting in state.waiting if not waiting.granted.done()]
                tokens = tuple(each for each in wanted if each is not None)
                tokens = tokens if len(tokens) == len(wanted) else ()
                expected = (tokens,) if tokens else ()
                delays = await self._limiter.lease(model, self._worker, len(wanted), *expected)
                now = self._clock()
                if not delays:
                    raise Draining  # the run assumes that this worker is dead
                for number, delay_s in enumerate(delays):
                    grant = _Grant(now + delay_s, tokens[number] if tokens else None)
                    waiting = self._next_waiting(state)
                    if waiting is None:
                        self._unsent(model, state, grant)
                    else:
                        state.waiting.popleft()
                        waiting.granted.set_result(grant)
                await asyncio.sleep(0)  # returns are sent before the next call, which may end the run
        except Exception as error:  # passed to every waiting page, which records it
            self._fail_waiting(state, error)
        finally:
            state.leasing = None

    def _fail_waiting(self, state: _Model, error: Exception) -> None:
        while (waiting := self._next_waiting(state)) is not None:
            state.waiting.popleft()
            waiting.granted.set_exception(error)

    # -- giving back --------------------------------------------------------------------------------------------------------

    def _unsent(self, model: str, state: _Model, grant: _Grant) -> None:
        state.returning.unsent += 1
        self._finish(model, state, grant.reserved_tokens, free=1)

    def _finish(
        self, model: str, state: _Model, reserved: float | None, *, free: int = 0, throttle: Throttle | None = None
    ) -> None:
        returning = state.returning
        returning.slots += 1
        returning.free += free
        counted, expected = state.counted, state.expected_tokens
        state.counted, state.expected_tokens = False, None
        if reserved is not None and (counted or free):
            if expected is not None:
                # Tokens reserved above this limit are not given back. A later request that used them could exceed the limit of a
                # minute that does not include the request for which they were reserved.
                reserved = min(reserved, _ABOVE_EXPECTED * expected)
                returning.expected_tokens += expected
            returning.reserved_tokens = (returning.reserved_tokens or 0.0) + reserved
        elif reserved is not None:
            returning.reserved_tokens = returning.reserved_tokens or 0.0
        returning.failed += throttle is not None
        returning.throttle = graver(returning.throttle, throttle)
        # The leasing task must not do this, since it may be waiting for this slot.
        if state.releasing is None:
            state.releasing = asyncio.get_running_loop().create_task(self._release(model, state))

    async def _release(self, model: str, state: _Model) -> None:
        try:
            await asyncio.sleep(0 if state.returning.throttle else self._linger * _RELEASE_LINGER_S)
            while state.returning.slots:
                returning, state.returning = state.returning, Returning()
                reply = await self._limiter.release(model, self._worker, returning.as_return())
                state.failing, state.refusing = reply.failing, reply.refusing
                state.refused_in_a_row = reply.refused_in_a_row
                if reply.pause_s > 0:
                    state.paused_until = self._clock() + reply.pause_s
        finally:
            state.releasing = None

    @staticmethod
    def _next_waiting(state: _Model) -> _Waiting | None:
        while state.waiting and state.waiting[0].granted.done():
            state.waiting.popleft()
        return state.waiting[0] if state.waiting else None


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
