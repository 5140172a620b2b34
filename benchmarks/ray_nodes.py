"""A Ray cluster of several nodes on this machine, started by `ray start` as on separate machines; nodes can be drained, killed
and added."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.ports import free_port

_PROJECT = Path(__file__).parents[1]
RAY = (sys.executable, "-m", "ray.scripts.scripts")
_PATIENCE_S = 300.0
_TRIES = 8
_AGENTS = {  # options of `ray start`, and the names of their files
    "dashboard-agent-listen-port": "dashboard_agent_listen_port",
    "dashboard-agent-grpc-port": "metrics_agent_port",
    "runtime-env-agent-port": "runtime_env_agent_port",
    "metrics-export-port": "metrics_export_port",
}
_QUICK = {  # a lost node is detected in 3 s; workers start when needed
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USE_UVLOOP": "0",  # a development dependency
}


def start_command(command: Sequence[str], **options: Any) -> Any:
    return subprocess.Popen(command, start_new_session=True, **options)


@dataclass
class Node:
    """A node started by `ray start --block`, whose processes are its children."""

    process: Any  # a Popen, or what `RayNodes.start_command` gives
    log: Path
    ports: Mapping[str, int] = field(default_factory=dict)  # ports of its agents, by Ray's names
    told: bool = False
    folder_here: Callable[[str], str] = str  # maps a folder of the node to its path in this process

    def kill(self) -> None:
        """Kills all processes of the node, as when a machine is lost."""
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.process.pid)
            gone = [*root.children(recursive=True), root]
            for process in gone:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(gone, timeout=60)
        self.process.wait(60)

    def tell_ports(self) -> None:
        """Chooses the agents' ports, so that the raylet knows them before the agents start. A raylet exits if its agents have
        not reported their ports within 15 s, for example on a busy machine."""
        if self.told:
            return
        from ray._raylet import persist_port  # type: ignore[attr-defined]

        for process in _below(self.process.pid):
            flags = dict(
                part.removeprefix("--").split("=", 1) for part in _command(process) if part.startswith("--") and "=" in part
            )
            if "raylet_socket_name" in flags and "node_id" in flags:
                folder = self.folder_here(str(Path(flags["raylet_socket_name"]).parents[1]))
                for name, port in self.ports.items():
                    persist_port(folder, flags["node_id"], name, port)
                self.told = True

    @property
    def is_up(self) -> bool:
        return "Ray runtime started" in self.log.read_text(errors="replace")


@dataclass
class RayNodes:
    """The nodes of a cluster. The head offers no CPU by default. `environment` applies to all nodes and must contain a HOME
    without tokens of other clusters.

    Nodes are started one at a time, because Ray gives up after 30 s, which parallel starts on a busy machine exceed.
    """

    environment: Mapping[str, str]
    head_cpus: float = 0
    # Host:port of the Redis with the head's state. `ray start` then does not monitor the head's parts, so they can die one by
    # one; otherwise it would end the whole head when one part dies.
    redis: str | None = None
    start_command: Callable[..., Any] = start_command  # starts `python -m …` with env, cwd, stdout and stderr, in a new session
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="rn", dir="/tmp")))
    port: int = field(default_factory=free_port)
    nodes: list[Node] = field(default_factory=list)
    _others: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _started: int = 0
    _namespace: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        self.head = self.start_head()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start_head(self) -> Node:
        """Returns when the head is ready."""
        arguments = [
            "--head",
            *([] if self.redis else ["--block"]),
            f"--port={self.port}",
            "--include-dashboard=false",
            f"--num-cpus={self.head_cpus:g}",
        ]
        return self._start([*arguments, f"--temp-dir={self.folder}/t"])

    def kill_control_store(self) -> tuple[list[str], dict[str, str]]:
        """Kills the head's GCS. Returns its command and its environment."""
        (gcs,) = [p for p in psutil.process_iter() if _is_gcs_of(p, self.folder)]
        command, environment = gcs.cmdline(), gcs.environ()
        gcs.kill()
        gcs.wait(60)
        return command, environment

    def replace_control_store(self) -> None:
        """Kills the head's GCS and restarts it, as Kubernetes does with a head. Its state is in Redis or lost."""
        command, environment = self.kill_control_store()
        with (self.folder / "gcs.log").open("ab") as output:
            self._others.append(subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT))

    def add(self, *, cpus: float = 2, resources: Mapping[str, float] | None = None) -> Node:
        arguments = [
            "--block",
            f"--address={self.address}",
            f"--num-cpus={cpus:g}",
            f"--resources={json.dumps(dict(resources or {}))}",
        ]
        node = self._start(arguments)
        self.nodes.append(node)
        return node

    def drain(self, node_id: str, *, seconds: int) -> None:
        """Drains the node, as docker/bin/rayocr-drain-node does before its container is stopped."""
        why = ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "a spot machine is reclaimed"]
        where = [f"--address={self.address}", f"--node-id={node_id}", f"--deadline-remaining-seconds={seconds}"]
        command, log = [*RAY, "drain-node", *where, *why], self.folder / f"drain-{node_id}.log"
        with log.open("wb") as output:
            drains = self.start_command(
                command, env=dict(self.environment), cwd=_PROJECT, stdout=output, stderr=subprocess.STDOUT
            )
        assert drains.wait(_PATIENCE_S) == 0, log.read_text(errors="replace")

    def close(self) -> None:
        for node in [*self.nodes, self.head]:
            node.kill()
        for process in self._others:
            process.kill()
            process.wait(60)
        for running in psutil.process_iter():  # ends processes of a head that did not stay in the foreground
            with contextlib.suppress(psutil.Error):
                if f"{self.folder}/t" in " ".join(running.cmdline()):
                    running.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, arguments: list[str]) -> Node:
        """Returns when the node is up. Retries on a machine that is too busy for Ray's timeouts."""
        for left in reversed(range(_TRIES)):
            node = self._try_to_start(arguments)
            deadline = time.monotonic() + _PATIENCE_S
            while node.process.poll() in (None, 0) and time.monotonic() < deadline:
                if node.is_up:
                    return node
                time.sleep(0.05)
            node.kill()
            assert left, node.log.read_text(errors="replace")
        raise AssertionError

    def _try_to_start(self, arguments: list[str]) -> Node:
        self._started += 1
        log = self.folder / f"node{self._started}.log"
        of_redis = {"RAY_REDIS_ADDRESS": self.redis, "RAY_external_storage_namespace": self._namespace} if self.redis else {}
        common = ["--node-ip-address=127.0.0.1", "--object-store-memory=150000000"]
        ports = agent_ports()
        common += port_options(ports)
        with log.open("wb") as output:
            process = self.start_command(
                [sys.executable, "-m", "benchmarks.patient_ray", "start", *common, *arguments],
                cwd=_PROJECT,
                env={**self.environment, **_QUICK, **of_redis},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return Node(process, log, ports)


def agent_ports() -> dict[str, int]:
    """Returns ports for a Node; `port_options` returns the options of `ray start` for them."""
    return {name: free_port() for name in _AGENTS.values()}


def port_options(ports: Mapping[str, int]) -> list[str]:
    return [f"--{option}={ports[name]}" for option, name in _AGENTS.items()]


def _below(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _is_gcs_of(process: psutil.Process, folder: Path) -> bool:
    command = _command(process)
    return bool(command) and command[0].endswith("gcs_server") and any(str(folder) in argument for argument in command)
