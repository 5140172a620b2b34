"""Defines the values that Discovery returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rayocr.messages.documents import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryTotals:
    """The results of the listing so far. `found` counts every document; the other counts are parts of it."""

    found: int = 0
    finished: int = 0  # finished by an earlier run, with any outcome
    dead_letters: int = 0  # finished documents that are partial or rejected
    unreadable: int = 0  # number of files or folders that could not be read
    unreadable_names: tuple[str, ...] = ()  # paths of the first unreadable files or folders, relative to the source
    strange: tuple[str, ...] = ()  # the first empty records and unknown objects under .rayocr/
    settling: int = 0  # files that are being written and are skipped for now
    filtered: int = 0  # documents that an option leaves out (include, exclude, size); they are not in `found`
    filtered_name: str = ""  # name of the first document that an option leaves out
    unmatched: tuple[str, ...] = ()  # patterns of the user that match no document; known at the end of a listing
    others: int = 0  # number of files that are not PDFs
    other_name: str = ""  # name of the first file that is not a PDF
    own_outputs: int = 0  # number of files that rayocr wrote, in a source that is also a destination


class Poll(StrEnum):
    """The ways in which mode=watch polls for new documents."""

    ALL = "all"  # a full listing
    CHANGES = "changes"  # reads the source's change feed; lists everything if it has none
    SETTLING = "settling"  # checks only files that were being written


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryBatch:
    documents: tuple[Document, ...]
    totals: DiscoveryTotals
    exhausted: bool
    limit_reached: bool = False
