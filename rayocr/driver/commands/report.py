"""mode=report: writes the report of a run without starting Ray, and says where it is."""

from __future__ import annotations

from rayocr.config import RayocrConfig
from rayocr.driver.monitor.run_report import make_report
from rayocr.driver.monitor.terminal import ConsoleTerminal


def show_report(config: RayocrConfig) -> int:
    """Always 0 where there is something to tell of: the run has had its exit code. Raises UsageError and StorageError."""
    facts, place = make_report(config)
    ConsoleTerminal(config.progress).say(f"Report of {facts.documents.total():,} documents: {place}")
    return 0
