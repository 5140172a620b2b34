"""The cheapest lane that keeps the deadline."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rayocr.errors import UsageError
from rayocr.limits.lanes import lane_for_deadline, parse_deadline

NOW = datetime(2026, 11, 26, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("hours_left", "standard_h", "lane"),
    [(6, 1, "flex"), (6, 5.3, "flex"), (6, 5.5, "standard"), (0.3, 0.1, "standard"), (0, 0, "standard")],
)
def test_flex_as_long_as_standard_could_still_make_it(hours_left: float, standard_h: float, lane: str) -> None:
    assert lane_for_deadline(seconds_left=hours_left * 3600, standard_s=standard_h * 3600, flex_s=1200) == lane


@pytest.mark.parametrize("deadline_h", [1.2, 2.0, 3.0, 8.0])
def test_the_deadline_is_kept_and_the_cost_is_near_the_optimum_in_hindsight(deadline_h: float) -> None:
    """10,000 pages; standard reads 3 pages/s, flex 1 page/s on the same quota, in answers of 15 minutes at most."""
    pages, standard_per_s, flex_per_s, left = 10_000, 3.0, 1.0, deadline_h * 3600
    in_flex = in_standard = 0.0
    while pages - in_flex - in_standard > 0:
        remaining = pages - in_flex - in_standard
        lane = lane_for_deadline(seconds_left=left, standard_s=remaining / standard_per_s, flex_s=900)
        step = min(remaining, flex_per_s if lane == "flex" else standard_per_s)
        in_flex, in_standard = in_flex + step * (lane == "flex"), in_standard + step * (lane == "standard")
        left -= 1
    assert left > 0
    cost = in_flex * 0.5 + in_standard
    # Flex for as long as standard can still finish in time: f/flex + (pages - f)/standard = time.
    most_in_flex = (deadline_h * 3600 - pages / standard_per_s) / (1 / flex_per_s - 1 / standard_per_s)
    optimum = pages - 0.5 * min(pages, max(0.0, most_in_flex))
    assert cost <= optimum * 1.09


def test_deadlines_are_durations_or_times() -> None:
    assert parse_deadline("6h", now=NOW) == NOW + 6 * 3600
    assert parse_deadline("1.5d", now=NOW) == NOW + 36 * 3600
    assert parse_deadline("2026-11-26T06:00", now=NOW) == NOW + 6 * 3600
    assert parse_deadline("2026-11-26T06:00+06:00", now=NOW) == NOW
    with pytest.raises(UsageError, match="deadline=soon"):
        parse_deadline("soon", now=NOW)
