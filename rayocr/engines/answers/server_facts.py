"""Limits the facts that a server reports about its own answer, because token counts are billed and names are stored with every
page."""

from __future__ import annotations

_MAX_TOKENS = 100_000_000  # more than any model reads or writes in one request
_MAX_NAME_CHARS = 100


def token_count(value: object) -> int:
    """Returns 0 for anything that is not a count. A negative count would lower the bill and extend the budget."""
    return min(max(value, 0), _MAX_TOKENS) if type(value) is int else 0


def short_name(value: object) -> str:
    """Returns a model or a finish reason without unprintable characters, at most 100 characters long."""
    return "".join(character for character in str(value or "")[:_MAX_NAME_CHARS] if character.isprintable())
