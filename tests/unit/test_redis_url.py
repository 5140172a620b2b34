from __future__ import annotations

import pytest

from rayocr.errors import UsageError
from rayocr.redis_url import address_of, open_redis, parse_sentinel_url, sentinels_of


def test_a_sentinel_url_names_hosts_service_database_and_both_passwords() -> None:
    url = "redis+sentinel://me:se%40same@one,[::1]:26380,two:1/my%20service/3?sentinel_password=other&ssl_ca_certs=/ca.pem&ssl_check_hostname=no"
    parsed = parse_sentinel_url(url)
    assert parsed is not None
    assert parsed.hosts == (("one", 26379), ("::1", 26380), ("two", 1))
    assert parsed.service == "my service"
    tls = {"ssl_ca_certs": "/ca.pem", "ssl_check_hostname": False}
    assert parsed.options == {"username": "me", "password": "se@same", "db": 3, **tls}
    assert parsed.sentinel_options == {"password": "other", **tls}
    assert "same" not in repr(parsed)


def test_tls_goes_to_the_sentinels_and_to_the_master() -> None:
    client = open_redis("rediss+sentinel://one/service", timeout_s=1)
    assert client.connection_pool.connection_class.__name__ == "SentinelManagedSSLConnection"
    (sentinel,) = sentinels_of(client)
    assert sentinel.connection_pool.connection_class.__name__ == "SSLConnection"
    assert address_of(client) == "service (by its Sentinels)"


def test_a_server_of_its_own_has_no_sentinels() -> None:
    client = open_redis("rediss://:sesame@one:7000/1", timeout_s=1)
    assert parse_sentinel_url("rediss://one") is None
    assert client.connection_pool.connection_class.__name__ == "SSLConnection"
    assert (address_of(client), sentinels_of(client)) == ("one:7000", [])


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://one",
        "redis+sentinel:///service",
        "redis+sentinel://one:port/service",
        "redis+sentinel://one/service/two",
        "redis+sentinel://one,/service",
        "redis+sentinel://one/service?nonsense=1",
        "sentinel://sesame@one/service",
        "one:6379",
        "redis://one/0?nonsense=1",
    ],
)
def test_an_invalid_url_is_a_usage_error_and_is_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match=r"redis\+sentinel://") as caught:
        open_redis(url, timeout_s=1)
    assert "sesame" not in str(caught.value)
