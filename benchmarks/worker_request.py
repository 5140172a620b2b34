"""Ray's worker command for nodes of `patient_ray.py`: asks the node's worker_forks.py for a fork that becomes the worker.

Runs in an interpreter without site-packages, which starts in 10 ms.
"""

import os
import socket
import sys
import time

# In front of the arguments and the environment, with the terminal's three files: their length, and the job.
LENGTH_BYTES, JOB_BYTES = 8, 16


def address(arguments: list[str]) -> str:
    """The socket of the node whose raylet has these arguments."""
    (raylet,) = (argument for argument in arguments if argument.startswith("--raylet-name="))
    return raylet.removeprefix("--raylet-name=") + ".f"


def packed(arguments: list[str]) -> bytes:
    variables = [f"{name}={value}" for name, value in os.environ.items()]
    return b"\0".join(os.fsencode(part) for part in (str(len(arguments)), *arguments, *variables))


if __name__ == "__main__":
    if "RAY_testing_rpc_failure" in os.environ:  # Ray reads it while it is imported
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
    request, job = packed(sys.argv[1:]), os.environ.get("RAY_JOB_ID", "").encode()
    connection = socket.socket(socket.AF_UNIX)
    while True:
        try:
            connection.connect(address(sys.argv))
            break
        except (FileNotFoundError, ConnectionRefusedError):  # does not listen yet; the raylet limits how long this may take
            time.sleep(0.01)
    socket.send_fds(connection, [len(request).to_bytes(LENGTH_BYTES, "big"), job.ljust(JOB_BYTES)], [0, 1, 2])
    connection.sendall(request)
