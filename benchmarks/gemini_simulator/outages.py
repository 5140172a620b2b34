"""Scripted outages of the simulator: what goes wrong, from when, for how long.

A script is a list of events such as `{"what": "503", "at_s": 60, "for_s": 3600}` or `{"what": "cut", "at_request": 500,
"for_s": 60}`. `at_s` counts from the first request or from the script's arrival, whichever is later; `at_request` is the number
of answered requests at which the event begins. Durations are simulated seconds; without `for_s` an event lasts until `clear`.

| what | what the client sees |
|---|---|
| 503, 500 | the status, at once |
| cut | connections are closed, including those of requests in flight; nothing is billed |
| hang | nothing until the event ends; then the connection is closed |
| html | a 200 with the web page of a proxy |
| credits | 402 in Google's words for a prepaid account without credit, without details |
| credits_429 | the same with 429, as Google answered before |
| spend_cap | 429 in Google's words for a monthly spend cap |
| spend_rate | 429 in Google's words for the spend limit of ten minutes |
| limit_0 | 429 for a model without quota in the project; it still contains a delay |
| reply | `status`, `headers` and `body` (text, or an object that is sent as JSON); nothing is billed |
| finish | a billed 200 with the finish reason `finish`: half of the text for MAX_TOKENS, else no text |
| no_candidate | a billed 200 without candidates |
| blocked | a billed 200 whose prompt was blocked for the reason `finish` |
| reset | the headers of a billed answer; then the connection is closed |
| half_json | the first half of a billed answer |
| drip | a billed answer that arrives byte by byte, one in `every_s` |
| edited | a billed answer in which `put` replaces or adds values, by path ("candidates.0.finishReason"); None removes them |
| other_page | a billed answer with the text of the previous answer |
| settings | `settings` of the simulator change, once |

`share` is the probability that a request meets the event. `model`: only requests to models whose names begin with it. `path`:
only requests whose path contains it. Events that answer with an error also affect files and jobs of batches.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

_ERRORS = ("503", "500", "html", "reply", "cut")  # these affect files and jobs of batches too
_BILLED = ("finish", "no_candidate", "blocked", "reset", "half_json", "drip", "edited", "other_page")
OUTAGES = (*_ERRORS, *_BILLED, "hang", "credits", "credits_429", "spend_cap", "spend_rate", "limit_0", "settings")

WORDS = {
    "503": "The model is overloaded. Please try again later.",
    "500": "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
    "credits": "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project"
    " and billing.",
    "credits_429": "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your"
    " project and billing.",
    "spend_cap": "Your project has exceeded its monthly spending cap. Please go to AI Studio at https://ai.studio/spend to manage"
    " your project spend cap.",
    "spend_rate": "You exceeded your spend-based rate limit. Your spending rate has exceeded the allowed limit for your account's"
    " billing history and tier.",
    "limit_0": "You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric:"
    " generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0, model: {model}\nPlease retry in 38.6s.",
}


@dataclass(slots=True)
class Outage:
    what: str
    at_s: float = 0.0
    at_request: int = 0
    for_s: float | None = None
    share: float = 1.0
    model: str = ""
    status: int = 429
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = ""
    finish: str = "OTHER"
    every_s: float = 1.0
    put: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    settings: dict[str, float] = field(default_factory=dict)
    began: float | None = None

    def active(self, now: float, *, since: float, answered: int) -> bool:
        if self.began is None and now >= since + self.at_s and answered >= self.at_request:
            self.began = now
        return self.began is not None and (self.for_s is None or now < self.began + self.for_s)

    def concerns(self, model: str) -> bool:
        return model.startswith(self.model)

    @property
    def affects_batches(self) -> bool:
        return self.what in _ERRORS

    @property
    def billed(self) -> bool:
        return self.what in _BILLED


class Script:
    """`now` is in simulated seconds."""

    def __init__(self) -> None:
        self._events: list[Outage] = []
        self._since: float | None = None
        self._random = random.Random(0)

    def load(self, text: str) -> None:
        """Raises ValueError for an unknown event."""
        events = [Outage(**event) for event in json.loads(text)]
        if unknown := {event.what for event in events} - set(OUTAGES):
            raise ValueError(f"unknown events: {sorted(unknown)}")
        self._events, self._since = events, None

    def now(self, now: float, *, answered: int) -> Outage | None:
        """Returns the current outage; the first one if there are several."""
        if not self._events:
            return None
        self._since = now if self._since is None else self._since
        for event in self._events:
            if event.active(now, since=self._since, answered=answered) and event.what != "settings":
                return event
        return None

    def new_settings(self, now: float, *, answered: int) -> dict[str, float]:
        """Returns settings that change now; each event is returned once."""
        changed: dict[str, float] = {}
        for event in self._events:
            if (
                event.what == "settings"
                and event.began is None
                and event.active(now, since=self._since or now, answered=answered)
            ):
                changed |= event.settings
        return changed

    def strikes(self, event: Outage) -> bool:
        """Returns whether this request meets the event."""
        return event.share >= 1 or self._random.random() < event.share

    @property
    def any(self) -> bool:
        return bool(self._events)
