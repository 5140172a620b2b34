"""Limits the admitted, unfinished pages, documents and bytes of a run, and so its memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from rayocr.actors.placement import Group
from rayocr.config import WindowConfig
from rayocr.driver.cluster.nodes import Nodes

_STORE_SHARE = 0.6  # share of the object stores; Ray spills above 0.8, and call arguments are stored there too


class Window:
    """Limits the documents and pages that a run has in progress. Also limits their bytes to a share of the cluster's object
    stores, since Ray otherwise spills to disk and stops when the disk is full. Serves waiting callers in order of arrival, since
    later, short shards would otherwise take all the room that a long one needs. Admits a document or shard that is larger than
    the limit if it is the only one.
    """

    def __init__(self, config: WindowConfig, *, held_on: Group | None = None) -> None:
        self._config = config
        self._held_on = held_on  # group of the nodes that hold fetched documents
        self.max_bytes = config.bytes
        self._changed = asyncio.Condition()
        self._documents_waiting: deque[object] = deque()
        self._pages_waiting: deque[object] = deque()
        self.documents = 0
        self.bytes = 0
        self.pages = 0
        self.held_for: frozenset[str] = frozenset()  # reasons: a user paused the run, or a service is unavailable

    async def follow(self, nodes: Nodes) -> None:
        """Adapts the byte limit to the object stores of the cluster."""
        store_bytes = nodes.store_bytes(self._held_on) or nodes.store_bytes()
        max_bytes = min(self._config.bytes, int(_STORE_SHARE * store_bytes)) if store_bytes else self._config.bytes
        if max_bytes != self.max_bytes:
            async with self._changed:
                self.max_bytes = max_bytes
                self._changed.notify_all()

    @property
    def paused(self) -> bool:
        return bool(self.held_for)

    async def pause(self, paused: bool) -> None:
        """Pauses admission. Documents in progress continue."""
        await self.hold("pause", paused)

    async def hold(self, reason: str, held: bool) -> None:
        """Pauses admission while there is at least one reason."""
        async with self._changed:
            self.held_for = self.held_for | {reason} if held else self.held_for - {reason}
            self._changed.notify_all()

    async def release_holds(self) -> None:
        """Lets waiting callers continue, so that they notice the end of the run."""
        async with self._changed:
            self.held_for = frozenset()
            self._changed.notify_all()

    async def until_resumed(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: not self.paused)

    async def admit_document(self, size_bytes: int) -> None:
        async with self._changed:
            await self._in_turn(self._documents_waiting, lambda: self._has_room_for_document(size_bytes))
            self.documents += 1
            self.bytes += size_bytes

    async def release_document(self, size_bytes: int) -> None:
        async with self._changed:
            self.documents -= 1
            self.bytes -= size_bytes
            self._changed.notify_all()

    async def admit_pages(self, count: int) -> None:
        async with self._changed:
            await self._in_turn(self._pages_waiting, lambda: self._has_room_for_pages(count))
            self.pages += count

    async def release_pages(self, count: int) -> None:
        async with self._changed:
            self.pages -= count
            self._changed.notify_all()

    async def _in_turn(self, waiting: deque[object], has_room: Callable[[], bool]) -> None:
        turn = object()
        waiting.append(turn)
        try:
            await self._changed.wait_for(lambda: waiting[0] is turn and has_room())
        finally:
            waiting.remove(turn)
            if waiting:
                self._changed.notify_all()  # the next caller may have room too

    def _has_room_for_pages(self, count: int) -> bool:
        return not self.paused and (self.pages == 0 or self.pages + count <= self._config.pages)

    def _has_room_for_document(self, size_bytes: int) -> bool:
        if self.paused:
            return False
        if self.documents == 0:
            return True
        return self.documents < self._config.documents and self.bytes + size_bytes <= self.max_bytes
