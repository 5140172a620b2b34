"""A command-line run that can be killed, paused and restarted."""

from __future__ import annotations

import contextlib
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.chaos.nodes import end, tree

_CLOCK = Path(__file__).parent / "clock"
PATIENCE_S = 300.0  # a run takes seconds; only a hang takes longer than this, on any machine


@dataclass(slots=True)
class Driver:
    number: int
    folder: Path
    arguments: Sequence[str]
    environment: Mapping[str, str]
    codes: list[int] = field(default_factory=list)  # exit codes of the starts so far
    hung: bool = False
    success: int = 0  # the exit code of a completed run: 1 if documents have to be rejected
    clock_jumps: bool = False
    patience_s: float = PATIENCE_S
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts a new attempt in its own session, as from a shell."""
        clock = self.folder / f"clock{self.number}"
        if not clock.exists():
            clock.write_bytes(struct.pack("d", 0.0))
        own = (
            {"RAYOCR_CHAOS_CLOCK": str(clock), "PYTHONPATH": f"{_CLOCK}:{self.environment.get('PYTHONPATH', '')}"}
            if self.clock_jumps
            else {}
        )
        command = [sys.executable, "-m", "rayocr", *self.arguments, f"logs.dir={self.folder / f'logs{self.number}'}"]
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environment, **own},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def set_clock(self, jumped_s: float) -> None:
        """Moves the clock of the driver and of the processes of its own Ray. Takes effect at once."""
        with (self.folder / f"clock{self.number}").open("r+b") as file:
            file.write(struct.pack("d", jumped_s))

    @property
    def output(self) -> Path:
        return self.folder / f"driver{self.number}.log"

    def ports(self) -> list[str]:
        """Returns the port of the driver's HTTP API, or an empty list if it does not run."""
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
        deadline = time.monotonic() + self.patience_s
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
