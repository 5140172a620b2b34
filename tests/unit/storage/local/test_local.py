"""Behavior specific to folders: links, special files, full disks, killed writers."""

from __future__ import annotations

import errno
import io
import os
import re
import resource
import socket
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
    UsageError,
    VersionChanged,
)
from rayocr.storage.factory import cached_storage, open_storage
from rayocr.storage.local.storage import LocalStorage
from rayocr.storage.os_errors import storage_error
from tests.unit.counted_steps import steps_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def names(storage: LocalStorage, prefix: str = "") -> list[str]:
    return [entry.name for entry in storage.list(prefix)]


def temp_files(root: Path) -> list[str]:
    return [path.name for path in (root / ".rayocr" / "tmp").iterdir() if path.name != "write.lock"]


# -- the root -----------------------------------------------------------------------------------------------------------------


def test_a_missing_root_is_made_only_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFound, match="does not exist"):
        LocalStorage(tmp_path / "a" / "b")
    LocalStorage(tmp_path / "a" / "b", create=True)
    assert (tmp_path / "a" / "b").is_dir()


def test_a_root_without_permission_is_not_called_missing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "stat", refuse)
    with pytest.raises(StorageDenied, match=rf"^No permission to read {re.escape(str(root))}\.$"):
        LocalStorage(root)


@pytest.mark.parametrize("create", [True, False])
def test_a_root_that_is_a_file_is_a_usage_error(tmp_path: Path, create: bool) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        LocalStorage(tmp_path / "file", create=create)


def test_a_root_below_a_file_is_denied_and_says_which_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageDenied, match=r"/file is a file, but a folder is needed"):
        LocalStorage(tmp_path / "file" / "below", create=True)


def test_a_root_that_vanishes_is_unavailable_and_not_empty(root: Path) -> None:
    storage = LocalStorage(root)
    root.rmdir()
    with pytest.raises(StorageUnavailable, match="no longer exists"):
        names(storage)


def test_opening_by_uri_gives_the_same_storage_once(root: Path) -> None:
    assert open_storage(str(root)).uri == f"file://{os.path.realpath(root)}"
    assert cached_storage(f"file://{root}") is cached_storage(f"file://{root}")


# -- listing ------------------------------------------------------------------------------------------------------------------


def test_links_are_followed_and_never_in_circles(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "o.pdf").write_text("x")
    (outside / "deep" / "d.pdf").write_text("x")
    (outside / "back to root").symlink_to(root)
    (outside / "deep" / "up").symlink_to(outside)
    (root / "a").mkdir()
    (root / "a" / "1.pdf").write_text("x")
    (root / "a" / "self").symlink_to(root / "a")
    (root / "a" / "up").symlink_to("..")
    (root / "0 the same again").symlink_to(root / "a")
    (root / "file link.pdf").symlink_to(root / "a" / "1.pdf")
    (root / "out").symlink_to(outside)
    (root / "out again").symlink_to(outside)
    listed = names(LocalStorage(root, follow_links=True))
    assert listed == ["a/1.pdf", "file link.pdf", "out again/deep/d.pdf", "out again/o.pdf"]


def test_links_that_lead_out_of_the_root_are_reported_and_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.pdf").write_text("x")
    (root / "a").mkdir()
    (root / "a" / "1.pdf").write_text("x")
    (root / "inside.pdf").symlink_to(root / "a" / "1.pdf")
    (root / "file.pdf").symlink_to(outside / "secret.pdf")
    (root / "folder v1.2").symlink_to(outside)
    (root / "sibling").symlink_to(f"{root}-sibling")
    Path(f"{root}-sibling").mkdir()  # its name begins with the root's
    told: dict[str, StorageError] = {}
    storage = LocalStorage(root, on_error=told.__setitem__)
    assert names(storage) == ["a/1.pdf", "inside.pdf"]
    assert {name: type(error) for name, error in told.items()} == {
        "file.pdf": ObjectNotFound,
        "folder v1.2": StorageDenied,
        "sibling": StorageDenied,
    }
    assert storage.read("inside.pdf") == b"x"
    for name in ("file.pdf", "folder v1.2/secret.pdf"):
        with pytest.raises(StorageDenied, match="leads out of"):
            storage.read(name)
        with pytest.raises(StorageDenied, match="leads out of"):
            storage.stat(name)
    assert LocalStorage(root, follow_links=True).read("file.pdf") == b"x"


