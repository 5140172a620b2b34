"""A real Prometheus scrapes a real run: every documented metric exists, and every dashboard query returns data."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ports import free_port
from tests.e2e.support import PROJECT, Cli, SimulatedGemini, end_tree, wait_until
from tests.e2e.watched import TOKEN, watched_run

PROMETHEUS = shutil.which("prometheus")
OF_RAY = ("ray_",)  # metrics of the dashboard's last row: the test head has no dashboard, and its agent exports none


@contextmanager
def scraping(url: str, folder: Path) -> Iterator[Any]:
    """The project's own configuration, except the addresses and the interval."""
    shutil.copytree(PROJECT / "docker" / "prometheus", folder)
    (folder / "rayocr_api_token").write_text(TOKEN)
    text = (folder / "prometheus.yml").read_text()
    text = text.replace("driver:8080", url.removeprefix("http://")).replace("15s", "1s")
    text = text.replace("/run/rayocr/api_token", f"{folder}/rayocr_api_token")
    (folder / "prometheus.yml").write_text(text[: text.index("  # Ray's nodes")])
    port = free_port()
    options = [
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([str(PROMETHEUS), *options], stdout=log, stderr=subprocess.STDOUT)

    def ask(path: str, **query: str) -> Any:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=60
            ) as answer:
                return json.load(answer)["data"]
        except OSError:
            assert server.poll() is None, (folder / "log").read_text()
            return None

    try:
        yield ask
    finally:
        end_tree(server.pid)
        server.wait()


def queries() -> list[str]:
    dashboard = json.loads((PROJECT / "docker" / "grafana" / "dashboards" / "rayocr.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return [q.replace('instance=~"$instance"', 'instance=~".*"').replace("$__rate_interval", "10s") for q in found]


@pytest.mark.skipif(
    PROMETHEUS is None, reason="needs Debian's prometheus: METRICS AND DASHBOARD ARE NOT CHECKED AGAINST A REAL ONE"
)
def test_prometheus_finds_every_documented_metric_and_the_dashboard_has_data(
    cli: Cli, gemini: SimulatedGemini, tmp_path: Path
) -> None:
    # One document is read and one is rejected; the server is sometimes overloaded and refuses some pages.
    (cli.folder / "in").mkdir()
    (cli.folder / "in" / "c.pdf").write_bytes((PROJECT / "samples" / "broken" / "encrypted.pdf").read_bytes())
    spending = (
        "budget.usd=5",
        "budget.usd_per_day=5",
        "budget.usd_per_month=5",
        "limits.usd_per_10min=5",
        "limits.usd_per_month=5",
    )
    with watched_run(cli, gemini, "overwrite=true", *spending) as watched, scraping(watched.url, tmp_path / "p") as ask:
        gemini.set(error_status=503, error_share=0.1, recitation_always_share=0.3)
        documented = set(re.findall(r"`(rayocr_\w+)`", (PROJECT / "docs" / "observability.md").read_text()))
        documented -= {"rayocr_pages", "rayocr_documents", "rayocr_tokens", "rayocr_cost_usd"}  # as Ray names them
        documented = {f"{name}_bucket" if name == "rayocr_stage_seconds" else name for name in documented}
        wait_until(lambda: documented <= set(ask("label/__name__/values") or ()), "every documented metric was scraped")
        ours = [query for query in queries() if "rayocr_" in query and not any(name in query for name in OF_RAY)]
        assert len(ours) > 40
        left = set(ours)

        def answered() -> bool:
            left.difference_update([query for query in left if (ask("query", query=query) or {}).get("result")])
            return not left

        wait_until(answered, f"all of the dashboard's queries have data, but {left}")

        def value(query: str) -> float:
            return float(ask("query", query=query)["result"][0]["value"][1])

        wait_until(lambda: value("sum(rayocr_pages_total)") >= 20, "pages are counted")
        assert value('rayocr_limit_rpm{model="gemini-3.1-flash-lite"}') == 6000
        assert 0 < value("sum(rayocr_rate_rpm)") <= 6000
        assert 0 <= value("sum(rayocr_in_flight)") <= 2
        assert value("rayocr_budget_usd") == 5
        assert 0 < value("rayocr_cost_usd_total") < 1
        assert value("sum(rayocr_slots_granted_total)") >= value("sum(rayocr_pages_total)") - 8
        wait_until(lambda: value("sum(rayocr_throttled_total)") > 0, "the server was overloaded")  # one request in ten
        assert value('sum(rayocr_failures_total{reason="EncryptedPdf"})') == 1
        assert value('rayocr_storage_calls_total{op="write", outcome="ok"}') > 1
        assert value('rayocr_stage_seconds_count{stage="fetch"}') >= 2
        assert value("rayocr_ledger_segments") >= 1
        assert value('up{job="rayocr"}') == 1
        rules = ask("rules")["groups"][0]["rules"]
        assert rules and all(rule["health"] in ("ok", "unknown") for rule in rules)
        assert watched.run.poll() is None, watched.log.read_text()
