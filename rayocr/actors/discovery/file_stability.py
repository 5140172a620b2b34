"""Files that somebody is still writing: left alone until nothing has changed for a while.

Folders only: an object of a bucket or a Drive appears when it is whole. A file that is seen for the first time is taken when it
was last written to long enough ago; one that was seen to grow, or that claims to be from the future, when two looks that far
apart found it the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rayocr.storage.base import Entry


class FileStability:
    """`settle_s`: so long must a file have been left alone. Holds the names of those that are waited for."""

    def __init__(
        self, settle_s: float, *, clock: Callable[[], float] = time.monotonic, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._settle_s = settle_s
        self._clock = clock
        self._wall_clock = wall_clock
        self._seen: dict[str, tuple[str, float]] = {}  # name -> version, and since when it is known
        self._touched: set[str] = set()

    def __len__(self) -> int:
        return len(self._seen)

    def names(self) -> tuple[str, ...]:
        return tuple(self._seen)

    def is_settled(self, entry: Entry) -> bool:
        if not self._settle_s:
            return True
        now = self._clock()
        seen = self._seen.get(entry.name)
        if seen is None and self._wall_clock() - entry.modified_at >= self._settle_s:
            return True
        if seen is not None and seen[0] == entry.version and now - seen[1] >= self._settle_s:
            del self._seen[entry.name]
            return True
        if seen is None or seen[0] != entry.version:
            self._seen[entry.name] = (entry.version, now)
        self._touched.add(entry.name)
        return False

    def forget(self, name: str) -> None:
        self._seen.pop(name, None)

    def begin_listing(self) -> None:
        self._touched.clear()

    def end_listing(self) -> None:
        """What the listing did not come across is gone."""
        for name in self._seen.keys() - self._touched:
            del self._seen[name]
        self._touched.clear()
