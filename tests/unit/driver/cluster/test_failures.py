"""Whose fault is it when a process ends: the answers are Ray's own errors, in the order in which they were seen to come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from ray import exceptions

from rayocr.driver.cluster import failures as deaths
from rayocr.driver.cluster.document_worker_pool import DocumentWorkers
from rayocr.errors import ClusterUnavailable


def died(why: str = "its worker process has died") -> BaseException:
    error = exceptions.ActorDiedError()
    error.error_msg = why  # type: ignore[attr-defined]
    return error


def unavailable() -> BaseException:
    return exceptions.ActorUnavailableError("connection reset by peer", None)


class Actor:
    """Its answers when it is asked for its node, the last of them for ever."""

    def __init__(self, *answers: str | BaseException) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.node_id = self

    def remote(self) -> Awaitable[str]:
        async def come() -> str:
            self.asked += 1
            said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if said == "never":
                await asyncio.sleep(3600)
            if isinstance(said, BaseException):
                raise said
            return said

        return come()


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Nodes that Ray knows to be dead. And Ray is not there: an answer is what is awaited."""
    nodes: set[str] = set()

    async def answer(reference: Awaitable[Any]) -> Any:
        return await reference

    async def is_gone(node_id: str) -> bool:
        return node_id in nodes

    monkeypatch.setattr(deaths, "answer", answer)
    monkeypatch.setattr("rayocr.driver.cluster.document_worker_pool.answer", answer)
    monkeypatch.setattr(deaths, "_is_gone", is_gone)
    monkeypatch.setattr(deaths, "_ASK_AGAIN_S", 0.0)
    monkeypatch.setattr("rayocr.driver.cluster.document_worker_pool.kill", lambda handle: None)
    return nodes


async def test_a_process_that_died_on_a_node_that_lives_is_nobody_elses_fault(gone: set[str]) -> None:
    assert not await deaths.lost_with_node(Actor(died()), "n", died())
    gone.add("n")
    assert await deaths.lost_with_node(Actor(died()), "n", died())


async def test_while_only_the_connection_is_known_to_be_broken_nobody_is_blamed(gone: set[str]) -> None:
    class Dying(Actor):
        def remote(self) -> Awaitable[str]:
            if self.asked == 2:
                gone.add("n")  # Ray has noticed
            return super().remote()

    actor = Dying(unavailable(), unavailable(), died("its node has died"))
    assert await deaths.lost_with_node(actor, "n", unavailable())
    assert actor.asked == 3


async def test_a_broken_connection_to_a_process_that_turns_out_dead_is_its_death(gone: set[str]) -> None:
    assert not await deaths.lost_with_node(Actor(unavailable(), died()), "n", unavailable())


async def test_an_actor_that_answers_again_was_behind_a_broken_network(gone: set[str]) -> None:
    assert await deaths.lost_with_node(Actor(unavailable(), "n"), "n", unavailable())


async def test_one_that_cannot_be_reached_for_long_counts_as_lost(gone: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deaths, "_UNREACHABLE_S", 0.05)
    assert await deaths.lost_with_node(Actor("never"), "n", unavailable())


async def test_a_document_worker_that_dies_before_it_has_a_document_is_replaced(gone: set[str]) -> None:
    actors = [Actor(died("its node has died")), Actor(unavailable()), Actor("n")]
    workers = DocumentWorkers(lambda name: actors.pop(0), count=1)
    async with workers.one() as (worker, node_id):
        assert (worker.asked, node_id) == (1, "n")
    assert not actors


async def test_a_run_whose_document_workers_never_start_is_given_up(gone: set[str]) -> None:
    workers = DocumentWorkers(lambda name: Actor(died()), count=1)
    with pytest.raises(ClusterUnavailable):
        async with workers.one():
            raise AssertionError("never reached")
    with pytest.raises(ClusterUnavailable):  # and it gave its room back
        await asyncio.wait_for(workers.one().__aenter__(), 10)
