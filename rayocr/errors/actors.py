"""Defines the errors of the processes of a run."""

from __future__ import annotations

from rayocr.errors.base import RayocrError


class ActorFailed(RayocrError):
    exit_code = 3
    default_hint = "Start the same command again: it resumes where it stopped."


class ActorUnreachable(ActorFailed):
    pass


class NodeLost(ActorFailed):
    pass


class WorkerFailed(ActorFailed):
    """A page worker died while it had a shard. `alone`: the worker had no other shard. `node_lost`: the worker died with its
    whole node."""

    def __init__(self, message: str = "", *, hint: str | None = None, alone: bool = False, node_lost: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.alone = alone
        self.node_lost = node_lost


class ContentLost(RayocrError):
    pass
