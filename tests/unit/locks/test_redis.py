"""Behavior specific to Redis leases: an unavailable Redis, rayocr's own errors, and no password in any message."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import redis

from rayocr.errors import CredentialsError, LocksUnavailable, UsageError
from rayocr.locks.base import Lease
from rayocr.locks.redis import RedisLocks


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_redis_that_is_unavailable_is_locks_unavailable_for_every_call() -> None:
    port = closed_port()
    locks = RedisLocks(f"redis://user:sesame@127.0.0.1:{port}/0", owner="a")
    lease = Lease(key="doc", owner="a", fencing_token=1)
    for call in (
        lambda: locks.acquire("doc"),
        lambda: locks.renew([lease]),
        lambda: locks.release(lease),
        lambda: locks.holders(["doc"]),
    ):
        with pytest.raises(LocksUnavailable) as caught:
            call()
        assert caught.value.transient
        assert f"127.0.0.1:{port}" in str(caught.value)
        assert "sesame" not in str(caught.value)
    locks.close()


class RaisingClient(redis.Redis):
    def __init__(self, error: Exception) -> None:
        super().__init__(host="redis.example", password="sesame")
        self.error = error

    def execute_command(self, *args: Any, **options: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (redis.TimeoutError("slow"), LocksUnavailable),
        (redis.ResponseError("OOM command not allowed"), LocksUnavailable),
        (redis.exceptions.ReadOnlyError("replica"), LocksUnavailable),
        (redis.exceptions.BusyLoadingError("loading"), LocksUnavailable),
        (ConnectionResetError(104, "reset"), LocksUnavailable),
        (redis.AuthenticationError("WRONGPASS"), CredentialsError),
        (redis.exceptions.NoPermissionError("NOPERM"), CredentialsError),
    ],
)
def test_errors_of_the_client_are_distinguished_by_class(error: Exception, expected: type[Exception]) -> None:
    client = RaisingClient(error)
    with pytest.raises(expected, match=r"redis\.example:6379"):
        RedisLocks(client, owner="a").acquire("doc")
    client.close()


def test_every_error_of_the_client_is_one_that_we_translate() -> None:
    """Fails if the library adds an error class that is not caught."""
    ours = (redis.RedisError, redis.exceptions.RedisClusterException, redis.exceptions.ChildDeadlockedError, OSError)
    exported = [e for e in vars(redis.exceptions).values() if isinstance(e, type) and issubclass(e, Exception)]
    assert len(exported) > 20
    unknown = [e.__name__ for e in exported if not issubclass(e, ours) and e.__module__.startswith("redis")]
    assert set(unknown) <= {"IncorrectPolicyType"}  # of its cluster client's command routing, which scripts do not use


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://host:port", ""])
def test_an_invalid_url_is_a_usage_error_and_is_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="redis://"):
        RedisLocks(url, owner="a")
