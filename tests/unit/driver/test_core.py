"""A run's guarantees for pages, documents and cost, without Ray and in virtual time.

Each guarantee has a test that fails if the code breaks it; the mutations are listed with the test names.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rayocr.driver.cancellation import write_cancel
from rayocr.driver.cluster.faults import Faults
from rayocr.driver.signals import Shutdown
from rayocr.driver.wiring import RunParts
from rayocr.errors import ActorFailed, BudgetExhausted, ClusterUnavailable, Interrupted, NodeLost, Refused
from rayocr.locks.file import FileLocks
from rayocr.messages import PageRecord, Shard
from tests.unit.driver.local_world import Server, World, pool_of
from tests.unit.virtual_time import pass_time, until

Make = Callable[..., World]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(documents: dict[str, int], *options: str, **more: object) -> World:
        return World(tmp_path, monkeypatch, documents, options, **more)  # type: ignore[arg-type]

    return make


class Gated(Server):
    """Answers when the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.answer = self._wait

    async def _wait(self, document: str, page_number: int) -> str:
        await self.gate.wait()
        return await self.at_once(document, page_number)


def once(error: ActorFailed, when: Callable[..., bool] = lambda *_: True) -> Callable[..., ActorFailed | None]:
    """A fault that occurs at the first opportunity."""
    struck: list[ActorFailed] = []

    def strike(*arguments: object) -> ActorFailed | None:
        if struck or not when(*arguments):
            return None
        struck.append(error)
        return error

    return strike


# -- pages ----------------------------------------------------------------------------------------------------------------------


def test_every_page_of_every_document_is_read_once(world: Make) -> None:
    w = world({"a.pdf": 30, "b.pdf": 1})
    run = w.run()
    assert w.outcomes() == {"a.pdf": "complete", "b.pdf": "complete"}
    assert set(w.server.asked.values()) == {1}
    for name in w.documents:
        w.assert_whole(name)
    assert (run.progress.pages_done, run.progress.documents_done, run.announcements.exit_code()) == (31, 2, 0)


def test_no_page_is_lost_when_a_worker_dies(world: Make) -> None:
    """Mutation: a lost page."""
    faults = Faults(shard=once(ActorFailed("killed"), lambda worker, shard: 5 in shard.page_numbers))
    w = world({"a.pdf": 30}, "workers.max_shard_pages=3", faults=faults)
    w.run()
    assert w.outcomes() == {"a.pdf": "complete"}
    w.assert_whole("a.pdf")


def test_pages_that_a_dead_worker_had_recorded_are_not_read_again(world: Make) -> None:
    """Mutation: a page that is read twice."""
    recorded: set[int] = set()

    def note(worker: str, records: Sequence[PageRecord]) -> ActorFailed | None:
        recorded.update(record.page_number for record in records)
        return ActorFailed("killed") if len(recorded) == len(records) else None

    server = Server()

    async def slow_tail(document: str, page_number: int) -> str:
        await pass_time(0.0 if page_number <= 4 else 5.0)
        return await server.at_once(document, page_number)

    server.answer = slow_tail
    w = world({"a.pdf": 8}, faults=Faults(recorded=note), server=server)
    w.run()
    w.assert_whole("a.pdf")
    assert [w.server.asked["a.pdf", page] for page in (1, 2, 3, 4)] == [1, 1, 1, 1]
    assert all(w.server.asked["a.pdf", page] == 2 for page in (5, 6, 7, 8))


def test_bytes_that_are_lost_are_fetched_again_and_four_times_is_enough(world: Make) -> None:
    lost = iter((True, True))
    w = world({"a.pdf": 3}, faults=Faults(content=lambda document_id: next(lost, False)))
    w.run()
    w.assert_whole("a.pdf")
    w = world({"b.pdf": 3}, faults=Faults(content=lambda document_id: True))
    assert w.failure().reason == "ContentLost"


def test_a_slow_ledger_delays_pages_and_loses_none(world: Make) -> None:
    async def slowly(method: str) -> None:
        await pass_time(30.0)

    w = world({"a.pdf": 5}, faults=Faults(ledger=slowly))
    w.run()
    w.assert_whole("a.pdf")


# -- the end of a run -----------------------------------------------------------------------------------------------------------


