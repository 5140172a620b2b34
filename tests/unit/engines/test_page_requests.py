"""How requests of pages are repeated after transient errors, and which lane they take."""

from __future__ import annotations

import pytest

from rayocr.engines.stages import ReadLocally
from rayocr.errors import (
    BatchWithdrawn,
    EngineConnectionLost,
    EngineOverloaded,
    EngineRateLimited,
    EngineShed,
    EngineTimeout,
    EngineTransient,
)
from rayocr.messages import PageOutcome, PageText
from tests.unit.engines.scripted_stage import GOOD, Bench, ScriptedEngine
from tests.unit.engines.servers import FakePage


class Lanes(ScriptedEngine):
    """One scripted engine for each lane."""

    def __init__(self, **scripts: list[str | Exception]) -> None:
        super().__init__({"a": []})
        self.lanes = {name: ScriptedEngine({"a": script}) for name, script in scripts.items()}  # type: ignore[misc]


class LocalOutcomes:
    def __init__(self, *outcomes: bool) -> None:
        self.outcomes = list(outcomes)

    async def read(self, document_id: str, page_number: int) -> bool:
        return self.outcomes.pop(0)


async def test_transient_errors_are_tried_again_at_the_servers_delay_and_cost_no_try() -> None:
    engine = ScriptedEngine({"a": [EngineRateLimited("q", retry_after_s=30.0), EngineOverloaded("5xx"), GOOD]})
    bench = Bench(engine)
    record = await bench.read()
    assert (record.outcome, record.attempts, bench.remembered) == (PageOutcome.DONE, (), [])
    assert bench.slept[0] >= 30.0
    assert [type(error) for error in bench.slots.left_with] == [EngineRateLimited, EngineOverloaded]


async def test_a_server_that_stays_unavailable_is_left_for_the_next_model_and_not_remembered() -> None:
    engine = ScriptedEngine({"a": [EngineOverloaded("5xx") for _ in range(4)], "b": [GOOD]})
    bench = Bench(engine)
    record = await bench.read()
    assert (engine.asked, record.outcome) == (["a"] * 4 + ["b"], PageOutcome.DONE)
    assert bench.remembered == []


async def test_time_outs_may_have_been_paid_for_and_end_after_three() -> None:
    engine = ScriptedEngine({"a": [EngineTimeout("t") for _ in range(9)]})
    await Bench(engine).read()
    assert engine.asked == ["a"] * 3


@pytest.mark.parametrize(
    ("error", "share"), [(EngineOverloaded("503"), 1.0), (EngineTimeout("t"), 1.0), (EngineRateLimited("429"), 0.0)]
)
async def test_a_page_is_not_given_up_for_failures_of_its_server_on_every_page(error: EngineTransient, share: float) -> None:
    engine = ScriptedEngine({"a": [error] * 50 + [GOOD], "b": []})
    bench = Bench(engine)
    bench.slots.share = share
    record = await bench.read()
    assert (record.outcome, record.model, record.attempts) == (PageOutcome.DONE, "a", ())


async def test_where_a_third_of_all_requests_fail_it_takes_more_failures_to_blame_the_page() -> None:
    engine = ScriptedEngine({"a": [EngineOverloaded("503")] * 30})
    bench = Bench(engine)
    bench.slots.share = 1 / 3
    assert (await bench.read()).outcome is PageOutcome.HANDED_ON
    assert len(engine.asked) == 9  # (1/3) ** 9 is less than 0.1 ** 4, and (1/3) ** 8 is not


async def test_a_timeout_that_was_probably_billed_is_on_record_and_does_not_count_as_a_refusal() -> None:
    lost = EngineTimeout("t")
    lost.probably = PageText(text="", engine="gemini", model="a", input_tokens=500, cost_usd=0.5, price_class="standard")
    engine = ScriptedEngine({"a": [lost, "RECITATION", GOOD]})
    bench = Bench(engine)
    record = await bench.read()
    assert engine.asked == ["a", "a", "a"]  # a recitation is retried once, as if there were no timeout
    assert (record.outcome, record.cost_usd, record.input_tokens) == (PageOutcome.DONE, 0.5, 1700)
    assert [attempt.reason for attempt in record.attempts] == ["EngineTimeout", "Refused"]
    assert [len(remembered.attempts) for remembered in bench.remembered] == [1, 2]


async def test_each_request_of_a_page_goes_to_the_lane_that_is_granted() -> None:
    engine = Lanes(flex=[EngineShed("shed"), EngineShed("shed")], standard=[GOOD])
    bench = Bench(engine)
    bench.slots.lanes = ["flex", "flex", "standard"]
    offered = FakePage()
    record = await bench.read(offered=offered)
    assert record.outcome is PageOutcome.DONE
    assert [len(lane.asked) for lane in engine.lanes.values()] == [2, 1]  # type: ignore[attr-defined]
    assert offered.give_up_s == 7.0


async def test_a_page_that_was_withdrawn_from_a_batch_is_read_in_another_lane_and_not_paid_for_twice() -> None:
    engine = Lanes(batch=[BatchWithdrawn("cancelled")], standard=[GOOD])
    bench = Bench(engine)
    bench.slots.lanes = ["batch", "standard"]
    record = await bench.read()
    assert (record.outcome, record.attempts, record.input_tokens) == (PageOutcome.DONE, (), 600)


async def test_the_work_on_a_page_ends_when_local_engines_have_read_it() -> None:
    bench = Bench(Lanes(standard=[]), local=LocalOutcomes(True))
    bench.slots.lanes = ["local"]
    with pytest.raises(ReadLocally):
        await bench.read()
    assert bench.slots.local == [True]


async def test_a_page_that_local_engines_leave_unread_goes_to_the_server_without_a_trace() -> None:
    engine = Lanes(standard=[EngineOverloaded("busy"), GOOD])
    bench = Bench(engine, local=LocalOutcomes(False))
    bench.slots.lanes = ["local", "standard", "standard"]
    record = await bench.read()
    assert (record.outcome, record.text, record.attempts) == (PageOutcome.DONE, GOOD, ())
    assert bench.slots.local == [True, False, False], "local engines try a page once"


async def test_local_engines_do_not_read_a_page_that_the_server_has_refused() -> None:
    bench = Bench(Lanes(standard=["SAFETY", GOOD]), local=LocalOutcomes())
    bench.slots.lanes = ["standard", "standard"]
    await bench.read()
    assert bench.slots.local[0] and not any(bench.slots.local[1:])


async def test_a_request_that_was_in_flight_when_the_connection_broke_is_recorded_as_possibly_billed() -> None:
    lost, refused = EngineConnectionLost("reset"), EngineConnectionLost("refused")
    lost.in_flight = True
    record = await Bench(ScriptedEngine({"a": [lost, refused, GOOD]})).read()
    assert record.outcome is PageOutcome.DONE
    assert [(attempt.reason, attempt.finish, attempt.cost_usd) for attempt in record.attempts] == [
        ("EngineConnectionLost", "POSSIBLY_BILLED", 0.0)
    ]
