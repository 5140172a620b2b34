from __future__ import annotations

import pytest

from rayocr.limits.expected_use import TokenEstimator
from rayocr.messages import RequestShape

PAGE = RequestShape("pdf 1", 620.0)
PARTS = RequestShape("pdf 9", 5100.0)


def test_before_any_answer_a_request_counts_as_documented_but_at_least_as_configured() -> None:
    tokens = TokenEstimator(least=1000)
    assert tokens.expect("m", PAGE) == 1000
    assert tokens.expect("m", PARTS) == 5100


def test_each_shape_learns_its_own_tokens() -> None:
    tokens = TokenEstimator(least=1000)
    for _ in range(50):
        tokens.learn("m", PAGE, 640)
        tokens.learn("m", PARTS, 5300)
    assert tokens.expect("m", PAGE) == pytest.approx(640)
    assert tokens.expect("m", PARTS) == pytest.approx(5300)
    assert tokens.expect("other", PAGE) == 1000, "models differ"


def test_a_shape_without_an_answer_uses_the_ratio_that_other_shapes_have_shown() -> None:
    tokens = TokenEstimator(least=1000)
    tokens.learn("m", PAGE, 310)
    assert tokens.expect("m", PARTS) == pytest.approx(2550)


def test_a_change_of_the_tokens_is_followed() -> None:
    tokens = TokenEstimator(least=1000)
    for _ in range(10_000):
        tokens.learn("m", PAGE, 600)
    for _ in range(1000):
        tokens.learn("m", PAGE, 1200)
    assert tokens.expect("m", PAGE) == pytest.approx(1200, rel=0.02)


def test_an_answer_without_a_count_and_an_absurd_count_do_not_spoil_the_estimate() -> None:
    tokens = TokenEstimator(least=1000)
    tokens.learn("m", PAGE, 0)
    assert tokens.expect("m", PAGE) == 1000
    tokens.learn("m", PAGE, 10**9)
    assert tokens.expect("m", PARTS) == pytest.approx(4 * 5100), "the ratio is bounded"
