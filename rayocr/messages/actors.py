"""Defines the values that actors report about themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

from rayocr.build import build_id


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """A worker whose process runs. `engines`: the usable engines of a page worker's stage, in order, once it is open. `build`:
    see `rayocr.build`."""

    engines: tuple[str, ...] = ()
    host: str
    pid: int
    node_id: str = ""  # id that Ray assigned
    build: str = field(default_factory=build_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """State of the Ledger at one moment."""

    segments: int = 0  # number of segments that this process wrote
    bytes: int = 0
    flush_s: float = 0.0  # duration of the last flush
    pending_pages: int = 0
    recorded_pages: int = 0  # pages with a final outcome that this process acknowledged
