"""The documentation builds as a site, in strict mode: every page is in the navigation, every link and anchor exists."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[3]


def build(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(project / "mkdocs.yml"), "-d", str(site)],
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, cwd=project, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_the_site_builds_without_a_broken_link(tmp_path: Path) -> None:
    done = build(PROJECT, tmp_path / "site")
    assert done.returncode == 0, done.stdout + done.stderr
    start = (tmp_path / "site" / "index.html").read_text()
    assert "Use it from Python" in start
    assert 'href="python.html"' in start
    assert "https://fonts." not in start


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    links = ("nowhere.md", "python.md#missing", "../conf/absent.yaml")
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "docs", project / "docs", ignore=shutil.ignore_patterns("decisions", "*.png"))
    (project / "docs" / "decisions").mkdir()
    for name in ("README.md", "docs/decisions/README.md"):
        (project / name).write_text("# Start\n")
    (project / "mkdocs.yml").write_text((PROJECT / "mkdocs.yml").read_text())
    for page in (project / "docs").glob("*.md"):
        page.write_text(f"# {page.stem}\n")
    (project / "docs" / "view.md").write_text("# View\n\n" + "\n".join(f"[x]({link})" for link in links))
    done = build(project, tmp_path / "site")
    assert done.returncode == 1
    warned = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("WARNING")]
    assert all(any(link in line for line in warned) for link in links), warned
