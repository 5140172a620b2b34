"""Runs Gemini in several lanes: one engine for each, with a common connection pool, prompt and ladder of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.base import BatchQueuePort, OfferedPage, WaitingEngine
from rayocr.engines.gemini.batch import GeminiBatchEngine
from rayocr.engines.gemini.engine import GeminiEngine
from rayocr.messages import LOCAL_LANE, PageText


class GeminiLanes(GeminiEngine):
    """The stage asks `lanes[name]` for each page; see `rayocr.limits.lanes`."""

    def __init__(
        self,
        config: GeminiConfig,
        *,
        names: Sequence[str],
        prompt: str,
        secrets: Secrets,
        batch_queue: BatchQueuePort | None,
    ) -> None:
        super().__init__(config, prompt=prompt, secrets=secrets)
        lanes: dict[str, WaitingEngine] = {}
        for name in names:
            if name == LOCAL_LANE:
                continue  # other processes read the pages of this lane
            if name == "batch":
                if batch_queue is not None:  # the check before a run has no lanes, and sends no page
                    lanes[name] = GeminiBatchEngine(config, prompt=prompt, secrets=secrets, batch_queue=batch_queue)
            else:
                lanes[name] = GeminiEngine(replace(config, tier=name), prompt=prompt, secrets=secrets)
        self.lanes = lanes  # type: ignore[misc]

    def open(self) -> None:
        for lane in self.lanes.values():
            lane.open()

    async def recognize_async(self, page: OfferedPage, model: str) -> PageText:
        raise AssertionError("ask one of the lanes")

    async def aclose(self) -> None:
        for lane in self.lanes.values():
            await lane.aclose()
