"""The one kind of console that rayocr writes to. Names of documents, messages of servers and options of users are printed as they
are: rich would read `[x]` in them as markup, and `:smile:` as an emoji."""

from __future__ import annotations

from typing import Any

from rich.console import Console


def plain_console(**options: Any) -> Console:
    """`options`: as for rich's Console. Styled parts are passed as Text with a style."""
    return Console(markup=False, emoji=False, highlight=False, **options)
