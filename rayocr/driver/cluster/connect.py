"""Connects to Ray: `connect` attaches to a running cluster, or starts a local Ray whose processes end with this one.

`cluster=auto` attaches to RAY_ADDRESS, or to a cluster that the same user started with `ray start` on this machine and that
answers; never to the private Ray of another run. Importing this module does not import Ray.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from rayocr.config import RayocrConfig
from rayocr.driver.cluster.addresses import explained, find_address, knock
from rayocr.driver.cluster.local_ray import dashboard, settings
from rayocr.driver.cluster.local_ray import folder as local_ray
from rayocr.errors import ClusterUnavailable, Interrupted, RayocrError
from rayocr.private_folder import make_private

_OBJECT_STORE_BYTES = 1 << 30  # object store of a local Ray, for the window's bytes and the results of tasks
_ATTACH_S = 60.0  # timeout for a cluster that answers
_START_S = 180.0  # timeout for a local Ray, which may take 30 s, twice; excludes the wait for other runs to start
_POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection to Ray. `where`: the cluster to which the run is attached and the reason, for the user; "" for a local Ray."""

    address: str
    local: bool
    cpus: int
    dashboard_url: str | None
    where: str = ""


def connect(config: RayocrConfig, cancelled: threading.Event | None = None) -> Connection:
    """Connects to Ray. Blocks for seconds if it starts a local Ray. Raises ClusterUnavailable, always within a deadline, and
    Interrupted as soon as `cancelled` is set."""
    quiet_ray()
    found = find_address(config.cluster)
    if found is None:
        local_ray.prepare()
        local_ray.keep()
        settings.apply()
    address = found.address if found else None
    thread = _RayThread()
    try:
        if address is not None:
            knock(address)
        with _native_output_to(Path(config.logs.dir) / "ray-driver.log"):
            context, cpus = thread.call(lambda: _init(config, address), _ATTACH_S if address else _START_S, cancelled)
    except RayocrError:
        raise
    except Exception as error:  # Ray also raises bare exceptions, all of which mean that it is unavailable
        raise explained(error, address or None, logs="" if address else f"{local_ray.temp_dir()}/session_latest/logs") from error
    url = context.dashboard_url if address else _dashboard(thread)
    return Connection(
        address=context.address_info.get("address") or str(address),
        local=address is None,
        cpus=cpus,
        dashboard_url=f"http://{url}" if url else None,
        where=f"Ray cluster {address} ({found.why})" if found else "",
    )


def _init(config: RayocrConfig, address: str | None) -> tuple[Any, int]:
    import ray
    from ray._private import worker as ray_worker

    if address is None:
        local_ray.use_token()
    # A thread of Ray prints what raylets report, regardless of log_to_driver. rayocr's log already reports dead workers.
    ray_worker.print_to_stdstream = lambda *_, **__: None
    common: dict[str, Any] = {
        "log_to_driver": False,  # workers' output goes to Ray's log files, not to the terminal
        "logging_level": logging.ERROR,
        "configure_logging": True,
        "namespace": "rayocr",
    }
    context = ray.init(address=address, **common) if address is not None else _start_local(config, common)
    return context, int(ray.cluster_resources().get("CPU", 1))


