"""Monitors and controls a run while it reads: over HTTP, and on its status page in a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.support import PATIENCE_S, PROJECT, Cli, SimulatedGemini, manifests, wait_until
from tests.e2e.watched import TOKEN, Watched, watched_run

QUIET = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def watched(cli: Cli, gemini: SimulatedGemini) -> Iterator[Watched]:
    with watched_run(cli, gemini) as watched:
        yield watched


def test_a_run_is_watched_paused_and_a_failed_document_is_retried(watched: Watched) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        watched.ask("/drain", "POST", token="another")
    assert watched.outcomes() == {"a.pdf": "partial"}
    (partial,) = watched.ask("/documents?outcome=partial")["documents"]
    answered = watched.gemini.answered
    watched.ask(f"/documents/{partial['document_id']}/retry", "POST")
    wait_until(lambda: watched.outcomes().get("a.pdf") == "complete", "the document is complete")
    assert watched.ask(f"/documents/{partial['document_id']}/pages/3")["text"].startswith("This is page of a with the number 3 ")
    assert watched.gemini.answered > answered
    watched.ask("/pause", "POST")
    wait_until(lambda: watched.ask("/status")["gauges"]["paused"] == 1, "the run is paused")
    watched.ask("/resume", "POST")

    metrics = watched.ask("/metrics")
    documented = set(re.findall(r"`(rayocr_\w+)`", (PROJECT / "docs" / "observability.md").read_text()))
    of_ray = {"rayocr_pages", "rayocr_documents", "rayocr_tokens", "rayocr_cost_usd"}
    assert documented - of_ray == set(re.findall(r"^# TYPE (\w+)", metrics, re.MULTILINE))
    assert re.search(r'rayocr_documents_total\{outcome="complete"\} 1\.0', metrics)
    process = psutil.Process(watched.run.pid)
    arguments = [" ".join(p.cmdline()) for p in (process, *process.children(recursive=True))]
    shown = json.dumps([watched.ask("/config"), watched.ask("/status"), watched.ask("/logs"), metrics, arguments])
    out = watched.end()
    assert watched.run.returncode == 0, out
    everything = (
        shown
        + out
        + "".join(
            path.read_bytes().decode("utf-8", "replace")
            for folder in ("out", "logs")
            for path in (watched.cli.folder / folder).rglob("*")
            if path.is_file()
        )
    )
    for secret in (TOKEN, watched.gemini.key):
        assert secret not in everything
    assert {m["name"]: m["outcome"] for m in manifests(watched.cli.folder / "out")} == {"a.pdf": "complete", "b.pdf": "complete"}


@pytest.mark.skipif(CHROMIUM is None or find_spec("playwright") is None, reason="needs Debian's chromium")
@pytest.mark.filterwarnings("ignore")
def test_the_page_shows_progress_retries_and_compares(watched: Watched, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        # Only the test's own scripts may bypass the page's strict policy.
        context = browser.new_context(viewport={"width": 1280, "height": 1000}, bypass_csp=True, color_scheme="light")
        page = context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: troubles.append(r.url) if not r.url.startswith((watched.url, "blob:")) else None)
        page.goto(watched.url)
        page.fill("#token", "another")
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelector('#word').innerText.includes('Wrong token')")
        page.fill("#token", TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_selector(".badge.partial")
        before = page.inner_text("#cards strong")
        page.wait_for_function("before => document.querySelector('#cards strong').innerText !== before", arg=before)
        _has_no_serious_fault(page)
        _compares_picture_and_text(page)
        page.click("[aria-label='Retry a.pdf']")
        page.wait_for_selector("td .badge.complete")
        page.select_option("#outcome", "in_progress")
        page.wait_for_selector("#docs [role=progressbar]")
        page.wait_for_selector("#pace .line")
        page.wait_for_selector("#quota .row")
        _keep(page, "page")
        page.click("#theme")
        _has_no_serious_fault(page)
        _keep(page, "page-dark")
        page.keyboard.press("/")
        page.keyboard.type("nonesuch")
        page.wait_for_function("document.querySelector('#docs').innerText.includes('No documents are in progress')")
        page.click("h1")
        page.keyboard.press("p")
        page.wait_for_function("document.querySelector('#pause').innerText === 'Resume'")
        page.keyboard.press("p")
        page.wait_for_function("document.querySelector('#pause').innerText === 'Pause'")
        browser.close()
    assert troubles == []
    assert watched.run.poll() is None, watched.log.read_text()


def _compares_picture_and_text(page: Any) -> None:
    page.click("text=a.pdf")
    page.wait_for_selector("#view[data-page='1']")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#view[data-page='2']")
    assert page.get_attribute("#v-image", "alt") == "Page 2 of a.pdf, as scanned"
    assert page.evaluate("document.querySelector('#v-image').naturalWidth") > 100
    page.keyboard.press("n")
    page.wait_for_selector("#view[data-page] #v-facts .badge.failed")
    assert "could not be read" in page.inner_text("#v-text")
    assert "gemini (Refused)" in page.inner_text("#v-facts")
    number = int(page.input_value("#v-number"))
    page.fill("#v-number", "1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#view[data-page='1'] #v-facts .badge.done")
    assert (number != 1) and "number 1 " in page.inner_text("#v-text")
    _has_no_serious_fault(page)
    _keep(page, "document-side-by-side")
    page.keyboard.press("Escape")
    page.wait_for_selector("#view", state="hidden")


def _has_no_serious_fault(page: Any) -> None:
    if find_spec("axe_playwright_python") is None:
        return
    from axe_playwright_python.sync_playwright import Axe

    found = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
    assert not found, [(v["id"], [node["html"] for node in v["nodes"]]) for v in found]


def _keep(page: Any, name: str) -> None:
    """Takes screenshots for docs/ on request."""
    if folder := os.environ.get("RAYOCR_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")
