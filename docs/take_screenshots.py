"""Takes docs/images/view-*-WIDTH-SCHEME.webp: screenshots of the results view over samples/. Needs Debian's chromium.

Run `make screenshots`.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
WIDTHS = {390: 844, 768: 1024, 1440: 900}
DOCUMENT = "two-columns.pdf"
PATIENCE_MS = 600_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "archive"
        work.mkdir()
        environment = os.environ | {"HOME": folder, "XDG_CACHE_HOME": folder}
        run = [
            sys.executable,
            "-m",
            "rayocr",
            str(PROJECT / "samples"),
            "out",
            "exclude=[broken/*]",
            "cluster=inprocess",
            "outputs=[markdown,searchable_pdf]",
        ]
        subprocess.run([*run, "gateway.enabled=false"], cwd=work, env=environment, check=False, stdout=subprocess.DEVNULL)
        command = [sys.executable, "-m", "rayocr", "view", "out", "gateway.port=0", "login.browser=none"]
        view = subprocess.Popen(command, cwd=work, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            assert view.stdout is not None
            address = next(match[0] for line in view.stdout if (match := re.search(r"http://\S+", line)))
            take(address)
        finally:
            view.terminate()
            view.wait()


def take(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width, height in WIDTHS.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
                page = context.new_page()
                page.set_default_timeout(PATIENCE_MS)
                page.goto(address)
                page.wait_for_selector("#docs tr:nth-child(3)")
                save(page, f"view-list-{width}-{scheme}")
                page.click(f"text={DOCUMENT}")
                page.wait_for_selector("dialog[data-linked]")
                page.hover("#v-html .w >> nth=20")
                save(page, f"view-page-{width}-{scheme}")
                context.close()
        browser.close()


def save(page: Page, name: str) -> None:
    page.evaluate("document.getElementById('place').textContent = 'out'")
    with Image.open(io.BytesIO(page.screenshot())) as image:
        image.convert("RGB").save(PROJECT / "docs" / "images" / f"{name}.webp", quality=80, method=6)


if __name__ == "__main__":
    main()
