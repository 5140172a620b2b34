from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rayocr.errors import UsageError
from rayocr.private_folder import private_folder


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("runtime", "home", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_for_its_user_alone(places: Path) -> None:
    old = os.umask(0)
    try:
        folder = private_folder("leases")
    finally:
        os.umask(old)
    assert folder == places / "runtime" / "rayocr" / "leases"
    assert mode(folder) == mode(folder.parent) == 0o700


def test_the_next_place_is_taken_where_there_is_no_runtime_folder_and_no_home(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert private_folder() == places / "home" / ".cache" / "rayocr"
    monkeypatch.setenv("HOME", str(places / "absent"))
    assert private_folder() == places / "tmp" / f"rayocr-{os.getuid()}"


def test_a_folder_that_was_open_is_closed(places: Path) -> None:
    (places / "runtime" / "rayocr").mkdir(mode=0o777)
    (places / "runtime" / "rayocr").chmod(0o777)
    assert mode(private_folder()) == 0o700


def test_what_others_prepared_is_refused(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("HOME", str(places / "absent"))
    prepared = places / "tmp" / f"rayocr-{os.getuid()}"
    victim = places / "victim"
    victim.mkdir()
    prepared.symlink_to(victim)
    with pytest.raises(UsageError, match="symbolic link"):
        private_folder("leases")
    assert list(victim.iterdir()) == []
    prepared.unlink()
    prepared.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(UsageError, match="another user"):
        private_folder("leases")
