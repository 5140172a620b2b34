from __future__ import annotations

import pytest

from rayocr.engines.model_ladder import next_model
from rayocr.messages import Attempt


def tried(model: str, reason: str = "Refused", finish: str = "RECITATION", engine: str = "gemini") -> Attempt:
    return Attempt(engine=engine, reason=reason, model=model, finish=finish)


def asked(*attempts: Attempt, models: tuple[str, ...] = ("a", "b", "c")) -> str | None:
    return next_model(models, attempts, engine="gemini")


def test_the_first_model_is_asked_first() -> None:
    assert asked() == "a"


def test_a_refusal_by_chance_is_asked_once_more_and_then_the_next_model() -> None:
    assert asked(tried("a")) == "a"
    assert asked(tried("a"), tried("a")) == "b"


@pytest.mark.parametrize(
    ("reason", "finish"), [("Refused", "SAFETY"), ("Truncated", "MAX_TOKENS"), ("RepetitionLoop", "STOP"), ("EngineRejected", "")]
)
def test_what_would_come_again_goes_to_the_next_model_at_once(reason: str, finish: str) -> None:
    assert asked(tried("a", reason, finish)) == "b"


@pytest.mark.parametrize(("reason", "finish"), [("EmptyAnswer", "STOP"), ("MalformedAnswer", "NOT_JSON")])
def test_an_empty_or_garbled_answer_is_worth_one_more_try(reason: str, finish: str) -> None:
    assert asked(tried("a", reason, finish)) == "a"
    assert asked(tried("a", reason, finish), tried("a", reason, finish)) == "b"


def test_three_answers_paid_for_without_result_are_enough() -> None:
    assert asked(tried("a"), tried("a"), tried("b")) is None
    assert asked(tried("a", finish="SAFETY"), tried("b", finish="SAFETY"), tried("c", finish="SAFETY")) is None


def test_tries_of_another_engine_count_as_paid_but_not_as_this_ones() -> None:
    assert asked(tried("a", engine="openai")) == "a"
    assert asked(*[tried("a", engine="openai")] * 3) is None


def test_a_server_that_was_unavailable_costs_nothing() -> None:
    away = [tried(model, "EngineOverloaded", "") for model in ("a", "b")]
    assert asked(*away) == "c"
    assert asked(*away, tried("c")) == "c"


def test_local_engines_are_not_paid() -> None:
    local = [Attempt(engine="rapidocr", reason="LowConfidence")] * 5
    assert asked(*local) == "a"


def test_a_ladder_of_one_ends_after_its_second_refusal() -> None:
    assert asked(tried("a"), tried("a"), models=("a",)) is None
