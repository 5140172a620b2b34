"""Estimates how long local engines need for the pages of a run, alone or beside Gemini, for `mode=estimate`. Pure functions."""

from __future__ import annotations

import os

from rayocr.config import RayocrConfig
from rayocr.driver.commands.estimate.page_counts import PageCount
from rayocr.driver.monitor.terminal import duration
from rayocr.engines.registry import parse_chain

# CPU seconds per page of the local engines (docs/measurements.md). Other machines and pages differ, so the range is wide.
SCAN_CPU_S = 1.0
_TEXT_CPU_S = 0.01
_START_S = 5.0  # seconds until the first page
LOCAL_SPREAD = (0.5, 2.5)


def chain_of(config: RayocrConfig) -> list[str]:
    return [name.rstrip("?") for name in config.engine.chain]


def local_seconds(config: RayocrConfig, counted: PageCount) -> float | None:
    """Returns the time of a local chain on this machine; None if it depends on a server of the chain."""
    if "openai" in chain_of(config):
        return None
    reads_scans = any(link.is_local for link in parse_chain(config.engine.chain))
    others = max(0.0, counted.pages - counted.with_text) * (SCAN_CPU_S if reads_scans else _TEXT_CPU_S)
    return _START_S + (counted.with_text * _TEXT_CPU_S + others) / _cores(config)


def local_time(config: RayocrConfig, counted: PageCount) -> str:
    seconds = local_seconds(config, counted)
    if seconds is None:
        return "depends on the server of openai"
    low, high = (duration(seconds * factor) for factor in LOCAL_SPREAD)
    scans = max(0.0, counted.pages - counted.with_text)
    texts = f"{counted.with_text:,.0f}"
    pages = f"{texts} page{'' if texts == '1' else 's'} with their own text"
    pages += f", {scans:,.0f} to recognize at {SCAN_CPU_S:g} s of a core each"
    return f"about {duration(seconds)} ({low} to {high}) on {_where(config)}: {pages}"


def lane_words(config: RayocrConfig, pages: float) -> str:
    """Describes all pages in the lane local; empty if the chain has no local engine that could read them."""
    if not any(link.is_local for link in parse_chain(config.engine.chain)):
        return ""
    return f"local $0.00 ({duration(_START_S + pages * SCAN_CPU_S / _cores(config))} on {_where(config)})"


def local_pages(
    config: RayocrConfig, pages: float, *, server_s: float, within_s: float | None, page_s: float = SCAN_CPU_S
) -> float:
    """Returns the pages that the lane local takes, at `page_s` CPU seconds each. `server_s`: the time that the server would need
    for all of them; 0: unknown. `within_s`: until the deadline; None: local engines and the server end together."""
    if not config.engine.uses_local_lane:
        return 0.0
    alone_s = pages * page_s / _cores(config)
    if within_s is not None:
        return min(pages, pages * max(0.0, within_s - _START_S) / alone_s) if alone_s else 0.0
    return pages * server_s / (server_s + alone_s) if server_s else 0.0


def _cores(config: RayocrConfig) -> int:
    return max(1, min(os.cpu_count() or 1, config.workers.max or os.cpu_count() or 1))


def _where(config: RayocrConfig) -> str:
    cores = _cores(config)
    return f"{cores} core{'' if cores == 1 else 's'} of this machine"
