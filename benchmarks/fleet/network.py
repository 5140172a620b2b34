"""Network namespaces on one bridge without external access: each node has its own address and a cable that can be cut.

Needs root and iproute2.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HUB = "hub"  # the bridge, and the services that no node runs: Redis and the model server
_SUBNET = "10.77.0"


class Network:
    """Node names, which get addresses in order. `close` removes everything.

    Each node sees its own folder at `private`, because Ray's nodes find themselves and each other's sockets through files.
    """

    def __init__(self, nodes: Sequence[str], *, private: Path) -> None:
        self._private = private
        private.mkdir()
        self._tag = f"rf{os.getpid()}"
        self.nodes = tuple(nodes)
        self.addresses = {HUB: f"{_SUBNET}.1"} | {name: f"{_SUBNET}.{number}" for number, name in enumerate(nodes, start=2)}
        for name in (HUB, *nodes):
            _ip("netns", "add", self.namespace(name))
            self._inside(name, "link", "set", "lo", "up")
        self._inside(HUB, "link", "add", "bridge", "type", "bridge")
        self._inside(HUB, "addr", "add", f"{self.addresses[HUB]}/24", "dev", "bridge")
        self._inside(HUB, "link", "set", "bridge", "up")
        for name in nodes:
            self._plug_in(name)

    def namespace(self, name: str) -> str:
        return f"{self._tag}-{name}"

    def start(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> subprocess.Popen[Any]:
        """Runs in a process namespace of the node: a driver that sees other nodes' raylets would use their address as its own."""
        if name != HUB:
            command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *command]
        with log.open("ab") as output:
            return subprocess.Popen(
                self._command(name, command),
                env=dict(environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def call(self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str:
        """Runs a command and returns its standard output."""
        environment = None if environment is None else dict(environment)
        done = subprocess.run(
            self._command(name, command), env=environment, capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    def cut(self, name: str, *, cut: bool) -> None:
        """Cuts the node's cable: no packets go in or out."""
        self._inside(HUB, "link", "set", name, "down" if cut else "up")

    def part(self, names: Sequence[str], *, parted: bool) -> None:
        """Drops packets between these nodes. They can still reach all other nodes."""
        for name in names:
            command = ["bridge", "link", "set", "dev", name, "isolated", "on" if parted else "off"]
            subprocess.run(self._command(HUB, command), check=True, timeout=60)

    def processes(self, name: str) -> list[int]:
        found = subprocess.run(
            ["ip", "netns", "pids", self.namespace(name)], capture_output=True, text=True, check=False, timeout=60
        )
        return [int(pid) for pid in found.stdout.split()]

    def close(self) -> None:
        for name in (*self.nodes, HUB):
            subprocess.run(["ip", "netns", "del", self.namespace(name)], check=False, timeout=60)

    def _plug_in(self, name: str) -> None:
        self._inside(HUB, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", self.namespace(name))
        self._inside(HUB, "link", "set", name, "master", "bridge")
        self._inside(HUB, "link", "set", name, "up")
        self._inside(name, "addr", "add", f"{self.addresses[name]}/24", "dev", "eth0")
        self._inside(name, "link", "set", "eth0", "up")
        # A route without a destination, from which a process learns its own address.
        self._inside(name, "route", "add", "default", "via", self.addresses[HUB])

    def _command(self, name: str, command: Sequence[str]) -> list[str]:
        inside = ["ip", "netns", "exec", self.namespace(name)]  # also creates a mount namespace
        if name == HUB:
            return [*inside, *map(str, command)]
        own = self._private.with_name(f"{self._private.name}-{name}")
        own.mkdir(exist_ok=True)
        return [*inside, "sh", "-c", f'mount --bind {own} {self._private} && exec "$@"', "sh", *map(str, command)]

    def _inside(self, name: str, *arguments: str) -> None:
        _ip("-n", self.namespace(name), *arguments)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=60)
