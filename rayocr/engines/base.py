"""The engine port: what reads a page. Adapters live beside this file, one each; the chain calls them.

Two kinds, since they want different processes: engines that compute block a CPU and run one page at a time; engines that
wait (a server answers) run with many pages in flight on one event loop. An adapter imports its SDK inside `open()`, so that
a run pays only for the engines that it uses, and raises only `rayocr.errors`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from rayocr.messages import PageText

if TYPE_CHECKING:
    from rayocr.pdf.page import Page

EngineKind = Literal["compute", "wait"]


class OfferedPage(Protocol):
    """A page as a waiting engine sees it: cut out or rendered when asked for, on the process's one PDFium thread."""

    @property
    def page_number(self) -> int: ...

    async def as_document(self, *, dpi: int = 200, max_bytes: int | None = None) -> bytes:
        """A PDF of the page alone, or a JPEG at `dpi` where the PDF would be larger than `max_bytes` or not look like the page.
        `rayocr.pdf.cut.page_document.media_type` tells which."""

    @property
    def tried(self) -> int:
        """Attempts on this page that are on record, of all engines and all runs."""

    def let_go(self) -> None:
        """The bytes are not needed before the answer: a page that waits for hours holds none. Asked for, they are made again."""

    async def content_hash(self) -> str:
        """The same for identical pages; see `rayocr.pdf.cut.content_hash`."""

    async def as_image(self, *, dpi: int, format: str) -> bytes:
        """The upright page rendered and encoded; `format` is jpeg, png or webp."""


class Engine(ABC):
    """What both kinds share. `name` is the word in `engine.chain`; `model` goes into the ledger and the fingerprint."""

    name: ClassVar[str]
    kind: ClassVar[EngineKind]

    @property
    def model(self) -> str:
        return self.name

    @abstractmethod
    def open(self) -> None:
        """Load models or make clients. Idempotent. Raises EngineUnavailable (with a hint) or CredentialsError."""

    def close(self) -> None:  # noqa: B027 - most engines have nothing to close
        """Give everything back. Idempotent."""


class ComputeEngine(Engine):
    kind = "compute"

    @abstractmethod
    def recognize(self, page: Page) -> PageText | None:
        """Read the page; blocking, on the PDFium thread. None means "not for me" (an untrusted text layer), which is not a
        failure and leaves no attempt. Raises EngineError."""

    def partial(self, page: Page) -> PageText | None:
        """Where `recognize` returned None: what this engine knows of a part of the page, for the engines after it to complete."""
        return None


class WaitingEngine(Engine):
    kind = "wait"
    prices_itself: ClassVar[bool] = False  # its answers carry their cost
    batched: ClassVar[bool] = False  # requests leave in jobs: without slots of the limiter, and at the price of a batch

    chooses_tier: bool = False  # `lane` is set before each request
    lane: str = ""  # the service tier that the run prefers; empty: none

    @property
    def tier(self) -> str:
        """What its requests are billed as; an answer that names another `price_class` was billed as that."""
        return "batch" if self.batched else "standard"

    @property
    def models(self) -> tuple[str, ...]:
        """The ladder: whom to ask, the next one where the one before does not deliver."""
        return (self.model,)

    @abstractmethod
    async def recognize_async(self, page: OfferedPage, model: str) -> PageText:
        """Send exactly one request to one of `models` (the caller holds its slot) and return its answer, with the server's own
        word for how it ended and what was paid, also where it refused or was cut off. Raises EngineError and OutsideError."""

    async def aclose(self) -> None:
        """Give the connections back, in the loop that used them. Idempotent."""

    @abstractmethod
    async def probe(self, model: str) -> None:
        """Ask the server, with one request that costs nothing, whether key, permission and model are right. Raises
        CredentialsError, UnknownModel, and EngineError where that cannot be told. Runs on an event loop of its own: leaves no
        connection behind."""


BATCH_ACCOUNT = "@batch"


def account_of(engine: WaitingEngine, model: str) -> str:
    """The name under which the limiter knows the requests: those of batches have no pace and no quota, and cost less."""
    return model + BATCH_ACCOUNT if engine.batched else model


class BatchQueuePort(Protocol):
    """Where batched requests are handed in: see `rayocr.actors.batch_queue.actor`."""

    async def read(self, key: str, model: str, line: bytes) -> bytes:
        """The line of the job's results with that key; waits for hours. Idempotent on the key. Raises EngineTransient and
        OutsideError."""
