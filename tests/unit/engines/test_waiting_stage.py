"""Outcomes of a page whose first answer fails the checks."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import pytest

from rayocr.config import DoubtConfig
from rayocr.engines.answers.verification import VerificationResult, Verifier
from rayocr.engines.base import ComputeEngine
from rayocr.engines.registry import Stage
from rayocr.engines.stages import ComputeStage, PageProgress
from rayocr.errors import (
    BatchIncomplete,
    CredentialsError,
    DayQuotaExhausted,
    EngineRejected,
    ModelUnavailable,
    PageUnrenderable,
    PictureUndecodable,
)
from rayocr.messages import OUTAGE, Attempt, PageOutcome, PageRecord, PageText
from rayocr.pdf.page import Page
from tests.unit.engines.scripted_stage import GOOD, Bench, InkedPage, LightEngine, ScriptedEngine
from tests.unit.engines.servers import FakePage


async def test_a_random_recitation_is_asked_once_more_and_both_are_on_the_bill() -> None:
    engine = ScriptedEngine({"a": ["RECITATION", GOOD]})
    bench = Bench(engine)
    record = await bench.read()
    assert (record.outcome, record.text, engine.asked) == (PageOutcome.DONE, GOOD, ["a", "a"])
    assert record.input_tokens == 1200
    assert [(a.model, a.reason, a.finish) for a in record.attempts] == [("a", "Refused", "RECITATION")]


async def test_paid_attempts_without_a_result_are_remembered_before_the_next_request() -> None:
    engine = ScriptedEngine({"a": ["SAFETY"], "b": ["MAX_TOKENS"], "c": [GOOD]})
    bench = Bench(engine)
    await bench.read()
    assert [len(record.attempts) for record in bench.remembered] == [1, 2]
    assert all(record.outcome is PageOutcome.HANDED_ON and not record.text for record in bench.remembered)


async def test_after_a_restart_the_ladder_resumes_where_it_stopped() -> None:
    first = Bench(ScriptedEngine({"a": ["SAFETY"], "b": [RuntimeError("killed")]}))
    with pytest.raises(RuntimeError):
        await first.read()
    engine = ScriptedEngine({"a": [], "b": [GOOD]})
    again = Bench(engine, attempts=first.remembered[-1].attempts)
    record = await again.read(first.remembered[-1].next_engine)
    assert (engine.asked, record.outcome, record.input_tokens) == (["b"], PageOutcome.DONE, 1200)


async def test_a_page_that_is_always_refused_goes_to_the_next_stage_after_three_paid_tries() -> None:
    engine = ScriptedEngine({"a": ["RECITATION", "RECITATION"], "b": ["RECITATION"], "c": [GOOD]})
    record = await Bench(engine).read()
    assert engine.asked == ["a", "a", "b"]
    assert (record.outcome, record.next_engine, record.input_tokens) == (PageOutcome.HANDED_ON, 1, 1800)


async def test_at_the_end_of_the_chain_the_page_has_failed_and_its_text_is_empty() -> None:
    for ending in ("MAX_TOKENS", "RECITATION", "SAFETY"):
        record = await Bench(ScriptedEngine({"a": [ending, ending]}), is_last_stage=True).read()
        assert (record.outcome, record.text) == (PageOutcome.FAILED, "")


async def test_a_loop_goes_to_the_next_model_and_never_into_the_output() -> None:
    loop = "The same sentence came again, word for word, and again. " * 100
    engine = ScriptedEngine({"a": [loop], "b": [GOOD]})
    record = await Bench(engine).read()
    assert (engine.asked, record.text) == (["a", "b"], GOOD)
    assert record.attempts[0].reason == "RepetitionLoop"


async def test_an_unavailable_server_ends_the_run_and_no_other_engine_reads_the_page() -> None:
    bench = Bench(ScriptedEngine({"a": [], "b": [GOOD]}), LightEngine(GOOD))
    bench.slots.unavailable = {"a"}
    with pytest.raises(ModelUnavailable):
        await bench.read()


async def test_with_on_outage_fallback_the_next_engine_reads_the_page_and_it_is_on_record() -> None:
    bench = Bench(ScriptedEngine({"a": []}), LightEngine(GOOD), fall_back=True)
    bench.slots.unavailable = {"a"}
    record = await bench.read()
    assert (record.outcome, record.engine, record.doubts) == (PageOutcome.FALLBACK, "textlayer", (OUTAGE,))
    assert [attempt.reason for attempt in record.attempts] == ["ModelUnavailable"]
    assert record.wants_retry


async def test_without_a_fallback_the_outage_ends_the_run() -> None:
    bench = Bench(ScriptedEngine({"a": []}), fall_back=True, is_last_stage=True)
    bench.slots.unavailable = {"a"}
    with pytest.raises(ModelUnavailable):
        await bench.read()


async def test_a_rejected_request_is_never_sent_again() -> None:
    engine = ScriptedEngine({"a": [EngineRejected("400")]})
    assert (await Bench(engine).read()).outcome is PageOutcome.HANDED_ON
    assert engine.asked == ["a"]


async def test_a_wrong_key_concerns_the_run() -> None:
    with pytest.raises(CredentialsError):
        await Bench(ScriptedEngine({"a": [CredentialsError("no")]})).read()


async def test_a_local_engine_reads_a_refused_page_which_is_then_a_fallback() -> None:
    class Local(ComputeEngine):
        name: ClassVar[str] = "rapidocr"

        def open(self) -> None: ...

        def recognize(self, page: Page) -> PageText:
            return PageText(text=GOOD, engine=self.name, model=self.name, confidence=0.99)

    class Inked:
        undecodable_share = 0.0
        is_placeholder = False
        cut_off_share = 0.0

        def ink_coverage(self, next_dpi: int = 0) -> float:
            return 0.2

    refused = await Bench(ScriptedEngine({"a": ["SAFETY"]})).read()
    progress = PageProgress("d", 1, is_last_stage=True, attempts=refused.attempts)
    stage = ComputeStage(Stage(kind="compute", first=1, last=1), [None, Local()])
    record = stage.recognize(cast(Page, Inked()), progress, first_engine=refused.next_engine)
    assert (record.outcome, record.engine, record.input_tokens) == (PageOutcome.FALLBACK, "rapidocr", 600)


class MeasuredPage(InkedPage):
    def __init__(self, coverage: float | Exception, *, certainly: bool = False) -> None:
        self._coverage = coverage
        self._certainly = certainly
        self.measured = 0

    def certainly_inked(self) -> bool:
        return self._certainly

    def ink_coverage(self, next_dpi: int = 0) -> float:
        self.measured += 1
        if isinstance(self._coverage, Exception):
            raise self._coverage
        return self._coverage


async def test_a_page_without_ink_is_never_sent() -> None:
    engine = ScriptedEngine({"a": [GOOD]})
    record = await Bench(LightEngine(None), engine).read(page=MeasuredPage(0.001))
    assert (record.outcome, engine.asked) == (PageOutcome.BLANK, [])


async def test_a_page_that_is_certainly_inked_is_not_measured() -> None:
    page = MeasuredPage(0.0, certainly=True)
    assert (await Bench(ScriptedEngine({"a": [GOOD]})).read(page=page)).outcome is PageOutcome.DONE
    assert page.measured == 0


async def test_a_trusted_text_layer_costs_no_request() -> None:
    engine = ScriptedEngine({"a": [GOOD]})
    assert (await Bench(LightEngine("The layer's text."), engine).read()).engine == "textlayer"
    assert engine.asked == []


async def test_a_defect_in_the_text_layer_leaves_the_page_to_the_engine_behind_it() -> None:
    record = await Bench(LightEngine(KeyError("glyph")), ScriptedEngine({"a": [GOOD]})).read()
    assert (record.engine, [(a.engine, a.reason) for a in record.attempts]) == ("gemini", [("textlayer", "KeyError")])


async def test_a_page_with_a_picture_that_cannot_be_decoded_here_is_sent() -> None:
    engine = ScriptedEngine({"a": [GOOD]})
    record = await Bench(engine).read(page=MeasuredPage(PictureUndecodable("A picture cannot be decoded.")))
    assert (record.outcome, engine.asked) == (PageOutcome.DONE, ["a"])


async def test_a_page_whose_ink_cannot_be_measured_is_an_attempt_and_no_request() -> None:
    engine = ScriptedEngine({"a": [GOOD]})
    record = await Bench(engine).read(page=MeasuredPage(PageUnrenderable("too large")))
    assert (record.outcome, record.next_engine, engine.asked) == (PageOutcome.HANDED_ON, 1, [])
    assert [a.reason for a in record.attempts] == ["PageUnrenderable"]


# -- the quota of the day ---------------------------------------------------------------------------------------------------


async def test_a_model_whose_day_is_used_up_is_skipped() -> None:
    engine = ScriptedEngine({"a": [GOOD], "b": [GOOD]})
    bench = Bench(engine)
    bench.slots.parked["a"] = 100.0
    record = await bench.read()
    assert (record.outcome, record.model, engine.asked) == (PageOutcome.DONE, "b", ["b"])


async def test_when_all_models_are_used_up_the_run_hears_when_the_first_resumes() -> None:
    bench = Bench(ScriptedEngine({"a": [GOOD], "b": [GOOD]}), LightEngine("a local reading"))
    bench.slots.parked = {"a": 200.0, "b": 100.0}
    with pytest.raises(DayQuotaExhausted) as caught:
        await bench.read()
    assert caught.value.resumes_at == 100.0


async def test_another_server_is_asked_when_the_first_one_is_used_up() -> None:
    class Other(ScriptedEngine):
        name: ClassVar[str] = "openai"

    bench = Bench(ScriptedEngine({"a": [GOOD]}), Other({"c": [GOOD]}))
    bench.slots.parked["a"] = 100.0
    assert (await bench.read()).engine == "openai"


async def test_a_page_that_was_refused_for_good_does_not_wait_for_a_model_that_would_not_be_asked_anyway() -> None:
    three = tuple(Attempt(engine="gemini", model="a", reason="Refused", finish="SAFETY") for _ in range(3))
    bench = Bench(ScriptedEngine({"a": [], "b": [GOOD]}), attempts=three)
    bench.slots.parked["b"] = 100.0
    assert (await bench.read()).outcome is PageOutcome.HANDED_ON


ROW = "I have read the terms above and agree to all of them as they stand today. "


async def test_a_page_that_repeats_itself_is_not_a_loop() -> None:
    page = InkedPage()
    page.own_text = ROW * 40
    record = await Bench(ScriptedEngine({"one": [ROW * 40]})).read(page=page)
    assert record.outcome is PageOutcome.DONE
    assert record.attempts == ()


@pytest.mark.parametrize("own_text", [ROW * 7, "Other words that say nothing about this matter here, ever. " * 300])
async def test_a_loop_on_a_page_that_repeats_something_less_often_is_a_loop(own_text: str) -> None:
    page = InkedPage()
    page.own_text = own_text
    record = await Bench(ScriptedEngine({"one": [ROW * 200, ROW * 200]}), is_last_stage=True).read(page=page)
    assert record.outcome is PageOutcome.FAILED
    assert {attempt.reason for attempt in record.attempts} == {"RepetitionLoop"}


class FixedVerifier(Verifier):
    def __init__(self, found: VerificationResult | None) -> None:
        super().__init__(DoubtConfig(sample=0), None)
        self.found = found

    def verify(self, page: Page, answer: PageText, *, sampled: bool) -> VerificationResult | None:
        assert not sampled
        return self.found


async def test_an_answer_that_does_not_agree_with_the_page_is_kept_and_called_suspect() -> None:
    verification = VerificationResult(agreement=0.12, suspect=True, against="textlayer")
    record = await Bench(ScriptedEngine({"a": [GOOD]}), verifier=FixedVerifier(verification)).read()
    assert (record.outcome, record.text, record.doubts, record.agreement) == (PageOutcome.DONE, GOOD, ("suspect",), 0.12)
    assert (record.summary.doubts, record.summary.agreement) == (("suspect",), 0.12)


async def test_an_answer_that_agrees_or_cannot_be_compared_has_no_doubt() -> None:
    agrees = FixedVerifier(VerificationResult(agreement=0.97, suspect=False, against="textlayer"))
    record = await Bench(ScriptedEngine({"a": [GOOD]}), verifier=agrees).read()
    assert (record.doubts, record.agreement) == ((), 0.97)
    record = await Bench(ScriptedEngine({"a": [GOOD]}), verifier=FixedVerifier(None)).read()
    assert (record.doubts, record.agreement) == ((), None)


async def test_a_paid_answer_is_recorded_although_another_page_hangs_on_the_thread() -> None:
    verifier = FixedVerifier(VerificationResult(agreement=0.12, suspect=True, against="textlayer"))
    bench = Bench(ScriptedEngine({"a": [GOOD]}), verifier=verifier)
    bench.hangs = verifier.verify
    record = await bench.read()
    assert (record.outcome, record.text, record.agreement) == (PageOutcome.DONE, GOOD, None)


class UncutPage(FakePage):
    async def content_hash(self) -> str:
        raise PageUnrenderable("It cannot be cut out.")


class NoDuplicates:
    async def claim(self, content_hash: str) -> PageRecord | None:
        raise AssertionError("without a hash there is nothing to compare")

    def release(self, content_hash: str, record: PageRecord | None) -> None:
        raise AssertionError


async def test_a_page_that_cannot_be_cut_out_is_still_offered_to_the_engine() -> None:
    bench = Bench(ScriptedEngine({"a": [GOOD]}), dedup=NoDuplicates())
    record = await bench.read(offered=UncutPage())
    assert (record.outcome, record.text) == (PageOutcome.DONE, GOOD)


@pytest.mark.parametrize("failure", [EngineRejected("400"), "NO_CANDIDATE", "OTHER"])
async def test_an_unusable_answer_while_no_page_gets_a_usable_one_does_not_count_against_the_page(failure: Any) -> None:
    bench = Bench(ScriptedEngine({"a": [failure] * 6 + [GOOD]}))
    bench.slots.share = 1.0
    record = await bench.read()
    assert (record.outcome, record.text) == (PageOutcome.DONE, GOOD)
    assert {attempt.finish for attempt in record.attempts} == {"DURING_OUTAGE"}


@pytest.mark.parametrize("failure", [EngineRejected("400"), "NO_CANDIDATE", "OTHER"])
async def test_an_unusable_answer_while_other_pages_are_read_counts_against_the_page(failure: Any) -> None:
    record = await Bench(ScriptedEngine({"a": [failure] * 2})).read()
    assert record.outcome is PageOutcome.HANDED_ON


def _lost() -> BatchIncomplete:
    error = BatchIncomplete("The batch rayocr-1 ended without the page (EXPIRED).")
    error.probably = PageText(text="", engine="gemini", model="a", input_tokens=600, cost_usd=0.001)
    return error


async def test_a_page_that_two_batches_did_not_answer_ends_the_run_and_is_not_read_by_a_later_engine() -> None:
    bench = Bench(ScriptedEngine({"a": [_lost(), _lost()]}), is_last_stage=True)
    with pytest.raises(ModelUnavailable, match="EXPIRED") as caught:
        await bench.read()
    assert "engine.batch=false" in str(caught.value.hint)


async def test_a_page_that_two_batches_did_not_answer_goes_to_the_next_model_of_the_ladder() -> None:
    record = await Bench(ScriptedEngine({"a": [_lost(), _lost()], "b": [GOOD]})).read()
    assert (record.outcome, record.model) == (PageOutcome.DONE, "b")


@pytest.mark.parametrize("finish", ["SAFETY", "RECITATION"])
async def test_a_refusal_that_names_the_pages_content_counts_against_it_even_during_an_outage(finish: str) -> None:
    bench = Bench(ScriptedEngine({"a": [finish] * 2}))
    bench.slots.share = 1.0
    record = await bench.read()
    assert record.outcome is PageOutcome.HANDED_ON
    assert {attempt.finish for attempt in record.attempts} == {finish}
