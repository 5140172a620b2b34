"""Keys from the environment, which are no options."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Secrets:
    """Keys from the environment; carried to workers by value, and masked wherever they are printed."""

    gemini_api_key: str | None = None
    openai_api_key: str | None = None  # servers of one's own need none
    redis_url: str | None = None  # can carry a password
    api_token: str | None = None  # of the HTTP face
    supabase_url: str | None = None
    supabase_api_key: str | None = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{f.name}={'***' if getattr(self, f.name) else None}" for f in fields(self))
        return f"Secrets({shown})"
