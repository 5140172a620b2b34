"""How a document's flow ends, for whoever started it."""

from __future__ import annotations

from enum import Enum

from rayocr.messages import Document


class FlowResult(Enum):
    SETTLED = "settled"  # it has an outcome, by this run or another, or is gone
    HELD = "held"  # by another run, which may die
    DEFERRED = "deferred"  # its storage was away


class Replaced(Exception):
    """The source has a newer version, which is another document: `newer`. None of this one is committed."""

    def __init__(self, newer: Document) -> None:
        super().__init__(newer.document_id)
        self.newer = newer
