"""A Ray of several nodes on this machine, started by `ray start` as on machines of their own: drained, lost, added at will."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

RAY = (sys.executable, "-m", "ray.scripts.scripts")
_PATIENCE_S = 300.0
_QUICK = {  # a lost node is found in 3 s; workers are started when needed
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@dataclass
class Node:
    """A `ray start --block`. Its processes are its children."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """As where a machine is gone."""
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.process.pid)
            gone = [*root.children(recursive=True), root]
            for process in gone:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(gone, timeout=60)
        self.process.wait(60)

    @property
    def is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text(errors="replace")
        return "Ray runtime started" in self.log.read_text(errors="replace")


@dataclass
class RayNodes:
    """The head offers no CPU. `environment` is that of all nodes: it has to have a HOME without a token of others."""

    environment: Mapping[str, str]
    redis: str | None = None  # host:port of the Redis that the head's memory is kept in
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="rn", dir="/tmp")))
    port: int = field(default_factory=lambda: free_port())
    nodes: list[Node] = field(default_factory=list)
    _started: int = 0
    _namespace: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        self.head = self.start_head()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start_head(self) -> Node:
        """Returns when it is up. Again on the same port, after the one before was killed."""
        arguments = ["--head", f"--port={self.port}", "--include-dashboard=false", "--num-cpus=0"]
        head = self._start([*arguments, f"--temp-dir={self.folder}/t"])
        self._wait(head)
        return head

    def add(self, *, cpus: float = 2, resources: Mapping[str, float] | None = None, wait: bool = True) -> Node:
        arguments = [f"--address={self.address}", f"--num-cpus={cpus}", f"--resources={json.dumps(dict(resources or {}))}"]
        node = self._start(arguments)
        self.nodes.append(node)
        if wait:
            self._wait(node)
        return node

    def wait(self) -> None:
        for node in self.nodes:
            self._wait(node)

    def drain(self, node_id: str, *, seconds: int) -> None:
        """As docker/bin/rayocr-drain-node does before its container is stopped."""
        why = ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "a spot machine is reclaimed"]
        where = [f"--address={self.address}", f"--node-id={node_id}", f"--deadline-remaining-seconds={seconds}"]
        subprocess.run([*RAY, "drain-node", *where, *why], env=dict(self.environment), check=True, timeout=_PATIENCE_S)

    def close(self) -> None:
        for node in [*self.nodes, self.head]:
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, arguments: list[str]) -> Node:
        self._started += 1
        log = self.folder / f"node{self._started}.log"
        of_redis = {"RAY_REDIS_ADDRESS": self.redis, "RAY_external_storage_namespace": self._namespace} if self.redis else {}
        common = [
            "--node-ip-address=127.0.0.1",
            "--object-store-memory=150000000",
            f"--dashboard-agent-listen-port={free_port()}",
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*RAY, "start", "--block", *common, *arguments],
                env={**self.environment, **_QUICK, **of_redis},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Node(process, log)

    def _wait(self, node: Node) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not node.is_up:
            assert time.monotonic() < deadline, node.log.read_text(errors="replace")
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
