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

from rayocr.actors.document_worker.corrections import new_correction, save_correction
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.retry import RetryPolicy
from rayocr.storage.factory import open_storage
from tests.e2e.prefork import Prefork
from tests.e2e.support import PATIENCE_S, PROJECT, SimulatedGemini, make_pdf
from tests.e2e.test_gateway import CHROMIUM, QUIET
from tests.unit.view.written_documents import write_document

# The end is shown for a moment before the results replace it.
REMEMBER_THE_END = """new MutationObserver(() => {
  const ended = document.getElementById("ended");
  if (ended?.textContent) sessionStorage.ended = ended.textContent;
}).observe(document, {subtree: true, childList: true})"""


def write_replaced_document(folder: Path) -> None:
    """plan.pdf in two versions. A person corrected page 1 of the first."""
    make_pdf(folder / "in" / "plan.pdf", 1)
    first = write_document(folder, "plan.pdf", ["the frist version"])
    state, policy = open_storage(str(folder / "out")), RetryPolicy(max_attempts=1)
    source = {"source_uri": f"{folder}/in/plan.pdf", "name": "plan.pdf"}
    save_correction(state, first, 1, new_correction("the first version", "Bob"), policy=policy, **source)
    name = manifest_name(write_document(folder, "plan.pdf", ["the secnod version"], revision="2"))
    made = Manifest.from_json(state.read(name), name=name)
    state.write(name, made.model_copy(update={"finished_at": "2099-01-01T00:00:00+00:00"}).to_json())


