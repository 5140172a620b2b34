"""Chooses the number of pages of a shard, so that it takes about `workers.target_shard_s`. Learns from finished shards. Pages of
one document take a similar time. Pages of different documents do not (1 ms for a text layer, 3 s for a scan), so the document's
own mean takes precedence over the mean of all. Pages for a server are in flight together, so their common pace counts: at 15
requests per minute, the longest shard would take four minutes to return.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from rayocr.engines.base import EngineKind
from rayocr.messages import Shard, ShardReport

_WEIGHT = 0.3  # weight of the newest shard in the running means
_DOCUMENTS_REMEMBERED = 512
_LEAST_SHARE = 0.125  # share of the target for shards at the end of a document: 0.25 s, against 2 ms for a shard's calls
_FIRST = 4  # number of pages of a shard before any shard was timed
_HEARD_OF_S = 10.0  # a shard for an engine that waits returns about this often, so that progress is visible


class ShardSizer:
    """Chooses shard sizes. `pages_per_s`: a first estimate of the pace that the quota of a waiting engine allows, if known.
    Without `paced`, its shards have the maximum length, since pages of a batch are sent together and return together hours
    later."""

    def __init__(
        self,
        kind: EngineKind,
        *,
        target_s: float,
        max_pages: int,
        pages_per_s: float | None = None,
        paced: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kind = kind
        self._target_s = target_s
        self._max_pages = max_pages
        self._pages_per_s = pages_per_s
        self._paced = paced
        self._clock = clock
        self._counted = 0  # number of pages that returned from a server
        self._counted_since: float | None = None
        self._page_s: float | None = None
        self._by_document: OrderedDict[str, float] = OrderedDict()

    def pages(self, document_id: str, *, left: int | None = None, workers: int = 1) -> int:
        """Returns the number of pages of the next shard: for engines that wait, by the common pace of all pages; for other
        engines, by time, starting with few pages. If `left` pages of the document remain for `workers` workers, the last shards
        are shorter, so that the workers finish together."""
        if self._kind == "wait":
            if self._counted_since is None:
                self._counted_since = self._clock()
            if self._pages_per_s is None or not self._paced:
                return self._max_pages
            return self._at_least_one(self._pages_per_s * _HEARD_OF_S)
        page_s = self._by_document.get(document_id, self._page_s)
        if page_s is None:
            return _FIRST if left is None else min(_FIRST, -(-left // (2 * workers)))
        seconds = self._target_s
        if left is not None:
            seconds = min(seconds, max(_LEAST_SHARE * self._target_s, page_s * left / (2 * workers)))
        return self._at_least_one(seconds / max(page_s, 1e-6))

    def load(self, shard: Shard) -> float:
        """Returns the estimated CPU seconds of a worker, or the number of pages for engines that wait."""
        if self._kind == "wait":
            return float(len(shard.page_numbers))
        page_s = self._by_document.get(shard.document_id, self._page_s)
        if page_s is None:
            return self._target_s
        return len(shard.page_numbers) * page_s

    def learn(self, report: ShardReport) -> None:
        if not report.pages:
            return
        if self._kind == "wait":
            self._count(len(report.pages))
            return
        page_s = report.compute_s / len(report.pages)
        self._page_s = page_s if self._page_s is None else (1 - _WEIGHT) * self._page_s + _WEIGHT * page_s
        self._by_document[report.document_id] = page_s
        self._by_document.move_to_end(report.document_id)
        while len(self._by_document) > _DOCUMENTS_REMEMBERED:
            self._by_document.popitem(last=False)

    def _count(self, pages: int) -> None:
        """Counts returned pages. A pause counts as a slow pace until pages return again."""
        self._counted += pages
        passed_s = self._clock() - (self._counted_since or 0.0)
        if passed_s >= _HEARD_OF_S:
            self._pages_per_s = self._counted / passed_s
            self._counted, self._counted_since = 0, self._clock()

    def _at_least_one(self, pages: float) -> int:
        return max(1, min(self._max_pages, int(pages)))
