"""Every `rayocr …` command in README and docs exists: its sub-command, its flags and its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from rayocr.cli import main
from rayocr.cli.arguments import COMMANDS, parse
from rayocr.cli.help_text import help_text
from rayocr.composition import compose

PROJECT = Path(__file__).parents[3]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
ENVIRONMENT = {"GEMINI_API_KEY": "k", "REDIS_URL": "redis://r", "RAYOCR_API_TOKEN": "t"}
_PLACEHOLDERS = {"…": "x", "IN": "in", "OUT": "out", "HOST": "h", "PAGE": "3"}


def commands(page: Path) -> Iterator[str]:
    """In shell blocks: lines that call rayocr, without variables, comments and the rest of a pipe. In the text:
    `rayocr …`."""
    text = re.sub(r"\\\n\s*", " ", page.read_text(encoding="utf-8"))
    blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`(rayocr [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for line in [*lines, *inline]:
        found = re.match(r"(?:[A-Z_]+=\S+ |\$ |.*\| |uvx (?:--from \S+ )?)*(rayocr(?: .*)?)$", line.split(" #")[0].strip())
        if found and not found[1].startswith(("rayocr |", "rayocr:")):
            yield re.split(r" [|>] | > ", found[1])[0].strip()


ALL = [(page.name, command) for page in PAGES for command in commands(page)]


def test_there_are_commands_in_the_documentation() -> None:
    assert len(ALL) > 15


@pytest.mark.parametrize(("page", "command"), ALL)
def test_the_command_exists(page: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [re.sub("|".join(_PLACEHOLDERS), lambda found: _PLACEHOLDERS[found[0]], word) for word in shlex.split(command)[1:]]
    line = parse(words)
    if line.help is not None:
        assert help_text(line.help)
        return
    config = compose(line.overrides, ENVIRONMENT)
    if words and words[0] in COMMANDS:
        assert config.mode.value == words[0]


def test_the_commands_that_need_no_document_run(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("--help", "--help limits.rpm", "--version", "--completion bash", "--cfg"):
        assert main(command.split()) == 0
        assert capsys.readouterr().out
