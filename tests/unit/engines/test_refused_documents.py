"""One document fills all requests in flight when its pages are refused: is it the document, or the model?"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar, cast

import pytest

from rayocr.engines.base import OfferedPage, WaitingEngine
from rayocr.engines.registry import Stage
from rayocr.engines.stages import PageProgress, WaitingStage
from rayocr.messages import OUTAGE, PageOutcome, PageRecord, PageText
from rayocr.pdf.page import Page
from rayocr.retry import RetryPolicy
from tests.unit.engines.scripted_stage import GOOD, InkedPage, LightEngine, Slots
from tests.unit.virtual_time import VirtualLoop

FINISHES = ["SAFETY", "RECITATION", "MAX_TOKENS"]
PLACES = 16
T = TypeVar("T")


def in_virtual_time(test: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(test)


class Server(WaitingEngine):
    """Refuses the documents `refuses`, and everything between `begins` and `ends`, in seconds."""

    name: ClassVar[str] = "gemini"
    models = ("m",)

    def __init__(
        self,
        *,
        finish: str = "SAFETY",
        begins: float = 0.0,
        ends: float = 0.0,
        refuses: tuple[str, ...] = (),
        batched: bool = False,
    ) -> None:
        self.finish, self.begins, self.ends, self.refuses, self.batched = finish, begins, ends, refuses, batched
        self.slots = Slots()
        self.started = 0.0
        self.requests: Counter[tuple[str, int]] = Counter()
        self._latency = itertools.cycle([1.0, 1.3, 0.8, 1.6])

    def open(self) -> None:
        self.started = asyncio.get_running_loop().time()

    async def probe(self, model: str) -> None: ...

    async def recognize_async(self, page: OfferedPage, model: str) -> PageText:
        document, number = page.document_id, page.page_number
        self.requests[document, number] += 1
        await asyncio.sleep(next(self._latency))
        now = asyncio.get_running_loop().time() - self.started
        refused = self.begins <= now < self.ends or document in self.refuses
        first = self.requests[document, number] == 1
        self.slots.in_a_row = self.slots.in_a_row + first if refused else 0
        return PageText(
            text="half" if refused else GOOD,
            engine="gemini",
            model=model,
            input_tokens=600,
            finish=self.finish if refused else "STOP",
        )


class Offered:
    """A page as the worker offers it."""

    give_up_s = 0.0

    def __init__(self, document_id: str, page_number: int) -> None:
        self.document_id, self.page_number = document_id, page_number


async def read(server: Server, pages: dict[str, int], *, interrupt_after_s: float = 0.0) -> dict[tuple[str, int], PageRecord]:
    """Every page of these documents, in order, `PLACES` at a time, by one worker."""
    stage = WaitingStage(
        Stage(kind="wait", first=0, last=1),
        [server, LightEngine("a local reading")],
        slots=server.slots,
        policy=RetryPolicy(max_attempts=4),
        on_thread=_on_thread,
    )
    server.open()
    turn = asyncio.Semaphore(PLACES)
    records: dict[tuple[str, int], PageRecord] = {}

    async def one(document: str, number: int) -> None:
        async with turn:
            progress = PageProgress(document, number, is_last_stage=True)
            offered = cast(OfferedPage, Offered(document, number))
            records[document, number] = await stage.recognize(
                cast(Page, InkedPage()), offered, progress, first_engine=0, remember=_remember
            )

    tasks = [asyncio.create_task(one(document, number)) for document, count in pages.items() for number in range(1, count + 1)]
    if interrupt_after_s:
        await asyncio.sleep(interrupt_after_s)
        tasks[0].cancel()
    await asyncio.wait(tasks)
    return records


async def _on_thread(function: Any, *arguments: Any) -> object:
    return cast(object, function(*arguments))


async def _remember(record: PageRecord) -> None: ...


@pytest.mark.parametrize("finish", FINISHES)
@pytest.mark.parametrize(("begins", "ends"), [(0.0, 15.0), (5.0, 20.0), (5.0, 50.0)])
def test_a_model_that_refuses_everything_for_a_while_reads_all_pages_afterwards(finish: str, begins: float, ends: float) -> None:
    server = Server(finish=finish, begins=begins, ends=ends)
    records = in_virtual_time(read(server, {"book": 100}))
    assert {(record.outcome, record.text, record.doubts) for record in records.values()} == {(PageOutcome.DONE, GOOD, ())}
    assert len(records) == 100
    extra = sum(server.requests.values()) - 100
    assert extra <= PLACES + 5, "the pages in flight again, and one page a few times"


@pytest.mark.parametrize("finish", FINISHES)
def test_a_document_that_is_refused_as_a_whole_goes_to_the_next_engine_after_a_minute(finish: str) -> None:
    server = Server(finish=finish, refuses=("book",))

    async def timed() -> tuple[dict[tuple[str, int], PageRecord], float]:
        started = asyncio.get_running_loop().time()
        return await read(server, {"book": 100}), asyncio.get_running_loop().time() - started

    records, took_s = in_virtual_time(timed())
    assert {(record.text, record.doubts) for record in records.values()} == {("a local reading", ())}
    assert max(server.requests.values()) <= 7
    asked = sum(server.requests.values()) - 5
    assert asked == 100 * (2 if finish == "RECITATION" else 1), "no page is asked more often than it was"
    assert took_s < 60 + 200, "the document waits once"


def test_a_refused_document_among_others_is_recognized_at_once() -> None:
    server = Server(refuses=("book",))
    records = in_virtual_time(read(server, {"other": 8, "book": 10, "another": 80}))
    assert {record.text for (document, _), record in records.items() if document == "book"} == {"a local reading"}
    assert {record.text for (document, _), record in records.items() if document != "book"} == {GOOD}
    assert sum(server.requests.values()) <= 98 + 2
    assert not any(record.doubts for record in records.values())


def test_a_document_that_was_read_and_is_then_refused_for_minutes_is_marked_for_retry() -> None:
    server = Server(begins=5.0, ends=1e9)
    records = in_virtual_time(read(server, {"book": 100}))
    refused = [record for record in records.values() if record.text != GOOD]
    assert len(refused) > 30
    assert all(record.doubts == (OUTAGE,) and record.wants_retry for record in refused)


def test_a_document_that_was_read_and_whose_later_pages_are_too_long_is_not_marked() -> None:
    server = Server(finish="MAX_TOKENS", begins=5.0, ends=1e9)
    records = in_virtual_time(read(server, {"book": 100}))
    assert not any(record.doubts for record in records.values())


def test_if_the_page_that_is_asked_again_is_interrupted_the_others_do_not_wait_for_it() -> None:
    server = Server(ends=15.0)
    records = in_virtual_time(read(server, {"book": 40}, interrupt_after_s=9.0))
    assert {record.text for record in records.values()} == {GOOD}
    assert len(records) == 39


def test_pages_of_batches_are_not_asked_again_since_answers_take_hours() -> None:
    server = Server(refuses=("book",), batched=True)
    records = in_virtual_time(read(server, {"book": 40}))
    assert sum(server.requests.values()) == 40
    assert {record.text for record in records.values()} == {"a local reading"}