def test_pages_in_flight_when_the_run_drains_are_recorded_and_not_paid_for_again(world: Make) -> None:
    """Mutation: a drain that forgets pages."""
    server = Gated()

    async def interrupt(parts: RunParts, shutdown: Shutdown) -> None:
        await until(lambda: server.in_flight == 4)
        shutdown.request("SIGTERM")
        await until(parts.inputs.draining.is_set)
        await pass_time(1.0)
        server.gate.set()

    w = world({"a.pdf": 20}, "limits.max_in_flight=4", server=server, beside=interrupt)
    assert isinstance(w.failure(), Interrupted)
    assert not w.manifests()
    paid = set(server.asked)
    assert len(paid) == 4
    w.beside = None
    run = w.run()
    assert run.progress.pages_resumed == 4
    assert set(server.asked.values()) == {1}
    w.assert_whole("a.pdf")


def test_an_error_of_the_server_that_concerns_the_run_stops_it(world: Make) -> None:
    server = Server()

    async def broken(document: str, page_number: int) -> str:
        raise ClusterUnavailable("gone")

    server.answer = broken
    assert isinstance(world({"a.pdf": 3}, server=server).failure(), ClusterUnavailable)


# -- leases ---------------------------------------------------------------------------------------------------------------------


def steal(parts: RunParts) -> FileLocks:
    """Takes all of the run's leases, like another run after this one was paused for too long."""
    folder = Path(parts.inputs.plan.state.uri.removeprefix("file://")) / ".rayocr" / "leases"
    for path in folder.glob("*.json"):
        path.unlink()
    thief = FileLocks(str(folder), owner="thief", ttl_s=60)
    for state in parts.flow.in_progress():
        assert thief.acquire(state["document_id"])
    return thief


def test_a_run_whose_lease_is_taken_while_it_assembles_commits_nothing(world: Make) -> None:
    """Mutation: a commit with a stale lease."""
    found: list[RunParts] = []
    thieves: list[FileLocks] = []

    def at_the_last_moment(what: str, document_id: str) -> ActorFailed | None:
        if what == "assemble" and not thieves:
            thieves.append(steal(found[0]))
        return None

    async def watch(parts: RunParts, shutdown: Shutdown) -> None:
        found.append(parts)
        await until(lambda: bool(thieves) and parts.scheduler._deferred.held == 1)
        assert not w.manifests()
        shutdown.request("SIGTERM")

    w = world({"a.pdf": 3}, faults=Faults(document=at_the_last_moment), beside=watch)
    assert isinstance(w.failure(), Interrupted)
    assert not w.manifests()


def test_a_document_whose_lease_is_lost_while_it_is_read_is_stopped(world: Make) -> None:
    server = Gated()

    async def watch(parts: RunParts, shutdown: Shutdown) -> None:
        await until(lambda: server.in_flight > 0)
        steal(parts)
        await until(lambda: parts.leases.lost >= 1)
        server.gate.set()
        await until(lambda: parts.scheduler._deferred.held == 1)
        shutdown.request("SIGTERM")

    w = world({"a.pdf": 3}, server=server, beside=watch)
    assert isinstance(w.failure(), Interrupted)
    assert not w.manifests()


def test_a_document_that_another_run_holds_is_read_when_that_run_lets_go(world: Make) -> None:
    """Mutation: a deferred document that never returns."""
    w = world({"a.pdf": 2, "b.pdf": 2})
    locks = FileLocks(str(w.out / ".rayocr" / "leases"), owner="another", ttl_s=3600)
    held: list[object] = []

    async def let_go(parts: RunParts, shutdown: Shutdown) -> None:
        await until(lambda: parts.inputs.progress.held_elsewhere == 1)
        await until(lambda: "b.pdf" in w.outcomes())
        await pass_time(60.0)
        assert "a.pdf" not in w.outcomes()
        locks.release(held[0])  # type: ignore[arg-type]

    w.beside = let_go
    names = {document.name: document.document_id for document in listed(w)}
    held.append(locks.acquire(names["a.pdf"]))
    w.run()
    assert w.outcomes() == {"a.pdf": "complete", "b.pdf": "complete"}


def listed(w: World) -> Sequence[object]:
    from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
    from rayocr.storage.factory import open_storage

    source, state = open_storage(str(w.folder / "in")), open_storage(str(w.out), create=True)
    return Discovery(source, state, DiscoveryRules()).next_batch(100).documents


# -- retry, quarantine, cancel ------------------------------------------------------------------------------------------------


def test_a_retry_pays_for_failed_pages_alone(world: Make) -> None:
    """Mutation: a retry that pays again."""
    server = Server()
    refusing = True

    async def refuse(document: str, page_number: int) -> str:
        if refusing and page_number in (2, 5):
            raise Refused("RECITATION")
        return await server.at_once(document, page_number)

    server.answer = refuse
    w = world({"a.pdf": 6}, server=server)
    assert w.run().announcements.exit_code() == 1
    assert w.outcomes() == {"a.pdf": "partial"}
    refusing = False
    server.asked.clear()
    assert w.run("mode=retry").announcements.exit_code() == 0
    assert dict(server.asked) == {("a.pdf", 2): 1, ("a.pdf", 5): 1}
    w.assert_whole("a.pdf")


