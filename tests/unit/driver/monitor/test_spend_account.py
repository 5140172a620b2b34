from __future__ import annotations

from datetime import UTC, datetime

from rayocr.driver.monitor.spend_account import SPEND_PREFIX, SpendAccount
from rayocr.storage.memory import MemoryStorage

NOON = datetime(2026, 11, 26, 20, tzinfo=UTC).timestamp()  # noon in California


def test_what_other_runs_spent_this_month_is_read_by_day() -> None:
    state = MemoryStorage("account-0")
    SpendAccount(state, "a").keep({"2026-11-25": 1.0, "2026-11-26": 2.0, "2026-10-31": 9.0})
    SpendAccount(state, "b").keep({"2026-11-26": 0.5})
    assert SpendAccount(state, "c").spent_by_others(NOON) == {"2026-11-25": 1.0, "2026-11-26": 2.5}
    assert SpendAccount(state, "a").spent_by_others(NOON) == {"2026-11-26": 0.5}


def test_it_is_written_every_ten_seconds_at_most_and_at_the_end() -> None:
    state, now = MemoryStorage("account-1"), 0.0
    account = SpendAccount(state, "a", clock=lambda: now)
    other = SpendAccount(state, "b")
    account.keep({"2026-11-26": 1.0})
    account.keep({"2026-11-26": 2.0})
    assert other.spent_by_others(NOON) == {"2026-11-26": 1.0}
    now = 11.0
    account.keep({"2026-11-26": 3.0})
    assert other.spent_by_others(NOON) == {"2026-11-26": 3.0}
    account.keep({"2026-11-26": 4.0}, now=True)
    assert other.spent_by_others(NOON) == {"2026-11-26": 4.0}


def test_a_damaged_account_is_skipped() -> None:
    state = MemoryStorage("account-2")
    state.write(f"{SPEND_PREFIX}2026-11/x.json", b"{")
    assert SpendAccount(state, "a").spent_by_others(NOON) == {}


def test_a_run_that_spends_nothing_writes_nothing() -> None:
    state = MemoryStorage("account-3")
    SpendAccount(state, "a").keep({"2026-11-26": 0.0}, now=True)
    assert list(state.list(SPEND_PREFIX)) == []
