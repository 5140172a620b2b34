"""The options, make targets and files in the documentation exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from rayocr.composition import compose
from rayocr.config import Mode

PROJECT = Path(__file__).parents[3]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
GENERATED = {"configuration.md", "licences.md"}
ENVIRONMENT = {"GEMINI_API_KEY": "k", "REDIS_URL": "redis://r", "RAYOCR_API_TOKEN": "t"}
# Placeholders for the reader's own values.
_STANDS_FOR = {"…": "x", "HOST": "h"}


def commands(page: Path) -> list[str]:
    text = re.sub(r"\\\n\s*", " ", page.read_text())
    found = re.findall(r"python -m rayocr((?: +[^`#\n]*)?)", text)
    return [re.split(r" {3,}", command.strip())[0] for command in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_of_the_documents_is_one_that_rayocr_takes(page: Path) -> None:
    for command in commands(page):
        if "mode=watch" in command and "watch" not in set(Mode):
            continue
        words = [word for word in shlex.split(command) if "=" in word and not word.startswith("-")]
        options = [word.replace("…", "x") for word in words]
        if "|" in command or "[overrides]" in command:
            continue
        assert compose(options, ENVIRONMENT) is not None, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_of_the_documents_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)`", page.read_text())) <= targets


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in GENERATED], ids=lambda page: page.name)
def test_every_file_that_the_documents_name_exists(page: Path) -> None:
    for name in set(
        re.findall(r"(?<![\w/.])((?:docs|docker|kuberay|benchmarks|tests|conf|samples|rayocr)/[\w./-]*\w)", page.read_text())
    ):
        if name.startswith(("docker/data", "docker/.env", "kuberay/kuberay-operator")):
            continue  # names that the reader chooses, and the name of a chart
        found = PROJECT / name
        assert found.exists() or list(found.parent.glob(found.name + "*")), f"{page.name}: {name}"


def test_every_alert_has_its_section_in_the_runbook() -> None:
    alerts = set(re.findall(r"alert: (\w+)", (PROJECT / "docker" / "prometheus" / "alerts.yml").read_text()))
    assert alerts and alerts == set(re.findall(r"^## (Rayocr\w+)", (PROJECT / "docs" / "runbook.md").read_text(), re.MULTILINE))