@pytest.fixture
def address(prefork: Prefork, tmp_path: Path) -> Iterator[str]:
    """The URL of a view over two documents, one of them with a failed page."""
    make_pdf(tmp_path / "in" / "letter.pdf", 2)
    make_pdf(tmp_path / "in" / "form.pdf", 3)
    write_document(tmp_path, "letter.pdf", ["# Water board\n\nThe pump house has a **second** line", "1. one\n3. three"])
    write_document(tmp_path, "form.pdf", ["Signal Street", "lost", "<b>Last</b> page \u0378"], failed=2)
    write_replaced_document(tmp_path)
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "rayocr", "view", str(tmp_path / "out"), "gateway.port=0", "login.browser=none"]
    process = prefork.start(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout is not None
        yield next(match[0] for line in process.stdout if (match := re.search(r"http://\S+", line)))
    finally:
        process.terminate()
        process.communicate()
        assert process.returncode in (0, 130)


@pytest.mark.skipif(CHROMIUM is None or find_spec("playwright") is None, reason="needs Debian's chromium")
@pytest.mark.filterwarnings("ignore")
def test_results_are_searched_corrected_and_downloaded(address: str, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        context = browser.new_context(bypass_csp=True, accept_downloads=True)
        page = context.new_page()
        page.set_default_timeout(600_000)
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
        page.hover("#v-html strong .w")  # "second", which occurs once on the page
        box = page.wait_for_selector("#v-paper i.on")
        assert page.locator("#v-paper i.on").count() == 1
        assert 0 < box.bounding_box()["y"] - page.locator("#v-image").bounding_box()["y"] < 200
        box.hover()
        page.wait_for_selector("#v-html .w.on:text-is('second')")
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
        assert page.locator("#v-kind option").all_inner_texts() == ["all pages", "read by gemini (2)", "failed (1)"]
        page.select_option("#v-kind", "read by gemini")
        page.wait_for_selector("dialog[data-text='3']")
        page.click("#prev")
        page.wait_for_selector("dialog[data-text='1']")
        page.select_option("#v-kind", "failed")
        page.wait_for_selector("dialog[data-text='2']")
        assert page.is_disabled("#next")
        page.select_option("#v-kind", "")
        page.click("#again")
        page.select_option("#with", "textlayer")
        page.click("#read")
        page.wait_for_selector("#v-diff ins")
        assert "number 2" in page.inner_text("#v-diff")
        page.route("**/pages/2/read", lambda route: None)  # a reading that takes long
        page.click("#read")
        page.wait_for_selector("text=Page 2 of form.pdf is being read with textlayer: 1 s.")
        assert page.is_disabled("#read")
        page.click("#stop")
        page.wait_for_selector("text=The reading is cancelled.")
        assert page.is_enabled("#read")
        assert page.is_hidden("#stop")
        page.click("#back")
        assert page.evaluate("document.activeElement.id") == "again", "the keyboard continues where the form was opened"
        page.click("#again")
        page.keyboard.press("Escape")  # leaves the form, not the document
        assert page.is_hidden("#v-again")
        assert page.is_visible("#again")
        page.focus("#next")
        page.keyboard.press("e")
        page.fill("#v-source", "# Found again\n\n<script>document.title = 'owned'</script>")
        page.keyboard.press("Escape")  # the question whether to discard the text is answered with no
        page.click("#next")
        assert page.input_value("#v-source").startswith("# Found again")
        assert page.input_value("#author"), "the user of this machine is offered"
        page.fill("#author", "Ada")
        page.click("#save")
        page.wait_for_selector("text=All outputs show the correction")
        assert page.inner_text("#v-html h1") == "Found again"
        assert page.title() != "owned"
        assert page.inner_text("#v-files small").startswith("form.clean.pdf: No font contains U+0378")
        with page.expect_download() as download:
            page.click("#v-files button >> text=form.md")
        assert "Found again" in Path(download.value.path()).read_text()
        page.click("#close")
        page.wait_for_selector("text=No document matches")
        page.select_option("#reason", "")
        page.check("#earlier")
        page.wait_for_selector("#docs tr:only-child >> text=1 correction of an earlier version")
        page.click("text=plan.pdf")
        page.wait_for_selector(".earlier ins")
        assert "Bob corrected page 1 of an earlier version" in page.inner_text(".earlier")
        page.click("text=Apply the correction")
        page.wait_for_selector("text=Applied. All outputs show the correction.")
        assert page.inner_text("#v-html") == "the first version"
        assert page.locator(".earlier").count() == 0
        page.click("#close")
        page.wait_for_selector("text=No document matches")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.uncheck("#earlier")
        page.wait_for_selector("#docs tr:nth-child(2)")
        assert page.is_hidden("#more"), "the list has one page"
        page.route("**/image", lambda route: None)  # a picture that takes long
        page.click("text=letter.pdf")
        page.wait_for_selector("dialog[data-text='1']")
        assert page.locator(".side").bounding_box()["y"] < 250
        assert page.locator("#v-paper").bounding_box()["height"] > 300, "the place of the picture is kept"
        page.unroute("**/image")
        page.click("#close")
        violations = Axe().run(page).response["violations"]
        assert [v["id"] for v in violations if v["impact"] in ("serious", "critical")] == []
        assert problems == []
        browser.close()
    assert "Found again" in (tmp_path / "out" / "form.md").read_text()


@pytest.mark.skipif(CHROMIUM is None or find_spec("playwright") is None, reason="needs Debian's chromium")
@pytest.mark.filterwarnings("ignore")
def test_a_correction_from_the_command_line_is_in_an_open_view(address: str, prefork: Prefork, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.goto(address)
        page.wait_for_selector("#docs tr:nth-child(3)")
        page.click("text=letter.pdf")
        page.wait_for_selector("dialog[data-text='1']")
        (tmp_path / "page.md").write_text("The **aqueduct** is new")
        command = [sys.executable, "-m", "rayocr", "correct", str(tmp_path / "out"), "letter.pdf", "2"]
        options = ["--file", str(tmp_path / "page.md"), "--author", "Ada"]
        with (tmp_path / "correct.log").open("w") as log:
            started = prefork.start([*command, *options], cwd=PROJECT, env=os.environ, stdout=log, stderr=subprocess.STDOUT)
        assert started.wait(PATIENCE_S) == 0, (tmp_path / "correct.log").read_text()
        page.click("#next")  # a page is read when it is opened
        page.wait_for_selector("#v-html strong")
        assert page.inner_text("#v-html strong") == "aqueduct"
        page.click("#close")
        for _ in range(600):  # the list is updated every 30 seconds
            page.fill("#q", "")
            page.fill("#q", "aqueduct")
            page.wait_for_timeout(1000)
            if page.locator("#docs mark").count():
                break
        assert page.locator("#docs tr").count() == 1
        assert page.inner_text("#docs mark") == "aqueduct"
        browser.close()


@pytest.mark.skipif(CHROMIUM is None or find_spec("playwright") is None, reason="needs Debian's chromium")
@pytest.mark.filterwarnings("ignore")
def test_the_page_of_a_run_continues_with_its_results(gemini: SimulatedGemini, prefork: Prefork, tmp_path: Path) -> None:
    """With gateway.after=view, the page first shows how the run ended."""
    from playwright.sync_api import sync_playwright

    gemini.set(latency_s=2.0)  # until the browser shows the run
    for number in range(4):
        make_pdf(tmp_path / "in" / f"{number}.pdf", 15)
    (tmp_path / "in" / "damaged.pdf").write_bytes(b"%PDF-1.7 nothing")
    command = [sys.executable, "-m", "rayocr", str(tmp_path / "in"), str(tmp_path / "out"), "cluster=inprocess"]
    options = ["gateway.after=view", "gateway.port=0", "engine=gemini", "engine.chain=[gemini]", "limits.max_in_flight=1"]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)} | gemini.variables
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(600_000)
        page.add_init_script(REMEMBER_THE_END)
        process = prefork.start(
            [*command, *options], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            assert process.stdout is not None
            page.goto(next(match[0] for line in process.stdout if (match := re.search(r"http://\S+#token=\S+", line))))
            page.wait_for_selector("#cards .card")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            gemini.set(latency_s=0.0)
            page.wait_for_selector("h1:text('rayocr results')")
            page.wait_for_selector("#docs tr:nth-child(5)")
            assert "damaged.pdf" in page.inner_text("#docs")
            told = page.evaluate("sessionStorage.ended")
            assert "The run has ended. 4 complete, 0 partial, 1 rejected documents; 0 failed pages." in told
            assert f"rayocr view {tmp_path / 'out'}" in told
        finally:
            process.terminate()
            process.communicate()
            code = process.wait()
        browser.close()
    assert code == 1  # a document was rejected
