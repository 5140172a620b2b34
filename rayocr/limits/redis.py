"""Implements the bucket in Redis, for all clusters that share one quota: one script and one round trip per batch, on Redis' own
clock. A bucket is a hash with the starts of the next request and the next token, the pause, and the requests of the day. A second
hash contains the slots that each cluster has lent and the time of its last report. Slots of a cluster that stops reporting count
as free. The bucket uses the caller's pace, so a refusal that slows one cluster slows the others as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from rayocr.errors import SharedLimitsUnavailable
from rayocr.limits.base import HORIZON_S, Blocked, Bucket, Take, Taken
from rayocr.limits.quota_day import quota_day
from rayocr.redis_errors import is_failover, translated
from rayocr.redis_url import open_async_redis, sentinels_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

_SOCKET_TIMEOUT_S = 3.0  # a Redis server that takes longer (seconds) counts as unavailable
_ACCOUNT_KEPT_S = 62 * 86_400  # lifetime of the account of spending, longer than a month
_KEPT_S = 2 * 86_400  # an unused bucket expires after this time

# The same steps as MemoryBucket.take, in microseconds: Lua's numbers represent 2**53 of them exactly, and TIME is not more
# precise.
# A cluster is "slots lent, last report, last served, last refused". Clusters that compete for the next slots would starve each
# other. Therefore the cluster that was served longest ago, of those that were refused recently, may take slots a quarter of a
# horizon further ahead.
# KEYS: bucket, clusters. ARGV: cluster, ttl_us, horizon_us, wanted, request_interval_us, token_interval_us, correction_us,
# in_flight, max_in_flight (-1: none), requests_a_day (-1: none), day, kept_s, then the token interval of each wanted request if
# they differ.
# Returns: now_us, count, first start from now in us, requests_today, reason, wait_us.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local ttl, horizon, room = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local request, token = tonumber(ARGV[5]), tonumber(ARGV[6])
local known = redis.call('HMGET', KEYS[1], 'request', 'token', 'paused', 'day', 'today')
local next_request, next_token = tonumber(known[1] or '0'), tonumber(known[2] or '0')
local paused, today = tonumber(known[3] or '0'), tonumber(known[5] or '0')
if known[4] ~= ARGV[11] then today = 0 end
next_token = next_token + tonumber(ARGV[7])
local out, all, served, refused, oldest = tonumber(ARGV[8]), tonumber(ARGV[8]), 0, 0, math.huge
local clusters = redis.call('HGETALL', KEYS[2])
for i = 1, #clusters, 2 do
  local count, heard, was_served, was_refused = string.match(clusters[i + 1], '^(%d+) (%d+) (%d+) (%d+)$')
  if clusters[i] == ARGV[1] then served, refused = tonumber(was_served), tonumber(was_refused)
  elseif tonumber(heard) + ttl < now then redis.call('HDEL', KEYS[2], clusters[i])
  else
    all = all + tonumber(count)
    if tonumber(was_refused) > now - 2 * horizon and tonumber(was_refused) > tonumber(was_served) then
      oldest = math.min(oldest, tonumber(was_served))
    end
  end
end
local function text(number) return string.format('%.0f', number) end
local function keep(count)
  redis.call('HSET', KEYS[1], 'request', text(next_request), 'token', text(next_token), 'day', ARGV[11], 'today', today)
  redis.call('HSET', KEYS[2], ARGV[1], text(count) .. ' ' .. text(now) .. ' ' .. text(served) .. ' ' .. text(refused))
  redis.call('EXPIRE', KEYS[1], ARGV[12])
  redis.call('EXPIRE', KEYS[2], ARGV[12])
end
local function refuse(reason, wait)
  keep(out)
  return {text(now), 0, '0', today, reason, text(wait)}
end

if tonumber(ARGV[9]) >= 0 then
  room = math.min(room, tonumber(ARGV[9]) - all)
  if room <= 0 then return refuse('in_flight', horizon / 4) end
end
if tonumber(ARGV[10]) >= 0 then
  room = math.min(room, tonumber(ARGV[10]) - today)
  if room <= 0 then return refuse('day', 0) end
end
local start = math.max(now, next_request, next_token, paused)
local ahead = horizon / 2
if oldest < served then ahead = horizon / 4 end
if start - now > ahead then
  refused = now
  return refuse('pace', start - now - ahead)
end
local step, last = math.max(request, token), start
if #ARGV > 12 then
  local count = 1
  while count < room do
    local following = last + math.max(request, tonumber(ARGV[12 + count]))
    if following - now > horizon then break end
    last, count = following, count + 1
  end
  room, token = count, tonumber(ARGV[12 + count])
else
  if step > 0 then room = math.min(room, math.floor((horizon - (start - now)) / step) + 1) end
  last = start + (room - 1) * step
end
next_request, next_token, today, served = last + request, last + token, today + room, now
keep(out + room)
return {text(now), room, text(start - now), today, '', '0'}
"""

# KEYS: bucket. ARGV: delay_us, kept_s.
_PAUSE = """
local time = redis.call('TIME')
local until_us = tonumber(time[1]) * 1000000 + tonumber(time[2]) + tonumber(ARGV[1])
if until_us > tonumber(redis.call('HGET', KEYS[1], 'paused') or '0') then
  redis.call('HSET', KEYS[1], 'paused', string.format('%.0f', until_us))
  redis.call('EXPIRE', KEYS[1], ARGV[2])
end
"""

