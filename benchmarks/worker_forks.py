"""Forks Ray's workers from a process that has imported Ray and the actors: 0.6 s less CPU for each.

A node of `patient_ray.py` runs it in the place of its dashboard agent, as a child of the raylet, or as a child of that agent. It
ends with its parent. A worker has the environment, the arguments and the files of its request (worker_request.py). Each job has
its own process that forks, because Ray reads the job from the environment while it is imported.
"""

from __future__ import annotations

import gc
import os
import runpy
import select
import signal
import socket
import sys
from pathlib import Path

if __name__ == "__main__":  # as a script, its folder is in front of the others
    sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.worker_request import JOB_BYTES, LENGTH_BYTES, address

_POLL_S = 1.0
_JOBS = 4  # with a process that forks


def serve(listening: socket.socket) -> list[str]:
    """Returns in the workers, with their arguments. Ends with its parent."""
    parent = os.getppid()
    jobs: dict[bytes, socket.socket] = {}
    while os.getppid() == parent:
        if not select.select([listening], [], [], _POLL_S)[0]:
            continue
        connection, _ = listening.accept()
        header, files, _, _ = socket.recv_fds(connection, LENGTH_BYTES + JOB_BYTES, 3, socket.MSG_WAITALL)
        job = header[LENGTH_BYTES:]
        if job not in jobs:
            ours, theirs = socket.socketpair()
            if os.fork() == 0:
                for left in (ours, listening, connection, *jobs.values()):
                    left.close()
                _close(files)
                return _serve_job(theirs)
            theirs.close()
            jobs[job] = ours
        socket.send_fds(jobs[job], [header[:LENGTH_BYTES]], [connection.fileno(), *files])
        connection.close()
        _close(files)
        if len(jobs) > _JOBS:
            jobs.pop(next(iter(jobs))).close()
    raise SystemExit(0)


def _serve_job(requests: socket.socket) -> list[str]:
    """Returns in the workers, with their arguments. Ends when the other side closes."""
    while True:
        length, files, _, _ = socket.recv_fds(requests, LENGTH_BYTES, 4, socket.MSG_WAITALL)
        if not length:
            raise SystemExit(0)
        with socket.socket(fileno=files.pop(0)) as connection, connection.makefile("rb") as stream:
            count, *parts = [os.fsdecode(part) for part in stream.read(int.from_bytes(length, "big")).split(b"\0")]
        os.environ.clear()
        os.environ.update({name: value for name, _, value in (part.partition("=") for part in parts[int(count) :])})
        _import()
        if os.fork() == 0:
            requests.close()
            for number, file in enumerate(files):
                os.dup2(file, number)
            _close(files)
            return parts[: int(count)]
        _close(files)


def _import() -> None:
    if "ray" in sys.modules:
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # otherwise numpy would start threads, which a fork lacks
    import rayocr.actors.spawn  # noqa: F401

    del os.environ["OPENBLAS_NUM_THREADS"]
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a fork has no other threads: import no module that starts one"
    draws_its_own_ids()
    gc.freeze()  # so that the forked processes share the pages


def draws_its_own_ids() -> None:
    """Fails unless two forks draw different ids. Ray seeds its generator when it draws the first one, so a process that forks
    must not have drawn any: two nodes would be one, and calls of two workers the same call."""
    from ray import NodeID

    drawn = []
    for _ in range(2):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.write(writer, NodeID.from_random().binary())
            os._exit(0)
        os.close(writer)
        with open(reader, "rb") as answer:
            drawn.append(answer.read())
    assert len(set(drawn)) == 2 and all(drawn), "an imported module draws an id: all forks would draw the same ones"


def _close(files: list[int]) -> None:
    for file in files:
        os.close(file)


if __name__ == "__main__":
    server = socket.socket(socket.AF_UNIX)
    server.bind(address(sys.argv))
    server.listen(64)
    if sys.argv[1].endswith("/agent.py") and os.fork():
        os.execv(sys.executable, [sys.executable, "-u", *sys.argv[1:]])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nothing waits for the workers
    sys.argv = serve(server)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
