"""Skips files that are still being written, until they have not changed for a while.

Applies only to folders, since an object in a bucket or on Drive appears once it is complete. A file that is seen for the first
time is accepted if its last write is old enough. A file that grew between polls, or whose timestamp is in the future, is accepted
when two polls, at least `settle_s` apart, find it unchanged.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rayocr.storage.base import Entry


class FileStability:
    """Decides which files are stable, and holds the names of pending files. `settle_s`: how long a file must be unchanged."""

    def __init__(
        self, settle_s: float, *, clock: Callable[[], float] = time.monotonic, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._settle_s = settle_s
        self._clock = clock
        self._wall_clock = wall_clock
        self._seen: dict[str, tuple[str, float]] = {}  # name -> version, and time when that version was first seen
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
        """Forgets files that the listing did not find."""
        for name in self._seen.keys() - self._touched:
            del self._seen[name]
        self._touched.clear()
