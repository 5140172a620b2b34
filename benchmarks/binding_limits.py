"""`make bench-limits`: measures the used share of the limit that determines the pace, in simulated time.

The real RateLimiter and the real SlotClient send requests to a server that enforces one limit in sliding windows and answers
after 2 to 8 seconds; pages differ in tokens and price. The event loop's clock jumps to the next event, so half an hour takes
seconds, and other work on the machine does not affect the result. Enqueued tokens are measured with the real BatchQueue and jobs
of an hour.

Tokens per minute are measured twice: with pages whose tokens the server counts by their shape, as Google does, with noise, and
with pages of random length that nothing announces.
"""

from __future__ import annotations

import asyncio
import json
import random
import selectors
import sys
import uuid
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from rich.table import Table

from benchmarks.gemini_simulator.input_tokens import media_tokens
from benchmarks.gemini_simulator.quotas import Quotas
from rayocr.actors.batch_queue.actor import BatchQueue
from rayocr.actors.page_worker.metering import meter
from rayocr.actors.page_worker.slot_client import SlotClient
from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.actors.rate_limiter.rules import LimiterRules
from rayocr.config import BatchConfig, GeminiConfig, LimitsConfig
from rayocr.engines.base import OfferedPage, WaitingEngine
from rayocr.engines.gemini.batch import JobStatus
from rayocr.engines.gemini.input_tokens import request_shape
from rayocr.errors import DayQuotaExhausted, EngineRateLimited
from rayocr.limits.prices import PriceTable
from rayocr.messages import PageText, RequestShape
from rayocr.observe.console import plain_console
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage

T = TypeVar("T")

_WALL = 1_795_000_000.0  # a moment in November 2026, six hours before midnight in California
_WARM_S, _STEADY_S = 660.0, 1800.0
_JOB_S = 3600.0
_MODEL, _RESOLUTION = "gemini-3.1-flash-lite", "MEDIA_RESOLUTION_UNSPECIFIED"
_PROMPT = 60  # tokens
_NOISE = 0.03


class _Selector(selectors.DefaultSelector):
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found and timeout:
            self.loop.now += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer. Nothing may run in threads."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    limit: str
    share: float
    refused: int


@dataclass(frozen=True, slots=True)
class Shaped:
    """Pages that are sent in these forms, with their weights: the pages of the PDF, or 0 for a picture."""

    forms: tuple[tuple[int, float], ...]

    def one(self, draws: random.Random) -> tuple[int, int]:
        """Pages of the PDF, and input tokens by Google's documentation, with noise."""
        pages = draws.choices([pages for pages, _ in self.forms], [weight for _, weight in self.forms])[0]
        documented = media_tokens(_MODEL, _RESOLUTION, pdf_pages=pages) + _PROMPT
        return pages, round(documented * draws.uniform(1 - _NOISE, 1 + _NOISE))


@dataclass(eq=False, slots=True)
class SentPage:
    """A page as a waiting engine sees it."""

    sent_pages: int
    tokens: int
    size_pt: tuple[float, float] = (595.0, 842.0)
    document_id: str = "d"
    tried: int = 0


class Engine(WaitingEngine):
    """Expects tokens as the Gemini engine does."""

    name: ClassVar[str] = "gemini"

    def __init__(self, server: Server) -> None:
        self._server = server

    def open(self) -> None: ...

    async def probe(self, model: str) -> None: ...

    def request_shape(self, page: OfferedPage, model: str) -> RequestShape:
        return request_shape(GeminiConfig(), model, page, prompt_tokens=_PROMPT)

    async def recognize_async(self, page: OfferedPage, model: str) -> PageText:
        tokens, usd = await self._server.ask(page.tokens)  # type: ignore[attr-defined]
        return PageText(text="text", engine=self.name, model=model, input_tokens=tokens, cost_usd=usd)


