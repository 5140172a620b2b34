"""REDIS_URL into a client: one server (redis://, rediss:// with TLS, unix://), or a service whose master its Sentinels know.

The Sentinels' form is redis+sentinel://[user:password@]host[:26379][,host…]/service[/db] (rediss+sentinel:// with TLS), the same
as other tools have it; redis-py itself has none. User and password are the server's; the Sentinels' own are the query's
`sentinel_username` and `sentinel_password`; any other query goes to redis-py as in its own URLs (`ssl_ca_certs=…`).
Importing this imports no SDK. Called by locks and limits alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from rayocr.errors import UsageError

if TYPE_CHECKING:
    import redis
    from redis.asyncio import Redis as AsyncRedis

_SENTINEL_PORT = 26379
_FORMS = "redis://[:password@]host:6379/0, rediss://… (TLS), unix://path, or redis+sentinel://[:password@]host:26379,host2:26379/service"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelUrl:
    """`options`: of connections to the master; `sentinel_options`: to the Sentinels."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    options: dict[str, Any] = field(default_factory=dict, repr=False)
    sentinel_options: dict[str, Any] = field(default_factory=dict, repr=False)


def open_redis(url: str, *, timeout_s: float) -> redis.Redis:
    """Sends nothing yet. Raises UsageError, which does not repeat the URL."""
    _check_installed()
    from redis import Redis
    from redis.retry import Retry
    from redis.sentinel import Sentinel

    client: redis.Redis = _open(url, timeout_s, Redis, Retry, Sentinel)
    return client


def open_async_redis(url: str, *, timeout_s: float) -> AsyncRedis:
    """As `open_redis`."""
    _check_installed()
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel

    client: AsyncRedis = _open(url, timeout_s, Redis, Retry, Sentinel)
    return client


def _open(url: str, timeout_s: float, client: Any, retry: Any, sentinel: Any) -> Any:
    """With the SDK's classes of the one kind or the other."""
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError

    once = retry(NoBackoff(), 1)  # and at once, for a pooled connection that a restarted server closed
    common: dict[str, Any] = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s, "retry": once}
    try:
        if (parsed := parse_sentinel_url(url)) is None:
            opened = client.from_url(url, **common)
        else:
            manager = sentinel(parsed.hosts, sentinel_kwargs={**common, **parsed.sentinel_options})
            opened = manager.master_for(parsed.service, **common, **parsed.options)
        opened.connection_pool.connection_class(**opened.connection_pool.connection_kwargs)  # an option that nobody knows
        return opened
    except (ValueError, TypeError, RedisError) as error:
        raise UsageError(f"REDIS_URL is not understood; write {_FORMS}.") from error


def parse_sentinel_url(url: str) -> SentinelUrl | None:
    """None for a URL of another form. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis+sentinel", "rediss+sentinel"):
        return None
    from redis.connection import parse_url

    credentials, at, hosts = parts.netloc.rpartition("@")
    service, _, db = parts.path.strip("/").partition("/")
    if not service or not hosts or not (db or "0").isdecimal():
        raise ValueError("the Sentinels' hosts, a service and perhaps a database are needed")
    query = parse_qsl(parts.query)
    own = {name.removeprefix("sentinel_"): value for name, value in query if name.startswith("sentinel_")}
    theirs = urlencode([(name, value) for name, value in query if not name.startswith("sentinel_")])
    # redis-py knows the values' types.
    options: dict[str, Any] = dict(parse_url(f"redis://{credentials}{at}master/{db or 0}?{theirs}"))  # type: ignore[no-untyped-call]
    del options["host"]
    sentinel_options = {**own, **{name: value for name, value in options.items() if name.startswith("ssl_")}}
    if parts.scheme == "rediss+sentinel":
        options["ssl"] = sentinel_options["ssl"] = True
    return SentinelUrl(
        hosts=tuple(_host_and_port(host) for host in hosts.split(",")),
        service=unquote(service),
        options=options,
        sentinel_options=sentinel_options,
    )


def address_of(client: Any) -> str:
    """Where a client connects to, without user and password."""
    pool = client.connection_pool
    if service := getattr(pool, "service_name", None):
        return f"{service} (by its Sentinels)"
    options = pool.connection_kwargs
    return str(options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}")


def sentinels_of(client: Any) -> list[Any]:
    """The clients to the Sentinels behind it, which closing it does not close."""
    manager = getattr(client.connection_pool, "sentinel_manager", None)
    return list(manager.sentinels) if manager is not None else []


def _host_and_port(text: str) -> tuple[str, int]:
    host, port = urlsplit(f"//{text}").hostname, urlsplit(f"//{text}").port
    if not host:
        raise ValueError("a Sentinel without a host")
    return host, port or _SENTINEL_PORT


def _check_installed() -> None:
    if find_spec("redis") is None:
        raise UsageError("REDIS_URL needs the package redis.", hint="pip install redis, or locks=file and limits.shared=none")
