"""Reads keys from the environment. Keys are not options, so that they never appear on a command line."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Secrets:
    """Keys from the environment; passed to workers by value and masked in `repr`."""

    gemini_api_key: str | None = None
    openai_api_key: str | None = None  # a self-hosted server may not need one
    redis_url: str | None = None  # may contain a password
    api_token: str | None = None  # token of the HTTP API
    supabase_url: str | None = None
    supabase_api_key: str | None = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{f.name}={'***' if getattr(self, f.name) else None}" for f in fields(self))
        return f"Secrets({shown})"
