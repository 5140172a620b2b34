"""Distinguishes a document that a model refuses from a model that refuses everything for a while, when only that document is in
progress.

The limiter holds a model that refuses pages of several documents. If one document fills all requests in flight, its refusals look
the same in both cases, so one of its pages is requested again at growing intervals while its other refused pages wait (the worker
has no room for further ones meanwhile):

| the page that is requested again | the refused pages of the document |
|---|---|
| is answered | are requested again, since the model had refused all pages |
| is refused, and pages of other documents are answered | count as refused for their content |
| is refused for a minute | count as refused for their content; if others of it were answered, mode=retry requests them again |

A worker does this once for a document, until the model answers another page of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

IN_A_ROW = 4  # fewer refused pages in a row are normal
_INTERVALS_S = (2.0, 4.0, 8.0, 16.0, 30.0)
_DOCUMENTS = 256  # number of documents whose decisions a worker remembers


class Refusal(Enum):
    AGAIN = "request again"
    CONTENT = "the page is the cause"
    SUSPECTED = "the page may not be the cause"


@dataclass(slots=True, eq=False)
class _Document:
    answered: bool = False  # the model has read a page of the document
    asking: object | None = None  # the page that is requested again
    intervals: int = 0
    decided: asyncio.Future[Refusal] | None = None
    verdict: Refusal | None = None


@dataclass(slots=True)
class RefusedDocuments:
    """Decides what refusals of a document mean. `refused_in_a_row(account)`: refused pages, over all workers, since the model's
    last usable answer. `sleep` may end early."""

    refused_in_a_row: Callable[[str], int]
    sleep: Callable[[float], Awaitable[None]]
    _documents: dict[tuple[str, str], _Document] = field(default_factory=dict)
    _asking: dict[int, _Document] = field(default_factory=dict)  # documents by the id of the page that is requested again

    async def judge(self, page: object, account: str, document_id: str, *, truncated: bool) -> Refusal:
        """Decides what the refusal of this page means. Waits while another page of its document is requested again. `page` must
        be passed to `left` when it is done."""
        document = self._of(account, document_id)
        if document.verdict is not None:
            return document.verdict
        if document.decided is None:
            if self.refused_in_a_row(account) < IN_A_ROW:
                return Refusal.CONTENT
            document.decided = asyncio.get_running_loop().create_future()
            document.asking, document.intervals = page, 0
            self._asking[id(page)] = document
        elif document.asking is not page:
            return await asyncio.shield(document.decided)
        if document.intervals == len(_INTERVALS_S) or (document.intervals and not self.refused_in_a_row(account)):
            mark = document.answered and not truncated and self.refused_in_a_row(account) > 0
            return self._decide(document, Refusal.SUSPECTED if mark else Refusal.CONTENT)
        document.intervals += 1
        await self.sleep(_INTERVALS_S[document.intervals - 1])
        return Refusal.AGAIN

    def answered(self, page: object, account: str, document_id: str) -> None:
        """Notes that the model has read this page."""
        document = self._of(account, document_id)
        document.answered, document.verdict = True, None
        if document.asking is page:
            self._decide(document, Refusal.AGAIN)

    def left(self, page: object) -> None:
        """Notes that the page is done or was interrupted, so that the others are requested, too."""
        document = self._asking.pop(id(page), None)
        if document is not None and document.asking is page:
            self._decide(document, Refusal.AGAIN)

    @staticmethod
    def _decide(document: _Document, verdict: Refusal) -> Refusal:
        if document.decided is not None and not document.decided.done():
            document.decided.set_result(verdict)
        document.asking, document.decided = None, None
        document.verdict = None if verdict is Refusal.AGAIN else verdict
        return verdict

    def _of(self, account: str, document_id: str) -> _Document:
        document = self._documents.pop((account, document_id), None) or _Document()
        self._documents[account, document_id] = document
        if len(self._documents) > _DOCUMENTS:
            oldest = next((key for key, known in self._documents.items() if known.decided is None), None)
            if oldest is not None:
                del self._documents[oldest]
        return document
