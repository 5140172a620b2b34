"""The report in a browser: its filter, its fonts, and a phone."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from rayocr.config import ReportConfig
from rayocr.messages import DocumentOutcome
from rayocr.outputs.report.document import report_html
from rayocr.outputs.report.facts import PageToShow, ReportFacts
from rayocr.outputs.report.pages import ShownPage
from tests.e2e.test_gateway import CHROMIUM, QUIET
from tests.unit.outputs.test_report import failed, manifest


@pytest.mark.skipif(CHROMIUM is None or find_spec("playwright") is None, reason="needs Debian's chromium")
@pytest.mark.filterwarnings("ignore")
def test_the_report_is_searched_and_filtered_and_has_its_letters(tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    facts = ReportFacts(ReportConfig())
    documents = [
        manifest("संविधान.pdf"),
        manifest("annual report.pdf"),
        manifest("lost.pdf", outcome=DocumentOutcome.PARTIAL, pages=(failed(1),)),
    ]
    for document in documents:
        facts.add(document)
    shown = [ShownPage(PageToShow(manifest=documents[0], page_number=1), None, "", "नमस्ते | भारत")]
    html = report_html(
        facts,
        title="All runs",
        dest="out",
        runs=(),
        doubtful=shown,
        sample=(),
        link=lambda name: name,
        unreadable=0,
        now=datetime.now(UTC),
    )
    (tmp_path / "report.html").write_text(html)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        page = browser.new_page(viewport={"width": 390, "height": 844}, bypass_csp=True)
        page.set_default_timeout(600_000)
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto((tmp_path / "report.html").as_uri())
        faults = Axe().run(page).response["violations"]
        assert [fault["id"] for fault in faults if fault["impact"] in ("serious", "critical")] == []
        page.fill("input[type=search]", "annual")
        assert page.locator("#documents tr[data-outcome]:visible").count() == 1
        assert page.locator("article:visible").count() == 0
        page.fill("input[type=search]", "भारत")
        assert page.locator("article:visible").count() == 1
        page.fill("input[type=search]", "")
        page.select_option("select", "partial")
        assert page.inner_text("#documents tr:visible:has(em)").startswith("lost.pdf")
        assert "1 of 3 documents" in page.inner_text("form")
        assert page.evaluate("document.fonts.load('16px rayocr', 'न').then(found => found.length)") == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    assert problems == []