@pytest.mark.parametrize("linked", ["reports", ".rayocr", ".rayocr/tmp"])
def test_nothing_is_written_or_deleted_through_a_link_out_of_the_root(root: Path, tmp_path: Path, linked: str) -> None:
    outside = tmp_path / "outside"
    (outside / "2024").mkdir(parents=True)
    (outside / "2024" / "a.md").write_text("mine")
    (root / linked).parent.mkdir(exist_ok=True)
    (root / linked).symlink_to(outside)
    storage = LocalStorage(root)
    denied = UnsafeName if linked == "reports" else StorageDenied  # of one document, of the run
    for write in ({}, {"if_absent": True}, {"if_version": "1-1"}):
        with pytest.raises(denied, match="leads out of"):
            storage.write("reports/2024/a.md", b"x", **write)
    with pytest.raises(denied):
        storage.delete("reports/2024/a.md")
    assert [path.name for path in outside.rglob("*")] == ["2024", "a.md"]
    assert (outside / "2024" / "a.md").read_text() == "mine"


def test_a_link_in_the_place_of_an_output_is_replaced_and_not_written_through(root: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (root / "a.md").symlink_to(tmp_path / "theirs")
    LocalStorage(root).write("a.md", b"ours")
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert not (root / "a.md").is_symlink()


def test_a_link_to_a_folder_above_the_root_ends_at_the_root(root: Path) -> None:
    (root / "a").mkdir()
    (root / "a" / "1.pdf").write_text("x")
    (root / "a" / "above").symlink_to(root.parent)
    (root.parent / "beside.pdf").write_text("x")
    storage = LocalStorage(root, follow_links=True)
    assert names(storage) == names(storage, "a/") == ["a/1.pdf", "a/above/beside.pdf"]


def test_a_state_folder_that_is_a_link_is_listed_when_asked_for(root: Path) -> None:
    (root / "state").mkdir()
    (root / ".rayocr").symlink_to("state")
    storage = LocalStorage(root)
    storage.write(".rayocr/documents/ab/x.json", b"{}")
    assert names(storage, ".rayocr/documents/") == [".rayocr/documents/ab/x.json"]


def test_folders_sockets_fifos_and_devices_are_not_documents(root: Path) -> None:
    (root / "folder.pdf").mkdir()
    (root / "folder.pdf" / "in it.pdf").write_text("x")
    os.mkfifo(root / "fifo.pdf")
    (root / "device.pdf").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(root)
        server.bind("socket.pdf")
        os.chdir(here)
    storage = LocalStorage(root, follow_links=True)
    assert names(storage) == ["folder.pdf/in it.pdf"]
    for name in ("fifo.pdf", "device.pdf", "socket.pdf", "folder.pdf"):
        with pytest.raises(ObjectNotFound):
            storage.read(name)


def test_names_that_are_not_text_make_the_round_trip(root: Path) -> None:
    raw = os.fsencode(root)
    (root / os.fsdecode(b"sub\xff")).mkdir()
    Path(os.fsdecode(raw + b"/sub\xff/latin\xe9.pdf")).write_bytes(b"x")
    storage = LocalStorage(root)
    (name,) = names(storage)
    assert os.fsencode(name) == b"sub\xff/latin\xe9.pdf"
    assert storage.read(name, version=storage.stat(name).version) == b"x"
    storage.write(name + ".md", b"y")
    assert storage.read(name + ".md") == b"y"
    with pytest.raises(UnsafeName):
        storage.write("lone \ud800 surrogate", b"")


def test_broken_links_and_unreadable_folders_are_reported_and_the_rest_is_listed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "closed", "z"):
        (root / name).mkdir()
        (root / name / "1.pdf").write_text("x")
    (root / "broken.pdf").symlink_to("nowhere")
    (root / "circle.pdf").symlink_to("circle.pdf")
    deny(monkeypatch, str(root / "closed"))
    reported: list[tuple[str, StorageError]] = []
    storage = LocalStorage(root, on_error=lambda name, error: reported.append((name, error)))
    assert names(storage) == ["a/1.pdf", "z/1.pdf"]
    assert {name: type(error) for name, error in reported} == {
        "broken.pdf": ObjectNotFound,
        "circle.pdf": ObjectNotFound,
        "closed": StorageDenied,
    }
    assert len(reported) == 3


