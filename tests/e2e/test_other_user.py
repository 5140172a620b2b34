"""Another user of the machine can read, control and overwrite nothing of a run with default settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.support import PATIENCE_S, PROJECT, Cli, wait_until

_UID = 54_321  # an id that no account has
_KEY = "AIza-planted-for-the-test-of-other-users"


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_another_user_can_neither_read_nor_control_nor_overwrite(cli: Cli) -> None:
    (cli.folder / "in").mkdir(exist_ok=True)
    (cli.folder / "in" / "secret-name.pdf").write_bytes((PROJECT / "samples" / "letter.pdf").read_bytes())
    run = cli.start("source=in", "dest=out", "mode=watch", "engine=textlayer", "cluster=local", GEMINI_API_KEY=_KEY)
    try:
        wait_until((cli.folder / "out" / "secret-name.md").exists, "the document is read")
        root = psutil.Process(run.pid)
        processes = [root, *root.children(recursive=True)]
        of_ray = [Path(folder) for folder in Path("/tmp").glob(f"rayocr-{run.pid}-*")]
        assert len(of_ray) == 1
        ours = [cli.folder / "out" / ".rayocr", cli.folder / "logs", *of_ray]
        listening = {c.laddr.port for p in processes for c in p.net_connections() if c.status == psutil.CONN_LISTEN}
        sockets = [line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if str(of_ray[0]) in line]
        assert sockets
        what = {
            "uid": _UID,
            "folders": [str(folder) for folder in ours],
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
        commands = " ".join(" ".join(process.cmdline()) for process in processes)
        assert _KEY not in commands
    finally:
        run.terminate()
        run.communicate(timeout=PATIENCE_S)
