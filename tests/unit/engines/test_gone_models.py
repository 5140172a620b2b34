"""The next model of the ladder, and never silently a local engine, reads the pages of a model that the server no longer has, or
for which the project has no quota."""

from __future__ import annotations

import pytest

from rayocr.errors import DayQuotaExhausted, OutsideError, QuotaDenied, UnknownModel
from rayocr.messages import OUTAGE, PageOutcome
from tests.unit.engines.scripted_stage import GOOD, Bench, LightEngine, ScriptedEngine

GONE = UnknownModel("Gemini does not have the model a: This model is no longer available.")


DENIED = QuotaDenied("The quota for a is 0. The server says: limit: 0")


@pytest.mark.parametrize("missing", [GONE, DENIED])
async def test_the_next_model_of_the_ladder_reads_the_page(missing: OutsideError) -> None:
    engine = ScriptedEngine({"a": [missing], "b": [GOOD]})
    record = await Bench(engine, LightEngine("a local reading")).read()
    assert (record.outcome, record.model, engine.asked) == (PageOutcome.DONE, "b", ["a", "b"])


async def test_without_another_model_the_run_ends_and_says_what_to_do() -> None:
    bench = Bench(ScriptedEngine({"a": [GONE]}), LightEngine("a local reading"))
    with pytest.raises(UnknownModel, match="no longer available") as caught:
        await bench.read()
    assert "start the same command again to resume" in str(caught.value.hint)


async def test_without_quota_for_any_model_the_run_ends_with_the_words_of_the_server() -> None:
    bench = Bench(ScriptedEngine({"a": [DENIED], "b": [DENIED]}), LightEngine("a local reading"))
    with pytest.raises(QuotaDenied, match="limit: 0"):
        await bench.read()


async def test_if_the_other_models_are_used_up_for_today_the_run_says_when_they_resume() -> None:
    bench = Bench(ScriptedEngine({"a": [GONE], "b": [GOOD]}), LightEngine("a local reading"))
    bench.slots.parked["b"] = 100.0
    with pytest.raises(DayQuotaExhausted) as caught:
        await bench.read()
    assert caught.value.resumes_at == 100.0


async def test_a_page_that_the_other_models_refuse_goes_to_the_next_engine() -> None:
    bench = Bench(ScriptedEngine({"a": [GONE], "b": ["SAFETY"]}), LightEngine("a local reading"))
    record = await bench.read()
    assert (record.outcome, record.text) == (PageOutcome.FALLBACK, "a local reading")
    assert [attempt.model for attempt in record.attempts] == ["b"]


async def test_another_server_reads_the_page_when_the_first_has_none_of_its_models() -> None:
    class Other(ScriptedEngine):
        name = "openai"

    assert (await Bench(ScriptedEngine({"a": [GONE]}), Other({"c": [GOOD]})).read()).engine == "openai"


async def test_falling_back_to_a_local_engine_is_opt_in_and_recorded_as_an_outage() -> None:
    bench = Bench(ScriptedEngine({"a": [GONE]}), LightEngine("a local reading"), fall_back=True)
    record = await bench.read()
    assert (record.text, record.doubts, record.wants_retry) == ("a local reading", (OUTAGE,), True)
    assert [attempt.reason for attempt in record.attempts] == ["UnknownModel"]
