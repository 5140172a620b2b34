"""Names and messages are printed as they are: rich reads none of their characters as markup, emoji or numbers to color."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.table import Table

from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.observe.console import plain_console

PROJECT = Path(__file__).parents[3]
NASTY = ("b [x].pdf", "foo[/bold].pdf", "[bold red]X[/].pdf", "[link=http://a.b]c[/link]", ":smile:.pdf", "\\[x]", "[@click=a]b")


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_printed_as_it_is(name: str) -> None:
    written = io.StringIO()
    console = plain_console(file=written, width=200, force_terminal=True, color_system="truecolor")
    table = Table(name, title=name, caption=name)
    table.add_row(name)
    console.print(name)
    console.print(table)
    text = re.sub(r"\x1b\[[0-9;]*m", "", written.getvalue())
    assert text.count(name) == 5


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("mode", ["plain", "live"])
def test_a_terminal_shows_a_name_in_every_place_as_it_is(name: str, mode: str) -> None:
    terminal = ConsoleTerminal(mode)
    terminal._out = plain_console(file=(written := io.StringIO()), force_terminal=True, width=200, color_system=None)
    table = Table(show_header=False)
    table.add_row("Failed", name)
    terminal.say(name)
    terminal.warn(name)
    terminal.say_address(name, name)
    terminal.table(table)
    with terminal.busy(name):
        pass
    assert written.getvalue().count(name) >= 6


def test_one_module_alone_makes_consoles() -> None:
    """A console made elsewhere would read markup again, and so do texts that are made from it and columns of a progress bar."""
    files = [path for folder in ("rayocr", "benchmarks", "docs") for path in (PROJECT / folder).rglob("*.py")]
    parsing = re.compile(r"(?<![\w.])Console\(|from_markup|\bmarkup=True|rich import print|print_json|render_markup|Prompt\.ask")
    columns = re.compile(r"\bTextColumn\((?![^\n]*markup=False)|\bDescriptionColumn\(|\bPanel\(['\"f]")
    found = [
        f"{path.relative_to(PROJECT)}:{number}"
        for path in files
        if path != PROJECT / "rayocr" / "observe" / "console.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "rich" in path.read_text() and (parsing.search(line) or columns.search(line))
    ]
    assert not found
