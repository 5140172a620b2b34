"""The locks of a run: leases of documents, and the whole destination where its storage cannot tell two runs apart."""

from __future__ import annotations

from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.plan import Plan
from rayocr.locks.base import Locks
from rayocr.locks.destination import DestinationLock, DestinationLocks
from rayocr.retry import RetryPolicy


def open_run_locks(
    config: RayocrConfig, plan: Plan, keys: Secrets, *, run_id: str, owner: str
) -> tuple[Locks, DestinationLock | None]:
    """Raises LocksUnavailable at once where there are none: better said before the first page than waited for; LockError when
    another run has the destination."""
    from rayocr.locks.factory import open_locks

    locks = open_locks(config.locks, plan.state.uri, owner=owner, redis_url=keys.redis_url)
    locks.holders(())
    if config.locks.backend == "redis" or plan.state.has_atomic_create:
        return locks, None
    policy = RetryPolicy.from_config(config.retry)
    claim = DestinationLock(plan.state, run_id=run_id, owner=owner, ttl_s=config.locks.ttl_s, policy=policy)
    claim.acquire()
    claim.keep()
    return DestinationLocks(locks, claim), claim
