"""docker/bin/rayocr-driver, rayocr-drain-node and rayocr-health, with programs in place of Ray, Python and wget."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

BIN = Path(__file__).parents[3] / "docker" / "bin"


class Programs:
    """Each call is one line of `log`. `fails`: how often a command fails before it succeeds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.touch()
        for name in ("ray", "python", "wget"):
            self.fails(name, "", 0)
        self._write("sleep", "exit 0")

    def fails(self, name: str, command: str, times: int) -> None:
        left = self.folder / f"{name}-left"
        left.write_text("x" * times)
        self._write(
            name,
            f'echo "{name} $*" >> {self.log}\n'
            f'case "$*" in "{command}"*) if [ -s {left} ]; then sed -i "s/^x//" {left}; exit 1; fi ;; esac\nexit 0',
        )

    def _write(self, name: str, body: str) -> None:
        program = self.folder / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.folder}:{os.environ['PATH']}", **variables}
        return subprocess.run(
            [BIN / script, *arguments], env=environment, capture_output=True, text=True, timeout=600, check=False
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


def test_the_driver_joins_the_cluster_without_cpus_and_becomes_the_run(programs: Programs) -> None:
    done = programs.run(
        "rayocr-driver",
        "mode=watch",
        "a b",
        RAYOCR_HEAD="rayocr-head-svc:6379",
        RAYOCR_NODE_OPTIONS="--object-spilling-directory=/spill",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    asked, joined, ran = programs.calls
    assert asked == "ray health-check --address rayocr-head-svc:6379"
    assert joined.startswith("ray start --address=rayocr-head-svc:6379 --num-cpus=0 --object-store-memory=200000000")
    assert joined.endswith("--object-spilling-directory=/spill")
    assert ran == "python -m rayocr cluster=rayocr-head-svc:6379 progress=plain mode=watch a b"


def test_it_waits_for_a_head_that_is_still_starting(programs: Programs) -> None:
    programs.fails("ray", "health-check", 5)
    assert programs.run("rayocr-driver", RAYOCR_HEAD="h:1").returncode == 0
    assert len(programs.calls) == 8


def test_it_gives_up_with_exit_code_3_and_says_why(programs: Programs) -> None:
    programs.fails("ray", "health-check", 99)
    done = programs.run("rayocr-driver", RAYOCR_HEAD="h:1", RAYOCR_HEAD_TRIES="4")
    assert (done.returncode, done.stderr) == (3, "rayocr: no Ray head answers at h:1.\n")
    assert not [call for call in programs.calls if call.startswith("python")]


def test_a_node_that_does_not_start_is_tried_three_times(programs: Programs) -> None:
    programs.fails("ray", "start", 2)
    assert programs.run("rayocr-driver", RAYOCR_HEAD="h:1").returncode == 0
    programs.fails("ray", "start", 99)
    done = programs.run("rayocr-driver", RAYOCR_HEAD="h:1")
    assert done.returncode == 3 and "/tmp/ray/session_latest/logs" in done.stderr


def test_without_a_head_it_says_what_to_set(programs: Programs) -> None:
    done = programs.run("rayocr-driver")
    assert done.returncode != 0 and "RAYOCR_HEAD" in done.stderr
    assert not programs.calls


def test_a_worker_tells_ray_that_its_machine_is_leaving_and_how_long_it_stays(programs: Programs) -> None:
    assert programs.run("rayocr-drain-node", RAYOCR_DRAIN_S="0").returncode == 0
    (call,) = programs.calls
    assert call.startswith("ray drain-node --reason DRAIN_NODE_REASON_PREEMPTION")
    assert "--deadline-remaining-seconds 0" in call


def test_the_health_check_asks_the_run_and_then_the_node(programs: Programs) -> None:
    assert programs.run("rayocr-health", RAYOCR_PORT="8081").returncode == 0
    assert programs.calls[0].endswith("http://127.0.0.1:8081/health")
    programs.fails("wget", "-q -T 3 -t 1 -O /dev/null", 99)
    assert programs.run("rayocr-health").returncode != 0, "the node has not said `success`"
    assert programs.calls[-1].endswith("/api/local_raylet_healthz")


def test_every_option_that_is_given_to_ray_exists() -> None:
    from ray.scripts.scripts import drain_node, healthcheck, start

    compose = (BIN.parent / "compose.yaml").read_text()
    services = yaml.safe_load(compose)["services"]
    text = "\n".join(path.read_text() for path in BIN.iterdir()).replace("\\\n", " ")
    text += "\nray start " + " ".join(services["head"]["command"]) + f"\n{services['worker']['command'][0]}"
    text += f"\nray start {services['driver']['environment']['RAYOCR_NODE_OPTIONS']}\nray start --head --block"
    found = 0
    for name, command in {"start": start, "drain-node": drain_node, "health-check": healthcheck}.items():
        known = {option for parameter in command.params for option in parameter.opts}
        for line in re.findall(rf"\bray {name} ([^\n]*)", text):
            given = set(re.findall(r"(?<!\S)(--[a-z][a-z-]+)", line))
            assert given <= known, (name, given - known)
            found += len(given)
    assert found > 15