@dataclass(slots=True)
class Server:
    """Enforces `limits` in sliding windows. For `usd_per_10min` it counts what it has answered, as Google's bill does."""

    limits: dict[str, float]
    quotas: Quotas = field(default_factory=Quotas)
    answered: list[tuple[float, int, float]] = field(default_factory=list)  # (when, tokens, USD)
    refused: int = 0
    draws: random.Random = field(default_factory=lambda: random.Random(0))

    async def ask(self, tokens: int) -> tuple[int, float]:
        """Returns tokens and USD of one page. Raises EngineRateLimited."""
        loop = asyncio.get_running_loop()
        usd = tokens * 0.25e-6 + self.draws.randint(200, 4000) * 1.5e-6
        known = {name: self.limits.get(name, 0.0) for name in ("rpm", "tpm", "rpd")}
        if self.quotas.admit(loop.time(), tokens=tokens, in_flight=0, max_in_flight=0, **known) is not None:
            self.refused += 1
            raise EngineRateLimited("refused", retry_after_s=5.0, per_day="rpd" in self.limits)
        await asyncio.sleep(2 + 6 * self.draws.random())
        if (most := self.limits.get("usd_per_10min")) and self.spent(loop.time() - 600) > most:
            self.refused += 1
            raise EngineRateLimited("refused", retry_after_s=5.0)
        self.answered.append((loop.time(), tokens, usd))
        return tokens, usd

    def spent(self, since: float) -> float:
        total = 0.0
        for at, _, usd in reversed(self.answered):
            if at <= since:
                break
            total += usd
        return total


async def _use_of(limit: str, most: float, tokens: tuple[int, int] | Shaped = (600, 800), name: str = "", seed: int = 0) -> Use:
    loop = asyncio.get_running_loop()
    server = Server({limit: most}, draws=random.Random(seed))
    configured: dict[str, Any] = {limit: int(most) if limit == "rpd" else most}
    rules = LimiterRules(limits=LimitsConfig(**configured), prices=PriceTable(models={}))
    limiter = RateLimiter(rules, clock=loop.time, wall_clock=lambda: _WALL + loop.time())
    # The first pages count as expected; prices are unknown to the limiter, so that it has to learn them.
    slots = SlotClient(limiter, worker="w", clock=loop.time)
    engine = meter(Engine(server), slots=slots, prices=PriceTable(models={}))
    ended = asyncio.Event()

    async def page_after_page() -> None:
        while not ended.is_set():
            try:
                if isinstance(tokens, Shaped):
                    page: Any = SentPage(*tokens.one(server.draws))
                    async with slots.slot(_MODEL, input_tokens=engine.expected_input_tokens(page, _MODEL)):
                        await engine.recognize_async(page, _MODEL)
                else:
                    async with slots.slot(_MODEL):
                        used, usd = await server.ask(server.draws.randint(*tokens))
                        slots.used(_MODEL, input_tokens=used, cost_usd=usd)
            except EngineRateLimited:
                await asyncio.sleep(1.0)
            except DayQuotaExhausted:
                return

    pages = [asyncio.create_task(page_after_page()) for _ in range(600)]
    if limit == "rpd":
        await asyncio.gather(*pages)
        return Use(limit=limit, share=server.quotas.admitted / most, refused=server.refused)
    await asyncio.sleep(_WARM_S + _STEADY_S)
    ended.set()
    for page in pages:
        page.cancel()
    steady = [row for row in server.answered if row[0] > _WARM_S]
    used = {"rpm": len(steady), "tpm": sum(row[1] for row in steady), "usd_per_10min": sum(row[2] for row in steady)}[limit]
    windows = _STEADY_S / (600 if limit == "usd_per_10min" else 60)
    if limit == "tpm" and not isinstance(tokens, Shaped):
        name = f"tpm, random {tokens[0]} to {tokens[1]} per page"
    return Use(limit=name or limit, share=used / (most * windows), refused=server.refused)


