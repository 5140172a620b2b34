from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rayocr.driver.monitor.telemetry import TelemetryWatch
from rayocr.driver.scheduling.progress import Progress
from rayocr.observe.relay import Telemetry


class Mailboxes:
    def __init__(self, *posts: Telemetry | Exception) -> None:
        self._posts = list(posts)

    async def take(self) -> Telemetry:
        post = self._posts.pop(0)
        if isinstance(post, Exception):
            raise post
        return post


async def test_lines_are_written_as_they_came_counts_are_added_and_failures_are_reported() -> None:
    read, failed = '{"action": "page_recognized", "page_number": 1}', '{"action": "page_failed", "page_number": 2}'
    fields = {"action": "page_failed", "page_number": 2}
    written: list[str] = []
    failures: list[Mapping[str, Any]] = []
    progress = Progress()
    mailboxes = Mailboxes(
        Telemetry(lines=(read, failed), storage_calls={("read", "ok"): 2}, failures=(fields,)),
        Telemetry(storage_calls={("read", "ok"): 3, ("write", "StorageFull"): 1}),
        ConnectionError("the ledger is being restarted"),
    )
    watch = TelemetryWatch(mailboxes.take, progress, write=written.extend, on_failure=failures.append)
    await watch.take()
    await watch.take()
    await watch.last()  # raises nothing
    assert written == [read, failed]
    assert failures == [fields]
    assert dict(progress.storage_calls) == {("read", "ok"): 5, ("write", "StorageFull"): 1}
