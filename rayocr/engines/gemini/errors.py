"""Converts every failure of google-genai and its transport to a rayocr error. No SDK error leaves this module.

The conversion uses status codes and Google's machine-readable details (`@type`), never the wording of a message.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from rayocr.engines.http_session import connection_words, was_sent
from rayocr.errors import (
    CredentialsError,
    EngineConnectionLost,
    EngineOverloaded,
    EngineRateLimited,
    EngineRejected,
    EngineTimeout,
    MalformedAnswer,
    RayocrError,
    UnknownModel,
)
from rayocr.errors.next_steps import next_step
from rayocr.errors.retry_after import seconds_of

_TRANSPORT_CODES = (408, 499)


def translate(error: Exception, *, model: str = "") -> RayocrError:
    """Converts an error. Returns rayocr errors unchanged. Never raises. `model`: the requested model."""
    from google.genai import errors

    if isinstance(error, RayocrError):
        return error
    if isinstance(error, errors.APIError):
        return _from_status(error, model)
    return _from_transport(error)


def is_shed(error: RayocrError) -> TypeGuard[EngineOverloaded | EngineRateLimited]:
    """Returns whether the server rejected a flex request for lack of capacity. An error that names a quota is not shedding."""
    return isinstance(error, EngineOverloaded) or (
        isinstance(error, EngineRateLimited) and not error.denied and not error.per_day and error.quota_id is None
    )


def translate_code(code: int, message: str) -> RayocrError:
    """Returns the error for one line of a batch's results. Some lines have google.rpc codes (3, 8, 13, 14…) instead of HTTP
    statuses."""
    words = _first_line(message)
    if code == 402:
        return EngineRateLimited(f"Gemini's quota is 0: {words}", denied=True)
    if code in (429, 8):
        return EngineRateLimited(f"Gemini's quota is used up: {words}")
    if code in (*_TRANSPORT_CODES, 504, 4, 1):
        return EngineTimeout(f"Gemini did not finish the page ({code}): {words}", unbilled=True)
    if 400 <= code < 500 or code in (3, 9, 11):
        return EngineRejected(f"Gemini rejected the request ({code}): {words}")
    return EngineOverloaded(f"Gemini answered {code}: {words}")


def _from_transport(error: Exception) -> RayocrError:
    import aiohttp
    from google.auth import exceptions as auth

    if isinstance(error, TimeoutError | asyncio.TimeoutError):  # includes aiohttp's timeouts
        return EngineTimeout("Gemini did not answer in time.")
    if isinstance(error, auth.TransportError):
        return EngineConnectionLost("Google's sign-in server cannot be reached.")
    if isinstance(error, auth.GoogleAuthError):
        return CredentialsError(
            f"Google's credentials do not work: {_first_line(error)}",
            hint=next_step("gemini", 401, "credentials do not work"),
        )
    if isinstance(error, aiohttp.ClientError | ConnectionError | OSError):
        lost = EngineConnectionLost(
            f"The connection to Gemini failed: {_first_line(connection_words(error)) or type(error).__name__}."
        )
        lost.in_flight = was_sent(error)
        return lost
    if _is_damaged_answer(error):
        lost = EngineConnectionLost("Gemini's answer was truncated.")
        lost.in_flight = True
        return lost
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return EngineConnectionLost("The answer was not JSON; a proxy may have answered in Gemini's place.")
    if isinstance(error, ValueError):  # includes pydantic's ValidationError: valid JSON, but not a response of this API
        return MalformedAnswer(f"Gemini's answer could not be understood: {type(error).__name__}.", finish="NOT_JSON")
    if isinstance(error, AttributeError | TypeError | LookupError):  # the SDK fails on JSON with an unexpected structure
        return MalformedAnswer(f"Gemini's answer could not be understood: {type(error).__name__}.", finish="NOT_JSON")
    return EngineRejected(f"Gemini's client failed: {type(error).__name__}: {_first_line(error)}")


def _is_damaged_answer(error: Exception) -> bool:
    """Returns whether an answer of this API arrived in part. Otherwise a proxy wrote it."""
    if isinstance(error, UnicodeDecodeError):
        return bytes(error.object).lstrip().startswith(b"{")
    return isinstance(error, json.JSONDecodeError) and error.doc.lstrip().startswith("{")


def _from_status(error: Any, model: str) -> RayocrError:
    code, status = error.code or 0, error.status or ""
    message = _first_line(error.message or status or "no reason given")
    reasons = {detail.get("reason") for detail in _details(error, "ErrorInfo")}
    hint = next_step("gemini", code, f"{' '.join(map(str, reasons))} {error.message}")
    if code == 429:
        return _rate_limited(error, message)
    if code == 402 and is_googles(error):  # since 2026, the status for depleted prepayment credits, which was 429 before
        return EngineRateLimited(f"Gemini's quota is 0: {message}", denied=True)
    if code in (401, 403) and message.startswith("<"):  # a web page: a proxy's sign-in page or a firewall's block page
        return EngineOverloaded(f"Something other than Gemini answered {code}: {message}", retry_after_s=retry_after_s(error))
    if code == 401 or reasons & {"API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED"} or "API key" in _field_violations(error):
        return CredentialsError(f"Gemini does not accept the key: {message}", hint=hint)
    if code == 403:
        return CredentialsError(f"The key may not use Gemini: {message}", hint=hint)
    if code == 404 and status == "NOT_FOUND":
        return UnknownModel(f"Gemini does not have the model{model and f' {model}'}: {message}", hint=hint)
    if code == 400 and status == "FAILED_PRECONDITION":
        return CredentialsError(f"Gemini does not serve this project: {message}", hint=hint)
    if 400 <= code < 500 and not is_googles(error) and code not in _TRANSPORT_CODES:
        return EngineOverloaded(f"Something other than Gemini answered {code}: {message}", retry_after_s=retry_after_s(error))
    if code in _TRANSPORT_CODES or status == "DEADLINE_EXCEEDED":
        # Google charges nothing for a request that it answers with an error (ai.google.dev, "Billing", read on 2026-11-27).
        return EngineTimeout(f"Gemini timed out ({code}): {message}", retry_after_s=retry_after_s(error), unbilled=True)
    if 300 <= code < 400:  # Google redirects no request; the sign-in page of a network does
        place = str(_headers(error).get("Location", "nowhere"))[:200]
        return EngineOverloaded(f"Something other than Gemini redirects to {place!r}.", retry_after_s=retry_after_s(error))
    if code >= 500 or code < 400:
        return EngineOverloaded(f"Gemini answered {code}: {message}", retry_after_s=retry_after_s(error))
    return EngineRejected(f"Gemini rejected the request ({code}): {message}")


# Google has no code for these cases; the phrases were collected from public issue trackers in November 2026.
_DENIED = re.compile(r"\blimit: 0\b(?![.,]\d)|prepa\w+ credits|credits are depleted|monthly spend\w* cap", re.IGNORECASE)


def _rate_limited(error: Any, message: str) -> EngineRateLimited:
    whole = " ".join(str(error.message or "").split())
    if (found := _DENIED.search(whole)) is not None:
        start = whole.rfind("* ", 0, found.start()) + 1 or 0  # the start of the line about the zero limit in a list of quotas
        return EngineRateLimited(f"Gemini's quota is 0: {whole[start:][:300].strip()}", denied=True)
    quotas = [
        str(violation.get("quotaId") or "")
        for detail in _details(error, "QuotaFailure")
        for violation in detail.get("violations") or ()
        if isinstance(violation, Mapping)
    ]
    per_day = next((quota for quota in quotas if "PerDay" in quota), None)
    return EngineRateLimited(
        f"Gemini's quota is used up: {message}",
        retry_after_s=retry_after_s(error),
        per_day=per_day is not None,
        quota_id=per_day or next((quota for quota in quotas if quota), None),
    )


def charged_tokens(error: Any) -> int:
    """Returns the input tokens that the server charges for a request that it answered with an error. Google usually charges for
    none."""
    body = getattr(error, "details", None)
    usage = body.get("usageMetadata") if isinstance(body, Mapping) else None
    tokens = usage.get("promptTokenCount") if isinstance(usage, Mapping) else None
    return tokens if isinstance(tokens, int) and tokens > 0 else 0


def has_reason(error: Any) -> bool:
    """Returns whether the error names a reason, as those about the key, the project and its billing do."""
    return any(detail.get("reason") for detail in _details(error, "ErrorInfo"))


def retry_after_s(error: Any) -> float | None:
    """Returns the delay in seconds: RetryInfo.retryDelay ("34.07s"), else the Retry-After header (seconds or a date); None if
    both are missing."""
    for detail in _details(error, "RetryInfo"):
        delay_s = seconds_of(str(detail.get("retryDelay", "")).removesuffix("s"))
        if delay_s is not None:
            return delay_s
    return seconds_of(_headers(error).get("Retry-After"))


def _headers(error: Any) -> Mapping[str, Any]:
    headers = getattr(error.response, "headers", None)
    return headers if isinstance(headers, Mapping) else {}


def is_googles(error: Any) -> bool:
    """Returns whether the body is an error of a Google API. Otherwise a proxy or a front end wrote it."""
    body = error.details
    inner = body.get("error") if isinstance(body, Mapping) else None
    return isinstance(inner, Mapping) and isinstance(inner.get("code"), int) and bool(inner.get("status"))


def _details(error: Any, kind: str) -> Iterator[Mapping[str, Any]]:
    """Yields the details of type `kind` (google.rpc). The body can be anything, since a proxy may have written it."""
    body = error.details
    for level in ("error", "details"):
        body = body.get(level) if isinstance(body, Mapping) else None
    for detail in body if isinstance(body, list) else ():
        if isinstance(detail, Mapping) and str(detail.get("@type", "")).endswith(f".{kind}"):
            yield detail


def _field_violations(error: Any) -> str:
    """Returns the field violations. Vertex AI reports an invalid key as BadRequest."""
    return " ".join(str(v) for detail in _details(error, "BadRequest") for v in detail.get("fieldViolations") or ())


def _first_line(text: object) -> str:
    lines = str(text).strip().splitlines()
    return lines[0][:300] if lines else ""
