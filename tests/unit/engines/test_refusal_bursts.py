"""Refused and truncated pages while the model refuses the pages of other documents, too."""

from __future__ import annotations

import pytest

from rayocr.messages import OUTAGE, PageOutcome
from tests.unit.engines.scripted_stage import GOOD, Bench, LightEngine, ScriptedEngine

FINISHES = ["SAFETY", "RECITATION", "MAX_TOKENS", ""]  # the last one is an empty text with STOP


@pytest.mark.parametrize("finish", FINISHES)
async def test_while_the_model_is_held_for_it_a_refusal_does_not_count_against_the_page(finish: str) -> None:
    engine = ScriptedEngine({"a": [finish, finish, finish, finish, GOOD]})
    bench = Bench(engine, LightEngine("a local reading"))
    bench.slots.refuses, bench.slots.share = True, 1.0
    record = await bench.read()
    assert (record.outcome, record.text, record.doubts) == (PageOutcome.DONE, GOOD, ())
    assert record.input_tokens == 5 * 600, "refused answers are billed"


@pytest.mark.parametrize("finish", FINISHES)
async def test_a_page_that_another_engine_reads_after_a_suspicious_refusal_is_retried_later(finish: str) -> None:
    bench = Bench(ScriptedEngine({"a": [finish] * 2, "b": [finish] * 2}), LightEngine("a local reading"))
    bench.slots.refuses = True
    record = await bench.read()
    assert (record.text, record.doubts, record.wants_retry) == ("a local reading", (OUTAGE,), True)
    assert record.attempts[-1].reason == "ModelUnavailable"
    assert "pages of other documents" in record.attempts[-1].message
    assert {attempt.finish for attempt in record.attempts[:-1]} == {finish or "STOP"}


@pytest.mark.parametrize("finish", FINISHES)
async def test_a_page_that_is_refused_among_pages_that_are_read_is_the_cause(finish: str) -> None:
    bench = Bench(ScriptedEngine({"a": [finish] * 2}), LightEngine("a local reading"))
    record = await bench.read()
    assert (record.outcome, record.doubts, record.wants_retry) == (PageOutcome.FALLBACK, (), False)
    assert {attempt.finish for attempt in record.attempts} == {finish or "STOP"}


async def test_a_refused_page_waits_for_the_answers_of_others_before_it_goes_to_another_engine() -> None:
    bench = Bench(ScriptedEngine({"a": ["SAFETY", GOOD]}), LightEngine("a local reading"))
    bench.slots.refuses = True

    async def others_are_refused_too(delay_s: float) -> None:
        bench.slept.append(delay_s)
        bench.slots.share = 1.0 if len(bench.slept) == 3 else 0.5

    bench.on_sleep = others_are_refused_too
    assert (await bench.read()).text == GOOD
    assert bench.slept == [0.5] * 3


async def test_without_another_engine_the_page_fails_for_the_reason_that_the_server_gave() -> None:
    bench = Bench(ScriptedEngine({"a": ["SAFETY"]}), is_last_stage=True)
    bench.slots.refuses = True
    record = await bench.read()
    assert (record.outcome, record.attempts[-1].reason, record.wants_retry) == (PageOutcome.FAILED, "Refused", True)