def _start_local(config: RayocrConfig, common: dict[str, Any]) -> Any:
    """Starts a local Ray. Repeats the start once after Ray's own time limit of 30 s, which a busy machine can exceed."""
    import ray
    from ray._private.node import Node

    # rayocr uses neither the autoscaler nor the process that sends the workers' output to drivers. Each takes half a second of
    # CPU.
    Node.start_monitor = Node.start_log_monitor = lambda _: None
    dashboard.defer()
    with local_ray.turn():
        for last in (False, True):
            try:
                return ray.init(
                    address="local",
                    num_cpus=config.cpus,
                    include_dashboard=True,
                    _node_ip_address="127.0.0.1",  # only this machine uses it
                    _temp_dir=local_ray.temp_dir(),
                    object_store_memory=max(_OBJECT_STORE_BYTES, config.window.bytes * 3 // 2),
                    **common,
                )
            except Exception as error:
                if last or type(error) is not Exception:  # Ray raises a bare Exception for a timeout
                    raise
                ray.shutdown()
    raise AssertionError  # this line is unreachable


def _dashboard(thread: _RayThread) -> str | None:
    """Returns the address of the dashboard, which starts when it is opened; None if there is no port for it."""
    lazy = dashboard.LazyDashboard(lambda: thread.begin(dashboard.start).result())
    try:
        address = lazy.listen()
        dashboard.announce(address)
    except Exception:  # Ray also raises bare exceptions
        return None
    return address


class _RayThread:
    """A thread that starts Ray and ends with the process, since Linux ends the children of a thread that ends. Calls of Ray
    cannot be interrupted, so a call that takes too long is abandoned."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        threading.Thread(target=self._serve, name="ray", daemon=True).start()

    def call(self, function: Callable[[], Any], timeout_s: float, cancelled: threading.Event | None) -> Any:
        future = self.begin(function)
        waited = 0.0
        while True:
            try:
                return future.result(_POLL_S)
            except FutureTimeout:
                if future.done():
                    raise  # the function itself raised a timeout
                waited += 0.0 if local_ray.waits_for_its_turn() else _POLL_S
                if cancelled is not None and cancelled.is_set():
                    _leave_behind()
                    raise Interrupted("Interrupted while connecting to Ray.") from None
                if waited >= timeout_s:
                    _leave_behind()
                    raise ClusterUnavailable(
                        f"Ray did not answer within {timeout_s:.0f} s.",
                        hint="Check Ray's version and the load of the machine, or set cluster=local to start Ray here.",
                    ) from None

    def begin(self, function: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self._calls.put((function, future))
        return future

    def _serve(self) -> None:
        while True:
            function, future = self._calls.get()
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)


def _leave_behind() -> None:
    """Prevents Ray from waiting at exit for a connection in progress. Its processes end with this one."""
    worker = sys.modules.get("ray._private.worker")
    if worker is not None:
        atexit.unregister(worker.shutdown)


@contextlib.contextmanager
def _native_output_to(file: Path) -> Iterator[None]:
    """Redirects lines that Ray's C++ code writes to standard error into the file. Ray has no option to silence them. Python's own
    standard error still reaches the terminal."""
    try:
        make_private(file.parent)
        log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        before = os.dup(2)
    except OSError:  # closed
        os.close(log)
        yield
        return
    stderr = sys.stderr
    try:
        sys.stderr = os.fdopen(os.dup(before), "w", buffering=1, encoding=stderr.encoding, errors="backslashreplace")
        os.dup2(log, 2)
        yield
    finally:
        os.dup2(before, 2)
        meanwhile, sys.stderr = sys.stderr, stderr
        for handler in logging.getLogger("ray").handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is meanwhile:
                handler.setStream(stderr)  # Ray created it while it connected
        meanwhile.close()
        os.close(before)
        os.close(log)


def quiet_ray() -> None:
    """Configures Ray to start workers on demand and to keep its own output off the terminal. Call it before Ray is imported."""
    for name, value in {
        "RAY_enable_worker_prestart": "0",
        "RAY_prestart_worker_first_driver": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",
        "RAY_task_events_max_num_task_in_gcs": "10000",  # the default of 100,000 entries takes hundreds of megabytes
        # Interval at which each process probes its own event loops. The default costs an idle process 3 ms of CPU per second.
        "RAY_io_context_monitor_probe_interval_ms": "10000",
        "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # set for calls with two results of which only one is awaited
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # disables the warning about it
        "GLOG_minloglevel": "3",
    }.items():
        os.environ.setdefault(name, value)


def disconnect() -> None:
    """Ends a local Ray, or leaves a cluster. Idempotent."""
    import ray

    ray.shutdown()
    local_ray.clean_up()
