"""Defines the errors of one page in one engine."""

from __future__ import annotations

from typing import Any

from rayocr.errors.base import RayocrError


class EngineError(RayocrError):
    pass


class EngineUnavailable(EngineError):
    exit_code = 2


class LanguagePackMissing(EngineUnavailable):
    """The script of the page is known, and Tesseract has no pack for it. The message names the package to install. `pack`:
    Tesseract's name of the pack."""

    def __init__(self, message: str = "", *, hint: str | None = None, pack: str = "") -> None:
        super().__init__(message, hint=hint)
        self.pack = pack


class NoTextLayer(EngineError):
    """The page has no reliable text layer, and no other engine was tried."""


class EngineTransient(EngineError):
    """A failure after which a retry can succeed. `retry_after_s`: the delay in seconds that the server requests, if any."""

    transient = True

    def __init__(self, message: str = "", *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class EngineTimeout(EngineTransient):
    """The server did not answer in time. `probably`: a PageText with the probable cost of the answer, which the server may bill
    anyway; None if unknown. `unbilled`: the server itself timed out and does not bill the request."""

    probably: Any = None

    def __init__(
        self, message: str = "", *, hint: str | None = None, retry_after_s: float | None = None, unbilled: bool = False
    ) -> None:
        super().__init__(message, hint=hint, retry_after_s=retry_after_s)
        self.unbilled = unbilled


class EngineOverloaded(EngineTransient):
    pass


class BatchIncomplete(EngineTransient):
    """A batch job ended without the page, or its results no longer exist. `probably`: as in EngineTimeout; the job is paid
    for."""

    probably: Any = None


class BatchGone(EngineTransient):
    pass


class BatchWithdrawn(EngineTransient):
    """The job was cancelled before it answered the page, so the page is not billed."""


class EngineShed(EngineTransient):
    """The server dropped a flex request for others. `elsewhere`: if the request is shed repeatedly, it goes to another service
    tier. `input_tokens`: tokens that the server charges nevertheless. `probably`: their price."""

    elsewhere: bool = False
    input_tokens: int = 0
    probably: Any = None  # a PageText


class EngineRateLimited(EngineTransient):
    """The server refused a request because of a limit. `per_day`: the daily quota is exhausted, so waiting one minute does not
    help. `denied`: the project has no quota or no credit, so waiting does not help at all. `quota_id`: the server's name of the
    quota."""

    def __init__(
        self,
        message: str = "",
        *,
        hint: str | None = None,
        retry_after_s: float | None = None,
        per_day: bool = False,
        denied: bool = False,
        quota_id: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, retry_after_s=retry_after_s)
        self.per_day = per_day
        self.denied = denied
        self.quota_id = quota_id


class EngineConnectionLost(EngineTransient):
    """The connection broke. `in_flight`: the request had been sent, so the server may have answered and billed it."""

    in_flight: bool = False


class EngineRejected(EngineError):
    pass


class PageUnrenderable(EngineError):
    pass


class PictureUndecodable(PageUnrenderable):
    pass


class PageTooSlow(EngineError):
    default_hint = "Raise limits.page_timeout_s and run mode=retry, or simplify the page."


class PageQuarantined(PageUnrenderable):
    default_hint = "Raise limits.page_memory or limits.page_timeout_s and run mode=retry, or repair the page."


class BadAnswer(EngineError):
    """The server answered, but the answer failed the checks. `finish`: the finish reason that the engine reported, if any."""

    def __init__(self, message: str = "", *, hint: str | None = None, finish: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.finish = finish


class Refused(BadAnswer):
    pass


class Truncated(BadAnswer):
    pass


class RepetitionLoop(BadAnswer):
    pass


class EmptyAnswer(BadAnswer):
    pass


class TextOnBlankPage(BadAnswer):
    pass


class LowConfidence(BadAnswer):
    """The confidence of a local engine is too low. If no other engine has a better text, the text is kept and the doubt is
    recorded."""


class Unreadable(BadAnswer):
    """A local engine read too little of the page for a useful text, most often because it does not support the script."""


class MalformedAnswer(BadAnswer):
    pass