def test_quarantine_rejects_the_document_that_kills_workers_and_no_other(world: Make) -> None:
    """Mutation: a quarantine that blames the wrong document."""
    server = Gated()

    def bad(worker: str, shard: Shard) -> ActorFailed | None:
        return ActorFailed("killed") if server.names.get(shard.document_id) == "bad.pdf" and armed else None

    armed = False

    async def arm(parts: RunParts, shutdown: Shutdown) -> None:
        nonlocal armed
        await until(lambda: server.in_flight >= 2)  # the good documents are in the same worker
        armed = True
        server.gate.set()

    documents = {"good1.pdf": 2, "good2.pdf": 2, "bad.pdf": 40}
    w = world(
        documents, "workers.max_shard_pages=1", "limits.max_in_flight=4", faults=Faults(shard=bad), server=server, beside=arm
    )
    w.run()
    assert w.outcomes() == {"good1.pdf": "complete", "good2.pdf": "complete", "bad.pdf": "rejected"}
    assert w.manifests()["bad.pdf"].reason == "Quarantined"


def kills(*pages: int) -> Callable[[str, Shard], ActorFailed | None]:
    """A worker dies whenever it opens one of these pages."""
    return lambda worker, shard: ActorFailed("killed") if {*shard.page_numbers} & {*pages} - {*shard.crashed} else None


@pytest.mark.parametrize("pages", [(7,), (1, 2, 30)])
def test_pages_that_kill_workers_fail_and_cost_no_other_page(world: Make, pages: tuple[int, ...]) -> None:
    w = world({"a.pdf": 30}, "workers.max_shard_pages=8", faults=Faults(shard=kills(*pages)))
    run = w.run()
    manifest = w.manifests()["a.pdf"]
    assert manifest.outcome.value == "partial"
    failed = [
        (note.page_number, a.reason, a.message) for note in manifest.notes for a in note.attempts if note.outcome == "failed"
    ]
    why = "The page ended its worker process twice: it crashed, or the system ran out of memory."
    assert failed == [(page, "PageQuarantined", why) for page in pages]
    for page in set(range(1, 31)) - set(pages):
        assert f"This is page {page} of a.pdf." in w.text("a.pdf")
    assert set(w.server.asked.values()) == {1}
    assert run.announcements.exit_code() == 1


def test_a_document_with_more_than_three_pages_that_kill_workers_is_quarantined(world: Make) -> None:
    w = world({"a.pdf": 30}, "workers.max_shard_pages=8", faults=Faults(shard=kills(3, 9, 15, 22)))
    w.run()
    assert (w.manifests()["a.pdf"].reason, w.outcomes()) == ("Quarantined", {"a.pdf": "rejected"})


def test_a_worker_that_dies_twice_for_another_reason_costs_no_page(world: Make) -> None:
    failures = iter((ActorFailed("killed"), ActorFailed("killed")))
    w = world({"a.pdf": 8}, "workers.max_shard_pages=8", faults=Faults(shard=lambda worker, shard: next(failures, None)))
    w.run()
    assert w.outcomes() == {"a.pdf": "complete"}


def test_a_document_in_company_of_one_that_kills_is_not_counted_twice(world: Make) -> None:
    """Two workers die while processing `a` and `b` together. Each is then retried alone before it is quarantined."""
    failures = iter((ActorFailed("killed"), ActorFailed("killed")))
    w = world({"a.pdf": 2, "b.pdf": 2}, faults=Faults(shard=lambda worker, shard: next(failures, None)))
    w.run()
    assert "complete" in w.outcomes().values()
    assert set(w.outcomes().values()) <= {"complete", "rejected"}
    assert len(w.outcomes()) == 2


def test_a_worker_that_dies_with_its_node_blames_no_document(world: Make) -> None:
    failures = iter([NodeLost("gone")] * 5)
    w = world({"a.pdf": 3}, faults=Faults(shard=lambda worker, shard: next(failures, None)))
    w.run()
    assert w.outcomes() == {"a.pdf": "complete"}


def test_a_document_worker_that_dies_twice_over_a_fetch_quarantines_the_document(world: Make) -> None:
    killed: list[str] = []

    def kill(what: str, document_id: str) -> ActorFailed | None:
        killed.append(what)
        return ActorFailed("killed") if what == "fetch" else None

    w = world({"a.pdf": 3}, faults=Faults(document=kill))
    w.run()
    assert (w.outcomes(), killed) == ({"a.pdf": "rejected"}, ["fetch", "fetch"])


