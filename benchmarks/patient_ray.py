"""Runs `ray start` with longer timeouts, for a busy machine.

A new node's raylet aborts if its agents take more than 15 s to report their ports, and `ray start` gives up after 30 s. This
module sets the ports in advance (Ray does not wait for preset ports, except for one, whose file is written here) and extends the
timeouts:
`python -m benchmarks.patient_ray start --head …`, or `be_patient()`, `start_only_what_is_used()` and `agent_ports()` before a
Cluster is created in this process.
"""

from __future__ import annotations

import inspect
import sys
import time
from pathlib import Path
from typing import Any

import ray
from ray import _raylet
from ray._private import ray_constants, services
from ray._private.node import Node

from benchmarks.ports import free_port

_PATIENCE_S = 240.0
_HERE, _RAY = Path(__file__).parent, Path(ray.__file__).parent
_PORTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")


def be_patient() -> None:
    """Applies to every node that this process starts afterwards."""
    get_node, start = services.get_node, services.start_raylet

    def get_node_patiently(*arguments: Any, **options: Any) -> Any:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return get_node(*arguments, **options)
            except RuntimeError:  # the node is not registered yet
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def start_told(*arguments: Any, **options: Any) -> Any:
        given = inspect.signature(start).bind(*arguments, **options).arguments
        if port := given.get("dashboard_agent_listen_port"):
            name = _raylet.DASHBOARD_AGENT_LISTEN_PORT_NAME  # type: ignore[attr-defined]
            _raylet.persist_port(given["session_dir"], given["node_id"], name, port)  # type: ignore[attr-defined]
        return start(*arguments, **options)

    services.get_node, services.start_raylet = get_node_patiently, start_told


def start_only_what_is_used(*, runtime_environments: bool = False) -> None:
    """Makes nodes start without processes that nothing here uses: the server of `ray://` addresses, which also takes a fixed
    port, the autoscaler, the log monitor and, with include_dashboard=False and on nodes that join, the dashboard with its agents.
    Each takes up to a second of CPU. The nodes fork their workers (worker_forks.py)."""
    start_dashboard, start_process = Node.start_api_server, services.start_ray_process
    with_dashboard = False

    def start_api_server(node: Node, *, include_dashboard: bool | None, raise_on_failure: bool) -> None:
        nonlocal with_dashboard
        with_dashboard = include_dashboard is not False
        if with_dashboard:
            start_dashboard(node, include_dashboard=include_dashboard, raise_on_failure=raise_on_failure)

    def start_ray_process(command: list[str], process_type: str, **options: Any) -> Any:
        if process_type == ray_constants.PROCESS_TYPE_RAYLET:
            command = [_cheaper(part, with_dashboard, runtime_environments or with_dashboard) for part in command]
        return start_process(command, process_type, **options)

    Node.start_api_server, services.start_ray_process = start_api_server, start_ray_process
    Node.start_ray_client_server = Node.start_monitor = Node.start_log_monitor = lambda node: None


def _cheaper(part: str, with_agent: bool, runtime_environments: bool) -> str:
    """An option of the raylet: the commands that it starts processes with."""
    option, _, command = part.partition("=")
    if option == "--dashboard_agent_command":
        agent, forks = f"{_RAY}/dashboard/agent.py", f"{_HERE}/worker_forks.py"
        command = command.replace(agent, f"{forks} {agent}" if with_agent else forks)
    elif option == "--python_worker_command":
        worker = f"{_RAY}/_private/workers/default_worker.py"
        command = command.replace(worker, f"-I -S {_HERE}/worker_request.py {worker}")
    elif option == "--runtime_env_agent_command" and not runtime_environments:
        command = f"{sys.executable} -I -S {_HERE}/idle_agent.py"
    else:
        return part
    return f"{option}={command}"


def agent_ports() -> dict[str, int]:
    """Returns free ports, by the names of Ray's parameters."""
    return {name: free_port() for name in _PORTS}


def agent_port_options(given: list[str]) -> list[str]:
    """Returns options for `ray start`, except those that are already set."""
    names = ("--dashboard-agent-grpc-port", "--metrics-export-port", "--dashboard-agent-listen-port", "--runtime-env-agent-port")
    return [f"{name}={free_port()}" for name in names if not any(option.startswith(f"{name}=") for option in given)]


if __name__ == "__main__":
    from ray.scripts.scripts import main

    be_patient()
    start_only_what_is_used()
    sys.argv[1:] = [*sys.argv[1:], *agent_port_options(sys.argv)]
    sys.argv[0] = "ray"
    main()
