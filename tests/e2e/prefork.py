"""Runs `python -m MODULE …` in a fork of a process that has imported rayocr already.

Each command is a separate process, with its own environment, folder, streams, signals and exit code, as the shell would start
it. This only saves the second that imports take. `test_wheel.py` and `test_bad_usage.py` start commands in a new interpreter.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from benchmarks.worker_forks import draws_its_own_ids

_PRELOADED = (
    "rayocr.cli.command",
    "rayocr.driver.run",
    "rayocr.driver.cluster.local_actors",
    "rayocr.driver.monitor.http_control",
    "rayocr.engines.gemini.batch",
    "rayocr.engines.gemini.engine",
    "rayocr.engines.openai.engine",
    "rayocr.engines.rapidocr.engine",
    "rayocr.engines.tesseract.engine",
    "rayocr.engines.textlayer",
    "rayocr.gateway.server",
    "rayocr.limits.redis",
    "rayocr.locks.factory",
    "rayocr.locks.file",
    "rayocr.locks.redis",
    "rayocr.outputs.searchable.lines",
    "rayocr.outputs.typeset.markup",
    "rayocr.outputs.typeset.pdf_merge",
    "rayocr.outputs.typeset.typesetter",
    "rayocr.storage.drive.storage",
    "rayocr.storage.gcs.storage",
    "rayocr.storage.local.storage",
    "benchmarks.gemini_simulator.server",
    *("aiohttp", "antlr4", "cv2", "fastapi", "google.genai", "google.genai.types", "h2.connection", "httpcore2", "hydra.utils"),
    *("pypdfium2", "redis.asyncio", "rich.progress", "rich.table", "truststore", "uvicorn"),
)

# Not ray.scripts.scripts: it draws an id, and then all forks would draw the same ones.
_PRELOADED_FOR_RAY = ("benchmarks.patient_ray", "ray.dashboard.modules.job.cli", "ray.autoscaler._private.commands")


class Prefork:
    """The process that forks, seen from the tests: one for all test processes with the same `folder`, whose path is short. The
    first one starts it, and it ends with the last one. `imports`: "rayocr", or "ray" for Ray's own commands."""

    def __init__(self, folder: Path, environment: dict[str, str], cwd: Path, imports: str = "rayocr") -> None:
        path = str(folder / imports)
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with (folder / f"{imports}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                self._control.connect(path)
            except (FileNotFoundError, ConnectionRefusedError):
                Path(path).unlink(missing_ok=True)
                with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
                    listening.bind(path)
                    listening.listen(64)
                    self._control.connect(path)
                    subprocess.run(
                        [sys.executable, "-m", "tests.e2e.prefork", str(listening.fileno()), imports],
                        pass_fds=[listening.fileno()],
                        env=environment | {"OPENBLAS_NUM_THREADS": "1"},  # numpy would start threads, which a fork lacks
                        cwd=cwd,
                        stdin=subprocess.DEVNULL,
                        check=True,
                    )

    def start(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        stdout: int | IO[Any],
        stderr: int | IO[Any],
        stdin: int | IO[Any] = subprocess.DEVNULL,
    ) -> Forked:
        """`command`: [sys.executable, "-m", MODULE, ARGUMENT…]. `stdin`: DEVNULL, PIPE or a file; `stdout`: a file or PIPE;
        `stderr`: a file or STDOUT. The process leads its own session."""
        assert command[:2] == [sys.executable, "-m"], command
        request = json.dumps({"argv": list(command[2:]), "env": dict(env), "cwd": str(cwd)}).encode()
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as passed:
            passed.enter_context(theirs)
            reader = writer = None
            if stdin == subprocess.PIPE:
                given, write_end = os.pipe()
                passed.callback(os.close, given)
                writer = open(write_end, "w", encoding="utf-8")  # noqa: SIM115 - closed by the caller
            elif stdin == subprocess.DEVNULL:
                given = passed.enter_context(open(os.devnull)).fileno()
            else:
                given = _number(stdin)
            if stdout == subprocess.PIPE:
                read_end, out = os.pipe()
                passed.callback(os.close, out)
                reader = open(read_end, encoding="utf-8", errors="replace")  # noqa: SIM115 - closed by the caller
            else:
                out = _number(stdout)
            err = out if stderr == subprocess.STDOUT else _number(stderr)
            # The descriptors go in one packet; the request itself may be too large for one.
            socket.send_fds(self._control, [b"run"], [given, out, err, theirs.fileno()])
        ours.sendall(len(request).to_bytes(4, "big") + request)
        status = ours.makefile("r")
        pid = int(status.readline())
        return Forked(args=list(command), pid=pid, stdin=writer, stdout=reader, _status=status, _connection=ours)

    def close(self) -> None:
        self._control.close()


@dataclass
class Forked:
    """The part of subprocess.Popen that tests use."""

    args: list[str]
    pid: int
    stdin: IO[str] | None
    stdout: IO[str] | None
    _status: IO[str]
    _connection: socket.socket
    returncode: int | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        with self._turn:
            if self.returncode is None:
                with selectors.DefaultSelector() as selector:
                    selector.register(self._connection, selectors.EVENT_READ)
                    if not selector.select(timeout):
                        raise subprocess.TimeoutExpired(self.args, timeout or 0)
                self.returncode = int(self._status.readline())
                self._status.close()
                self._connection.close()
            return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """The rest of the output that was not read yet."""
        assert self.stdout is not None
        found: list[str] = []
        reader = threading.Thread(target=lambda: found.append(self.stdout.read()), daemon=True)  # type: ignore[union-attr]
        if not self.stdout.closed:
            reader.start()
            reader.join(timeout)
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.stdout.close()
        self.wait(timeout)
        return "".join(found), None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _number(file: int | IO[Any]) -> int:
    return file if isinstance(file, int) else file.fileno()


def serve(listening: socket.socket) -> list[str]:
    """Forks until the last test process closes its connection. Returns in the forked processes, with their arguments."""
    connections: dict[int, socket.socket] = {}  # by pid
    controls: set[socket.socket] = set()
    woken, wakes = socket.socketpair()
    for end in (woken, wakes):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    with selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                with contextlib.suppress(BlockingIOError):
                    woken.recv(4096)
                _reap(connections)
            if listening in ready:
                control, _ = listening.accept()
                controls.add(control)
                selector.register(control, selectors.EVENT_READ)
            for control in controls & ready:
                data, files, _, _ = socket.recv_fds(control, 16, 4)
                if not data:
                    selector.unregister(control)
                    controls.remove(control)
                    control.close()
                    if not controls:
                        raise SystemExit(0)
                    continue
                connection = socket.socket(fileno=files.pop())
                request = _received(connection)
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for left in (listening, *controls, woken, wakes, connection, *connections.values()):
                        left.close()
                    return _become(request, files)
                for file in files:
                    os.close(file)
                connections[pid] = connection
                connection.sendall(f"{pid}\n".encode())


def _received(connection: socket.socket) -> dict[str, Any]:
    with connection.makefile("rb") as stream:
        found: dict[str, Any] = json.loads(stream.read(int.from_bytes(stream.read(4), "big")))
    return found


def _reap(connections: dict[int, socket.socket]) -> None:
    for pid in list(connections):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with connections.pop(pid) as connection, contextlib.suppress(OSError):
                connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(request: dict[str, Any], files: Sequence[int]) -> list[str]:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background processes, and so the tests, ignore it
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.chdir(request["cwd"])
    if raylet := sys.modules.get("ray._raylet"):
        raylet.Config.initialize("")  # reads the environment
    arguments: list[str] = request["argv"]
    return arguments


def _import_rayocr() -> None:
    for name in _PRELOADED:
        importlib.import_module(name)
    from rayocr.composition import compose

    for engine in ("gemini", "local", "openai", "textlayer"):  # fills the tables of Hydra's parser, too
        compose((f"engine={engine}", "engine.chain=[textlayer]", "limits.rpm=60"))


def main() -> None:
    if os.fork():
        os._exit(0)  # the other one is no child of the test process that happened to be the first
    if sys.argv[2] == "ray":
        for name in _PRELOADED_FOR_RAY:
            importlib.import_module(name)
        draws_its_own_ids()
    else:
        _import_rayocr()
    tasks = Path("/proc/self/task")
    assert not tasks.is_dir() or len(list(tasks.iterdir())) == 1, "a fork has no other threads: import no module that starts one"
    gc.collect()
    gc.freeze()  # so that the forked processes share the pages
    arguments = serve(socket.socket(fileno=int(sys.argv[1])))
    sys.argv = arguments  # run_module sets the first one
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
