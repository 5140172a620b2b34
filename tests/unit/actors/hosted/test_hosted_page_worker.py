"""A hosted page worker passes its calls on. Without Ray: the class as it is before `ray.remote`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.actors.hosted import page_worker
from rayocr.actors.hosted.page_worker import PageWorkerActor
from rayocr.config import Secrets


class Calls:
    """Answers every method with its name, and notes the calls."""

    def __init__(self) -> None:
        self.made: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        async def note(*arguments: Any) -> str:
            self.made.append((name, *arguments))
            return name

        return note


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("cancel", ("document", 7)), ("drain", ()), ("recognize", ("shard", "content", "context"))],
)
async def test_calls_reach_the_worker(monkeypatch: pytest.MonkeyPatch, name: str, arguments: tuple[Any, ...]) -> None:
    calls: Any = Calls()
    monkeypatch.setattr(page_worker, "relaying", lambda *_: SimpleNamespace(post=lambda: None))
    monkeypatch.setattr(page_worker, "report_before_exit", lambda _: None)
    monkeypatch.setattr(page_worker, "PageWorker", lambda *_, **__: calls)
    actor = PageWorkerActor("page_worker:1", "run", None, None, None)
    settings: Any = SimpleNamespace(secrets=Secrets(), stage=SimpleNamespace(kind="wait"))
    await actor.configure(settings)
    await getattr(actor, name)(*arguments)
    assert calls.made == [(name, *arguments)]
