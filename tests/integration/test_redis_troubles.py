"""Redis servers that respond but cannot serve: the result of each fault, with real servers."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from benchmarks.ports import free_port
from rayocr.errors import CredentialsError, LocksUnavailable, RayocrError, SharedLimitsUnavailable, UsageError
from rayocr.locks.redis import RedisLocks
from tests.integration.test_redis_urls import _BINARY, eventually, take


class Server:
    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.port = free_port()
        command = [_BINARY, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", folder, "--enable-protected-configs", "yes", *options]
        if "--cluster-enabled" in options:  # by default port + 10,000, which an outgoing connection may have
            command += ["--cluster-port", str(free_port())]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port)
        try:
            eventually(self.client.ping, redis.ConnectionError)
        except BaseException:
            self.close()  # or its process and its socket are found during another test
            raise

    def configure(self, **settings: Any) -> None:
        for name, value in settings.items():
            self.client.config_set(name.replace("_", "-"), value)

    def close(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers: list[Server] = []

    def started(*options: str) -> Server:
        folder = tmp_path / str(len(servers))
        folder.mkdir()
        servers.append(Server(folder, *options))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


def full(server: Server) -> Callable[[], None]:
    server.configure(maxmemory=1, maxmemory_policy="noeviction")
    return lambda: server.configure(maxmemory=0)


def without_replicas(server: Server) -> Callable[[], None]:
    server.configure(min_replicas_to_write=1)
    return lambda: server.configure(min_replicas_to_write=0)


def replica(server: Server) -> Callable[[], None]:
    server.client.replicaof("127.0.0.1", "1")
    return lambda: server.client.replicaof("NO", "ONE")


def cannot_save(server: Server) -> Callable[[], None]:
    server.configure(save="3600 1")
    server.client.set("something", "to save")
    folder = server.folder / "gone"
    folder.mkdir()
    server.configure(dir=str(folder))
    folder.rmdir()

    def failed() -> None:
        server.client.bgsave()
        assert server.client.info("persistence")["rdb_last_bgsave_status"] == "err"

    eventually(failed, AssertionError, redis.ResponseError)
    return lambda: server.configure(stop_writes_on_bgsave_error="no")


TROUBLES = {
    "OOM": (full, "OOM"),
    "NOREPLICAS": (without_replicas, "NOREPLICAS"),
    "READONLY": (replica, "READONLY"),
    "MISCONF": (cannot_save, "MISCONF"),
}


@pytest.mark.parametrize(("trouble", "code"), TROUBLES.values(), ids=TROUBLES)
def test_a_redis_that_takes_no_writes_is_waited_for_with_its_own_words(
    start: Start, trouble: Callable[[Server], Callable[[], None]], code: str
) -> None:
    server = start()
    locks = RedisLocks(server.url, owner="a")
    locks.check()
    assert take(server.url) == 4
    end = trouble(server)
    for _ in range(3):  # the probe reports the same state each time, without "available again" in between
        with pytest.raises(LocksUnavailable, match=f"refuses writes: {code}") as raised:
            locks.check()
        assert "script" not in str(raised.value)
    with pytest.raises(SharedLimitsUnavailable, match=code):
        take(server.url)
    end()
    locks.check()
    assert take(server.url) == 4
    assert not list(server.client.scan_iter("*lease:probe:*"))
    locks.close()


def test_after_a_failover_the_connections_to_the_old_master_are_dropped(start: Start) -> None:
    """Like a DNS name that now points to another server: open connections stay with the replica."""
    server = start()
    locks = RedisLocks(server.url, owner="a")
    locks.check()
    before = {client["id"] for client in server.client.client_list()}
    replica(server)
    with pytest.raises(LocksUnavailable):
        locks.check()
    server.client.replicaof("NO", "ONE")
    locks.check()
    ours = {client["id"] for client in server.client.client_list() if client["lib-name"] == "redis-py"} - before
    assert ours, "the check used a new connection"
    locks.close()


def test_threads_that_use_a_connection_during_a_failover_see_no_foreign_error(start: Start) -> None:
    server = start()
    locks = RedisLocks(server.url, owner="a")
    over = threading.Event()

    def work() -> list[str]:
        failures = []
        while not over.is_set():
            try:
                locks.check()
            except LocksUnavailable:
                pass
            except Exception as error:
                failures.append(repr(error))
        return failures

    with ThreadPoolExecutor(6) as threads:
        works = [threads.submit(work) for _ in range(6)]
        try:
            for _ in range(60):
                replica(server)
                with contextlib.suppress(LocksUnavailable):
                    locks.check()
                server.client.replicaof("NO", "ONE")
        finally:
            over.set()
    assert [failure for work in works for failure in work.result()] == []
    locks.close()


def of_a_user(server: Server, keys: str, *commands: str) -> str:
    server.client.execute_command("ACL", "SETUSER", "ocr", "on", ">sesame", "resetkeys", keys, *commands)
    return f"redis://ocr:sesame@127.0.0.1:{server.port}/0"


def test_the_rights_that_the_documentation_names_are_enough(start: Start) -> None:
    server = start()
    text = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith("ACL SETUSER rayocr "))
    server.client.execute_command(*line.replace("PASSWORD", "sesame").split())
    url = f"redis://rayocr:sesame@127.0.0.1:{server.port}/0"
    locks = RedisLocks(url, owner="a")
    locks.check()
    assert locks.holders() == {}
    assert take(url) == 4
    locks.close()


CASES: dict[str, Callable[[Server], str]] = {
    "keys": lambda server: of_a_user(server, "~rayocr:*", "+@all"),
    "commands": lambda server: of_a_user(server, "~*", "+@all", "-time"),
    "no scripts": lambda server: of_a_user(server, "~*", "+@all", "-@scripting"),
}


@pytest.mark.parametrize("url_of", CASES.values(), ids=CASES)
def test_rights_that_are_missing_end_the_start(start: Start, url_of: Callable[[Server], str]) -> None:
    locks = RedisLocks(url_of(start()), owner="a")
    with pytest.raises(CredentialsError, match="refuses access") as raised:
        locks.check()
    assert "{rayocr:*" in str(raised.value.hint)
    assert "sesame" not in str(raised.value)
    locks.close()


@pytest.mark.parametrize(
    "options", [("--rename-command", "EVALSHA", ""), ("--cluster-enabled", "yes")], ids=["no EVALSHA", "cluster"]
)
def test_a_redis_that_cannot_serve_ends_the_start(start: Start, options: tuple[str, ...]) -> None:
    server = start(*options)
    locks = RedisLocks(server.url, owner="a")
    if "--cluster-enabled" in options:  # every slot belongs to a different node
        server.client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 0)
    with pytest.raises(RayocrError) as raised:
        locks.check()
    expected = LocksUnavailable if "CLUSTERDOWN" in str(raised.value) else UsageError
    assert isinstance(raised.value, expected)
    locks.close()


def test_a_key_of_another_node_is_a_usage_error() -> None:
    from rayocr.redis_errors import translated

    client = redis.Redis(host="redis.example", password="sesame")
    error = translated(redis.exceptions.MovedError("3999 10.0.0.2:6381"), client, LocksUnavailable)
    assert isinstance(error, UsageError)
    assert "Redis Cluster" in str(error)
    client.close()
