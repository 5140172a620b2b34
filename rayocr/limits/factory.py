"""Opens the shared buckets that the configuration names."""

from __future__ import annotations

from collections.abc import Callable

from rayocr.config import LimitsConfig, Secrets
from rayocr.errors import UsageError
from rayocr.limits.base import Bucket


def bucket_opener(config: LimitsConfig, secrets: Secrets, *, cluster: str) -> Callable[[str], Bucket] | None:
    """Returns a function that opens the shared bucket of a model; None without sharing. Connects on first use. Raises
    UsageError."""
    if config.shared == "none":
        return None
    if not secrets.redis_url:
        raise UsageError(
            "limits.shared=redis needs REDIS_URL.",
            hint="Set it in the environment, for example to redis://localhost:6379/0",
        )
    from rayocr.limits.redis import RedisBucket, connect

    client = connect(secrets.redis_url)
    return lambda model: RedisBucket(client, name=f"{config.shared_name}:{model}", cluster=cluster, ttl_s=config.shared_ttl_s)
