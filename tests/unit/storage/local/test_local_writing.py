"""Writing into folders: full disks, killed writers, temporary files, permissions of the state."""

from __future__ import annotations

import errno
import io
import os
import resource
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rayocr.errors import (
    ObjectNotFound,
    PreconditionFailed,
    RayocrError,
    StorageDenied,
    StorageError,
    StorageFull,
    StorageUnavailable,
    UnsafeName,
)
from rayocr.storage.local.storage import LocalStorage
from rayocr.storage.os_errors import storage_error
from tests.unit.storage.local.folders import names, temp_files


def test_a_file_where_a_folder_must_be_is_named(root: Path) -> None:
    storage = LocalStorage(root)
    storage.write("reports", b"")
    for name in ("reports/a.md", "reports/2024/deep/a.md"):
        with pytest.raises(UnsafeName, match=r"/reports is a file, but a folder is needed to write"):
            storage.write(name, b"", if_absent=True)
    (root / "folder.md").mkdir()
    with pytest.raises(UnsafeName, match="is a folder"):
        storage.write("folder.md", b"")
    (root / ".rayocr" / "documents").write_bytes(b"")
    with pytest.raises(StorageDenied, match="is a file"):
        storage.write(".rayocr/documents/ab/ab.json", b"")
    assert temp_files(root) == []


def test_a_state_folder_that_is_a_file_is_named(root: Path) -> None:
    (root / ".rayocr").write_text("")
    with pytest.raises(StorageDenied, match=r"/\.rayocr is a file"):
        LocalStorage(root).write("a.md", b"")


def test_a_name_too_long_for_the_file_system_is_an_unsafe_name(root: Path) -> None:
    storage = LocalStorage(root)
    for if_absent in (True, False):
        with pytest.raises(UnsafeName, match="too long"):
            storage.write("x" * 256, b"", if_absent=if_absent)
    with pytest.raises(UnsafeName, match="too long"):
        storage.stat("x" * 256)
    assert temp_files(root) == []


def test_a_proc_file_system_takes_no_files() -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("no /proc here")
    with pytest.raises((StorageDenied, StorageUnavailable)):
        LocalStorage("/proc").check_writable()


@pytest.fixture
def no_room() -> Iterator[None]:
    """A limit on file sizes, which acts like a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("no_room")
def test_a_full_disk_keeps_the_old_file_and_leaves_no_half_one(root: Path) -> None:
    storage = LocalStorage(root)
    storage.write("a", b"old")
    for data in (b"x" * 200_000, io.BytesIO(b"x" * 200_000)):
        with pytest.raises(StorageFull) as caught:
            storage.write("a", data)
    assert caught.value.hint is not None
    assert "/root/a" in str(caught.value)
    assert storage.read("a") == b"old"
    assert temp_files(root) == []


@pytest.mark.parametrize("if_absent", [True, False])
def test_a_folder_on_another_file_system_is_written_through_a_file_beside_the_target(
    root: Path, monkeypatch: pytest.MonkeyPatch, if_absent: bool
) -> None:
    def crossing(original: Any) -> Any:
        def call(source: str, target: str) -> None:
            if "/.rayocr/tmp/" in source:
                raise OSError(errno.EXDEV, "Invalid cross-device link", source, target)
            original(source, target)

        return call

    monkeypatch.setattr(os, "link", crossing(os.link))
    monkeypatch.setattr(os, "rename", crossing(os.rename))
    storage = LocalStorage(root)
    written = storage.write("sub/a", b"text", if_absent=if_absent)
    assert storage.stat("sub/a") == written
    assert [path.name for path in (root / "sub").iterdir()] == ["a"]
    assert temp_files(root) == []


def test_without_hard_links_only_one_creates(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: str, target: str) -> None:
        raise OSError(errno.EPERM, "Operation not permitted", source, target)

    monkeypatch.setattr(os, "link", link)
    storage = LocalStorage(root)
    storage.write("a", b"one", if_absent=True)
    monkeypatch.setattr(os.path, "lexists", lambda path: Path(path).exists() and sys._getframe(1).f_code.co_name == "_link")
    with pytest.raises(PreconditionFailed):
        storage.write("a", b"two", if_absent=True)
    assert storage.read("a") == b"one"
    assert temp_files(root) == []


def test_a_folder_that_was_removed_is_made_again(root: Path) -> None:
    storage = LocalStorage(root)
    for if_absent in (True, False):
        storage.write("deep/er/a", b"one")
        storage.delete("deep/er/a")
        (root / "deep" / "er").rmdir()
        (root / "deep").rmdir()
        storage.write("deep/er/a", b"two", if_absent=if_absent)
    assert storage.read("deep/er/a") == b"two"


def test_a_folder_that_another_makes_and_removes_meanwhile_is_made_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = LocalStorage(root)
    mkdir, gone = os.mkdir, []

    def made_by_another(path: str, *more: object) -> None:
        mkdir(path)
        if path.endswith("/er") and not gone:
            gone.append(path)
            Path(path).rmdir()
            raise FileExistsError(17, "File exists", path)

    monkeypatch.setattr(os, "mkdir", made_by_another)
    storage.write("deep/er/a", b"x", if_absent=True)
    assert gone
    assert storage.read("deep/er/a") == b"x"


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_a_file_in_the_place_of_a_folder_is_named(root: Path, kind: str) -> None:
    if kind == "file":
        (root / "deep").write_bytes(b"")
    else:
        (root / "deep").symlink_to(root / "nowhere")
    with pytest.raises(UnsafeName, match="deep"):
        LocalStorage(root).write("deep/a", b"x")


def test_deleting_the_last_object_of_a_state_folder_removes_the_folder_and_outputs_keep_theirs(root: Path) -> None:
    storage = LocalStorage(root)
    for name in (".rayocr/ledger/run/0.zst", "reports/a.md"):
        storage.write(name, b"x")
        storage.delete(name)
    assert [path.name for path in (root / ".rayocr").iterdir()] == ["tmp"]
    assert (root / "reports").is_dir()


WRITE_SLOWLY = """
import sys, time
from rayocr.storage.local.storage import LocalStorage
class Slow:
    def read(self, size):
        print("writing", flush=True)
        time.sleep(600)
