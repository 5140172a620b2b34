"""Behavior specific to folders: the root, links, special files, listings and reading."""

from __future__ import annotations

import errno
import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from rayocr.errors import (
    ObjectNotFound,
    StorageDenied,
    StorageError,
    StorageUnavailable,
    UnsafeName,
    UsageError,
    VersionChanged,
)
from rayocr.storage.factory import cached_storage, open_storage
from rayocr.storage.local.storage import LocalStorage
from tests.unit.counted_steps import steps_of
from tests.unit.storage.local.folders import names

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
