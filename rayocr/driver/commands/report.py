"""Implements mode=report: writes the report of the runs of a destination without starting Ray, and prints its location."""

from __future__ import annotations

from rayocr.config import RayocrConfig
from rayocr.driver.monitor.run_report import make_report
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import existing_state


def show_report(config: RayocrConfig) -> int:
    """Writes the report and returns exit code 0, regardless of the exit codes of the runs. Raises UsageError and StorageError."""
    terminal = ConsoleTerminal(config.progress)
    existing_state(config)
    with terminal.busy("Writing the report …") as tell:
        facts, place = make_report(config, tell)
    terminal.say(f"Report of {facts.document_count:,} document{'' if facts.document_count == 1 else 's'}: {place}")
    if terminal.json:
        terminal.data({"documents": dict(facts.documents), "dismissed": facts.dismissed_count, "report": place})
    return 0
