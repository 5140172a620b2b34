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
from typing import Any

from ray import _raylet
from ray._private import services
from ray._private.node import Node

from benchmarks.ports import free_port

_PATIENCE_S = 240.0
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
            _raylet.persist_port(given["session_dir"], given["node_id"], _raylet.DASHBOARD_AGENT_LISTEN_PORT_NAME, port)
        return start(*arguments, **options)

    services.get_node, services.start_raylet = get_node_patiently, start_told


def start_only_what_is_used() -> None:
    """Makes nodes start without processes that nothing here uses: the server of `ray://` addresses, which also takes a fixed
    port, the autoscaler, the log monitor and, with include_dashboard=False, the rest of the dashboard. Each takes up to a
    second of CPU."""
    start_dashboard = Node.start_api_server

    def start_api_server(node: Node, *, include_dashboard: bool | None, raise_on_failure: bool) -> None:
        if include_dashboard is not False:
            start_dashboard(node, include_dashboard=include_dashboard, raise_on_failure=raise_on_failure)

    Node.start_api_server = start_api_server
    Node.start_ray_client_server = Node.start_monitor = Node.start_log_monitor = lambda node: None


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
