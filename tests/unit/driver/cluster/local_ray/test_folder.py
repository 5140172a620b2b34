"""The folder and the token of a local Ray."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from rayocr.driver.cluster.local_ray import folder as local_ray
from rayocr.errors import ClusterUnavailable


@pytest.fixture(autouse=True)
def tmp(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    import tempfile

    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # short
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setattr(local_ray, "_folder", None)
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "")  # so that monkeypatch restores it
        monkeypatch.delenv(name)
    yield folder
    local_ray.clean_up()
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_folder_and_token_are_for_this_user_and_this_run(tmp: Path) -> None:
    local_ray.prepare()
    folder = Path(local_ray.temp_dir()).parent  # Ray makes its folder accessible to all users
    token = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
    assert (folder.parent, token.parent, os.environ["RAY_AUTH_MODE"]) == (tmp, folder, "token")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    first = token.read_text()
    local_ray.clean_up()
    assert not folder.exists()
    assert "RAY_AUTH_TOKEN_PATH" not in os.environ
    local_ray.prepare()
    assert Path(os.environ["RAY_AUTH_TOKEN_PATH"]).read_text() != first


def test_a_folder_to_which_a_process_still_writes_is_left_to_the_guard(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = []
    monkeypatch.setattr(local_ray.guard, "release", lambda: released.append(True))
    monkeypatch.setattr(local_ray.guard, "dismiss", lambda: released.append(False))
    local_ray.prepare()
    inside = Path(local_ray.temp_dir())
    inside.mkdir()
    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", lambda *_, **__: None)  # a process makes a file while the folder is removed
        local_ray.clean_up()
    assert released == [True]
    assert (inside.parent / "owner").exists()


def test_a_token_that_the_user_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "chosen")
    local_ray.prepare()
    assert "RAY_AUTH_TOKEN_PATH" not in os.environ


def test_folders_of_killed_runs_are_swept_and_those_of_live_ones_stay(tmp: Path) -> None:
    make = "import os; from rayocr.driver.cluster.local_ray import folder as local_ray; local_ray.prepare()"
    make += "; print(os.path.dirname(local_ray.temp_dir()), flush=True)"
    environment = os.environ | {"TMPDIR": str(tmp)}
    dead = subprocess.run(
        [sys.executable, "-c", make + "; os._exit(0)"], env=environment, capture_output=True, text=True, check=True
    )
    with subprocess.Popen(
        [sys.executable, "-c", make + "; input()"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as alive:
        assert alive.stdout is not None
        lives = Path(alive.stdout.readline().strip())
        local_ray.prepare()
        assert not Path(dead.stdout.strip()).exists()
        assert lives.exists()
        alive.communicate("\n")


def test_a_path_that_is_too_long_for_sockets_is_not_used(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp / ("x" * 60)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    local_ray.prepare()
    assert not local_ray.temp_dir().startswith(str(long))
    assert list(long.iterdir()) == []


def test_no_space_is_named_with_the_folder(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(1 << 30, 1 << 30, 5 << 20))
    with pytest.raises(ClusterUnavailable, match=f"{tmp} has only 5 MiB") as raised:
        local_ray.prepare()
    assert "TMPDIR" in str(raised.value.hint)
