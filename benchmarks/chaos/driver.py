"""A command-line run that can be killed, paused and restarted."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.chaos.nodes import end, tree

_PATIENCE_S = 300.0  # for a run that takes seconds; only a hang takes longer, on any machine


@dataclass(slots=True)
class Driver:
    number: int
    folder: Path
    arguments: Sequence[str]
    environment: Mapping[str, str]
    codes: list[int] = field(default_factory=list)  # of the starts so far
    hung: bool = False
    success: int = 0  # the exit code of a completed run: 1 if documents have to be rejected
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts a new attempt in its own session, as from a shell."""
        command = [sys.executable, "-m", "rayocr", *self.arguments, f"logs.dir={self.folder / f'logs{self.number}'}"]
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> Path:
        return self.folder / f"driver{self.number}.log"

    def ports(self) -> list[str]:
        """The URL of its HTTP API, if it runs."""
        said = re.findall(rb"Status page: http://127\.0\.0\.1:(\d+)", self.output.read_bytes()) if self.runs else []
        return [said[-1].decode()] if said else []

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Records the exit code when the process has ended."""
        if self._process is None:
            return False
        code = self._process.poll()
        if code is not None:
            self.codes.append(code)
            self._process = None
        return code is None

    @property
    def has_finished(self) -> bool:
        return not self.runs and bool(self.codes) and self.codes[-1] == self.success

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def processes(self, *, whole: bool) -> list[psutil.Process]:
        """Signals the driver alone, or also the Ray that it started."""
        processes = tree(self.pid)
        return processes if whole else processes[:1]

    def wait(self) -> None:
        """Waits until it has ended. A driver that hangs is killed and reported as hanging."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.runs:
            if time.monotonic() > deadline:
                self.hung = True
                self.close()
            time.sleep(0.05)

    def close(self) -> None:
        if self._process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                end(tree(self._process.pid))
            self._process.wait()