@dataclass(slots=True)
class Jobs:
    """A batch server with a limit on enqueued tokens, at 600 tokens per page. Jobs take an hour."""

    most_tokens: float
    jobs: dict[str, tuple[float, list[str]]] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    refused: int = 0

    def enqueued(self) -> float:
        now = asyncio.get_running_loop().time()
        return sum(600.0 * len(keys) for ends, keys in self.jobs.values() if now < ends)

    async def upload(self, display_name: str, path: Path) -> str:
        self.files[display_name] = [json.loads(line)["key"] for line in path.read_bytes().splitlines()]
        return display_name

    async def create(self, display_name: str, model: str, file: str) -> str:
        if self.enqueued() + 600 * len(self.files[file]) > self.most_tokens:
            self.refused += 1
            raise EngineRateLimited("the queue is full")
        self.jobs[display_name] = asyncio.get_running_loop().time() + _JOB_S, self.files.pop(file)
        return display_name

    async def find(self, display_name: str) -> str | None:
        return display_name if display_name in self.jobs else None

    async def status(self, name: str) -> JobStatus:
        ended = asyncio.get_running_loop().time() >= self.jobs[name][0]
        return JobStatus(ended=ended, state="SUCCEEDED" if ended else "RUNNING", results=name if ended else None)

    async def results(self, file_name: str) -> dict[str, bytes]:
        row = {"response": {"usageMetadata": {"promptTokenCount": 600}}}
        return {key: json.dumps(row | {"key": key}).encode() for key in self.jobs[file_name][1]}

    async def cancel(self, job: str) -> None: ...

    async def delete(self, *, files: Iterable[str], job: str | None) -> None: ...


async def _use_of_enqueued_tokens(most: float) -> Use:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)

    async def in_this_thread(function: Any, *arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    asyncio.to_thread = in_this_thread  # type: ignore[assignment]
    server = Jobs(most)
    queue = BatchQueue(
        server,
        MemoryStorage(uuid.uuid4().hex),
        run_id="r",
        config=BatchConfig(enqueued_tokens=int(most), linger_s=5.0),
        policy=RetryPolicy(),
        clock=loop.time,
    )
    numbers = iter(range(10**9))

    async def page_after_page() -> None:
        while True:
            key = str(next(numbers))
            await queue.read(key, "m", json.dumps({"key": key}).encode())

    pages = [asyncio.create_task(page_after_page()) for _ in range(int(3 * most / 600))]
    await asyncio.sleep(3 * _JOB_S)
    seen: list[float] = []
    for _ in range(6 * 60):
        await asyncio.sleep(60)
        seen.append(server.enqueued() / most)
    for page in pages:
        page.cancel()
    await asyncio.gather(*pages, return_exceptions=True)
    await queue.close(finished=False)
    return Use(limit="enqueued tokens", share=sum(seen) / len(seen), refused=server.refused)


_SHAPED = {
    "half as PDFs, half as pictures": Shaped(((1, 0.5), (0, 0.5))),
    "one page in ten in 2 to 8 parts": Shaped(((1, 0.9), *((parts, 0.1 / 7) for parts in range(3, 10)))),
    "all in 2 to 16 parts, or whole": Shaped(((1, 0.3), (0, 0.2), *((parts, 0.5 / 15) for parts in range(3, 18)))),
}


def measure() -> list[Use]:
    cases = (("rpm", 600.0), ("tpm", 600_000.0), ("rpd", 5_000.0), ("usd_per_10min", 10.0))
    uses = [run_virtually(_use_of(limit, most)) for limit, most in cases]
    uses += [run_virtually(_use_of("tpm", 600_000.0, shaped, name=f"tpm, {name}")) for name, shaped in _SHAPED.items()]
    uses += [run_virtually(_use_of("tpm", 600_000.0, tokens)) for tokens in ((400, 1600), (200, 4000))]
    original = asyncio.to_thread
    try:
        return [*uses, run_virtually(_use_of_enqueued_tokens(600_000))]
    finally:
        asyncio.to_thread = original


def main() -> None:
    table = Table(title="use of the limit that determines the pace, answers after 2 to 8 s, simulated time", title_justify="left")
    for column in ("limit", "used (≥ 97 %)", "refusals"):
        table.add_column(column, justify="left" if column == "limit" else "right")
    for use in measure():
        table.add_row(use.limit, f"{100 * use.share:.1f} %", str(use.refused))
    plain_console(width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    main()
