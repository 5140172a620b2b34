"""Defines the values that driver, actors and tasks exchange: frozen, keyword-only, without handles or clients.

Only `PageRecord` contains page text. The record goes from the worker to the ledger to the assembler, never through the driver.
"""

from __future__ import annotations

from rayocr.messages.actors import LedgerState, WorkerInfo
from rayocr.messages.discovery import DiscoveryBatch, DiscoveryTotals, Poll
from rayocr.messages.documents import (
    AssembledDocument,
    CopyOf,
    Document,
    DocumentContext,
    DocumentOutcome,
    FetchedDocument,
    OutputFile,
)
from rayocr.messages.limits import (
    LOCAL_LANE,
    LaneGrant,
    LanesState,
    LimiterState,
    ModelQuota,
    RequestShape,
    SlotReply,
    SlotReturn,
    Throttle,
    ThrottleKind,
)
from rayocr.messages.pages import (
    HIDDEN_TEXT,
    LOW_CONFIDENCE,
    OUTAGE,
    OUTAGE_REASONS,
    PACK_MISSING,
    PICTURE_LOST,
    PLACEHOLDER,
    SUSPECT,
    UNPRICED,
    UNREAD_INK,
    Attempt,
    PageOutcome,
    PageRecord,
    PageSummary,
    PageText,
    Shard,
    ShardReport,
    TextBox,
)

__all__ = [
    "HIDDEN_TEXT",
    "LOCAL_LANE",
    "LOW_CONFIDENCE",
    "OUTAGE",
    "OUTAGE_REASONS",
    "PACK_MISSING",
    "PICTURE_LOST",
    "PLACEHOLDER",
    "SUSPECT",
    "UNPRICED",
    "UNREAD_INK",
    "AssembledDocument",
    "Attempt",
    "CopyOf",
    "DiscoveryBatch",
    "DiscoveryTotals",
    "Document",
    "DocumentContext",
    "DocumentOutcome",
    "FetchedDocument",
    "LaneGrant",
    "LanesState",
    "LedgerState",
    "LimiterState",
    "ModelQuota",
    "OutputFile",
    "PageOutcome",
    "PageRecord",
    "PageSummary",
    "PageText",
    "Poll",
    "RequestShape",
    "Shard",
    "ShardReport",
    "SlotReply",
    "SlotReturn",
    "TextBox",
    "Throttle",
    "ThrottleKind",
    "WorkerInfo",
]
