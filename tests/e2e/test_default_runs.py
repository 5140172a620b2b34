"""Two runs on one machine at once with default options: each has its own Ray, which no other user of the machine can reach. The
second one begins without Ray, until a document ends its process."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.prefork import Forked, Prefork
from tests.e2e.support import PATIENCE_S, PROJECT, Cli, end_tree, manifests, wait_until
from tests.unit.pdf import pdfs

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("default runs")]  # they share the two runs

_UID = 54_321  # an id that no account has
_KEY = "AIza-planted-for-the-test-of-other-users"


@dataclass
class Runs:
    folder: Path
    watch: subprocess.Popen[str]
    single: Forked


@pytest.fixture(scope="module")
def runs(environment: dict[str, str], prefork: Prefork, home: Path) -> Iterator[Runs]:
    """A watch, and a run that ends by itself; both start at the same time, in a folder that everyone may enter."""
    home.chmod(0o755)
    folder = home / "runs"
    folder.mkdir(mode=0o755)
    cli = Cli(environment, folder, "auto", prefork=prefork)
    for number in range(2):
        (folder / f"in{number}").mkdir()
        (folder / f"in{number}" / "secret-name.pdf").write_bytes((PROJECT / "samples" / "letter.pdf").read_bytes())
    (folder / "in1" / "inflates.pdf").write_bytes(pdfs.in_object_stream(padding_bytes=1000 << 20))
    variables = {"XDG_RUNTIME_DIR": str(folder), "GEMINI_API_KEY": _KEY}
    options = ("engine=textlayer",)
    watch = cli.start("source=in0", "dest=out0", "logs.dir=logs0", "mode=watch", "gateway.port=0", *options, **variables)
    limits = (
        "logs.dir=logs1",
        "gateway.enabled=false",
        f"limits.page_memory={256 << 20}",
        "report.at_end=0",
        "outputs=[markdown]",
    )
    command = [sys.executable, "-m", "rayocr", "in1", "out1", *limits, *options]
    single = prefork.start(command, env=environment | variables, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    started = (watch, single)
    yield Runs(folder, *started)
    for run in started:
        end_tree(run.pid)
        if run.stdout is not None and not run.stdout.closed:
            run.communicate()


def _connections(process: psutil.Process) -> list[Any]:
    try:
        return list(process.net_connections())
    except psutil.NoSuchProcess:  # a worker without work ends
        return []


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_another_user_can_neither_read_nor_control_nor_overwrite(runs: Runs) -> None:
    watch, folder = runs.watch, runs.folder
    wait_until(lambda: (folder / "out0" / "secret-name.md").exists() or watch.poll() is not None, "the document is read")
    root = psutil.Process(watch.pid)
    processes = [root, *root.children(recursive=True)]
    of_ray = [Path(path) for path in Path("/tmp").glob(f"rayocr-{watch.pid}-*")]
    assert len(of_ray) == 1
    listening = {c.laddr.port for p in processes for c in _connections(p) if c.status == psutil.CONN_LISTEN}
    sockets = [line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if str(of_ray[0]) in line]
    assert sockets
    what = {
        "uid": _UID,
        "folders": [str(path) for path in (folder / "out0" / ".rayocr", folder / "logs0", *of_ray)],
        "ports": sorted(listening),
        "pids": [process.pid for process in processes],
        "sockets": sorted(set(sockets)),
    }
    command = [sys.executable, str(Path(__file__).with_name("other_user.py")), json.dumps(what)]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=True)
    found = json.loads(seen.stdout)
    for kind in ("readable", "writable", "connected", "environments"):
        assert found[kind] == [], kind
    assert found["answers"], "the status page has public parts, and Ray's metrics need no token"
    for answer in found["answers"]:
        assert "secret-name" not in answer
        assert _KEY not in answer
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # a worker without work ends
            assert _KEY not in " ".join(process.cmdline())


def test_the_dashboard_starts_when_it_is_opened_and_a_killed_driver_leaves_nothing_of_its_ray(
    runs: Runs, environment: dict[str, str], prefork: Prefork, tmp_path: Path
) -> None:
    (runs.folder / "in2").mkdir()
    (runs.folder / "in2" / "letter.pdf").write_bytes((PROJECT / "samples" / "letter.pdf").read_bytes())
    cli = Cli(environment | {"XDG_RUNTIME_DIR": str(tmp_path)}, runs.folder, "local", prefork=prefork)
    killed = cli.start("source=in2", "dest=out2", "logs.dir=logs2", "mode=watch", "gateway.port=0", "engine=textlayer")
    try:
        for run, number in ((killed, 2), (runs.watch, 0)):
            wait_until(lambda: any((runs.folder / f"out{number}").glob("*.md")) or run.poll() is not None, "it reads")  # noqa: B023
        assert "LedgerActor" in _actors_on_the_dashboard(killed.pid)
        processes, others = (psutil.Process(run.pid).children(recursive=True) for run in (killed, runs.watch))
        assert len(processes) > 15
        assert len(list(Path("/tmp").glob(f"rayocr-{killed.pid}-*"))) == 1
        killed.kill()
        wait_until(lambda: not any(map(_runs, processes)), "its Ray has ended")
        wait_until(lambda: not list(Path("/tmp").glob(f"rayocr-{killed.pid}-*")), "its folder is removed")
    finally:
        end_tree(killed.pid)
        killed.communicate()
    assert {"gcs_server", "raylet"} <= {process.name() for process in others if _runs(process)}
    assert runs.watch.poll() is None


def _actors_on_the_dashboard(pid: int) -> str:
    """Opens the dashboard, which starts at the first connection."""
    (token,) = Path("/tmp").glob(f"rayocr-{pid}-*/token")
    listening = [c.laddr.port for c in psutil.Process(pid).net_connections() if c.status == psutil.CONN_LISTEN]
    (port,) = (port for port in listening if 8265 <= port < 8315)
    assert not [p for p in psutil.Process(pid).children() if "dashboard.py" in " ".join(p.cmdline())]
    url = f"http://127.0.0.1:{port}/api/v0/actors"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Bearer {token.read_text()}"})) as answer:
        return str(answer.read(1_000_000).decode())


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_two_default_runs_at_once_each_have_their_own_ray_and_a_small_one_continues_with_it(runs: Runs) -> None:
    folder = runs.folder
    said = [runs.single.communicate(timeout=PATIENCE_S)[0]]
    assert runs.single.returncode == 1, said
    assert "The run continues with Ray, which isolates documents." in said[0]
    reasons = {m["name"]: m["reason"] for m in manifests(folder / "out1")}
    assert reasons == {"secret-name.pdf": None, "inflates.pdf": "Quarantined"}
    wait_until(lambda: (folder / "out0" / "secret-name.md").exists() or runs.watch.poll() is not None, "the document is read")
    runs.watch.terminate()
    said.append(runs.watch.communicate(timeout=PATIENCE_S)[0])
    assert runs.watch.returncode == 130, said
    for number, text in enumerate(said):
        assert "Running on the Ray cluster" not in text, "another run's Ray is private"
        assert " E " not in text and ".cc:" not in text, "Ray's own lines are in a file"
        assert (folder / f"logs{number}" / "ray-driver.log").exists()
    for name in ("out0/.rayocr", "out1/.rayocr", "logs0/json", "rayocr"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700, name
    assert not list((folder / "rayocr").glob("*.token")), "tokens are deleted with their runs"
