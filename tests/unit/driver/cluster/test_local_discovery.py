"""Discovery in the driver's process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.composition import compose
from rayocr.driver.cluster.local_discovery import LocalDiscovery
from rayocr.storage.base import Entry
from rayocr.storage.local.storage import LocalStorage


def opened(folder: Path) -> LocalDiscovery:
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    state, source = LocalStorage(str(folder / "out")), LocalStorage(str(folder / "in"))
    config = compose([f"source={folder / 'in'}", f"dest={folder / 'out'}"], {})
    assemble_settings: Any = SimpleNamespace(state=lambda: state)
    fetch_settings: Any = SimpleNamespace(source_uri=source.uri)
    return LocalDiscovery(config, assemble_settings, fetch_settings, DiscoveryRules())


def test_a_run_that_is_stopped_does_not_wait_for_a_long_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(self: LocalStorage, prefix: str = "") -> Iterator[Entry]:
        listing.set()
        go_on.wait(30)
        ended.set()
        yield from ()

    async def stop_while_listing() -> None:
        call = asyncio.create_task(discovery.next_batch(1))
        while not listing.is_set():
            await asyncio.sleep(0)
        call.cancel()

    discovery = opened(tmp_path)
    monkeypatch.setattr(LocalStorage, "list", slow)
    asyncio.run(stop_while_listing())
    assert not ended.is_set()
    go_on.set()
