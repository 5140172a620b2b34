"""The Prometheus and Grafana files: rules fire when they should, and the dashboard queries only existing metrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[3]
FOLDER = PROJECT / "docker" / "prometheus"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="needs Debian's prometheus: THE ALERT RULES ARE NOT TESTED")


def promtool(*arguments: str, folder: Path) -> str:
    """The output of a promtool command, which must succeed."""
    done = subprocess.run([str(PROMTOOL), *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_promtool
def test_every_rule_fires_when_it_should_and_not_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts.test.yml", folder=FOLDER)


@needs_promtool
def test_the_configuration_is_one_that_prometheus_takes(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "p")
    configuration = tmp_path / "p" / "prometheus.yml"  # the file with the token, which Compose writes
    configuration.write_text(configuration.read_text().replace("/run/rayocr/api_token", str(tmp_path / "token")))
    (tmp_path / "token").write_text("t")
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml", folder=tmp_path / "p")


def rules() -> list[dict[str, str]]:
    found: list[dict[str, str]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
    return found


def test_every_rule_is_tested() -> None:
    tests = yaml.safe_load((FOLDER / "alerts.test.yml").read_text())["tests"]
    fired = {t["alertname"] for test in tests for t in test["alert_rule_test"] if t["exp_alerts"]}
    assert fired == {rule["alert"] for rule in rules()}


def test_rules_and_dashboard_ask_for_documented_metrics_alone() -> None:
    documented = set(re.findall(r"`(rayocr_\w+)`", (PROJECT / "docs" / "observability.md").read_text()))
    documented |= {"rayocr_stage_seconds_bucket", "rayocr_storage_calls_total"}
    dashboard = json.loads((PROJECT / "docker" / "grafana" / "dashboards" / "rayocr.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    asked = {name for text in (*queries, *(rule["expr"] for rule in rules())) for name in re.findall(r"\brayocr_\w+", text)}
    assert asked <= documented
    shown = {name for text in queries for name in re.findall(r"\brayocr_\w+", text)}
    untold = {name for name in documented if f"{name}_bucket" not in shown and name not in shown}
    assert untold <= {"rayocr_pages", "rayocr_documents", "rayocr_tokens", "rayocr_cost_usd"}, "the dashboard shows all of them"


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    dashboard = json.loads((PROJECT / "docker" / "grafana" / "dashboards" / "rayocr.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
