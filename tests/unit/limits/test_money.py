"""Prices by day, and the estimated tokens of a request."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rayocr.composition import compose, price_table
from rayocr.engines.base import BATCH_ACCOUNT
from rayocr.errors import UsageError
from rayocr.limits.expected_use import ExpectedUse
from rayocr.limits.prices import Price, PriceTable, parse_prices
from rayocr.messages import SlotReturn
from tests.unit.actors.limiter_world import CENT_A_PAGE, World

NOW = datetime(2026, 11, 23, tzinfo=UTC).timestamp()


def test_the_price_of_a_model_changes_at_midnight_in_california() -> None:
    prices = price_table(compose([], {}))
    before = datetime(2027, 1, 1, 7, 59, tzinfo=UTC).timestamp()
    assert prices.price("gemini-3.8-flash", before) == Price(
        input_usd=0.75, output_usd=3.75, cached_usd=0.075, valid_until=datetime(2026, 12, 31).date()
    )
    after = prices.price("gemini-3.8-flash", before + 60)
    assert after is not None
    assert (after.input_usd, after.output_usd) == (1.5, 7.5)


def test_a_version_is_priced_as_the_model_with_the_longest_name_that_it_begins_with() -> None:
    cheap, dear = Price(input_usd=1, output_usd=1), Price(input_usd=2, output_usd=2)
    prices = PriceTable(models={"gemini-4": [cheap], "gemini-4-pro": [dear]})
    assert prices.price("models/gemini-4-pro-001", NOW) == dear
    assert prices.price("gemini-4-lite", NOW) == cheap
    assert prices.price("llama", NOW) is None
    assert prices.cost_usd("llama", input_tokens=1e6, output_tokens=1e6, at=NOW) == 0


def test_a_page_costs_its_input_and_output_and_half_of_it_in_a_batch() -> None:
    prices = price_table(compose([], {}))
    use = {"input_tokens": 600, "output_tokens": 1000, "at": NOW}
    assert prices.cost_usd("gemini-3.1-flash-lite", **use) == pytest.approx(600 * 0.25e-6 + 1000 * 1.5e-6)
    assert prices.cost_usd("gemini-3.1-flash-lite", **use, tier="batch") == pytest.approx(300 * 0.25e-6 + 500 * 1.5e-6)


@pytest.mark.parametrize(("tier", "factor"), [("standard", 1.0), ("flex", 0.5), ("batch", 0.5), ("priority", 1.8)])
def test_cached_input_costs_a_tenth_of_other_input_in_every_tier(tier: str, factor: float) -> None:
    prices = price_table(compose([], {}))
    for model, input_usd, output_usd in (("gemini-3.1-flash-lite", 0.25, 1.5), ("gemini-3.8-flash", 0.75, 3.75)):
        cost = prices.cost_usd(model, input_tokens=5000, cached_tokens=4096, output_tokens=100, at=NOW, tier=tier)
        assert cost == pytest.approx((904 * input_usd + 4096 * input_usd / 10 + 100 * output_usd) * factor / 1e6)


def test_cached_tokens_without_a_price_cost_as_much_as_other_input() -> None:
    prices = PriceTable(models={"m": [Price(input_usd=1, output_usd=2)]})
    use = {"input_tokens": 5000, "output_tokens": 100, "at": NOW}
    assert prices.cost_usd("m", **use, cached_tokens=4096) == prices.cost_usd("m", **use)


def test_prices_of_the_command_line_win() -> None:
    options = ["engine.gemini.input_usd_per_million=10", "engine.gemini.output_usd_per_million=20"]
    prices = price_table(compose(options, {}))
    assert prices.cost_usd("whatever", input_tokens=1e6, output_tokens=1e6, at=NOW) == 30


def test_prices_do_not_change_the_fingerprint() -> None:
    dear = compose(["engine=gemini", "engine.gemini.input_usd_per_million=10"], {})
    assert dear.fingerprint() == compose(["engine=gemini"], {}).fingerprint()


@pytest.mark.parametrize("data", [None, {}, {"models": {"m": [{"input_usd": 1}]}}, {"models": {"m": [{"input_usd": "x"}]}}])
def test_a_broken_price_list_is_a_usage_error(data: object) -> None:
    with pytest.raises(UsageError, match=r"prices\.yaml"):
        parse_prices(data)


def test_expectations_move_from_the_guess_to_the_actual_use() -> None:
    expected = ExpectedUse(input_tokens=1000, cost_usd=0.001)
    for _ in range(20):
        expected.learn(requests=64, input_tokens=64 * 600, cost_usd=64 * 0.003)
    assert expected.input_tokens == pytest.approx(600, rel=0.01)
    assert expected.cost_usd == pytest.approx(0.003, rel=0.01)


async def test_batches_do_not_use_the_limit_of_ten_minutes() -> None:
    world = World()
    limiter = world.limiter(prices=CENT_A_PAGE, usd_per_10min=1.0)
    await limiter.lease("m" + BATCH_ACCOUNT, "w", 100)
    await limiter.release("m" + BATCH_ACCOUNT, "w", SlotReturn(slots=100, answered=100, cost_usd=100.0))
    began = world.now
    await limiter.lease("m", "w", 1)
    assert world.now == began, "the next request does not wait for the dollars of the batch"
    assert (await limiter.state()).spent_10min_usd == 0.0


async def test_the_state_shows_the_spending_of_ten_minutes_of_the_day_and_of_the_month() -> None:
    world = World()
    limiter = world.limiter(prices=CENT_A_PAGE, usd_per_10min=100.0, spent_before={"2026-11-01": 5.0})
    for _ in range(2):
        await limiter.lease("m", "w", 1)
        await limiter.release("m", "w", SlotReturn(slots=1, answered=1, cost_usd=2.0, possibly_billed=1))
        world.now += 400
    state = await limiter.state()
    assert (state.spent_10min_usd, state.spent_today_usd, state.spent_month_usd) == (2.0, 4.0, 9.0)
    assert state.possibly_billed == 2
