"""Runs the Gemini simulator in a separate process, for benchmarks and chaos."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from types import TracebackType
from typing import Any

from benchmarks.measured import clean_environment

_KEY = "simulated-key"


class Simulated:
    """`with Simulated(rpm=600, latency_s=2) as server:` serves until the block is left."""

    def __init__(self, **settings: float) -> None:
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        command = [sys.executable, "-m", "benchmarks.gemini_simulator", *options]
        self._process = subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url: str = json.loads(self._process.stdout.readline())["url"]
        self.variables = {"GEMINI_API_KEY": _KEY, "GOOGLE_GEMINI_BASE_URL": self.url}

    def pace(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/pace", timeout=60) as answer:
            numbers: dict[str, Any] = json.load(answer)
        return numbers

    def counts(self) -> dict[str, Any]:
        """Returns requests and answers per page; the result is large if there are many pages."""
        with urllib.request.urlopen(f"{self.url}/counts", timeout=60) as answer:
            numbers: dict[str, Any] = json.load(answer)
        return numbers

    def set(self, **settings: float) -> None:
        request = urllib.request.Request(f"{self.url}/settings", data=json.dumps(settings).encode(), method="POST")
        urllib.request.urlopen(request, timeout=60).close()

    def __enter__(self) -> Simulated:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
