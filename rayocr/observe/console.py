"""Creates the only kind of console that rayocr uses. It prints names of documents, messages of servers and options of users
unchanged, since rich would read `[x]` in them as markup, and `:smile:` as an emoji."""

from __future__ import annotations

from typing import Any

from rich.console import Console


def plain_console(**options: Any) -> Console:
    """Creates a console. `options`: options of rich's Console. Pass styled parts as Text with a style."""
    return Console(markup=False, emoji=False, highlight=False, **options)
