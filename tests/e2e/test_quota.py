"""A run against a server with quotas keeps to them and to the budget, and loses no page to a rate limit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.e2e.prefork import Prefork
from tests.e2e.support import Cli, CliHere, SimulatedGemini, make_pdf, manifests, page_texts

OPTIONS = ("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]", "outputs=[markdown]", "progress=plain")


@pytest.fixture
def quick(prefork: Prefork, environment: dict[str, str]) -> Iterator[SimulatedGemini]:
    simulated = SimulatedGemini(prefork, environment)
    yield simulated
    simulated.close()


def all_pages_are_there(cli: Cli, name: str, pages: int) -> None:
    texts = page_texts(cli.folder / "out" / f"{name}.md")
    assert sorted(texts) == list(range(1, pages + 1))
    for number, text in texts.items():
        assert re.search(rf"page number {number} of", text), (number, text)
    (manifest,) = manifests(cli.folder / "out")
    assert manifest["outcome"] == "complete"


def test_a_server_that_allows_less_than_configured_loses_no_page(cli: Cli, quick: SimulatedGemini) -> None:
    """Sends eight at a time to a server that accepts two: rate limits slow all requests down, and every page is read once."""
    quick.set(max_in_flight=2, latency_s=0.1)
    make_pdf(cli.folder / "in" / "a.pdf", 40)
    done = cli.run(*OPTIONS, "limits.max_in_flight=8", **quick.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    all_pages_are_there(cli, "a", 40)
    counts = quick.counts()
    assert counts["statuses"]["429"] > 0
    assert counts["statuses"]["200"] == 40


def test_a_run_at_its_quota_is_never_refused(cli: Cli, quick: SimulatedGemini) -> None:
    quick.set(rpm=600, latency_s=0.5, latency_jitter_s=1.0)
    make_pdf(cli.folder / "in" / "a.pdf", 100)
    done = cli.run(*OPTIONS, "limits.rpm=600", **quick.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    all_pages_are_there(cli, "a", 100)
    assert quick.counts()["statuses"] == {"200": 100}


def test_a_budget_stops_the_run_and_it_continues_with_more(cli: Cli, quick: SimulatedGemini) -> None:
    """A page has 600 input tokens and a few output tokens. The estimate is higher, and the budget applies to the estimate."""
    make_pdf(cli.folder / "in" / "a.pdf", 60)
    price = ("engine.gemini.input_usd_per_million=10", "engine.gemini.output_usd_per_million=0.001")  # 0.6 cents per page
    stopped = cli.run(*OPTIONS, *price, "budget.usd=0.15", **quick.variables)
    assert stopped.returncode == 3, stopped.stdout + stopped.stderr
    assert re.search(r"rayocr: The budget is used up: \$0\.1\d+ of \$0\.1500", stopped.stderr), stopped.stderr
    assert "resume" in stopped.stderr
    spent = quick.answered * 0.006
    assert 0.13 <= spent <= 0.15
    done = cli.run(*OPTIONS, *price, "budget.usd=10", **quick.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    all_pages_are_there(cli, "a", 60)
    assert quick.answered == 60  # nothing was paid for twice
    (record, *_) = sorted((cli.folder / "out" / ".rayocr" / "runs").glob("*.json"))
    assert json.loads(record.read_text())["cost_usd"] == pytest.approx(spent, abs=0.0061)


def test_a_budget_for_a_model_without_a_price_is_refused_before_anything_is_sent(
    cli_without_ray: CliHere, quick: SimulatedGemini
) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 1)
    refused = cli_without_ray.run(*OPTIONS, "engine.gemini.model=gemini-99", "budget.usd=1", **quick.variables)
    assert refused.returncode == 2
    assert "no price for gemini-99" in refused.stderr
    assert not quick.counts()["requests"]


def test_the_quota_of_the_day_stops_the_run_says_when_it_resumes_and_loses_nothing(cli: Cli, quick: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 50)
    stopped = cli.run(*OPTIONS, "limits.rpd=20", **quick.variables, TZ="Asia/Kolkata")
    assert stopped.returncode == 3, stopped.stdout + stopped.stderr
    assert re.search(
        r"rayocr: The daily quota for gemini-3\.1-flash-lite is used up\."
        r" It resumes at \d{4}-\d\d-\d\d 1[23]:30 IST \(\d{4}-\d\d-\d\d 0[78]:00 UTC\)\.",
        stopped.stderr,
    ), stopped.stderr
    assert quick.answered == 20
    done = cli.run(*OPTIONS, **quick.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    all_pages_are_there(cli, "a", 50)
    assert quick.answered == 50


def test_a_server_whose_day_is_used_up_is_asked_no_further(cli: Cli, quick: SimulatedGemini) -> None:
    quick.set(rpd=5)
    make_pdf(cli.folder / "in" / "a.pdf", 30)
    stopped = cli.run(*OPTIONS, "limits.day_quota_tries=0", "limits.max_in_flight=4", **quick.variables)
    assert stopped.returncode == 3, stopped.stdout + stopped.stderr
    assert "used up" in stopped.stderr
    counts = quick.counts()
    assert counts["statuses"]["200"] == 5
    assert counts["statuses"]["429"] <= 8
    quick.set(rpd=0)
    assert cli.run(*OPTIONS, **quick.variables).returncode == 0
    all_pages_are_there(cli, "a", 30)
