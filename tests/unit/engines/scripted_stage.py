"""A waiting stage whose engines answer from a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar, cast

from rayocr.engines.answers.verification import Verifier
from rayocr.engines.base import ComputeEngine, Engine, OfferedPage, WaitingEngine
from rayocr.engines.registry import Stage
from rayocr.engines.stages import PageDedupPort, PageProgress, WaitingStage
from rayocr.engines.stages.ports import LocalEngines
from rayocr.errors import (
    DayQuotaExhausted,
    ModelUnavailable,
)
from rayocr.messages import Attempt, LaneGrant, PageRecord, PageText
from rayocr.pdf.page import Page
from rayocr.retry import RetryPolicy
from tests.unit.engines.servers import FakePage

Script = dict[str, list[str | Exception]]


GOOD = "Some text of the page."


class ScriptedEngine(WaitingEngine):
    """Answers from one list per model: an exception, GOOD text, or a finish reason."""

    name: ClassVar[str] = "gemini"

    def __init__(self, script: Script) -> None:
        self._script = script
        self.asked: list[str] = []

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(self._script)

    def open(self) -> None: ...

    async def probe(self, model: str) -> None: ...

    async def recognize_async(self, page: OfferedPage, model: str) -> PageText:
        self.asked.append(model)
        step = self._script[model].pop(0)
        if isinstance(step, Exception):
            raise step
        finish = "STOP" if " " in step or not step else step
        return PageText(text=step if finish == "STOP" else "half", engine=self.name, model=model, input_tokens=600, finish=finish)


class Slots:
    def __init__(self) -> None:
        self.left_with: list[BaseException] = []
        self.parked: dict[str, float] = {}  # models with a used-up daily quota, and its reset time
        self.unavailable: set[str] = set()  # models whose server answers nothing
        self.refuses = False  # the model refused pages of other documents
        self.in_a_row = 0
        self.share = 0.0  # share of other workers' requests that fail
        self.lanes: list[str] = []  # the lanes to grant, in order
        self.local: list[bool] = []  # whether local engines might read the page, at each request for a lane

    @asynccontextmanager
    async def slot(self, model: str, *, may_shed: bool = False, input_tokens: float | None = None) -> AsyncIterator[None]:
        if model in self.parked:
            raise DayQuotaExhausted("used up", resumes_at=self.parked[model])
        if model in self.unavailable:
            raise ModelUnavailable(f"{model} has answered no request")
        try:
            yield
        except BaseException as error:
            self.left_with.append(error)
            raise

    def failing(self, model: str) -> float:
        return self.share

    def refusing(self, model: str) -> bool:
        return self.refuses

    def refused_in_a_row(self, model: str) -> int:
        return max(self.in_a_row, int(self.refuses))

    @asynccontextmanager
    async def lane(self, *, local: bool = False) -> AsyncIterator[LaneGrant]:
        self.local.append(local)
        yield LaneGrant(lane=self.lanes.pop(0), give_up_s=7.0)

    async def unless_closing(self, asking: Any) -> Any:
        return await asking


class InkedPage:
    page_number = 1
    undecodable_share = 0.0
    is_placeholder = False
    cut_off_share = 0.0

    own_text = ""

    def certainly_inked(self) -> bool:
        return True

    def visible_text(self) -> str:
        return self.own_text


class Bench:
    """A stage of one scripted engine, or of two."""

    def __init__(
        self,
        *engines: Engine,
        is_last_stage: bool = False,
        attempts: tuple[Attempt, ...] = (),
        fall_back: bool = False,
        verifier: Verifier | None = None,
        dedup: PageDedupPort | None = None,
        local: LocalEngines | None = None,
    ) -> None:
        self.slots = Slots()
        self.remembered: list[PageRecord] = []
        self.slept: list[float] = []
        self.on_sleep: Callable[[float], Awaitable[None]] | None = None
        self.hangs: Callable[..., object] | None = None  # a function that waits behind a page that hangs on the thread
        self.progress = PageProgress("d", 1, is_last_stage=is_last_stage, attempts=attempts)
        self._stage = WaitingStage(
            Stage(kind="wait", first=0, last=len(engines) - 1),
            engines,
            slots=self.slots,
            policy=RetryPolicy(max_attempts=4),
            on_thread=self._on_thread,
            fall_back=fall_back,
            verifier=verifier,
            dedup=dedup,
            local=local,
            verify_within_s=0.01,
            sleep=self._sleep,
        )

    async def _on_thread(self, function: Any, *arguments: Any) -> object:
        if self.hangs is not None and isinstance(function, partial) and function.func == self.hangs:
            await asyncio.Event().wait()
        return cast(object, function(*arguments))

    async def _sleep(self, delay_s: float) -> None:
        if self.on_sleep is not None:
            await self.on_sleep(delay_s)
        else:
            self.slept.append(delay_s)

    async def _remember(self, record: PageRecord) -> None:
        self.remembered.append(record)

    async def read(self, first_engine: int = 0, *, page: InkedPage | None = None, offered: FakePage | None = None) -> PageRecord:
        seen = cast(Page, page or InkedPage())
        return await self._stage.recognize(
            seen, offered or FakePage(), self.progress, first_engine=first_engine, remember=self._remember
        )


class LightEngine(ComputeEngine):
    """A text layer that returns or raises `answer`."""

    name: ClassVar[str] = "textlayer"

    def __init__(self, answer: str | Exception | None) -> None:
        self._answer = answer

    def open(self) -> None: ...

    def recognize(self, page: Page) -> PageText | None:
        if isinstance(self._answer, Exception):
            raise self._answer
        return PageText(text=self._answer, engine=self.name, model=self.name) if self._answer else None
