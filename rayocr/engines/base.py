"""Defines the engine port. An engine reads a page. Each adapter has its own folder or file beside this one; the chain calls them.

The two kinds of engines need different processes. Compute engines block a CPU and read one page at a time. Waiting engines call a
server and keep many pages in flight on one event loop. An adapter imports its SDK inside `open()`, so a run loads only the
engines that it uses. An adapter raises only `rayocr.errors`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from rayocr.messages import PageText, RequestShape

if TYPE_CHECKING:
    from rayocr.pdf.page import Page

EngineKind = Literal["compute", "wait"]


class OfferedPage(Protocol):
    """A page as a waiting engine receives it. The process's only PDFium thread cuts it out or renders it on demand."""

    @property
    def document_id(self) -> str: ...

    @property
    def page_number(self) -> int: ...

    async def as_document(self, *, dpi: int = 200, max_bytes: int | None = None) -> bytes:
        """Returns a PDF with only this page, or a JPEG at `dpi` if the PDF would exceed `max_bytes` or not look like the page.
        `rayocr.pdf.cut.page_document.media_type` returns its type."""

    @property
    def tried(self) -> int:
        """Number of recorded attempts on this page, over all engines and all runs."""

    @property
    def size_pt(self) -> tuple[float, float]:
        """Width and height of the upright page in points."""

    sent_pages: int | None
    """The pages of the PDF that `as_document` returned last; 0: it returned a picture; None: it was not called yet."""

    give_up_s: float | None
    """Timeout of its request, if a deadline requires a shorter one; None: the engine's own timeout."""

    batch_keys: list[str]
    """The keys of its requests in batches."""

    def let_go(self) -> None:
        """Releases the bytes of the page, since a page may wait for hours. A later call makes them again."""

    async def content_hash(self) -> str:
        """Returns a hash that is equal for identical pages; see `rayocr.pdf.cut.content_hash`."""

    async def as_image(self, *, dpi: int, format: str) -> bytes:
        """Returns the upright page, rendered and encoded; `format` is jpeg, png or webp."""


class Engine(ABC):
    """Base class of both kinds of engines. `name` is the name in `engine.chain`; `model` is recorded in the ledger and the
    fingerprint."""

    name: ClassVar[str]
    kind: ClassVar[EngineKind]

    @property
    def model(self) -> str:
        return self.name

    @abstractmethod
    def open(self) -> None:
        """Loads models or creates clients. Idempotent. Raises EngineUnavailable (with a hint) or CredentialsError."""

    def close(self) -> None:  # noqa: B027 - most engines have nothing to close
        """Releases all resources. Idempotent."""


class ComputeEngine(Engine):
    kind = "compute"

    @property
    def drawn_dpi(self) -> int:
        """The resolution at which the engine first draws a page in gray; 0 if it does not draw pages."""
        return 0

    @abstractmethod
    def recognize(self, page: Page) -> PageText | None:
        """Reads the page. Blocks; runs on the PDFium thread. Returns None if the engine does not apply to the page (an untrusted
        text layer), which is not a failure and is not recorded as an attempt. Raises EngineError."""

    def partial(self, page: Page) -> PageText | None:
        """Returns the part of the page that this engine can read, for later engines to complete. Called if `recognize` returned
        None."""
        return None


class WaitingEngine(Engine):
    kind = "wait"
    prices_itself: ClassVar[bool] = False  # answers contain their cost
    batched: ClassVar[bool] = False  # requests are sent in batch jobs, without limiter slots and at the batch price

    lanes: ClassVar[Mapping[str, WaitingEngine]] = MappingProxyType(
        {}
    )  # the engines that a run's objective chooses from, by name

    @property
    def tier(self) -> str:
        """The price class of its requests. If an answer names another `price_class`, that one was billed."""
        return "batch" if self.batched else "standard"

    @property
    def models(self) -> tuple[str, ...]:
        """The model ladder: models in the order in which they are tried. Each is the fallback of the one before."""
        return (self.model,)

    def request_shape(self, page: OfferedPage, model: str) -> RequestShape | None:
        """Returns the properties that determine the input tokens of the page's request; None: unknown. Takes microseconds."""
        return None

    def expected_input_tokens(self, page: OfferedPage, model: str) -> float | None:
        """Returns the expected input tokens of the page's request; None: unknown. The worker that counts the answers replaces
        this method."""
        return None

    @abstractmethod
    async def recognize_async(self, page: OfferedPage, model: str) -> PageText:
        """Sends exactly one request to one of `models` (the caller holds the slot). Returns the answer with the server's finish
        reason and the cost, even if the model refused or truncated it. Raises EngineError and OutsideError."""

    async def aclose(self) -> None:
        """Closes the connections, in the event loop that used them. Idempotent."""

    @abstractmethod
    async def probe(self, model: str) -> None:
        """Checks key, permission and model with one free request. Raises CredentialsError, UnknownModel, and EngineError if the
        server's answer is not clear. Runs on its own event loop and leaves no connection open."""


BATCH_ACCOUNT = "@batch"


def account_of(engine: WaitingEngine, model: str) -> str:
    """Returns the name of the requests in the limiter. Batch requests have a separate name, since they have no rate limit and
    cost less."""
    return model + BATCH_ACCOUNT if engine.batched else model


class BatchQueuePort(Protocol):
    """Accepts batch requests; see `rayocr.actors.batch_queue.actor`."""

    async def read(self, key: str, model: str, line: bytes) -> bytes:
        """Returns the line of the job's results with this key. May wait for hours. Idempotent on the key. Raises EngineTransient
        and OutsideError."""

    async def recorded(self, keys: Sequence[str]) -> None:
        """Reports that the ledger has the pages of these answers, so that they can be deleted at the server."""
