"""Async tests run in virtual time: none waits, and none depends on the machine's speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.unit.virtual_time import VirtualLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], VirtualLoop]]:
    return {"virtual": VirtualLoop}