def test_a_document_that_crashes_assembly_keeps_its_pages(world: Make) -> None:
    crashes = iter([ActorFailed("killed")] * 3)
    w = world({"a.pdf": 3}, faults=Faults(document=lambda what, _: next(crashes, None) if what == "assemble" else None))
    w.run()
    assert w.outcomes() == {"a.pdf": "complete"}
    w.assert_whole("a.pdf")


def test_a_cancelled_document_is_not_written_and_the_others_are(world: Make) -> None:
    """Mutation: a cancelled document that is written."""
    server = Gated()

    async def cancel(parts: RunParts, shutdown: Shutdown) -> None:
        await until(lambda: server.in_flight == 4)
        (a,) = [state for state in parts.flow.in_progress() if state["name"] == "a.pdf"]
        write_cancel(parts.inputs.plan.state, a["document_id"], "a.pdf")
        await until(lambda: parts.inputs.progress.cancelled == 1)
        server.gate.set()

    w = world({"a.pdf": 40, "b.pdf": 1}, "limits.max_in_flight=4", server=server, beside=cancel)
    run = w.run()
    assert (w.outcomes(), run.progress.cancelled) == ({"b.pdf": "complete"}, 1)
    assert sorted(path.name for path in w.out.glob("*.md")) == ["b.md"]
    assert server.asked.total() < 20, "no further page of it is read"
    asked = server.asked.copy()
    w.beside = None
    w.run()
    assert server.asked == asked, "later runs skip it"


# -- bounds ---------------------------------------------------------------------------------------------------------------------


def test_no_more_documents_and_pages_are_admitted_than_the_window_holds(world: Make) -> None:
    """Mutation: an unbounded window."""
    server = Gated()
    seen: list[tuple[int, int]] = []

    async def inspect(parts: RunParts, shutdown: Shutdown) -> None:
        await until(lambda: server.in_flight == 6)
        await pass_time(60.0)
        seen.append((len(parts.flow.in_progress()), server.in_flight))
        server.gate.set()

    documents = {f"{number}.pdf": 8 for number in range(6)}
    options = ("window.documents=2", "window.pages=6", "workers.max_shard_pages=3", "limits.max_in_flight=64")
    w = world(documents, *options, server=server, beside=inspect)
    w.run()
    assert seen == [(2, 6)]
    assert server.most_in_flight <= 6
    assert set(w.outcomes().values()) == {"complete"}


def test_a_budget_is_never_exceeded_and_the_run_resumes_with_more(world: Make) -> None:
    """Mutation: a budget overrun. A page costs 0.6 cents."""
    price = ("engine.gemini.input_usd_per_million=10", "engine.gemini.output_usd_per_million=0")
    w = world({"a.pdf": 60}, *price, "limits.max_in_flight=16")
    assert isinstance(w.failure("budget.usd=0.15"), BudgetExhausted)
    assert 0.10 < w.server.asked.total() * 0.006 <= 0.15
    w.run("budget.usd=10")
    assert set(w.server.asked.values()) == {1}
    w.assert_whole("a.pdf")


def test_no_request_leaves_without_a_slot(world: Make) -> None:
    w = world({"a.pdf": 40}, "limits.max_in_flight=3")
    server = w.server

    async def slowly(document: str, page_number: int) -> str:
        await pass_time(1.0)
        return await server.at_once(document, page_number)

    server.answer = slowly
    w.run()
    assert server.most_in_flight == 3


def test_one_worker_waits_for_the_server_in_one_process(world: Make) -> None:
    sizes: list[int] = []

    async def inspect(parts: RunParts, shutdown: Shutdown) -> None:
        await until(lambda: pool_of(parts).pool.size > 0)
        sizes.append(pool_of(parts).pool._max_workers)

    world({"a.pdf": 3}, beside=inspect).run()
    assert sizes == [1]


# -- without Ray ----------------------------------------------------------------------------------------------------------------


def test_a_run_in_one_process_imports_no_ray(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    from tests.unit.pdf import pdfs

    (tmp_path / "in" / "a.pdf").write_bytes(pdfs.pages_of(("",)))
    code = (
        "import json, sys; from rayocr.cli import main; import tests.unit.driver.local_world\n"
        "code = main(['source=in', 'dest=out', 'engine=textlayer', 'cluster=inprocess', 'gateway.enabled=false'])\n"
        "print(json.dumps([code, [name for name in sys.modules if name.partition('.')[0] == 'ray']]))"
    )
    environment = {"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    code, rays = json.loads(done.stdout.splitlines()[-1])
    assert rays == []
    assert code in (0, 1)
