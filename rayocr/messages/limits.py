"""Defines the values that workers, the driver and the RateLimiter exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class ThrottleKind(StrEnum):
    """The reasons why a server refused a request."""

    MINUTE = "minute"  # 429: quota per minute, or an unnamed quota
    DAY = "day"  # 429: daily quota
    OVERLOADED = "overloaded"  # 5xx: the server is too busy, regardless of the quota
    UNAVAILABLE = "unavailable"  # no answer because of a timeout or a lost connection
    DENIED = "denied"  # 429: no quota or no credit at all
    GONE = "gone"  # 404: the server does not have the model


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A failed request reported by a worker. `retry_after_s`: the delay that the server requests. `age_s`: seconds since the
    request was sent. `words`: the message of the server or of the network."""

    kind: ThrottleKind
    retry_after_s: float | None = None
    age_s: float = 0.0
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotReply:
    """The limiter's answer to returned slots. `pause_s`: seconds during which no request may be sent to the model. `failing`:
    share of recent requests of all workers that failed, 0..1; 1 while the model is held."""

    pause_s: float = 0.0
    failing: float = 0.0
    refused_in_a_row: int = 0  # pages that the model refused or truncated since its last usable answer to any worker
    refusing: bool = False  # whether answers for other documents were refused, too, so that the content may not be the cause


class RequestShape(NamedTuple):
    """The properties of a request that determine its input tokens. Requests of one model and `kind` have about the same number.
    `documented_tokens`: by the server's documentation, including the prompt."""

    kind: str
    documented_tokens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotReturn:
    """Slots that a worker returns, with the use of their requests. `answered`: number of slots with an answer; `input_tokens` and
    `cost_usd` are what they used. `free`: number of slots that used nothing, because their request was never sent or was refused.
    All other slots (lost or bad answers) count with the expected amount.
    """

    slots: int
    answered: int = 0
    free: int = 0
    unsent: int = 0  # number of free slots for which no request was sent
    # Requests that timed out or are missing in a batch that ended; they are probably billed, and included in tokens and cost.
    lost: int = 0
    failed: int = 0  # number of slots whose failure `throttle` reports
    # Number of free slots whose request was in flight when the connection broke; the server may bill it.
    possibly_billed: int = 0
    replied: int = 0  # number of slots whose request the server rejected, or whose answer was unusable
    # Number of slots whose answer was malformed or whose request was rejected. If this happens to all slots, the pages are not
    # the cause.
    unusable: int = 0
    # Number of answered slots whose page was refused or truncated. If this happens to all pages, their content is not the cause.
    refused: int = 0
    refused_first: int = 0  # number of refused pages that were requested for the first time
    empty_first: int = 0  # how many of these pages were answered with an empty text
    refused_documents: frozenset[str] = frozenset()  # ids of the documents with refused pages
    words: str = ""  # message about the unusable and refused answers
    input_tokens: int = 0
    cost_usd: float = 0.0
    # Tokens reserved for the slots whose use is known. None: the worker had no expectations, and the limiter reserved the
    # average.
    reserved_tokens: float | None = None
    expected_tokens: float = 0.0  # tokens that the worker now expects for the answered and lost slots
    throttle: Throttle | None = None


LOCAL_LANE = "local"  # lane of pages that local engines read in another process; all other lanes belong to a server


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneGrant:
    """The lane for one page. `give_up_s`: maximum response time, if a deadline requires one."""

    lane: str
    give_up_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LanesState:
    """Pages in flight by lane. `withdraw`: cancel batches that have not ended."""

    in_flight: Mapping[str, int] = field(default_factory=dict)
    withdraw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuota:
    """The RateLimiter's state of one model. Times are seconds since 1970. `rate_rpm` None means no limit."""

    model: str
    granted: int
    waited_s: float  # sum over all pages, from requesting a slot to its start
    throttled: int  # refusals by the server
    rate_rpm: float | None  # learned rate, at most the configured one
    in_flight: int
    input_tokens: int
    spent_usd: float
    requests_today: int
    paused_until: float | None = None
    parked_until: float | None = None  # the daily quota is exhausted
    held_since: float | None = None  # the server does not answer, so only one probe at a time is sent
    held_words: str = ""  # message of the server or the network
    refused_in_a_row: int = 0  # number of pages that the model refused or truncated since the last page that it read
    refused_words: str = ""  # the model's reason
    refusing: bool = False  # whether the model is held because it refuses the pages of all documents
    expects_empty: bool = False  # empty texts no longer hold the model, since the pages may have no text
    denied: bool = False  # the project has no quota or credit for the model, and no further request asks for it
    gone: bool = False  # the server does not have the model; `held_since` and `held_words` are set
    answered: int = 0  # number of requests


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterState:
    """State of the RateLimiter at one moment. `forgetful`: the limiter was restarted and waits for the earlier spending."""

    models: tuple[ModelQuota, ...] = ()
    spent_usd: float = 0.0
    spent_by_day: Mapping[str, float] = field(default_factory=dict)  # spending of this run by day
    spent_today_usd: float = 0.0  # spending of all known runs today
    spent_month_usd: float = 0.0  # spending of all known runs this month
    spent_10min_usd: float = 0.0  # spending of this run in the last ten minutes, without batches
    possibly_billed: int = 0  # number of requests in flight when their connection broke, which the server may bill
    promised_usd: float = 0.0  # amount that is reserved for requests in flight
    budget_usd: float | None = None
    unavailable_s: float = 0.0  # seconds since the shared bucket became unavailable
    forgetful: bool = False
