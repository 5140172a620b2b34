"""Defines the ports through which a waiting stage uses the other parts of its worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from rayocr.engines.stages.progress import PageProgress
from rayocr.errors import RayocrError
from rayocr.messages import LaneGrant, PageRecord

T = TypeVar("T")

Remember = Callable[[PageRecord], Awaitable[object]]
# Is called before a request is retried, with the page, the model, the number of the failed attempt, the error, and the delay in
# seconds.
OnRetry = Callable[[PageProgress, str, int, RayocrError, float], None]


class Slots(Protocol):
    """The limiter's interface for callers of waiting engines."""

    def slot(self, model: str, *, may_shed: bool = False, input_tokens: float | None = None) -> AbstractAsyncContextManager[None]:
        """Waits until the request may be sent. The limiter gets the error of a failed request when the context ends, so that a
        429 slows down all requests. `input_tokens`: the expected number for the request."""

    def lane(self, *, local: bool = False) -> AbstractAsyncContextManager[LaneGrant]:
        """Waits until a lane has room for the page. The planner gets the error of a failed request when the context ends.
        `local`: whether local engines may read the page."""

    async def unless_closing(self, asking: Awaitable[T]) -> T:
        """Returns the awaited answer. Raises Draining as soon as the worker drains, since batch answers take hours."""

    def refused_in_a_row(self, model: str) -> int:
        """Returns the number of pages that the model refused or truncated since its last usable answer to any worker."""

    def refusing(self, model: str) -> bool:
        """Returns whether the model refused the last pages, which belong to several documents."""

    def failing(self, model: str) -> float:
        """Returns the share of the model's recent requests that failed, 0..1; 1 while its server does not answer."""


class PageDedupPort(Protocol):
    """Identical pages that have been read or are being read."""

    async def claim(self, content_hash: str) -> PageRecord | None: ...

    def release(self, content_hash: str, record: PageRecord | None) -> None: ...


class LocalEngines(Protocol):
    """The local engines of a later stage, which other processes run."""

    async def read(self, document_id: str, page_number: int) -> bool:
        """Returns whether they read and recorded the page. Otherwise the page needs another lane. Raises Draining."""


class ReadLocally(Exception):
    """Raised to end the work on a page that local engines in another process have read and recorded."""


class LeftUnread(Exception):
    """Raised if the local engines could not read a page well enough."""
