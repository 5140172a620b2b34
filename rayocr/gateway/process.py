"""Implements the run's side of the HTTP API: starts its process, sends it snapshots, and executes its commands.

The API runs in its own process, so that traffic on its port (thousands of connections, slow or hostile requests) takes no
file descriptors, memory or time from the run. The run holds the listening socket and replaces a crashed process on the same port.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from rayocr.errors import RayocrError, UsageError
from rayocr.gateway.channel import MAX_QUESTION_BYTES, Answer, Channel, Setup, Snapshot
from rayocr.gateway.run_api import Commands
from rayocr.gateway.server import address_of, listen
from rayocr.ledger.manifest import Manifest
from rayocr.masking import hide
from rayocr.observe.logs import log_event
from rayocr.private_folder import private_folder
from rayocr.untrusted_json import parse_object

log = logging.getLogger(__name__)

_AT_ONCE = 4  # number of commands that run at the same time
_RESTARTS = 5
_RESTART_S = 5.0
_CLOSE_S = 3.0
_LOGGED = 100  # maximum number of logged problems of the API's process
# Variables of the environment that the API's process does not need.
_NOT_PASSED = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY", "SUPABASE_API_KEY", "REDIS_URL", "RAY_AUTH_TOKEN")


def new_token() -> str:
    return secrets.token_urlsafe(24)


class GatewayProcess:
    """Runs the API's process. `commands` execute in the run. `readiness` returns problems by part. The API calls both on
    threads."""

    def __init__(self, setup: Setup, commands: Commands, readiness: Callable[[], dict[str, str]]) -> None:
        hide([setup.token])
        self._setup = setup
        self._commands = commands
        self._readiness = readiness
        self._listening: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._last: Snapshot | None = None
        self._closing = False
        self._restarts = 0
        self._logged = 0
        self._token_file: Path | None = None
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="http-api")

    def start(self) -> str:
        """Starts the process and returns the address of the status page. Raises OSError if no port is free or the process cannot
        start."""
        self._listening = listen(self._setup.gateway)
        self._write_token(self._listening.getsockname()[1])
        self._start_process()
        return address_of(self._listening, self._setup.gateway)

    def push(self, snapshot: Mapping[str, Any]) -> None:
        """Sends a snapshot. Never blocks for long and never raises, since the run does not need the API."""
        self._last = Snapshot(snapshot=dict(snapshot))
        if self._channel is not None:
            try:
                self._channel.send_object(self._last)
            except OSError:  # the process hangs or has crashed, so replace it
                self._channel.close()

    def close(self) -> None:
        """Ends the process. Idempotent. Blocks for at most a few seconds."""
        self._closing = True
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            try:
                self._process.wait(_CLOSE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._listening is not None:
            self._listening.close()
        if self._token_file is not None:
            self._token_file.unlink(missing_ok=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _write_token(self, port: int) -> None:
        """Writes the token for scripts of the same user, such as rayocr-drain-run."""
        try:
            self._token_file = private_folder() / f"gateway-{port}.token"
            self._token_file.unlink(missing_ok=True)
            with open(os.open(self._token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(self._setup.token)
        except (OSError, UsageError):
            self._token_file = None

    def _start_process(self) -> None:
        assert self._listening is not None
        ours, theirs = socket.socketpair()
        ours.settimeout(None)
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED}
        environment["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rayocr.gateway.child", str(theirs.fileno()), str(self._listening.fileno())],
                pass_fds=(theirs.fileno(), self._listening.fileno()),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches only the run, which then ends this process
            )
        # A process that does not read must not block the run, so a send that takes longer than half a second is dropped.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(0.5))
        self._channel = Channel(ours)
        self._channel.send_object(self._setup)
        if self._last is not None:
            self._channel.send_object(self._last)
        threading.Thread(target=self._serve, args=(self._channel, self._process), name="http-api", daemon=True).start()

    def _serve(self, channel: Channel, process: subprocess.Popen[bytes]) -> None:
        """Serves the process until it ends, then starts another one."""
        try:
            while True:
                question = parse_object(channel.receive(max_bytes=MAX_QUESTION_BYTES), name="A request to the HTTP API")
                if "problem" in question:
                    self._log_problem(str(question["problem"]))
                else:
                    self._threads.submit(self._answer, channel, question)
        except (OSError, RayocrError, RuntimeError) as error:
            if self._closing:
                return
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()
            channel.close()
            self._log_problem(f"The process of the HTTP API ended ({error}).")
        if self._restarts < _RESTARTS:
            self._restarts += 1
            time.sleep(_RESTART_S)
            if not self._closing:
                with contextlib.suppress(OSError):
                    self._start_process()

    def _answer(self, channel: Channel, question: Mapping[str, Any]) -> None:
        number = question.get("number")
        if not isinstance(number, int):
            return
        answer = Answer(number=number)
        try:
            answer = replace(answer, value=self._do(str(question.get("command")), question.get("argument")))
        except RayocrError as error:
            answer = replace(answer, error=error)
        except Exception as error:
            self._log_problem(f"{question.get('command')} failed: {type(error).__name__}: {error}")
            answer = replace(answer, error=RayocrError("The command failed; see the log of the run."))
        with contextlib.suppress(OSError):
            channel.send_object(answer)

    def _do(self, command: str, argument: Any) -> Any:
        commands = self._commands
        if command == "ready":
            return self._readiness()
        if command in ("pause", "resume", "drain"):
            return getattr(commands, command)()
        if not isinstance(argument, str):
            raise UsageError(f"{command} needs a text.")
        if command == "retry":
            return commands.retry(Manifest.from_json(argument.encode("utf-8", "surrogatepass"), name="id of the request"))
        if command in ("cancel", "add", "notice"):
            return getattr(commands, command)(argument)
        raise UsageError(f"There is no command {command}.")

    def _log_problem(self, words: str) -> None:
        if self._logged < _LOGGED:
            self._logged += 1
            log_event(log, "http_api_failed", "The HTTP API had a problem.", level=logging.WARNING, error=words[:2000])


def _timeval(seconds: float) -> bytes:
    import struct

    return struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
