"""Cuts the pages of a document into shards, and shards into smaller ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rayocr.driver.cluster.pools.shard_sizer import ShardSizer
from rayocr.driver.scheduling.flow.document_state import DocumentState
from rayocr.engines.registry import Stage
from rayocr.messages import Shard


def shards_of(document: DocumentState, stage: Stage, sizer: ShardSizer, *, workers: int) -> Iterator[Shard]:
    """Yields shards of the document's pages that wait for an engine of this stage. Cuts one shard at a time, since the best
    length is learned during the run. `workers`: the number of workers that share the pages."""
    numbers = sorted(number for number, engine in document.waiting.items() if stage.first <= engine <= stage.last)
    position = 0
    while position < len(numbers):
        first_engine = document.waiting[numbers[position]]
        run = []
        pages = sizer.pages(document.document_id, left=len(numbers) - position, workers=workers)
        for number in numbers[position : position + pages]:
            if document.waiting[number] != first_engine:
                break
            run.append(number)
        position += len(run)
        yield Shard(
            document_id=document.document_id,
            page_numbers=tuple(run),
            first_engine=first_engine,
            attempts={number: document.attempts[number] for number in run if number in document.attempts},
        )


def without(shard: Shard, numbers: set[int]) -> Shard:
    return replace(shard, page_numbers=tuple(n for n in shard.page_numbers if n not in numbers))


def cut(shard: Shard, pages: int) -> Iterator[Shard]:
    for start in range(0, len(shard.page_numbers), pages):
        yield replace(shard, page_numbers=shard.page_numbers[start : start + pages])
