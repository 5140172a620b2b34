from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rayocr.actors.page_worker.metering import meter
from rayocr.actors.page_worker.slot_client import SlotClient
from rayocr.engines.base import WaitingEngine
from rayocr.errors import EngineShed, EngineTimeout
from rayocr.limits.prices import Price, PriceTable
from rayocr.messages import UNPRICED, PageText, RequestShape
from tests.unit.actors.limiter_world import CENT_A_PAGE, World
from tests.unit.engines.servers import FakePage


class Engine(WaitingEngine):
    name = "engine"

    def __init__(self, answer: PageText | Exception) -> None:
        self.answer = answer

    @property
    def model(self) -> str:
        return "m"

    def open(self) -> None: ...

    async def probe(self, model: str) -> None: ...

    async def recognize_async(self, page: Any, model: str) -> PageText:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def asked(answer: PageText | Exception, prices: PriceTable = CENT_A_PAGE) -> tuple[PageText, World, Any]:
    world = World()
    limiter = world.limiter(prices=prices)
    slots = SlotClient(limiter, worker="w", linger=False, clock=world.clock)
    engine = meter(Engine(answer), slots=slots, prices=prices, wall_clock=world.wall_clock)
    async with slots.slot("m"):
        got = await engine.recognize_async(None, "m")  # type: ignore[arg-type]
    while not (state := await limiter.state()).models or state.models[0].in_flight:
        await asyncio.sleep(0)
    return got, world, state


async def test_an_answer_is_priced_and_counted() -> None:
    answer, _, state = await asked(PageText(text="t", engine="engine", model="m-001", input_tokens=2000, output_tokens=7))
    assert answer.cost_usd == pytest.approx(0.02)
    assert (state.models[0].input_tokens, state.spent_usd) == (2000, pytest.approx(0.02))


@pytest.mark.parametrize(
    ("finish", "text", "refused"),
    [("SAFETY", "", True), ("MAX_TOKENS", "half", True), ("STOP", "text", False), ("STOP", " ```\n", True), ("OTHER", "", False)],
)
async def test_a_refused_page_is_reported_with_its_document(finish: str, text: str, refused: bool) -> None:
    reported: list[tuple[str, str, bool]] = []

    class Watching(SlotClient):
        def refused(self, model: str, words: str, *, document_id: str, again: bool, empty: bool) -> None:
            reported.append((document_id, words, empty))
            super().refused(model, words, document_id=document_id, again=again, empty=empty)

    slots = Watching(World().limiter(), worker="w", linger=False)
    answer = PageText(text=text, engine="engine", model="m", finish=finish)
    await meter(Engine(answer), slots=slots, prices=CENT_A_PAGE).recognize_async(FakePage(document_id="d7"), "m")
    assert [(document, empty) for document, words, empty in reported if finish in words] == [("d7", finish == "STOP")] * refused


async def test_a_shed_request_that_the_server_charges_for_is_priced_and_another_is_not() -> None:
    for tokens, cost_usd in ((600, 0.006), (0, 0.0)):
        world = World()
        limiter = world.limiter(prices=CENT_A_PAGE)
        slots = SlotClient(limiter, worker="w", linger=False, clock=world.clock)
        shed = EngineShed("shed")
        shed.input_tokens, shed.elsewhere = tokens, True
        engine = meter(Engine(shed), slots=slots, prices=CENT_A_PAGE, wall_clock=world.wall_clock)
        with pytest.raises(EngineShed):
            async with slots.slot("m"):
                await engine.recognize_async(FakePage(), "m")
        while not (state := await limiter.state()).models or state.models[0].in_flight:
            await asyncio.sleep(0)
        assert (state.spent_usd, state.promised_usd) == (pytest.approx(cost_usd), 0.0)
        assert (shed.probably is None) is (tokens == 0)


async def test_cached_input_is_priced_as_such() -> None:
    prices = PriceTable(models={"m": [Price(input_usd=10, output_usd=0, cached_usd=1)]})
    page = PageText(text="t", engine="engine", model="m", input_tokens=2000, cached_tokens=1500)
    answer, _, state = await asked(page, prices)
    assert answer.cost_usd == state.spent_usd == pytest.approx(0.0065)


async def test_an_answer_that_has_its_price_keeps_it() -> None:
    answer, _, state = await asked(PageText(text="t", engine="engine", model="m", input_tokens=2000, cost_usd=0.5))
    assert (answer.cost_usd, state.spent_usd) == (0.5, 0.5)


async def test_a_failure_passes_through_uncounted() -> None:
    with pytest.raises(EngineTimeout):
        await asked(EngineTimeout("slow"))


async def test_a_model_without_a_price_is_unknown_and_not_free() -> None:
    engine = meter(
        Engine(PageText(text="t", engine="engine", model="m", input_tokens=2000)),
        slots=SlotClient(World().limiter(), worker="w", linger=False),
        prices=PriceTable(models={}),
    )
    answer = await engine.recognize_async(None, "m")  # type: ignore[arg-type]
    assert (answer.cost_usd, answer.price_class) == (0.0, UNPRICED)


