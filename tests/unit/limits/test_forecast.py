from __future__ import annotations

import pytest

from rayocr.config import ModelLimitsConfig
from rayocr.limits.forecast import forecast


@pytest.mark.parametrize(
    ("limits", "seconds", "binds"),
    [
        (ModelLimitsConfig(), 0.0, None),
        (ModelLimitsConfig(rpm=600), 600.0, "rpm"),
        (ModelLimitsConfig(rpm=600, tpm=100_000), 3600.0, "tpm"),
        (ModelLimitsConfig(max_in_flight=10), 3000.0, "max_in_flight"),
        (ModelLimitsConfig(rpm=600, rpd=4000), 86_400 + 200.0, "rpd"),
        (ModelLimitsConfig(rpm=600, rpd=3000), 86_400 + 300.0, "rpd"),
        (ModelLimitsConfig(rpm=600, rpd=10_000), 600.0, "rpm"),
    ],
)
def test_the_limit_that_takes_longest_binds(limits: ModelLimitsConfig, seconds: float, binds: str | None) -> None:
    takes = forecast(6000, input_tokens=6_000_000, limits=limits, headroom=0.0)
    assert takes.seconds == pytest.approx(seconds)
    assert takes.binds == binds


def test_the_unused_share_of_the_quota_makes_the_run_longer() -> None:
    assert forecast(600, input_tokens=0, limits=ModelLimitsConfig(rpm=600), headroom=0.5).seconds == pytest.approx(120)


def test_nothing_takes_no_time() -> None:
    assert forecast(0, input_tokens=0, limits=ModelLimitsConfig(rpm=600, rpd=10), headroom=0.0).seconds == 0
