"""`rayocr view` in a browser: search, filter, turn pages, correct and download. Without Ray."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.support import PROJECT, make_pdf
from tests.e2e.test_gateway import CHROMIUM, QUIET
from tests.unit.view.test_results import write_document


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The URL of a view over two documents, one of them with a failed page."""
    make_pdf(tmp_path / "in" / "letter.pdf", 2)
    make_pdf(tmp_path / "in" / "form.pdf", 3)
    write_document(tmp_path, "letter.pdf", ["# Water board\n\nThe pump house, a *document* with a **second** line", "1. one\n3. three"])
    write_document(tmp_path, "form.pdf", ["Signal Street", "lost", "<b>Last</b> page"], failed=2)
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "rayocr", "view", str(tmp_path / "out"), "gateway.port=0", "login.browser=none"]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield next(match[0] for line in process.stdout if (match := re.search(r"http://\S+", line)))
    finally:
        process.terminate()
        assert process.wait() in (0, 130)


@pytest.mark.skipif(CHROMIUM is None or find_spec("playwright") is None, reason="needs Debian's chromium")
@pytest.mark.filterwarnings("ignore")
def test_results_are_searched_corrected_and_downloaded(address: str, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        context = browser.new_context(bypass_csp=True, accept_downloads=True)
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(address)
        page.wait_for_selector("#docs tr:nth-child(2)")
        assert "token" not in page.url
        page.keyboard.press("/")
        page.keyboard.type("pump")
        page.wait_for_selector("#docs mark")
        assert page.locator("#docs tr").count() == 1
        page.click("text=letter.pdf")
        page.wait_for_selector("dialog[data-linked]")
        page.hover("#v-html strong .w")  # "second", which stands once on the page
        marked = page.locator("#v-paper i.on")
        assert marked.count() == 1
        assert 0 < marked.bounding_box()["y"] - page.locator("#v-image").bounding_box()["y"] < 200
        marked.hover()
        assert page.inner_text("#v-html .w.on") == "second"
        page.click("#close")
        page.fill("#q", "")
        page.select_option("#reason", "Refused")
        page.wait_for_selector("#docs tr:only-child")
        page.click("text=form.pdf")
        page.wait_for_selector("dialog[data-text='1']")
        assert "Signal Street" in page.inner_text("#v-html")
        page.keyboard.press("n")
        page.wait_for_selector("dialog[data-text='2']")
        assert page.url.endswith("/2")
        violations = Axe().run(page).response["violations"]
        assert [v["id"] for v in violations if v["impact"] in ("serious", "critical")] == []
        page.click("#again")
        page.select_option("#with", "textlayer")
        page.click("#read")
        page.wait_for_selector("#v-diff ins")
        assert "number 2" in page.inner_text("#v-diff")
        page.click("#back")
        page.focus("#next")
        page.keyboard.press("e")
        page.fill("#v-source", "# Found again\n\n<script>document.title = 'owned'</script>")
        page.fill("#author", "Ada")
        page.click("#save")
        page.wait_for_selector("text=All outputs show the correction")
        assert page.inner_text("#v-html h1") == "Found again"
        assert page.title() != "owned"
        with page.expect_download() as download:
            page.click("#v-files button >> text=form.md")
        assert "Found again" in Path(download.value.path()).read_text()
        page.click("#close")
        page.wait_for_selector("text=No document matches")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        violations = Axe().run(page).response["violations"]
        assert [v["id"] for v in violations if v["impact"] in ("serious", "critical")] == []
        assert problems == []
        browser.close()
    assert "Found again" in (tmp_path / "out" / "form.md").read_text()
