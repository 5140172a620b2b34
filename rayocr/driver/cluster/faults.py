"""Defines faults that a test can inject into a run without Ray. Users' runs contain none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rayocr.errors import ActorFailed
from rayocr.messages import PageRecord, Shard


async def _at_once(method: str) -> None:
    pass


@dataclass(slots=True, kw_only=True)
class Faults:
    """Hooks of a test. The defaults inject nothing.

    `shard` is called when a page worker gets a shard, `recorded` when it has recorded these pages, and `document` before a
    document worker fetches or assembles. An error that one of these three returns ends the worker. `content` is called before the
    bytes of a document are used, and returns True if they are lost. `ledger` is awaited before each call to the ledger.
    """

    shard: Callable[[str, Shard], ActorFailed | None] = lambda worker, shard: None
    recorded: Callable[[str, Sequence[PageRecord]], ActorFailed | None] = lambda worker, records: None
    document: Callable[[str, str], ActorFailed | None] = lambda what, document_id: None
    content: Callable[[str], bool] = lambda document_id: False
    ledger: Callable[[str], Awaitable[None]] = _at_once


class FaultyLedger:
    """A ledger that awaits `faults.ledger` before each call; `recorded` is called with the recorded pages."""

    def __init__(
        self, ledger: Any, faults: Faults, recorded: Callable[[Sequence[PageRecord]], None] = lambda records: None
    ) -> None:
        self._ledger = ledger
        self._faults = faults
        self._recorded = recorded

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._ledger, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            await self._faults.ledger(name)
            result = await method(*arguments, **named)
            if name == "record":
                self._recorded(arguments[0])
            return result

        return call
