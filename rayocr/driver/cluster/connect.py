"""A Ray to run on: `connect` attaches to one that runs, or starts a local one, whose processes end with this one.

Importing this does not import Ray.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from dataclasses import dataclass
from typing import Any

from rayocr.config import RayocrConfig
from rayocr.errors import ClusterUnavailable

_OBJECT_STORE_BYTES = 1 << 30  # of a local Ray: the window's bytes, and what the tasks return besides
_ANSWER_S = 10.0  # for the cluster's port to open; Ray itself tries for minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    address: str
    local: bool
    cpus: int
    dashboard_url: str | None


def connect(config: RayocrConfig) -> Connection:
    """Blocks for seconds when it starts a Ray. Raises ClusterUnavailable."""
    quiet_ray()
    import ray
    from ray._private import worker as ray_worker

    # A thread of Ray's prints what raylets report, whatever log_to_driver says; dead workers are in our own log.
    ray_worker.print_to_stdstream = lambda *_, **__: None
    common: dict[str, Any] = {
        "log_to_driver": False,  # what workers print goes to Ray's log files, not between our lines
        "logging_level": logging.ERROR,
        "configure_logging": True,
        "namespace": "rayocr",
    }
    address = _address(config.cluster)
    try:
        if address is not None:
            _knock(address)
            context = ray.init(address=address, **common)
        else:
            context = _start_local(config, common)
    except Exception as error:  # Ray raises bare ones, too; whatever it was, there is no Ray
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        where = f"at {address}" if address else "on this machine"
        hint = "Give cluster=local to start one here." if address else "Ray's logs in /tmp/ray/session_latest/logs say more."
        raise ClusterUnavailable(f"Ray cannot be reached or started {where}: {first}", hint=hint) from error
    url = context.dashboard_url
    return Connection(
        address=context.address_info.get("address") or str(address),
        local=address is None,
        cpus=int(ray.cluster_resources().get("CPU", 1)),
        dashboard_url=f"http://{url}" if url else None,
    )


def _start_local(config: RayocrConfig, common: dict[str, Any]) -> Any:
    """Ray gives itself 30 s to come up, which a busy machine can miss: then once more."""
    import ray

    for last in (False, True):
        try:
            return ray.init(
                address="local",
                num_cpus=config.cpus,
                include_dashboard=True,
                _node_ip_address="127.0.0.1",  # nobody but this machine has business with it
                object_store_memory=max(_OBJECT_STORE_BYTES, config.window.bytes * 3 // 2),
                **common,
            )
        except Exception as error:
            if last or type(error) is not Exception:  # a bare one is what Ray has for it
                raise
            ray.shutdown()
    raise AssertionError  # never comes here


def _address(cluster: str) -> str | None:
    """The address to attach to; None starts a local Ray."""
    if cluster == "local":
        return None
    if cluster != "auto":
        return cluster
    if address := os.environ.get("RAY_ADDRESS"):
        return address
    from ray._private.services import canonicalize_bootstrap_address

    with contextlib.suppress(Exception):  # no Ray runs here, in whichever way it says so
        return str(canonicalize_bootstrap_address("auto"))
    return None


def _knock(address: str) -> None:
    """Raises OSError at once where nothing listens."""
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if separator and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()


def quiet_ray() -> None:
    """Before Ray is imported: workers are started when needed, and nothing of Ray's own reaches the terminal."""
    for name, value in {
        "RAY_enable_worker_prestart": "0",
        "RAY_prestart_worker_first_driver": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",
        "RAY_task_events_max_num_task_in_gcs": "10000",  # Ray's 100,000 take its control store to hundreds of megabytes
        "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # of calls with two results of which one was asked for
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the warning about it
        "GLOG_minloglevel": "3",
    }.items():
        os.environ.setdefault(name, value)


def disconnect() -> None:
    """End a local Ray, or let go of another's. Idempotent."""
    import ray

    ray.shutdown()
