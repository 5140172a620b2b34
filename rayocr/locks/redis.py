"""Keeps leases in Redis, for any number of clusters on one destination.

Each operation is one Lua script, so lock and fence change atomically and only the owner can renew or release. A lease is a
hash with a TTL. Fencing tokens come from one counter whose minimum is Redis' clock, so they grow even if a Redis without
persistence lost the counter. The scripts are safe to retry: `acquire` sends a nonce that identifies a first attempt whose answer
was lost.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rayocr.errors import LocksUnavailable
from rayocr.locks.base import Holder, Lease, Locks
from rayocr.process import current_process
from rayocr.redis_errors import is_failover, translated
from rayocr.redis_url import open_redis, sentinels_of

if TYPE_CHECKING:
    import redis

_SOCKET_TIMEOUT_S = 5.0  # a Redis server that takes longer counts as unavailable; leases last one minute
_RENEW_AT_ONCE = 500  # number of keys per script, which blocks Redis for about 1 µs per key

# KEYS: lease, fence. ARGV: owner, ttl_ms, nonce, host, pid. Returns the token, or "" if another owner holds the lease.
_ACQUIRE = """
local held = redis.call('HMGET', KEYS[1], 'nonce', 'token')
if held[1] == ARGV[3] then return held[2] end
if held[1] then return '' end
local time = redis.call('TIME')
local floor = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local token = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, floor)
local text = string.format('%.0f', token)
redis.call('SET', KEYS[2], text)
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', text, 'nonce', ARGV[3], 'host', ARGV[4], 'pid', ARGV[5],
           'at', string.format('%.0f', floor))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return text
"""

# KEYS: leases. ARGV: ttl_ms, owner, token of each. Returns 1 for each extended lease, 0 for each lost one.
_RENEW = """
local kept = {}
for i, key in ipairs(KEYS) do
  local held = redis.call('HMGET', key, 'owner', 'token')
  if held[1] == ARGV[2] and held[2] == ARGV[i + 2] then
    redis.call('PEXPIRE', key, ARGV[1])
    kept[i] = 1
  else
    kept[i] = 0
  end
end
return kept
"""

# KEYS: lease. ARGV: owner, token.
_RELEASE = """
local held = redis.call('HMGET', KEYS[1], 'owner', 'token')
if held[1] == ARGV[1] and held[2] == ARGV[2] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisLocks(Locks):
    """Stores leases in Redis. `client_or_url`: a redis.Redis, or a URL (see redis_url.py), whose password never appears in a
    message. Connects at the first call."""

    def __init__(self, client_or_url: redis.Redis | str, *, owner: str, ttl_s: float = 60.0, prefix: str = "rayocr:") -> None:
        self._owns_client = isinstance(client_or_url, str)
        client = open_redis(client_or_url, timeout_s=_SOCKET_TIMEOUT_S) if isinstance(client_or_url, str) else client_or_url
        self._client: Any = client
        self._owner = owner
        self._ttl_ms = int(ttl_s * 1000)
        self._prefix = "{" + prefix + "}"  # the braces make Redis Cluster keep all keys of a script on one node
        self._acquire = client.register_script(_ACQUIRE)
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)

    def acquire(self, key: str) -> Lease | None:
        me = current_process()
        arguments: list[bytes | str | int] = [_text(self._owner), self._ttl_ms, secrets.token_hex(8), me.host, me.pid]
        with self._translated():
            token = self._acquire(keys=[self._key(key), f"{self._prefix}fence"], args=arguments)
        return Lease(key=key, owner=self._owner, fencing_token=int(token)) if token else None

    def renew(self, leases: Sequence[Lease]) -> list[Lease]:
        lost: list[Lease] = []
        for start in range(0, len(leases), _RENEW_AT_ONCE):
            some = leases[start : start + _RENEW_AT_ONCE]
            mine = [lease for lease in some if lease.owner == self._owner]
            lost += [lease for lease in some if lease.owner != self._owner]
            if not mine:
                continue
            with self._translated():
                kept = self._renew(
                    keys=[self._key(lease.key) for lease in mine],
                    args=[self._ttl_ms, _text(self._owner), *(lease.fencing_token for lease in mine)],
                )
            lost += [lease for lease, is_kept in zip(mine, kept, strict=True) if not is_kept]
        return lost

    def release(self, lease: Lease) -> None:
        with self._translated():
            self._release(keys=[self._key(lease.key)], args=[_text(lease.owner), lease.fencing_token])

    def holders(self, keys: Iterable[str] | None = None) -> dict[str, Holder]:
        with self._translated():
            keys = list(keys) if keys is not None else self._all_keys()
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.hgetall(self._key(key))
            pipeline.time()
            *hashes, (seconds, microseconds) = pipeline.execute()
        now = seconds + microseconds / 1e6
        found = {}
        for key, raw in zip(keys, hashes, strict=True):
            if raw:
                fields = {_shown(name): _shown(value) for name, value in raw.items()}
                found[key] = Holder(
                    key=key,
                    owner=fields["owner"],
                    host=fields["host"],
                    pid=int(fields["pid"]),
                    age_s=max(0.0, now - int(fields["at"]) / 1000),
                    fencing_token=int(fields["token"]),
                )
        return found

    def _all_keys(self) -> list[str]:
        start = self._key("")
        pattern = re.sub(rb"([*?\[\]\\])", rb"\\\1", start) + b"*"
        return [
            _shown(_text(key) if isinstance(key, str) else key)[len(_shown(start)) :] for key in self._client.scan_iter(pattern)
        ]

    def close(self) -> None:
        if self._owns_client:
            for client in (self._client, *sentinels_of(self._client)):
                client.close()

    def _key(self, key: str) -> bytes:
        return _text(f"{self._prefix}lease:{key}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import redis

        try:
            yield
        except (
            redis.RedisError,
            redis.exceptions.RedisClusterException,
            redis.exceptions.ChildDeadlockedError,
            OSError,
        ) as error:
            if is_failover(error):
                # Keep connections that other threads use, since their calls would fail with errors that are not handled.
                self._client.connection_pool.disconnect(inuse_connections=False)
            raise translated(error, self._client, LocksUnavailable) from error


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _shown(value: bytes | str) -> str:
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value
