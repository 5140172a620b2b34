"""Announcements of a run for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rayocr.composition import compose
from rayocr.driver.monitor.announcements import Announcements
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import plan
from rayocr.driver.scheduling.progress import Progress
from rayocr.messages import DiscoveryBatch, DiscoveryTotals


def words_of(folder: Path, *overrides: str, letters: int = 0) -> Announcements:
    (folder / "in").mkdir()
    config = compose([f"source={folder / 'in'}", f"dest={folder / 'out'}", "engine=textlayer", *overrides], {})
    terminal = ConsoleTerminal("plain")
    return Announcements(
        config=config, plan=plan(config), terminal=terminal, progress=Progress(), run_id="r", dead_letters=letters
    )


def nothing(**totals: Any) -> DiscoveryBatch:
    return DiscoveryBatch(documents=(), totals=DiscoveryTotals(**totals), exhausted=True, limit_reached=False)
