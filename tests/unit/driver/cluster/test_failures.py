"""The cause to which a process exit is attributed. The answers are Ray's own errors, in the observed order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
import ray
from ray import exceptions

from rayocr.actors.remote import Remote, answer, our_error
from rayocr.driver.cluster import failures
from rayocr.errors import (
    ActorFailed,
    ActorUnreachable,
    ClusterUnavailable,
    ContentLost,
    EngineTimeout,
    NodeLost,
    StorageFull,
)


def died(why: str = "its worker process has died") -> BaseException:
    error = exceptions.ActorDiedError()
    error.error_msg = why  # type: ignore[attr-defined]
    return error


def unavailable() -> BaseException:
    return exceptions.ActorUnavailableError("connection reset by peer", None)


class Actor:
    """`answers` to requests for the actor's node, in order; the last one repeats."""

    def __init__(self, *answers: str | BaseException) -> None:
        self.answers = list(answers)
        self.asked = 0

    def remote(self) -> Awaitable[str]:
        async def come() -> str:
            self.asked += 1
            said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if said == "never":
                await asyncio.Event().wait()
            if isinstance(said, BaseException):
                raise said
            return said

        return come()

    async def lost_with_node(self, error: BaseException) -> bool:
        ours = our_error(error)
        assert isinstance(ours, ActorFailed)
        return await failures.lost_with_node(lambda: answer(self.remote()), "n", ours)


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Nodes that Ray knows to be dead."""
    nodes: set[str] = set()

    async def is_gone(node_id: str) -> bool:
        return node_id in nodes

    monkeypatch.setattr(failures, "_is_gone", is_gone)
    monkeypatch.setattr(failures, "_ASK_AGAIN_S", 0.0)
    return nodes


async def test_a_process_that_died_on_a_living_node_is_to_blame(gone: set[str]) -> None:
    assert not await Actor(died()).lost_with_node(died())
    gone.add("n")
    assert await Actor(died()).lost_with_node(died())


async def test_nothing_is_blamed_while_only_a_broken_connection_is_known(gone: set[str]) -> None:
    class Dying(Actor):
        def remote(self) -> Awaitable[str]:
            if self.asked == 2:
                gone.add("n")  # Ray has noticed the loss
            return super().remote()

    actor = Dying(unavailable(), unavailable(), died("its node has died"))
    assert await actor.lost_with_node(unavailable())
    assert actor.asked == 3


async def test_a_broken_connection_to_a_dead_process_fails_its_calls(gone: set[str]) -> None:
    assert not await Actor(unavailable(), died()).lost_with_node(unavailable())


async def test_an_actor_that_answers_again_was_behind_a_broken_network(gone: set[str]) -> None:
    assert await Actor(unavailable(), "n").lost_with_node(unavailable())


async def test_an_actor_that_stays_unreachable_counts_as_lost(gone: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "_UNREACHABLE_S", 0.05)
    assert await Actor("never").lost_with_node(unavailable())


def task_error(cause: BaseException) -> BaseException:
    return exceptions.RayTaskError("f", "Traceback", cause)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (died(), ActorFailed),
        (unavailable(), ActorUnreachable),
        (exceptions.NodeDiedError("gone"), NodeLost),
        (exceptions.WorkerCrashedError(), ActorFailed),
        (exceptions.OutOfMemoryError("oom"), ActorFailed),
        (exceptions.ObjectLostError("0" * 56, None, ""), ContentLost),
        (exceptions.RaySystemError("odd"), ClusterUnavailable),
        (task_error(StorageFull("full")), StorageFull),
        (task_error(task_error(EngineTimeout("slow"))), EngineTimeout),  # type: ignore[arg-type]
        (task_error(died()), ClusterUnavailable),  # the error names a different actor
        (task_error(ActorFailed("the ledger died")), ClusterUnavailable),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_rays_errors_become_ours(theirs: BaseException, ours: type[BaseException]) -> None:
    assert type(our_error(theirs)) is ours


def test_an_error_of_rays_keeps_its_first_line_and_says_what_to_do() -> None:
    error = our_error(exceptions.RaySystemError("the node is gone\nmore"))
    assert isinstance(error, ClusterUnavailable)
    assert "the node is gone" in str(error)
    assert "more" not in str(error)
    assert error.hint


async def test_a_remote_has_the_methods_of_its_actor(monkeypatch: pytest.MonkeyPatch) -> None:
    class Method:
        def remote(self, *arguments: object, **named: object) -> Awaitable[object]:
            async def come() -> object:
                return arguments, named

            return come()

    class Handle:
        texts = Method()

    assert await Remote(Handle()).texts("d", 1, last=2) == (("d", 1), {"last": 2})
    assert ray.is_initialized() is False
