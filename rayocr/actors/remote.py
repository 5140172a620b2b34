"""Wraps calls through Ray for callers: handles of actors become the ports of workers, and Ray's errors become rayocr's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import ray
import ray.exceptions

from rayocr.errors import ActorFailed, ActorUnreachable, ClusterUnavailable, ContentLost, NodeLost, RayocrError

# Ray's errors and rayocr's; the first match applies. No module above this one handles Ray's errors.
_OURS: tuple[tuple[tuple[type[Exception], ...], type[RayocrError]], ...] = (
    ((ray.exceptions.NodeDiedError,), NodeLost),
    ((ray.exceptions.ActorUnavailableError,), ActorUnreachable),
    ((ray.exceptions.ActorDiedError, ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError), ActorFailed),
    ((ray.exceptions.ObjectLostError,), ContentLost),
)


async def answer(reference: Any) -> Any:
    """Returns the result of a call. Errors that the actor raised are raised unchanged. Ray's own errors are converted."""
    try:
        return await reference
    except ray.exceptions.RayError as error:
        raise our_error(error) from None


def our_error(error: BaseException) -> BaseException:
    """Returns the error that the actor raised, or rayocr's error for one of Ray. Returns other errors unchanged."""
    cause = error
    while isinstance(cause, ray.exceptions.RayTaskError) and isinstance(cause.cause, BaseException):
        cause = cause.cause
    if isinstance(cause, ray.exceptions.RayError):
        lines = str(cause).strip().splitlines()
        message = f"Ray failed: {type(cause).__name__}: {lines[0] if lines else ''}"
        ours = next((ours for theirs, ours in _OURS if isinstance(cause, theirs)), ClusterUnavailable)
        failed_itself = cause is error
        cause = ours(message, hint=ActorFailed.default_hint)
    else:
        failed_itself = False
    if isinstance(cause, ActorFailed) and not failed_itself:  # the error of another actor, which the called one needs
        return ClusterUnavailable(str(cause), hint=ActorFailed.default_hint)
    return cause


class Remote:
    """Wraps an actor's Ray handle. Its methods are coroutines."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._handle, name)
        return lambda *arguments, **named: answer(method.remote(*arguments, **named))


class ObjectStoreBytes:
    """A document's bytes in Ray's object store. Carries the reference, so the bytes move only to workers that load them."""

    def __init__(self, reference: ray.ObjectRef[Any], node_id: str = "") -> None:
        self._reference = reference
        self.node_id = node_id  # the node that holds the bytes

    @property
    def reference(self) -> ray.ObjectRef[Any]:
        """Returns the reference for use as a top-level argument, so that Ray passes the bytes instead of the reference."""
        return self._reference

    async def load(self) -> Any:
        """Returns the bytes. Raises ContentLost."""
        return await answer(self._reference)