async def test_a_request_that_was_not_awaited_carries_its_probable_cost() -> None:
    flaky = Engine(PageText(text="t", engine="engine", model="m", input_tokens=600))
    slots = SlotClient(World().limiter(), worker="w", linger=False)
    engine = meter(flaky, slots=slots, prices=CENT_A_PAGE, wall_clock=World().wall_clock)
    for _ in range(99):
        await engine.recognize_async(None, "m")  # type: ignore[arg-type]
    flaky.answer = EngineTimeout("t")
    with pytest.raises(EngineTimeout) as caught:
        await engine.recognize_async(None, "m")  # type: ignore[arg-type]
    assert caught.value.probably.cost_usd == pytest.approx(0.006, rel=0.02)
    assert caught.value.probably.price_class == "standard"


async def test_the_run_and_the_ledger_count_the_same_for_a_request_that_timed_out() -> None:
    world = World()
    limiter = world.limiter(prices=CENT_A_PAGE)
    slots = SlotClient(limiter, worker="w", linger=False, clock=world.clock)
    engine = meter(Engine(EngineTimeout("slow")), slots=slots, prices=CENT_A_PAGE, wall_clock=world.wall_clock)
    with pytest.raises(EngineTimeout) as caught:
        async with slots.slot("m"):
            await engine.recognize_async(None, "m")  # type: ignore[arg-type]
    while not (state := await limiter.state()).models or state.models[0].in_flight:
        await asyncio.sleep(0)
    assert caught.value.probably is not None
    assert state.spent_usd == pytest.approx(caught.value.probably.cost_usd)
    assert state.models[0].answered == 0


async def test_the_tokens_of_a_request_are_expected_from_answers_of_its_shape() -> None:
    class Shaped(Engine):
        def request_shape(self, page: Any, model: str) -> RequestShape:
            return RequestShape(f"pdf {page.sent_pages}", 560.0 * page.sent_pages)

    flaky = Shaped(PageText(text="t", engine="engine", model="m", input_tokens=640))
    engine = meter(flaky, slots=SlotClient(World().limiter(), worker="w", linger=False), prices=CENT_A_PAGE)
    page = FakePage(sent_pages=1)
    assert engine.expected_input_tokens(page, "m") == 1000, "the default of limits.expected_input_tokens"
    await engine.recognize_async(page, "m")
    assert engine.expected_input_tokens(page, "m") == 640
    assert engine.expected_input_tokens(FakePage(sent_pages=9), "m") == pytest.approx(9 * 640)
    flaky.answer = EngineTimeout("t")
    with pytest.raises(EngineTimeout) as caught:
        await engine.recognize_async(FakePage(sent_pages=9), "m")
    assert caught.value.probably is not None
    assert caught.value.probably.input_tokens == 9 * 640, "the probable cost of a request that timed out"


async def test_a_request_that_the_server_gave_up_by_itself_is_not_on_the_account() -> None:
    world = World()
    limiter = world.limiter(prices=CENT_A_PAGE)
    slots = SlotClient(limiter, worker="w", linger=False, clock=world.clock)
    given_up = EngineTimeout("504", unbilled=True)
    engine = meter(Engine(given_up), slots=slots, prices=CENT_A_PAGE, wall_clock=world.wall_clock)
    with pytest.raises(EngineTimeout):
        async with slots.slot("m"):
            await engine.recognize_async(None, "m")  # type: ignore[arg-type]
    while not (state := await limiter.state()).models or state.models[0].in_flight:
        await asyncio.sleep(0)
    assert (given_up.probably, state.spent_usd, state.promised_usd) == (None, 0.0, 0.0)


class Shaped(Engine):
    def request_shape(self, page: Any, model: str) -> RequestShape:
        return RequestShape("pdf 1", 560.0)


@pytest.mark.parametrize(
    ("stated", "counted"),
    [
        ({}, (640, 3)),
        ({"input_tokens": 700}, (700, 3)),
        ({"output_tokens": 9}, (640, 9)),
        ({"input_tokens": 1, "output_tokens": 2}, (1, 2)),
    ],
)
async def test_an_answer_that_does_not_state_its_tokens_is_priced_as_expected(
    stated: dict[str, int], counted: tuple[int, int]
) -> None:
    slots = SlotClient(World().limiter(), worker="w", linger=False)
    engine = Shaped(PageText(text="t", engine="engine", model="m", input_tokens=640, output_tokens=1))
    meter(engine, slots=slots, prices=CENT_A_PAGE, wall_clock=World().wall_clock)
    await engine.recognize_async(FakePage(), "m")
    engine.answer = PageText(text="Twelve chars", engine="engine", model="m", **stated)  # type: ignore[arg-type]
    answer = await engine.recognize_async(FakePage(), "m")
    assert (answer.input_tokens, answer.output_tokens) == counted
    assert answer.cost_usd > 0
    assert slots._models["m"].returning.possibly_billed == 0


async def test_an_answer_that_does_not_say_what_it_used_may_be_billed() -> None:
    limiter = World().limiter()
    slots = SlotClient(limiter, worker="w", linger=False)
    empty = PageText(text="", engine="engine", model="m", finish="NO_CANDIDATE")
    engine = meter(Shaped(empty), slots=slots, prices=CENT_A_PAGE)
    async with slots.slot("m"):
        await engine.recognize_async(FakePage(), "m")
    while not (state := await limiter.state()).models or state.models[0].in_flight:
        await asyncio.sleep(0)
    assert state.possibly_billed == 1
