"""Counts the pages of the documents of a run in advance, and those whose own text can be used. Opens all documents if there are
few, otherwise a random sample. Separate processes open them, because a hostile file can crash the process that opens it.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING

from rayocr.actors.document_worker.fetch import FetchSettings, fetch
from rayocr.errors import Quarantined, RayocrError
from rayocr.messages import Document
from rayocr.pdf.guard import quiet_process

if TYPE_CHECKING:
    from rayocr.pdf.document import PdfFile

SAMPLE = 400  # maximum number of opened documents: their mean is accurate to about 5 % of their spread
_NAMED = 20
_MAX_PIXELS = 4_000_000  # size of a page whose text is compared with its ink


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCount:
    """The counts for all documents. `error` is one standard error of a sampled total, 0 if all were opened. `with_text`: pages
    whose own text is reliable, extrapolated from a few pages per document; 0 if the chain has no textlayer."""

    pages: float
    error: float
    with_text: float = 0.0
    opened: int
    unreadable: int
    unreadable_documents: tuple[tuple[str, str], ...] = ()  # name and reason of the first unreadable one


def count_pages(
    documents: Sequence[Document], settings: FetchSettings, *, seed: int = 0, look_for_text: bool = False
) -> PageCount:
    """Counts pages. The sample is drawn with a fixed seed, so the result is deterministic."""
    sample = list(documents) if len(documents) <= SAMPLE else random.Random(seed).sample(list(documents), SAMPLE)
    found = _open_all(sample, settings, _pages_with_text if look_for_text else _pages_of)
    readable = [opened for opened in found if not isinstance(opened, str)]
    pages = [0 if isinstance(opened, str) else opened[0] for opened in found]
    with_text = sum(text for _, text in readable)
    failed = [(document.name, opened) for document, opened in zip(sample, found, strict=True) if isinstance(opened, str)]
    all_opened, more = len(sample) == len(documents), len(documents) / len(sample)
    return PageCount(
        pages=sum(pages) if all_opened else mean(pages) * len(documents),
        error=0.0 if all_opened else stdev(pages) / math.sqrt(len(pages)) * len(documents),
        with_text=with_text * more,
        opened=len(sample),
        unreadable=len(failed),
        unreadable_documents=tuple(failed[:_NAMED]),
    )


def _open_all(
    sample: Sequence[Document], settings: FetchSettings, look: Callable[[Document, FetchSettings], tuple[int, float] | str]
) -> list[tuple[int, float] | str]:
    """Returns, for each document, its pages and how many have reliable text, or the reason if a run would reject it or if it
    crashed the process that opened it."""
    counts: dict[str, tuple[int, float] | str] = {}
    waiting = list(sample)
    together = min(len(waiting), max(2, os.cpu_count() or 1), 16)
    while waiting:
        with ProcessPoolExecutor(together, multiprocessing.get_context("spawn"), initializer=quiet_process) as pool:
            futures = [(document, pool.submit(look, document, settings)) for document in waiting]
            for document, future in futures:
                try:
                    counts[document.document_id] = future.result()
                except BrokenProcessPool:
                    if together == 1:
                        counts[document.document_id] = Quarantined.__name__
                    break
        waiting = [document for document in waiting if document.document_id not in counts]
        together = 1  # after a crash they are opened one at a time, to identify the document that caused it
    return [counts[document.document_id] for document in sample]


def _pages_of(document: Document, settings: FetchSettings) -> tuple[int, float] | str:
    try:
        return fetch(document, settings)[0].page_count, 0.0
    except RayocrError as error:
        return error.reason


def _pages_with_text(document: Document, settings: FetchSettings) -> tuple[int, float] | str:
    """Returns the number of pages, and the number with reliable text, estimated from the first, the middle and the last page. For
    a document that a run would reject, returns the reason."""
    from rayocr.pdf.document import PdfFile
    from rayocr.pdf.guard import bounded

    limits = settings.limits
    try:
        fetched, data = fetch(document, settings)
        count = fetched.page_count
        numbers = sorted({1, (count + 1) // 2, count})
        with (
            bounded(seconds=limits.page_timeout_s, memory_bytes=limits.page_memory),
            PdfFile(data, max_pixels=_MAX_PIXELS) as file,
        ):
            return count, count * sum(_has_text(file, number) for number in numbers) / len(numbers)
    except RayocrError as error:
        return error.reason


def _has_text(file: PdfFile, number: int) -> bool:
    try:
        with file.page(number) as page:
            return page.text_layer().verdict.trusted
    except RayocrError:
        return False