# KEYS: bucket. ARGV: day, requests.
_UNSENT = """
if redis.call('HGET', KEYS[1], 'day') == ARGV[1] then
  local today = tonumber(redis.call('HGET', KEYS[1], 'today')) - tonumber(ARGV[2])
  redis.call('HSET', KEYS[1], 'today', math.max(0, today))
end
"""

# KEYS: clusters. ARGV: cluster, in_flight, kept_s.
_REPORT = """
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
local rest = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^%d+ %d+( %d+ %d+)$') or ' 0 0'
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. now .. rest)
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""


# KEYS: account. ARGV: kept_s, then pairs of a day and the dollars to add. Returns all days with their sums.
_SPEND = """
for i = 2, #ARGV, 2 do redis.call('HINCRBYFLOAT', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.call('HGETALL', KEYS[1])
"""


class RedisBucket(Bucket):
    """A bucket in Redis that several clusters share. `cluster`: this limiter's name among those that share the bucket. `ttl_s`:
    its slots count for this long after its last call."""

    shared = True

    def __init__(
        self,
        client: Redis,
        *,
        name: str,
        cluster: str,
        ttl_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client: Any = client
        # The braces make Redis Cluster keep all keys of a script on one node.
        self._keys = [f"{{rayocr:limits:{name}}}:bucket", f"{{rayocr:limits:{name}}}:clusters", f"{{rayocr:limits:{name}}}:spent"]
        self._cluster = cluster
        self._ttl_us = _us(ttl_s)
        self._clock = clock
        self._ahead_s: float | None = None  # offset between Redis' clock and this process's monotonic clock
        self._take = client.register_script(_TAKE)
        self._pause = client.register_script(_PAUSE)
        self._unsent = client.register_script(_UNSENT)
        self._report = client.register_script(_REPORT)
        self._spend = client.register_script(_SPEND)

    async def take(self, take: Take) -> Taken:
        if self._ahead_s is None:
            with self._translated():
                seconds, microseconds = await self._client.time()
            self._ahead_s = seconds + microseconds / 1e6 - self._clock()
        arguments: list[bytes | str | int | float] = [
            self._cluster,
            self._ttl_us,
            _us(HORIZON_S),
            take.wanted,
            take.request_interval_s * 1e6,
            take.token_interval_s * 1e6,
            take.correction_s * 1e6,
            take.in_flight,
            -1 if take.max_in_flight is None else take.max_in_flight,
            -1 if take.requests_a_day is None else take.requests_a_day,
            quota_day(self.wall_clock()),
            _KEPT_S,
            *(interval_s * 1e6 for interval_s in take.token_intervals_s),
        ]
        with self._translated():
            answer = await self._take(keys=self._keys[:2], args=arguments)
        now_us, count, first_us, today, reason, wait_us = answer
        self._ahead_s = int(now_us) / 1e6 - self._clock()
        if not count:
            blocked = Blocked(reason.decode() if isinstance(reason, bytes) else reason)
            return Taken(blocked=blocked, wait_s=float(wait_us) / 1e6, requests_today=int(today))
        return Taken(delays_s=take.delays_s(float(first_us) / 1e6, most=int(count)), requests_today=int(today))

    async def pause(self, delay_s: float) -> None:
        with self._translated():
            await self._pause(keys=self._keys[:1], args=[_us(delay_s), _KEPT_S])

    async def return_unsent(self, requests: int) -> None:
        with self._translated():
            await self._unsent(keys=self._keys[:1], args=[quota_day(self.wall_clock()), requests])

    async def report_in_flight(self, in_flight: int) -> None:
        with self._translated():
            await self._report(keys=self._keys[1:2], args=[self._cluster, in_flight, _KEPT_S])

    async def add_spend(self, spent_by_day: Mapping[str, float]) -> Mapping[str, float]:
        arguments = [text for day, usd in spent_by_day.items() for text in (day, repr(usd))]
        with self._translated():
            pairs = await self._spend(keys=self._keys[2:], args=[_ACCOUNT_KEPT_S, *arguments])
        known = [pair.decode() if isinstance(pair, bytes) else str(pair) for pair in pairs]
        return {day: float(usd) for day, usd in zip(known[::2], known[1::2], strict=True)}

    def wall_clock(self) -> float:
        """Returns Redis' clock as of its last answer; before the first answer, this machine's clock."""
        return time.time() if self._ahead_s is None else self._clock() + self._ahead_s

    async def close(self) -> None:
        with suppress(SharedLimitsUnavailable):  # the report of this cluster expires if Redis is unavailable
            await self.report_in_flight(0)
        for client in (self._client, *sentinels_of(self._client)):
            await client.aclose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import redis

        try:
            yield
        except (redis.RedisError, redis.exceptions.RedisClusterException, OSError) as error:
            if is_failover(error):
                self._dropping = asyncio.ensure_future(self._client.connection_pool.disconnect(inuse_connections=False))
            raise translated(error, self._client, SharedLimitsUnavailable) from error


def connect(url: str) -> Redis:
    """Returns a client for all buckets, without a request. Raises UsageError."""
    return open_async_redis(url, timeout_s=_SOCKET_TIMEOUT_S)


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