LocalStorage(sys.argv[1]).write("a", Slow())
"""


def test_a_killed_writer_leaves_no_object_and_its_temporary_file_is_swept(root: Path) -> None:
    storage = LocalStorage(root)
    with subprocess.Popen([sys.executable, "-c", WRITE_SLOWLY, str(root)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        assert storage.sweep_temp() == 0
        assert len(temp_files(root)) == 1
        writer.kill()
        writer.wait()
    assert names(storage) == []
    assert storage.sweep_temp() == 1
    assert temp_files(root) == []


def test_temporary_files_of_other_hosts_are_swept_after_a_day(root: Path) -> None:
    storage = LocalStorage(root)
    storage.write("a", b"")
    old, new = (root / ".rayocr" / "tmp" / f"elsewhere-1234.{pid}.77.abcdef" for pid in (1, 2))
    old.write_text("")
    new.write_text("")
    os.utime(old, (time.time() - 100_000,) * 2)
    assert storage.sweep_temp() == 1
    assert temp_files(root) == [new.name]


def test_sweeping_a_fresh_folder_finds_nothing(root: Path) -> None:
    assert LocalStorage(root).sweep_temp() == 0
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "writing", "expected"),
    [
        (errno.ENOSPC, True, StorageFull),
        (errno.EDQUOT, True, StorageFull),
        (errno.EFBIG, True, StorageFull),
        (errno.EACCES, False, StorageDenied),
        (errno.EPERM, True, StorageDenied),
        (errno.EROFS, True, StorageDenied),
        (errno.ENOENT, False, ObjectNotFound),
        (errno.ENOTDIR, False, ObjectNotFound),
        (errno.ENOTDIR, True, StorageDenied),
        (errno.ELOOP, False, ObjectNotFound),
        (errno.ELOOP, True, StorageDenied),
        (errno.ENAMETOOLONG, True, UnsafeName),
        (errno.EILSEQ, True, UnsafeName),
        (errno.EIO, False, StorageUnavailable),
        (errno.ESTALE, True, StorageUnavailable),
        (errno.ETIMEDOUT, False, StorageUnavailable),
        (errno.EMFILE, False, StorageUnavailable),
        (errno.ENOTCONN, True, StorageUnavailable),
    ],
)
def test_every_errno_has_a_class_and_one_line_with_the_path(code: int, writing: bool, expected: type[RayocrError]) -> None:
    error = storage_error(OSError(code, os.strerror(code)), "/data/new\nline.pdf", writing=writing)
    assert type(error) is expected
    assert "\n" not in str(error)
    assert "/data" in str(error)


def test_the_state_is_for_its_user_alone_and_outputs_follow_the_umask(root: Path) -> None:
    old = os.umask(0o022)
    try:
        storage = LocalStorage(root)
        for name in (".rayocr/documents/ab/x.json", "reports/a.md"):
            storage.write(name, b"x")
            storage.write(name, b"y")
    finally:
        os.umask(old)
    modes = {str(path.relative_to(root)): stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*")}
    outputs = {name: mode for name, mode in modes.items() if not name.startswith(".rayocr")}
    assert outputs == {"reports": 0o755, "reports/a.md": 0o644}
    assert modes.keys() > outputs.keys()
    assert all(mode & 0o077 == 0 for name, mode in modes.items() if name not in outputs)


def test_the_state_of_an_earlier_version_is_made_private(root: Path) -> None:
    (root / ".rayocr").mkdir(mode=0o755)
    (root / ".rayocr").chmod(0o755)
    LocalStorage(root).sweep_temp()
    assert stat.S_IMODE((root / ".rayocr").stat().st_mode) == 0o700


def test_a_full_disk_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    storage = LocalStorage(root)
    monkeypatch.setattr(os, "open", full)
    with pytest.raises(StorageFull, match=r"No space left on device \(disk /\S*: [\d,]+ MiB free"):
        storage.write("a.md", b"x")


@pytest.mark.parametrize("name", [".rayocr/documents/ab/x.json", "out.md"])
def test_a_folder_in_the_place_of_a_file_is_named_with_the_next_step(root: Path, name: str) -> None:
    (root / name).mkdir(parents=True)
    with pytest.raises(StorageError, match=r"(x\.json|out\.md) is a folder") as caught:
        LocalStorage(str(root)).write(name, b"", if_absent=True)
    assert caught.value.hint == "Move or delete the folder. Then start the same command again."
