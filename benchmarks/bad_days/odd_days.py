"""Odd days: answers and errors that the protocol allows, or that a proxy can send, and that no documentation announces."""

from __future__ import annotations

from typing import Any

from benchmarks.bad_days.days import BATCHES, BadDay
from benchmarks.bad_days.protocol_days import googles, passes, reply

_PATIENCE = ("limits.patience_s=15",)
_QUICK = {"latency_s": 0.2}
_EXHAUSTED = "Ressource erschöpft. Bitte versuchen Sie es später erneut."  # an error in the language of the project's owner
_PER_MINUTE = {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}]}
_PER_DAY = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]}
_FILES_FULL = "Resource exhausted: file_storage_bytes quota exceeded for the project."
_LOGIN = "<!doctype html><title>Sign in</title>"
_FLASH, _LITE = "gemini-3.5-flash-lite", "gemini-3.1-flash-lite"
_LADDER = (f"engine.gemini.models=[{_LITE},{_FLASH}]",)


def _limited(message: str = _EXHAUSTED, **details: dict[str, Any]) -> dict[str, Any]:
    return googles(429, "RESOURCE_EXHAUSTED", message, **details)


def _edited(name: str, put: dict[str, Any], **more: Any) -> BadDay:
    return passes(name, {"what": "edited", "put": put}, **more)


def _batches(name: str, batches: dict[str, float], *, options: tuple[str, ...] = (), **more: Any) -> BadDay:
    return BadDay(name=f"batches: {name}", batches={"job_s": 5} | batches, options=(*BATCHES, *options), **more)


ODD_DAYS = (
    passes("429 in another language", reply(429, _limited())),
    passes("429 with a RetryInfo of 0 s", reply(429, _limited(QuotaFailure=_PER_MINUTE, RetryInfo={"retryDelay": "0s"}))),
    passes("429 with a RetryInfo that is an object", reply(429, _limited(RetryInfo={"retryDelay": {"seconds": "2"}}))),
    passes("429 with a negative RetryInfo", reply(429, _limited(RetryInfo={"retryDelay": "-5s"}))),
    passes("429 whose details are an object", reply(429, {"error": {"code": 429, "message": _EXHAUSTED, "details": {"a": 1}}})),
    passes("429 in a list", reply(429, [_limited()])),
    passes("429 with text", reply(429, "Rate limit exceeded")),
    passes("429 with an error that is a string", reply(429, {"error": "rate_limit_exceeded"})),
    passes("429 with violations without an id", reply(429, _limited(QuotaFailure={"violations": [None, {}, "x"]}))),
    BadDay(
        name="429 for the day with a RetryInfo of three hours",
        script=(reply(429, _limited(QuotaFailure=_PER_DAY, RetryInfo={"retryDelay": "10800s"})),),
        server=_QUICK,
        exits=(3, 0),
        said=("daily quota", "resume"),
    ),
    BadDay(
        name="no quota for the first model, and the ladder has another",
        script=({"what": "limit_0", "model": _LITE, "at_request": 500},),
        server=_QUICK,
        options=_LADDER,
        said=("has no quota", "limit: 0"),
    ),
    BadDay(
        name="503 for the first model, and the ladder has another",
        script=({"what": "503", "model": _LITE, "at_request": 500},),
        server=_QUICK,
        options=(*_LADDER, *_PATIENCE),
        exits=(3, 0),
        said=("overloaded",),
    ),
    *(passes(f"{status} with a web page", reply(status, _LOGIN)) for status in (401, 403, 405, 418, 451, 511, 599)),
    passes("a redirect to a sign-in page", reply(302, _LOGIN, headers={"Location": "https://127.0.0.1:9/login"})),
    passes("204 without content", reply(204, "")),
    passes("409 that the request was aborted", reply(409, googles(409, "ABORTED", "The operation was aborted."))),
    passes("200 with a list", reply(200, [])),
    passes("200 with null", reply(200, "null")),
    passes("503 with a Retry-After in the past", reply(503, _LOGIN, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})),
    BadDay(
        name="the project is suspended",
        script=(
            reply(
                403, googles(403, "PERMISSION_DENIED", "The consumer is suspended.", ErrorInfo={"reason": "CONSUMER_SUSPENDED"})
            ),
        ),
        server=_QUICK,
        exits=(3, 0),
        said=("is suspended", "Google has suspended the project"),
    ),
    _edited("a new finish reason, with the text, billed", {"candidates.0.finishReason": "DONE_NICELY"}, pays_again=True),
    _edited("no finish reason, with the text, billed", {"candidates.0.finishReason": None}, pays_again=True),
    _edited("a finish reason that is a number, billed", {"candidates.0.finishReason": 1}, pays_again=True),
    _edited("answers without usage", {"usageMetadata": None}, guesses=True),
    _edited(
        "answers with the usage of thoughts only",
        {"usageMetadata": {"thoughtsTokenCount": 0, "totalTokenCount": 0}},
        guesses=True,
    ),
    _edited("usage as text", {"usageMetadata.promptTokenCount": "600"}),
    _edited("negative usage", {"usageMetadata.promptTokenCount": -600}, guesses=True),
    _edited("answers of a model without a price", {"modelVersion": "gemini-9-ultra"}),
    _edited("empty texts with STOP, billed", {"candidates.0.content": {"role": "model", "parts": []}}, pays_again=True),
    _edited("content without parts, billed", {"candidates.0.content": {}}, pays_again=True),
    _edited("null content, billed", {"candidates.0.content": None}, pays_again=True),
    _edited(
        "the text in two parts, one a thought",
        {"candidates.0.content.parts": [{"text": "Let me look at the page.", "thought": True}]},
        pays_again=True,
    ),
    passes("a connection that is never answered", {"what": "hang"}, options=("engine.gemini.request_timeout_s=4",), guesses=True),
    passes(
        "answers that arrive byte by byte",
        {"what": "drip", "every_s": 0.2, "share": 0.2},
        options=("engine.gemini.request_timeout_s=4",),
        pays_again=True,
        guesses=True,
    ),
    _batches(
        "the storage for files is full for 15 s",
        {},
        script=(reply(429, _limited(_FILES_FULL), path="/upload/", at_request=0, for_s=15),),
    ),
    _batches(
        "the storage for files is full for longer than the patience",
        {},
        script=(reply(429, _limited(_FILES_FULL), path="/upload/", at_request=0),),
        options=_PATIENCE,
        exits=(3, 0),
        said=("file_storage_bytes",),
    ),
    _batches("another user deletes a job", {"vanish_jobs": 1}, guesses=True),
    _batches("another user cancels a job", {"cancel_jobs": 1}),
    _batches("results with every line twice and a foreign line", {"doubled": 1}),
    _batches("results are gone", {"results_gone": 1}, pays_again=True, guesses=True),
)
