"""Opens the locks that the configuration selects."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rayocr.config import LocksConfig
from rayocr.errors import UsageError
from rayocr.locks.base import Locks
from rayocr.private_folder import private_folder
from rayocr.storage.uri import parse_uri


def open_locks(config: LocksConfig, state_uri: str, *, owner: str, redis_url: str | None = None) -> Locks:
    """Opens the locks. Raises UsageError and LocksUnavailable."""
    if config.backend == "redis":
        if not redis_url:
            raise UsageError(
                "locks=redis needs REDIS_URL.",
                hint="Set it in the environment, for example to redis://localhost:6379/0",
            )
        from rayocr.locks.redis import RedisLocks

        # Each destination has its own keys, since several destinations can share a Redis server.
        place = hashlib.sha256(state_uri.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        return RedisLocks(redis_url, owner=owner, ttl_s=config.ttl_s, prefix=f"{config.prefix}{place}:")
    from rayocr.locks.file import FileLocks

    return FileLocks(str(_folder(state_uri)), owner=owner, ttl_s=config.ttl_s)


def _folder(state_uri: str) -> Path:
    """Returns a folder beside the state if that is a folder; otherwise a private folder of this machine, since file leases work
    only within one machine."""
    uri = parse_uri(state_uri)
    if uri.scheme == "local":
        return Path(uri.root) / ".rayocr" / "leases"
    place = hashlib.sha256(state_uri.encode()).hexdigest()[:16]
    return private_folder("leases", place)
