"""Creates a client from REDIS_URL: one server (redis://, rediss:// with TLS, unix://), or a master found through Sentinels.

The Sentinels' form is redis+sentinel://[user:password@]host[:26379][,host…]/service[/db] (rediss+sentinel:// with TLS), as in
other tools; redis-py itself has no such form. User and password are the server's. The query sets user and password of the
Sentinels as `sentinel_username` and `sentinel_password`; other query options are passed to redis-py as in its own URLs
(`ssl_ca_certs=…`). Importing this module does not import the SDK. Only locks and limits use this module.
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
# The examples have no user and password, which would be masked in the message.
_FORMS = "redis://HOST:6379/0, rediss://… (TLS), unix://PATH or redis+sentinel://HOST:26379,HOST2:26379/SERVICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelUrl:
    """A Sentinel URL. `options` apply to connections to the master, `sentinel_options` to connections to the Sentinels."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    options: dict[str, Any] = field(default_factory=dict, repr=False)
    sentinel_options: dict[str, Any] = field(default_factory=dict, repr=False)


def open_redis(url: str, *, timeout_s: float) -> redis.Redis:
    """Creates a client without connecting. Raises UsageError, whose message does not contain the URL."""
    _check_installed()
    from redis import Redis
    from redis.retry import Retry
    from redis.sentinel import Sentinel

    client: redis.Redis = _open(url, timeout_s, Redis, Retry, Sentinel)
    return client


def open_async_redis(url: str, *, timeout_s: float) -> AsyncRedis:
    """Does the same as `open_redis` for asyncio."""
    _check_installed()
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel

    client: AsyncRedis = _open(url, timeout_s, Redis, Retry, Sentinel)
    return client


def _open(url: str, timeout_s: float, client: Any, retry: Any, sentinel: Any) -> Any:
    """Creates a client of the SDK's synchronous or asynchronous classes."""
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError

    once = retry(NoBackoff(), 1)  # retry immediately, for a pooled connection that a restarted server closed
    common: dict[str, Any] = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s, "retry": once}
    try:
        if (parsed := parse_sentinel_url(url)) is None:
            opened = client.from_url(url, **common)
        else:
            manager = sentinel(parsed.hosts, sentinel_kwargs={**common, **parsed.sentinel_options})
            opened = manager.master_for(parsed.service, **common, **parsed.options)
        opened.connection_pool.connection_class(**opened.connection_pool.connection_kwargs)  # the URL has an unknown option
        return opened
    except (ValueError, TypeError, RedisError) as error:
        raise UsageError("Cannot parse REDIS_URL.", hint=f"Use {_FORMS}.") from error


def parse_sentinel_url(url: str) -> SentinelUrl | None:
    """Parses a Sentinel URL; returns None for other URLs. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis+sentinel", "rediss+sentinel"):
        return None
    from redis.connection import parse_url

    credentials, at, hosts = parts.netloc.rpartition("@")
    service, _, db = parts.path.strip("/").partition("/")
    if not service or not hosts or not (db or "0").isdecimal():
        raise ValueError("requires the Sentinels' hosts, a service and optionally a database")
    query = parse_qsl(parts.query)
    own = {name.removeprefix("sentinel_"): value for name, value in query if name.startswith("sentinel_")}
    theirs = urlencode([(name, value) for name, value in query if not name.startswith("sentinel_")])
    # redis-py converts the values to their types.
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
    """Returns the address that a client connects to, without user and password."""
    pool = client.connection_pool
    if service := getattr(pool, "service_name", None):
        return f"{service} (by its Sentinels)"
    options = pool.connection_kwargs
    return str(options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}")


def sentinels_of(client: Any) -> list[Any]:
    """Returns the client's Sentinel connections, which closing the client does not close."""
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
