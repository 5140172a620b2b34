"""What the planner of lanes is told: the terms of each lane, the state of the run, and the pages that came back."""

from __future__ import annotations

from dataclasses import dataclass

from rayocr.messages import LOCAL_LANE

LOCAL, BATCH, FLEX, STANDARD = LOCAL_LANE, "batch", "flex", "standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTerms:
    """The properties of a lane that are known in advance. `answer_s`: the assumed longest response time. `room`: maximum number
    of pages in flight. `proven`: whether `answer_s` is reliable before answers are known. `shares_quota`: its requests and those
    of other such lanes count towards one quota."""

    name: str
    usd_per_page: float  # any unit is possible, since prices are only compared
    answer_s: float
    room: int
    proven: bool = True
    shares_quota: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneOutlook:
    """The state of a run. `pages_left`: pages without an outcome, including those in flight. `seconds_left`: until the deadline;
    None if there is none. `pages_per_s`: the pace that the shared quota allows. `local_room`: maximum number of pages in flight
    in local engines, which depends on the number of their workers; None: as in the terms."""

    pages_left: float
    seconds_left: float | None
    pages_per_s: float
    local_room: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneReport:
    """Pages that came back from a lane. `longest_s`: the longest time of an answered page, from the choice of the lane to the
    answer."""

    lane: str
    answered: int = 0
    failed: int = 0  # number of shed, timed-out and withdrawn pages, which need a lane again
    longest_s: float = 0.0
