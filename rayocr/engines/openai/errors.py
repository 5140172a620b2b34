"""Converts every failure of an OpenAI-compatible server, and of the connection to it, to a rayocr error.

The conversion uses the HTTP status. Servers write error bodies differently, so only the error's `code` and `type` are used.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from rayocr.engines.http_session import connection_words, was_sent
from rayocr.errors import (
    CredentialsError,
    EngineConnectionLost,
    EngineOverloaded,
    EngineRateLimited,
    EngineRejected,
    EngineTimeout,
    EngineUnavailable,
    MalformedAnswer,
    RayocrError,
    UnknownModel,
)
from rayocr.errors.next_steps import next_step
from rayocr.errors.retry_after import seconds_of
from rayocr.untrusted_json import parse_value

_MODEL_CODES = frozenset({"model_not_found", "NotFoundError"})
_SPENT_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


def translate(error: Exception) -> RayocrError:
    """Converts an error. Returns rayocr errors unchanged. Never raises."""
    import aiohttp

    if isinstance(error, RayocrError):
        return error
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return EngineTimeout("The server did not answer in time.")
    if isinstance(error, aiohttp.InvalidURL):
        return EngineRejected(f"engine.openai.base_url is not a valid URL: {error}")
    if isinstance(error, aiohttp.ClientError | ConnectionError | OSError):
        lost = EngineConnectionLost(
            f"The connection to the server failed: {connection_words(error)[:200] or type(error).__name__}."
        )
        lost.in_flight = was_sent(error)
        return lost
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return EngineConnectionLost("The answer was not JSON; a proxy may have answered in the server's place.")
    if isinstance(error, ValueError):
        return MalformedAnswer(f"The server's answer could not be understood: {str(error)[:200]}.", finish="NOT_JSON")
    return EngineRejected(f"The request failed: {type(error).__name__}: {str(error)[:200]}")


def raise_for_status(status: int, body: str, headers: Mapping[str, str]) -> None:
    """Raises the error for a status outside 2xx."""
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        message = f"The server redirects to {headers.get('Location', 'nowhere')[:200]!r}."
        hint = next_step("openai", status, message)
        raise EngineUnavailable(f"{message} rayocr sends pages only to the server that you name.", hint=hint)
    words, codes = _read(body)
    delay_s = retry_after_s(headers)
    hint = next_step("openai", status, f"{' '.join(codes)} {words}")
    if status == 429 and codes & _SPENT_CODES:
        raise EngineRateLimited(f"The account has no credit left: {words}", hint=hint, denied=True)
    if status == 429:
        raise EngineRateLimited(f"The server's quota is used up: {words}", retry_after_s=delay_s)
    if status in (401, 403):
        raise CredentialsError(f"The server does not accept the key ({status}): {words}", hint=hint)
    if status == 404 and codes & _MODEL_CODES:
        raise UnknownModel(f"The server does not have the model: {words}", hint=hint)
    if status in (408, 499):
        raise EngineTimeout(f"The server timed out ({status}): {words}", retry_after_s=delay_s)
    if status >= 500 or status == 409 or status < 400:
        raise EngineOverloaded(f"The server answered {status}: {words}", retry_after_s=delay_s)
    raise EngineRejected(f"The server rejected the request ({status}): {words}")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Returns the delay in seconds from `retry-after-ms`, or from Retry-After in seconds or as a date."""
    milliseconds = seconds_of(headers.get("retry-after-ms"))
    return milliseconds / 1000 if milliseconds is not None else seconds_of(headers.get("Retry-After"))


def _read(body: str) -> tuple[str, frozenset[str]]:
    """Returns one line for the user, and the error's `code` and `type`."""
    try:
        whole = parse_value(body)
    except ValueError:
        whole = None
    error = whole.get("error", whole) if isinstance(whole, dict) else None
    if isinstance(error, dict):
        words = error.get("message") or error.get("detail") or body
        codes = frozenset(str(error[name]) for name in ("code", "type") if error.get(name))
    else:
        words, codes = error or body, frozenset()
    lines = str(words).strip().splitlines()
    return (lines[0][:300] if lines else "no reason given"), codes
