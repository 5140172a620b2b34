"""A whole run whose model refuses everything for 15 s, while one document fills all requests in flight."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from rayocr.messages import PageText
from tests.unit.driver.local_world import Server, World


class Refusing(Server):
    begins_s, ends_s = 20.0, 35.0

    def __init__(self, finish: str) -> None:
        super().__init__()
        self.finish = finish
        self.started: float | None = None

    async def recognize_async(self, page: Any, model: str) -> PageText:
        clock = asyncio.get_running_loop().time
        self.started = clock() if self.started is None else self.started
        await asyncio.sleep(2.0 + page.page_number % 5 * 1.5)
        answer = await super().recognize_async(page, model)
        refused = self.begins_s <= clock() - self.started < self.ends_s
        return PageText(
            text="half" if refused else answer.text,
            engine=self.name,
            model=model,
            input_tokens=600,
            finish=self.finish if refused else "STOP",
        )


@pytest.mark.parametrize(
    ("documents", "finish"),
    [
        pytest.param({"a.pdf": 300}, "SAFETY", id="one document"),
        pytest.param({"a.pdf": 300, "b.pdf": 100}, "SAFETY", id="two documents"),
        pytest.param({"a.pdf": 300, "b.pdf": 100}, "MAX_TOKENS", id="two documents, truncated answers"),
    ],
)
def test_no_page_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, documents: dict[str, int], finish: str) -> None:
    world = World(tmp_path, monkeypatch, documents, server=Refusing(finish))
    world.run("limits.max_in_flight=64")
    assert world.outcomes() == dict.fromkeys(documents, "complete")
    for name in documents:
        world.assert_whole(name)
    assert sum(world.server.asked.values()) <= sum(documents.values()) + 64 + 10, "the requests in flight, and a few questions"
