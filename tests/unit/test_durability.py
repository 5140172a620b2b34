"""Durability, by random interleavings: two runs on one state record, crash, are paused, merge segments, take over, commit.

Everything is real except the storage (in memory, failing or killing its caller at a chosen operation), the lock server and the
clock. The test records paid and acknowledged pages and compares them with the storage.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rayocr.actors.document_worker.commit import commit
from rayocr.actors.ledger.actor import Ledger
from rayocr.driver.scheduling.leases import run_key
from rayocr.errors import LeaseLost, PreconditionFailed, StorageUnavailable
from rayocr.ledger import compaction
from rayocr.ledger.manifest import Manifest, build_manifest, manifest_name
from rayocr.locks.base import Lease
from rayocr.locks.memory import LeaseTable, MemoryLocks
from rayocr.messages import Document, DocumentContext, DocumentOutcome, PageOutcome, PageRecord
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage

T = TypeVar("T")

POLICY = RetryPolicy(max_attempts=1, base_s=0.0, cap_s=0.0)
TTL_S = 60.0
PAGES = 2
DOCUMENTS = ["a" * 32, "b" * 32]  # few, for the runs to meet
Page = tuple[str, int]


class Killed(BaseException):
    """The process is gone at this operation."""


@dataclass
class Faults:
    """The storage of one run. After `fuse` more operations, the next one fails or kills the run."""

    fuse: int | None = None
    kills: bool = False
    burnt: bool = False

    def __call__(self, operation: str, name: str) -> None:
        if self.burnt and self.kills:
            raise Killed
        if self.fuse is None:
            return
        self.fuse -= 1
        if self.fuse < 0:
            self.fuse, self.burnt = None, True
            if self.kills:
                raise Killed
            raise StorageUnavailable("away")


@dataclass
class Run:
    run_id: str
    faults: Faults
    locks: MemoryLocks
    ledger: Ledger
    leases: dict[str, Lease] = field(default_factory=dict)
    known: dict[str, set[int]] = field(default_factory=dict)  # pages known to be recorded, of documents that it holds


class Durability(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        MemoryStorage("durability").clear()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(compaction, "_MERGE_AT_LEAST", 2)
        self.now = 0.0
        self.loop = asyncio.new_event_loop()
        self.table = LeaseTable()
        self.runs: dict[int, Run] = {}
        self.started = 0
        self.paid: Counter[Page] = Counter()
        self.at_risk: Counter[Page] = Counter()  # how often it was paid for and not acknowledged, or without a lease
        self.acknowledged: set[Page] = set()
        self.committed: dict[str, str] = {}

    def teardown(self) -> None:
        self.patch.undo()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    # -- what happens -------------------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.start(0)

    @rule(place=st.integers(0, 1))
    def start(self, place: int) -> None:
        if place in self.runs:
            return
        self.started += 1
        run_id, faults = f"run{self.started:03}", Faults()
        locks = MemoryLocks(self.table, owner=run_id, ttl_s=TTL_S, clock=lambda: self.now)
        locks.acquire(run_key(run_id))
        self.runs[place] = Run(run_id, faults, locks, self.new_ledger(run_id, faults))

    @rule(place=st.integers(0, 1), document_id=st.sampled_from(DOCUMENTS), numbers=st.sets(st.integers(1, PAGES), min_size=1))
    def read(self, place: int, document_id: str, numbers: set[int]) -> None:
        self.start(place)
        self.take(place, document_id)
        run = self.runs.get(place)
        missing = sorted(numbers - run.known.get(document_id, numbers)) if run else []
        if not run or not missing:
            return
        token = run.leases[document_id].fencing_token
        self.paid.update((document_id, number) for number in missing)
        if self.holder(document_id) != run.run_id:  # paused without knowing that its lease is lost: pages in flight
            self.at_risk.update((document_id, number) for number in missing)
        done = self.attempt(place, acknowledged(run.ledger, [record(document_id, number, token) for number in missing]))
        if done:
            run.known[document_id] |= set(missing)
            self.acknowledged |= {(document_id, number) for number in missing}
        else:
            self.at_risk.update((document_id, number) for number in missing)

    def take(self, place: int, document_id: str) -> None:
        run = self.runs[place]
        if document_id in run.leases or manifest_of(document_id) is not None:
            return
        lease = run.locks.acquire(document_id)
        if lease is None:
            return
        before = {number for (of, number) in self.acknowledged if of == document_id}
        pages = self.attempt(place, run.ledger.open_document(document_id))
        if pages is None:
            return
        run.leases[document_id] = lease
        run.known[document_id] = {page.page_number for page in pages}
        assert before <= run.known[document_id], f"{document_id}: {before - run.known[document_id]} would be paid for again"

    @rule(place=st.integers(0, 1), document_id=st.sampled_from(DOCUMENTS))
    def finish(self, place: int, document_id: str) -> None:
        run = self.runs.get(place)
        if run is None or document_id not in run.known:
            return
        self.read(place, document_id, set(range(1, PAGES + 1)))
        if place not in self.runs or len(run.known[document_id]) < PAGES:
            return
        lease = run.leases[document_id]
        if self.attempt(place, self.assembled(run, lease)):
            self.committed.setdefault(document_id, run.run_id)
        run.leases.pop(document_id, None)
        run.known.pop(document_id, None)

    @rule(place=st.integers(0, 1), fuse=st.integers(0, 12), kills=st.booleans())
    def light_a_fuse(self, place: int, fuse: int, kills: bool) -> None:
        if run := self.runs.get(place):
            run.faults.fuse, run.faults.kills, run.faults.burnt = fuse, kills, False

    @rule(place=st.integers(0, 1))
    def kill(self, place: int) -> None:
        self.runs.pop(place, None)

    @rule(place=st.integers(0, 1))
    def restart_the_ledger(self, place: int) -> None:
        run = self.runs.get(place)
        if run is not None:
            run.faults.fuse = None
            run.ledger = self.new_ledger(run.run_id, run.faults)

    @rule(place=st.integers(0, 1))
    def merge_segments(self, place: int) -> None:
        if run := self.runs.get(place):
            self.attempt(place, self.compacted(run))

    @rule(seconds=st.sampled_from([1.0, TTL_S / 2, TTL_S + 1]), renewing=st.sets(st.integers(0, 1)))
    def time_passes(self, seconds: float, renewing: set[int]) -> None:
        """A run that does not renew is paused: it does not learn which leases it lost."""
        for place in renewing & set(self.runs):
            run = self.runs[place]
            for lease in run.locks.renew(list(run.leases.values())):
                run.leases.pop(lease.key)
                run.known.pop(lease.key, None)
        self.now += seconds

    # -- what must hold -----------------------------------------------------------------------------------------------------

    @invariant()
    @precondition(lambda self: self.started)
    def every_acknowledged_page_is_on_storage(self) -> None:
        fresh = self.new_ledger("reader", Faults())
        for document_id in DOCUMENTS:
            if manifest_of(document_id) is None:
                acknowledged = {number for of, number in self.acknowledged if of == document_id}
                pages = fresh._index.texts(document_id, 1, PAGES)
                assert acknowledged <= {page.page_number for page in pages}
                assert [page.text for page in pages] == [text_of(document_id, page.page_number) for page in pages]

    @invariant()
    def finished_means_that_there_is_a_manifest(self) -> None:
        for document_id, run_id in self.committed.items():
            manifest = manifest_of(document_id)
            assert manifest is not None
            assert manifest.pages == {PageOutcome.DONE: f"1-{PAGES}"}
            assert manifest.run_id == run_id, f"{document_id} was committed by {run_id}, and again by {manifest.run_id}"

    @invariant()
    def only_what_was_not_acknowledged_is_paid_for_twice(self) -> None:
        for page, times in self.paid.items():
            assert times <= 1 + self.at_risk[page], f"{page}: paid for {times} times, at risk {self.at_risk[page]} times"

    # -- doing it -----------------------------------------------------------------------------------------------------------

    def new_ledger(self, run_id: str, faults: Faults) -> Ledger:
        return Ledger(
            MemoryStorage("durability", faults=faults),
            run_id=run_id,
            flush_interval_s=0.0,
            flush_bytes=1 << 20,
            memory_bytes=40,  # nearly every text is spilled
            policy=POLICY,
        )

    async def assembled(self, run: Run, lease: Lease) -> bool:
        texts = await run.ledger.texts(lease.key, 1, PAGES)
        assert [page.text for page in texts] == [text_of(lease.key, number) for number in range(1, PAGES + 1)]
        document = Document(document_id=lease.key, source_uri="u", name="n", output_name="n", version="1", size_bytes=1)
        manifest = build_manifest(
            DocumentContext(document=document, page_count=PAGES, title=None, fencing_token=lease.fencing_token),
            outcome=DocumentOutcome.COMPLETE,
            summaries=[page.summary for page in texts],
            outputs=(),
            run_id=run.run_id,
            fingerprint="f",
            started_at="2026-01-01T00:00:00+00:00",
        )

        def check() -> None:
            if self.holder(lease.key) != run.run_id:
                raise LeaseLost("lost")

        state = MemoryStorage("durability", faults=run.faults)
        try:
            commit(state, manifest, policy=POLICY, check=check, replace_manifest=False)
        except (LeaseLost, PreconditionFailed):
            return False
        await run.ledger.close_document(lease.key, DocumentOutcome.COMPLETE)
        run.locks.release(lease)
        return True

    async def compacted(self, run: Run) -> None:
        others = await run.ledger.other_runs()
        alive = run.locks.holders([run_key(other) for other in others])
        await run.ledger.compact([other for other in others if run_key(other) in alive])

    def holder(self, key: str) -> str | None:
        watcher = MemoryLocks(self.table, owner="watcher", clock=lambda: self.now)
        held = watcher.holders([key]).get(key)
        return held.owner if held else None

    def attempt(self, place: int, work: Coroutine[Any, Any, T]) -> T | None:
        """Returns the result, or None if storage failed. A run that is killed meanwhile ends."""
        run = self.runs[place]
        run.faults.burnt = False

        async def until_over() -> T | None:
            task = asyncio.ensure_future(work)
            while not task.done() and not (run.faults.kills and run.faults.burnt):
                await asyncio.wait([task], timeout=0.001)
            if run.faults.kills and run.faults.burnt:
                self.runs.pop(place, None)
                mine = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
                for other in mine:
                    other.cancel()
                await asyncio.gather(*mine, return_exceptions=True)
                return None
            try:
                return task.result()
            except StorageUnavailable:
                return None

        return self.loop.run_until_complete(until_over())


async def acknowledged(ledger: Ledger, records: list[PageRecord]) -> bool:
    await ledger.record(records)
    return True


def text_of(document_id: str, page_number: int) -> str:
    return f"page {page_number} of {document_id}, at some length"


def record(document_id: str, page_number: int, token: int) -> PageRecord:
    return PageRecord(
        document_id=document_id,
        page_number=page_number,
        outcome=PageOutcome.DONE,
        text=text_of(document_id, page_number),
        engine="e",
        fingerprint="f",
        fencing_token=token,
    )


def manifest_of(document_id: str) -> Manifest | None:
    name = manifest_name(document_id)
    state = MemoryStorage("durability")
    if not any(entry.name == name for entry in state.list(".rayocr/documents/")):
        return None
    return Manifest.from_json(state.read(name), name=name)


TestDurability = Durability.TestCase
TestDurability.settings = settings(
    max_examples=75, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
