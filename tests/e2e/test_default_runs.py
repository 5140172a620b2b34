"""Concurrent runs on one machine with default options, without any cluster option."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.e2e.support import PATIENCE_S, PROJECT, Cli


@pytest.mark.slow
def test_two_default_runs_at_once_each_have_a_ray_of_their_own(environment: dict[str, str], tmp_path: Path) -> None:
    cli = Cli(environment, tmp_path, "auto")
    (cli.folder / "in").mkdir(exist_ok=True)
    (cli.folder / "in" / "a.pdf").write_bytes((PROJECT / "samples" / "letter.pdf").read_bytes())
    private = {"XDG_RUNTIME_DIR": str(cli.folder)}
    runs = [
        cli.start("source=in", f"dest=out{number}", f"logs.dir=logs{number}", "engine=textlayer", "gateway.port=0", **private)
        for number in range(2)
    ]
    said = [run.communicate(timeout=PATIENCE_S)[0] for run in runs]
    for number, run in enumerate(runs):
        assert run.returncode == 0, said[number]
        assert "1 complete" in said[number]
        assert "Running on the Ray cluster" not in said[number], "another run's Ray is private"
        assert " E " not in said[number] and ".cc:" not in said[number], "Ray's own lines are in a file"
        assert (cli.folder / f"logs{number}" / "ray-driver.log").exists()
    for name in ("out0/.rayocr", "out1/.rayocr", "logs0/json", "rayocr"):
        folder = cli.folder / name
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    assert not list(Path(cli.folder / "rayocr").glob("*.token")), "tokens are deleted with their runs"
