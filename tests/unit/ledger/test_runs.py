"""Page numbers as ranges, in both directions."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.ledger.runs import format_runs, parse_runs
from tests.unit.counted_steps import steps_of


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        ([5], "5"),
        ([1, 2, 3, 7], "1-3,7"),
        ([7, 3, 1, 2, 3], "1-3,7"),
        ([1, 3, 5], "1,3,5"),
        (range(1, 10_001), "1-10000"),
    ],
)
def test_numbers_become_runs(numbers: list[int], text: str) -> None:
    assert format_runs(numbers) == text


@given(st.sets(st.integers(1, 300)))
def test_any_set_of_pages_makes_the_round_trip(numbers: set[int]) -> None:
    assert list(parse_runs(format_runs(numbers))) == sorted(numbers)


@pytest.mark.parametrize("text", [",", "1,", "-1", "1-", "3-1", "2,1", "1-3,3", "a", "1 - 3", "1;2", "1-2-3", "1" * 12])
def test_an_invalid_list_of_runs_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_runs(text)


def test_an_endless_run_costs_nothing_until_it_is_walked() -> None:
    tracemalloc.start()
    try:
        steps_of(lambda: list(itertools.islice(parse_runs("1-9999999"), 3)), at_most=1_000)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert list(itertools.islice(parse_runs("1-9999999"), 3)) == [1, 2, 3]
