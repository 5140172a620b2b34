"""Budgets per run, day and month apply together and include the cost of other runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.limits.budget import Budget, MoneyLimit

DAY = "2026-11-26"
RUN = MoneyLimit(option="budget.usd", usd=10.0)
TODAY = MoneyLimit(option="budget.usd_per_day", usd=5.0, period="day")
MONTH = MoneyLimit(option="budget.usd_per_month", usd=20.0, period="month")


@given(
    limit=st.floats(0.0, 10.0),
    requests=st.lists(st.tuples(st.integers(1, 50), st.floats(0.0001, 0.1), st.floats(0.0, 1.0)), max_size=60),
)
def test_spent_and_promised_money_never_exceeds_the_budget(limit: float, requests: list[tuple[int, float, float]]) -> None:
    """Pages cost at most the estimate; `share` is the actual cost relative to it."""
    budget = Budget([MoneyLimit(option="budget.usd", usd=limit)])
    open_promises: list[tuple[float, float]] = []
    for wanted, cost_usd, share in requests:
        room = budget.room(cost_usd, DAY)
        assert room is not None
        granted = min(wanted, room)
        budget.promise(granted * cost_usd)
        open_promises.append((granted * cost_usd, granted * cost_usd * share))
        assert budget.spent_usd + budget.promised_usd <= limit + 1e-9
        if len(open_promises) > 3:
            promised_usd, spent_usd = open_promises.pop(0)
            budget.settle(promised_usd=promised_usd, spent_usd=spent_usd, day=DAY)


def test_without_a_budget_everything_may_leave() -> None:
    assert Budget().room(1.0, DAY) is None


def test_the_tightest_of_several_budgets_binds() -> None:
    budget = Budget([RUN, TODAY, MONTH], earlier={DAY: 1.0, "2026-11-02": 16.5, "2026-10-31": 100.0})
    assert budget.room(1.0, DAY) == 2  # 20 - 17.5 of the month
    assert budget.tightest(DAY) == MONTH
    budget.settle(promised_usd=0, spent_usd=2.0, day=DAY)
    assert budget.room(1.0, DAY) == 0
    assert budget.room(1.0, "2026-12-01") == 5  # a new month, and a new day


def test_the_spending_of_other_runs_counts_and_is_never_forgotten() -> None:
    budget = Budget([TODAY])
    budget.note_others({DAY: 3.0})
    budget.note_others({DAY: 1.0})
    assert budget.room(1.0, DAY) == 2


@pytest.mark.parametrize(("period", "expected"), [("run", 0.0), ("day", 1.0), ("month", 4.0)])
def test_spending_is_reported_by_period(period: str, expected: float) -> None:
    assert Budget(earlier={DAY: 1.0, "2026-11-01": 3.0, "2025-11-26": 9.0}).spent(period, DAY) == expected  # type: ignore[arg-type]
