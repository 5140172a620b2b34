from __future__ import annotations

import pytest

from rayocr.composition import compose
from rayocr.config import ModelLimitsConfig
from rayocr.errors import UsageError

TIERS = ["free", "tier1", "tier2", "tier3"]
MODELS = ["gemini-3.1-flash-lite", "gemini-3.5-flash-lite", "gemini-3.8-flash"]


@pytest.mark.parametrize("model", [*MODELS, "gemini-9-unheard-of"])
def test_each_tier_allows_more_than_the_one_below(model: str) -> None:
    rates = [compose([f"limits={tier}"], {}).limits.of(model) for tier in TIERS]
    assert [rate.rpm for rate in rates] == sorted(rate.rpm or 0 for rate in rates)
    assert [rate.tpm for rate in rates] == sorted(rate.tpm or 0 for rate in rates)


def test_batches_have_the_enqueued_tokens_of_the_tier_unless_they_are_set() -> None:
    known = [compose([f"limits={tier}"], {}).batch_limits.enqueued_tokens for tier in TIERS]
    assert known == [None, 10_000_000, 500_000_000, 1_000_000_000]
    assert compose(["limits=tier1", "engine.gemini.model=gemini-3.8-flash"], {}).batch_limits.enqueued_tokens == 3_000_000
    assert compose(["limits=tier1", "batch.enqueued_tokens=5000"], {}).batch_limits.enqueued_tokens == 5000
    assert compose(["limits=tier1", "engine.gemini.vertexai=true"], {}).batch_limits.enqueued_tokens is None
    assert compose([], {}).batch_limits.enqueued_tokens is None


def test_a_model_has_the_limits_of_the_longest_name_that_it_begins_with() -> None:
    limits = compose(["limits=tier1"], {}).limits
    assert limits.of("models/gemini-3.8-flash-001") == limits.of("gemini-3.8-flash")
    assert limits.of("gemini-3.8-flash") != limits.of("gemini-3.8")
    assert limits.of("some-server") == ModelLimitsConfig()


def test_figures_of_the_command_line_win_over_the_preset_one_by_one() -> None:
    limits = compose(["limits=tier1", "limits.rpm=600"], {}).limits.of("gemini-3.8-flash")
    assert (limits.rpm, limits.tpm, limits.rpd) == (600, 1_000_000, 10_000)


def test_the_default_bounds_requests_in_flight_and_paces_nothing() -> None:
    assert compose([], {}).limits.of("gemini-3.8-flash") == ModelLimitsConfig(max_in_flight=16)


def test_a_quota_that_is_known_is_not_held_back_by_that_caution() -> None:
    """16 requests in flight with answers after 5 s are 190 per minute: a third of a quota of 600."""
    assert compose(["limits.rpm=600"], {}).limits.of("gemini-3.8-flash") == ModelLimitsConfig(rpm=600)
    assert compose(["limits.max_in_flight=40"], {}).limits.of("gemini-3.8-flash") == ModelLimitsConfig(max_in_flight=40)
    assert compose(["limits=unlimited"], {}).limits.of("gemini-3.8-flash") == ModelLimitsConfig()


@pytest.mark.parametrize(
    "override", ["limits.shared=etcd", "limits.headroom=1", "limits.rpd=0", "limits.tpm=0", "budget.usd=-1", "limits=tier9"]
)
def test_nonsense_is_refused(override: str) -> None:
    with pytest.raises(UsageError):
        compose([override], {})
