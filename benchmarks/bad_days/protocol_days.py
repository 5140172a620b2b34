"""Bad days of the protocol: unusual errors, answers without content, broken connections, and batches that go wrong."""

from __future__ import annotations

from typing import Any

from benchmarks.bad_days.days import BATCHES, BadDay

_TYPE = "type.googleapis.com/google.rpc."
_QUICK = {"latency_s": 0.2}
_EXHAUSTED = "Resource has been exhausted (e.g. check quota)."
_PATIENCE = ("limits.patience_s=15",)


def googles(code: int, status: str, message: str, **details: dict[str, Any]) -> dict[str, Any]:
    """Returns an error in the format of Google's APIs, with `details` by type."""
    rows = [{"@type": f"{_TYPE}{kind}"} | fields for kind, fields in details.items()]
    return {"error": {"code": code, "message": message, "status": status, "details": rows}}


def reply(status: int, body: object, *, at_request: int = 500, **more: Any) -> dict[str, Any]:
    return {"what": "reply", "status": status, "body": body, "at_request": at_request} | more


_HOUR = googles(
    429,
    "RESOURCE_EXHAUSTED",
    "You exceeded your current quota.",
    QuotaFailure={"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}]},
    RetryInfo={"retryDelay": "3600s"},
)
_UNNAMED = googles(429, "RESOURCE_EXHAUSTED", _EXHAUSTED)
_EXPIRED = googles(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", ErrorInfo={"reason": "API_KEY_INVALID"})
_UNBILLED = googles(
    403, "PERMISSION_DENIED", "This API method requires billing to be enabled.", ErrorInfo={"reason": "BILLING_DISABLED"}
)
_RETIRED = googles(404, "NOT_FOUND", "This model is no longer available. Please update your code to use a newer model.")
_ELSEWHERE = googles(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")
_UNKNOWN_KEY = googles(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
_INVALID = googles(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
_HTML = "<html><head><title>Error</title></head><body>Error</body></html>"


def _ends(name: str, body: dict[str, Any], said: str, *, options: tuple[str, ...] = ()) -> BadDay:
    """Returns a day whose run ends with exit code 3 and these words."""
    script = (reply(body["error"]["code"], body),)
    return BadDay(name=name, script=script, server=_QUICK, options=options, exits=(3, 0), said=(said,))


def passes(name: str, event: dict[str, Any], **more: Any) -> BadDay:
    """Returns a day that the run waits out: the event lasts 15 seconds."""
    return BadDay(name=name, script=({"at_request": 500, "for_s": 15} | event,), server=_QUICK, **more)


PROTOCOL_DAYS = (
    _ends("429 that asks to wait for an hour", _HOUR, "requests a pause until"),
    _ends("429 without details, for longer than the patience", _UNNAMED, _EXHAUSTED, options=_PATIENCE),
    _ends("the key expires", _EXPIRED, "API key expired"),
    _ends("billing is disabled", _UNBILLED, "requires billing"),
    _ends("the model is retired", _RETIRED, "no longer available"),
    BadDay(
        name="the model is retired, and the ladder has another",
        script=(reply(404, _RETIRED, model="gemini-3.1"),),
        server=_QUICK,
        options=("engine.gemini.models=[gemini-3.1-flash-lite,gemini-3.5-flash-lite]",),
        said=("is not available",),
    ),
    _ends("the location is refused", _ELSEWHERE, "location is not supported"),
    _ends("the key is withdrawn", _UNKNOWN_KEY, "invalid authentication credentials"),
    _ends("400 for every request, for longer than the patience", _INVALID, "invalid argument", options=_PATIENCE),
    passes("429 without details", reply(429, _UNNAMED)),
    passes("500 with a web page", reply(500, _HTML)),
    passes("502 with a web page", reply(502, _HTML)),
    passes("404 with a web page", reply(404, _HTML)),
    passes("407 of a proxy", reply(407, _HTML)),
    passes("413 for every request", reply(413, _HTML)),
    passes("400 for every request", reply(400, _INVALID)),
    passes("200 with an empty body", reply(200, "")),
    passes("200 with an empty object", reply(200, {})),
    passes("200 with an error as body", reply(200, googles(503, "UNAVAILABLE", "The model is overloaded."))),
    passes("a Retry-After of two seconds without details", reply(429, _UNNAMED, headers={"Retry-After": "2"})),
    passes("answers without candidates, billed", {"what": "no_candidate"}, pays_again=True),
    passes(
        "answers with the finish reason MALFORMED_RESPONSE, billed",
        {"what": "finish", "finish": "MALFORMED_RESPONSE"},
        pays_again=True,
    ),
    passes("answers with the finish reason OTHER, billed", {"what": "finish", "finish": "OTHER"}, pays_again=True),
    *(
        passes(
            f"answers with the finish reason {finish} to the pages of all documents, billed",
            {"what": "finish", "finish": finish},
            pays_again=True,
            said=("refuses the pages of all documents", "answers again"),
        )
        for finish in ("SAFETY", "RECITATION", "MAX_TOKENS")
    ),
    *(
        passes(
            f"answers with the finish reason {finish} to all pages, while one document of 100 pages is read, billed",
            {"what": "finish", "finish": finish},
            pays_again=True,
            said=("has read none of the last",),
            pages_a_document=100,
        )
        for finish in ("SAFETY", "RECITATION", "MAX_TOKENS")
    ),
    passes("one request in five: 500", {"what": "500", "share": 0.2}),
    BadDay(
        name="the quota falls from 600 to 60 requests per minute (at 10 times the speed)",
        script=({"what": "settings", "settings": {"rpm": 60}, "at_request": 1900},),
        server={"latency_s": 2, "rpm": 600, "speed": 10},
        options=("limits.rpm=6000",),
    ),
    BadDay(name="thinking takes more tokens than the answer", server=_QUICK | {"thought_tokens": 5000}),
    BadDay(
        name="batches: 503 for 15 s",
        batches={"job_s": 5},
        script=({"what": "503", "at_s": 1, "for_s": 15},),
        options=BATCHES,
    ),
    BadDay(
        name="batches: the network is cut for 15 s",
        batches={"job_s": 5},
        script=({"what": "cut", "at_s": 1, "for_s": 15},),
        options=BATCHES,
    ),
    BadDay(
        name="batches: a proxy's web page for 15 s",
        batches={"job_s": 5},
        script=({"what": "html", "at_s": 1, "for_s": 15},),
        options=BATCHES,
    ),
    BadDay(
        name="batches: 503 for longer than the patience",
        batches={"job_s": 5},
        script=({"what": "503", "at_s": 1},),
        options=(*BATCHES, *_PATIENCE),
        exits=(3, 0),
        said=("overloaded",),
    ),
    BadDay(
        name="batches: 429 without details for 15 s",
        batches={"job_s": 5},
        script=(reply(429, _UNNAMED, at_request=0, at_s=1, for_s=15),),
        options=BATCHES,
    ),
    BadDay(
        name="batches: the key expires",
        batches={"job_s": 5},
        script=(reply(400, _EXPIRED, at_request=0, at_s=1),),
        options=BATCHES,
        exits=(3, 0),
        said=("API key expired",),
    ),
    BadDay(name="batches: 503 after the job was created", batches={"job_s": 5, "lose_creates": 3}, options=BATCHES),
    BadDay(
        name="batches: a job expires, a third of its pages is billed and not answered",
        batches={"job_s": 5, "expire_share": 0.3, "expire_jobs": 1, "expire_billed": 1},
        options=BATCHES,
        pays_again=True,
    ),
    BadDay(
        name="batches: every job expires without an answer",
        batches={"job_s": 5, "expire_share": 1.0, "expire_jobs": 10},
        options=BATCHES,
        exits=(3, 0),
        said=("end without answers", "engine.batch=false"),
        guesses=True,
        then=("engine.batch=false",),
    ),
    BadDay(
        name="batches: credits exhausted",
        batches={"job_s": 5},
        script=({"what": "credits"},),
        options=BATCHES,
        exits=(3, 0),
        said=("prepayment credits are depleted",),
    ),
    BadDay(
        name="batches: jobs that succeed in part",
        batches={"job_s": 5, "error_share": 0.3, "partially": 1},
        options=BATCHES,
    ),
)
