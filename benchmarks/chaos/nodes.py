"""A Ray cluster of several nodes on this machine that outlives its runs, and the mapping of processes to nodes."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import psutil

from benchmarks.processes import ACTOR_TITLES

_NODE = {"num_cpus": 2, "object_store_memory": 200_000_000}


class Nodes:
    """The nodes inherit this process's environment, so RAY_… must be set first."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        from benchmarks.patient_ray import agent_ports, be_patient, start_only_what_is_used

        be_patient()
        start_only_what_is_used()
        self._cluster: Any = Cluster(initialize_head=True, head_node_args={**_NODE, **agent_ports(), "include_dashboard": False})
        self.address: str = self._cluster.address

    def add(self) -> None:
        from benchmarks.patient_ray import agent_ports

        self._cluster.add_node(**_NODE, **agent_ports())

    def kill_added(self) -> None:
        """Kills its processes and the workers on it, as if the machine were lost."""
        for node in list(self._cluster.worker_nodes):
            pids = [info.process.pid for infos in node.all_processes.values() for info in infos]
            below = [child for pid in pids for child in _children(pid)]
            self._cluster.remove_node(node, allow_graceful=False)
            end(below)

    def actors(self, titles: tuple[str, ...] = ACTOR_TITLES) -> list[psutil.Process]:
        return titled(_children(os.getpid()), titles)

    def close(self) -> None:
        below = _children(os.getpid())
        self._cluster.shutdown()
        end(below)


def titled(processes: list[psutil.Process], titles: tuple[str, ...]) -> list[psutil.Process]:
    """Returns Ray's workers that run an actor of this class, oldest first."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if " ".join(process.cmdline()).startswith(titles):
                found.append((process.create_time(), process.pid, process))
    return [process for *_, process in sorted(found, key=lambda item: item[:2])]


def carrying(variable: str, value: str) -> list[psutil.Process]:
    """Returns every process of this machine with this text in its environment, regardless of its current parent."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.environ().get(variable) == value and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def tree(pid: int) -> list[psutil.Process]:
    """Returns the process and its descendants, or an empty list if it has ended."""
    try:
        return [psutil.Process(pid), *_children(pid)]
    except psutil.NoSuchProcess:
        return []


def end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=60)


def _children(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return list(psutil.Process(pid).children(recursive=True))
    return []