def test_folders_and_files_whose_path_is_too_long_are_reported(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    for name in ("a" * 250, *("d" * 250 for _ in range(17))):  # the system takes longer paths piece by piece only
        Path(name).mkdir()
        os.chdir(name)
        Path("f" * 200 + ".pdf").write_bytes(b"x")
    reported: dict[str, StorageError] = {}
    found = names(LocalStorage(root, on_error=reported.__setitem__))
    assert 10 < len(found) < 18
    assert sorted(name.rpartition("/")[2][0] for name in reported) == ["d", "f"][: len(reported)]
    assert {type(error) for name, error in reported.items() if not name.endswith(".pdf")} == {StorageDenied}
    assert all(isinstance(error, UnsafeName) for name, error in reported.items() if name.endswith(".pdf"))
    with pytest.raises(StorageDenied, match="too long"):
        names(LocalStorage(root))


def deny(monkeypatch: pytest.MonkeyPatch, closed: str) -> None:
    """Root may read everything, so permission bits have no effect here."""
    scandir = os.scandir

    def denying(path: str) -> Any:
        if os.fspath(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denying)


def test_without_anybody_to_report_to_an_unreadable_folder_ends_the_listing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "closed").mkdir()
    (root / "broken.pdf").symlink_to("nowhere")
    deny(monkeypatch, str(root / "closed"))
    with pytest.raises(StorageDenied, match="closed"):
        names(LocalStorage(root))


def test_a_folder_that_is_deleted_while_listing_is_skipped(root: Path) -> None:
    for name in ("a", "b", "c"):
        (root / name).mkdir()
        (root / name / "1.pdf").write_text("x")
    listing = LocalStorage(root).list()
    assert next(listing).name == "a/1.pdf"
    (root / "b" / "1.pdf").unlink()
    (root / "b").rmdir()
    assert [entry.name for entry in listing] == ["c/1.pdf"]


def test_a_file_costs_a_listing_few_steps(root: Path) -> None:
    for i in range(500):
        if i % 100 == 0:
            (root / f"{i // 100}").mkdir()
        os.close(os.open(f"{root}/{i // 100}/{i}.pdf", os.O_CREAT))
    storage, found = LocalStorage(root), []
    steps = steps_of(lambda: found.extend(names(storage)))
    assert len(found) == 500
    assert steps < 80 * 500  # 50 each; pathlib doubles them


# -- reading ------------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_changed_in_place_while_it_is_read_is_noticed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "a").write_bytes(b"x" * 1000)
    storage = LocalStorage(root)
    version = storage.stat("a").version
    fstat, calls = os.fstat, 0

    def changing(fd: int) -> os.stat_result:
        nonlocal calls
        calls += 1
        if calls == 2:
            (root / "a").write_bytes(b"y" * 2000)
        return fstat(fd)

    monkeypatch.setattr(os, "fstat", changing)
    with pytest.raises(VersionChanged):
        storage.read("a", version=version)


# -- writing ------------------------------------------------------------------------------------------------------------------


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
