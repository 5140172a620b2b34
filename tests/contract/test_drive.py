"""Behavior specific to Drive: duplicate names, ids, shortcuts, shared drives, writes without preconditions, changes."""

from __future__ import annotations

import os
import random
import threading

import pytest

from rayocr.config import AccessConfig
from rayocr.errors import ObjectNotFound, PreconditionFailed, StorageDenied, StorageError, StorageUnavailable, UnsafeName
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Changes
from rayocr.storage.drive.storage import DriveStorage
from rayocr.storage.factory import cached_storage, open_storage
from tests.servers.drive import DriveServer
from tests.servers.drive_store import FOLDER, SHORTCUT

POLICY = RetryPolicy(max_attempts=3, base_s=0.0, cap_s=0.0)


@pytest.fixture
def server(drive_server: DriveServer) -> DriveServer:
    drive_server.calm()
    drive_server.drive.read_only.clear()
    return drive_server


@pytest.fixture
def folder(server: DriveServer) -> str:
    return server.folder()


def opened(server: DriveServer, folder: str, path: str = "") -> DriveStorage:
    return DriveStorage(folder, path, access=AccessConfig(endpoint=server.url), policy=POLICY)


@pytest.fixture
def storage(server: DriveServer, folder: str) -> DriveStorage:
    return opened(server, folder)


def names(storage: DriveStorage, prefix: str = "") -> list[str]:
    return [entry.name for entry in storage.list(prefix)]


# -- names --------------------------------------------------------------------------------------------------------------------


def test_files_of_one_name_are_kept_apart_by_their_ids_and_the_oldest_keeps_the_name(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    ids = [server.drive.add("a.pdf", [folder], data=b"%d" % number) for number in range(3)]
    listed = names(storage)
    assert listed == sorted(["a.pdf", f"a~{ids[1]}.pdf", f"a~{ids[2]}.pdf"])
    assert storage.read("a.pdf") == b"0"
    for number in (1, 2):
        entry = storage.stat(f"a~{ids[number]}.pdf")
        assert storage.read(entry.name, version=entry.version) == b"%d" % number
    assert len({entry.version for entry in storage.list()}) == 3
    storage.write(f"a~{ids[1]}.pdf", b"replaced")
    assert server.drive.content[ids[1]] == b"replaced"
    storage.delete(f"a~{ids[2]}.pdf")
    assert names(storage) == sorted(["a.pdf", f"a~{ids[1]}.pdf"])
    with pytest.raises(ObjectNotFound):
        storage.stat(f"a~{ids[2]}.pdf")
    with pytest.raises(ObjectNotFound):
        storage.stat(f"a~{ids[0]}.pdf")  # the file's name is a.pdf


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        ("Invoice 3/2024.pdf", "Invoice 3／2024.pdf"),
        ("../../etc/passwd", "..／..／etc／passwd"),
        ("..", "．．"),
        (".", "．"),
        ("", "_"),
        ("a\nb\0c\x7f\u2028.pdf", "a␊b␀c␡\ufffd.pdf"),
        ("it's \\ 'quoted'.pdf", "it's \\ 'quoted'.pdf"),
        ("COPY of ~1234567890abc.pdf", "COPY of ~1234567890abc.pdf"),
    ],
)
def test_names_that_could_not_be_paths_are_shown_by_look_alikes_and_found_by_them(
    server: DriveServer, storage: DriveStorage, folder: str, called: str, shown: str
) -> None:
    inside = server.drive.add(called, [folder])
    server.drive.add(called, [inside], data=b"text")
    assert names(storage) == [f"{shown}/{shown}"]
    entry = storage.stat(f"{shown}/{shown}")
    assert storage.read(entry.name, version=entry.version) == b"text"


def test_names_that_look_the_same_after_that_are_kept_apart_too(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    first = server.drive.add("a／b", [folder], data=b"first")
    second = server.drive.add("a/b", [folder], data=b"second")
    assert names(storage) == ["a／b", f"a／b~{second}"]
    assert storage.read("a／b") == server.drive.content[first]
    assert storage.read(f"a／b~{second}") == b"second"


def test_upper_and_lower_case_are_distinguished_whatever_the_server_does(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    storage.write("A.pdf", b"upper")
    storage.write("a.pdf", b"lower")
    assert (storage.read("A.pdf"), storage.read("a.pdf")) == (b"upper", b"lower")


def test_a_name_that_is_not_unicode_is_refused(storage: DriveStorage) -> None:
    with pytest.raises(UnsafeName):
        storage.write("\udcff.pdf", b"x")


# -- folders ------------------------------------------------------------------------------------------------------------------


def test_folders_of_one_name_are_one_folder(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    first, second = (server.drive.add("scans", [folder]) for _ in range(2))
    server.drive.add("a.pdf", [first], data=b"a")
    server.drive.add("b.pdf", [second], data=b"b")
    late = server.drive.add("a.pdf", [second], data=b"a, too")
    assert names(storage) == ["scans/a.pdf", f"scans/a~{late}.pdf", "scans/b.pdf"]
    assert [storage.read(name) for name in names(storage)] == [b"a", b"a, too", b"b"]
    storage.write("scans/new.md", b"x")
    assert server.drive.path(first, "new.md")


def test_of_two_processes_that_make_one_folder_the_later_one_uses_the_other(
    server: DriveServer, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = opened(server, folder), opened(server, folder)
    monkeypatch.setattr(other, "_turn", lambda name: threading.Lock())  # another process shares no lock with this one
    server.script(match="POST /drive/v3/files?", act=lambda: other.write("out/b.md", b"b"))
    one.write("out/a.md", b"a")
    folders = [f for f in server.drive.files.values() if folder in f["parents"]]
    assert [f["trashed"] for f in folders] in ([False, True], [True, False])
    assert names(one) == ["out/a.md", "out/b.md"] == names(other)


def test_documents_without_bytes_and_what_lies_in_the_trash_are_skipped(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    server.drive.add("A document", [folder], mime="application/vnd.google-apps.document")
    server.drive.add("gone.pdf", [folder], data=b"", trashed=True)
    gone = server.drive.add("gone", [folder], trashed=True)
    server.drive.add("in the trash.pdf", [gone], data=b"")
    server.drive.add("there.pdf", [folder], data=b"")
    assert names(storage) == ["there.pdf"]


def shortcut(server: DriveServer, name: str, parent: str, target: str) -> str:
    details = {"targetId": target, "targetMimeType": server.drive.files[target]["mimeType"]}
    return server.drive.add(name, [parent], mime=SHORTCUT, shortcutDetails=details)


def test_shortcuts_are_followed_unless_what_they_lead_to_is_there_anyway(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    elsewhere = server.folder("elsewhere")
    outside = server.drive.add("outside.pdf", [elsewhere], data=b"outside")
    beside = server.drive.add("beside", [elsewhere])
    server.drive.add("b.pdf", [beside], data=b"b")
    sub = server.drive.add("sub", [folder])
    inside = server.drive.add("inside.pdf", [sub], data=b"inside")
    shortcut(server, "to outside.pdf", folder, outside)
    shortcut(server, "to beside", folder, beside)
    shortcut(server, "to inside.pdf", folder, inside)
    shortcut(server, "to sub", folder, sub)
    shortcut(server, "back up", sub, folder)
    shortcut(server, "back to itself", beside, beside)
    shortcut(server, "round about", beside, elsewhere)
    dangling = shortcut(server, "dangling.pdf", folder, outside)
    server.drive.files[dangling]["shortcutDetails"] = {"targetId": "nowhere", "targetMimeType": "application/pdf"}
    # "elsewhere" is entered through the shortcut, and "beside" is not entered a second time.
    assert names(storage) == ["sub/inside.pdf", "to beside/b.pdf", "to beside/round about/outside.pdf", "to outside.pdf"]
    for name in names(storage):
        entry = storage.stat(name)
        assert storage.read(name, version=entry.version) == name.rpartition("/")[2].split(".")[0].split()[-1].encode()


def test_a_file_in_several_folders_is_listed_once(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    one, two = (server.drive.add(name, [folder]) for name in ("one", "two"))
    server.drive.add("a.pdf", [one, two], data=b"x")
    server.drive.add("both", [one, two])
    assert names(storage) == ["one/a.pdf"]


def test_a_tree_is_listed_as_any_storage_lists_it(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    rng = random.Random(5)
    folders, expected = [(folder, "")], []
    for number in range(60):
        parent, path = rng.choice(folders)
        name = rng.choice(["a", "a-", "a.pdf", "b", "é", "Z", "0"]) + str(number)
        folders.append((server.drive.add(name, [parent]), f"{path}{name}/"))
    for number in range(300):
        parent, path = rng.choice(folders)
        name = rng.choice(["a", "a-", "b.pdf", "é"]) + str(number)
        server.drive.add(name, [parent], data=b"x")
        expected.append(path + name)
    assert names(storage) == sorted(expected)
    assert server.requests["GET files"] == 61  # one per folder


def test_a_folder_that_may_not_be_listed_is_reported_and_does_not_end_the_listing(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    for name in ("a", "b", "c"):
        server.drive.add(f"{name}.pdf", [server.drive.add(name, [folder])], data=b"")
    hidden = server.drive.path(folder, "b")
    told: list[str] = []
    storage.on_error = lambda name, error: told.append(name)
    server.script(match=hidden, times=9, status=403, reason="insufficientFilePermissions")
    assert names(storage) == ["a/a.pdf", "c/c.pdf"]
    assert told == ["b"]
    storage.on_error = None
    with pytest.raises(StorageDenied):
        names(storage)


def test_a_listing_that_is_left_early_asks_for_no_more(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    for number in range(100):
        server.drive.add("a.pdf", [server.drive.add(f"{number:03}", [folder])], data=b"")
    listing = storage.list()
    assert next(listing).name == "000/a.pdf"
    listing.close()
    assert server.requests["GET files"] <= 2 + 16


def test_an_invalid_root_is_reported(server: DriveServer, folder: str) -> None:
    file = server.drive.add("a.pdf", [folder], data=b"x")
    gone = server.folder()
    server.drive.files[gone]["trashed"] = True
    for identifier, words in [("nosuchfolder", "does not exist"), (file, "not a folder"), (gone, "in the trash")]:
        with pytest.raises(StorageError, match=words) as raised:
            opened(server, identifier).check_readable()
        assert raised.value.exit_code == 3
        assert raised.value.hint
    with pytest.raises(ObjectNotFound, match="no folder"):
        opened(server, folder, "no/such").check_readable()
    opened(server, folder, "is/made").check_writable()
    opened(server, folder, "is/made").check_readable()


def test_a_destination_that_may_only_be_read_is_reported(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    server.drive.read_only.add(folder)
    storage.check_readable()
    with pytest.raises(StorageDenied, match="No permission to write") as raised:
        storage.check_writable()
    assert "Editor" in str(raised.value.hint)


def test_a_shared_drive_is_read_and_written_like_any_folder(server: DriveServer) -> None:
    drive = server.shared_drive()
    storage = opened(server, drive)
    storage.write("sub/a.pdf", b"text")
    storage.write("large.pdf", os.urandom(6 << 20))
    assert names(storage) == ["large.pdf", "sub/a.pdf"]
    assert storage.read("sub/a.pdf") == b"text"
    storage.delete("large.pdf")
    below = opened(server, server.drive.path(drive, "sub"))
    assert names(below) == ["a.pdf"]
    assert below.changes_since(None) is not None


def test_a_folder_of_a_shared_drive_that_was_shared_by_itself_is_read_too(server: DriveServer) -> None:
    drive = server.shared_drive()
    sub = server.drive.add("sub", [drive])
    server.drive.add("a.pdf", [sub], data=b"x")
    server.drive.not_a_member.add(drive)
    storage = opened(server, sub)
    assert names(storage) == ["a.pdf"]
    token = since(storage, None).token
    server.drive.add("b.pdf", [sub], data=b"x")
    assert since(storage, token).names == ("b.pdf",)
    assert sum("driveId=" in line for line in server.log) == 1


def test_where_a_folder_lies_in_another_one_is_reported_by_the_server(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    inner = server.drive.add("inner", [server.drive.add("outer", [folder])])
    assert storage.path_to(opened(server, inner)) == "outer/inner"
    assert storage.path_to(opened(server, inner, "more")) == "outer/inner/more"
    assert storage.path_to(opened(server, server.folder())) is None
    assert opened(server, inner).path_to(storage) is None


# -- several writers ----------------------------------------------------------------------------------------------------------


def test_of_two_processes_that_create_one_name_at_the_same_time_one_wins(server: DriveServer, folder: str) -> None:
    one, other = opened(server, folder), opened(server, folder)
    # Another process has its own locks, so it uploads between our check and our upload.
    identifiers: list[str] = []
    server.script(match="POST /upload", act=lambda: identifiers.append(server.drive.add("a", [folder], data=b"other")))
    with pytest.raises(PreconditionFailed):
        one.write("a", b"one", if_absent=True)
    assert names(one) == names(other) == ["a"]
    assert other.read("a") == b"other"
    assert one.has_atomic_create is False


def test_a_creation_that_came_second_and_got_no_answer_is_withdrawn_by_the_next_try(server: DriveServer, folder: str) -> None:
    one = opened(server, folder)
    server.script(match="POST /upload", act=lambda: server.drive.add("a", [folder], data=b"other"), reset=True, late=True)
    with pytest.raises(StorageUnavailable):
        one.write("a", b"one", if_absent=True)
    assert len(names(one)) == 2
    with pytest.raises(PreconditionFailed):
        one.write("a", b"one", if_absent=True)
    assert names(one) == ["a"]
    assert one.read("a") == b"other"


def test_what_a_process_has_written_it_finds_before_the_listing_shows_it(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    server.drive.unlisted.add("new.json")
    first = storage.write("state/new.json", b"1", if_absent=True)
    assert storage.stat("state/new.json") == first
    with pytest.raises(PreconditionFailed):
        storage.write("state/new.json", b"2", if_absent=True)
    second = storage.write("state/new.json", b"2", if_version=first.version)
    assert storage.read("state/new.json", version=second.version) == b"2"
    with pytest.raises(ObjectNotFound):
        opened(server, folder).stat("state/new.json")  # another process has to wait for the listing
    storage.delete("state/new.json")
    with pytest.raises(ObjectNotFound):
        storage.stat("state/new.json")
    assert storage.write("state/new.json", b"3", if_absent=True).size_bytes == 1
    server.drive.unlisted.clear()
    assert names(storage, "state/") == ["state/new.json"]


def test_requests_wait_for_their_turn_each(server: DriveServer, folder: str) -> None:
    turns: list[int] = []
    paced = open_storage(f"gdrive://{folder}", AccessConfig(endpoint=server.url), wait=lambda: turns.append(1))
    paced.write("a", b"x")
    assert len(turns) == sum(server.requests.values()) == len(server.log)
    assert cached_storage(f"gdrive://{folder}", 100.0, AccessConfig(endpoint=server.url)).uri == f"gdrive://{folder}"


# -- changes ------------------------------------------------------------------------------------------------------------------


def since(storage: DriveStorage, token: str | None) -> Changes:
    changes = storage.changes_since(token)
    assert changes is not None
    return changes


def test_what_was_added_or_replaced_is_reported_once(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    sub = server.drive.add("sub", [folder])
    old = server.drive.add("old.pdf", [sub], data=b"x")
    start = since(storage, None)
    assert start.names is None
    assert since(storage, start.token) == Changes(names=(), token=start.token)
    server.drive.add("new.pdf", [sub], data=b"x")
    duplicate = server.drive.add("new.pdf", [sub], data=b"y")
    opened(server, folder).write("sub/old.pdf", b"newer")
    server.drive.add("elsewhere.pdf", [server.folder()], data=b"x")
    storage.write(".rayocr/documents/ab/x.json", b"{}")
    removed = server.drive.add("removed.pdf", [folder], data=b"x")
    opened(server, folder).delete("removed.pdf")
    assert old != removed
    changes = since(storage, start.token)
    assert changes.names == ("sub/new.pdf", f"sub/new~{duplicate}.pdf", "sub/old.pdf")
    assert since(storage, changes.token).names == ()
    for name in changes.names:
        assert storage.read(name, version=storage.stat(name).version)


def test_many_changes_come_in_pages(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    token = since(storage, None).token
    added = [f"{number:04}.pdf" for number in range(2500)]
    for name in added:
        server.drive.add(name, [folder], data=b"")
    server.calm()
    server.script(match="GET /drive/v3/changes?", skip=1, times=2, status=503)
    changes = since(storage, token)
    assert list(changes.names or ()) == added
    assert server.requests["GET changes"] == 3 + 2


def test_a_folder_that_came_or_was_renamed_asks_for_a_full_listing(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    token = since(storage, None).token
    came = server.drive.add("came", [folder])
    server.drive.add("a.pdf", [came], data=b"x")
    changes = since(storage, token)
    assert changes.names is None
    assert names(storage) == ["came/a.pdf"]
    server.drive.files[came]["name"] = "renamed"
    server.drive.changes.append(came)
    changes = since(storage, changes.token)
    assert changes.names is None
    server.drive.add("b.pdf", [came], data=b"x")
    assert since(storage, changes.token).names == ("renamed/b.pdf",)


def test_a_token_that_drive_no_longer_knows_asks_for_a_full_listing(server: DriveServer, storage: DriveStorage) -> None:
    changes = since(storage, "999999999")
    assert changes.names is None
    assert since(storage, changes.token).names == ()


def test_storages_without_a_feed_say_so() -> None:
    assert open_storage("memory://no-feed").changes_since(None) is None


def test_shortcuts_whose_target_cannot_be_reached_are_reported(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    told: dict[str, StorageError] = {}
    storage.on_error = told.__setitem__
    server.drive.add("there.pdf", [folder], data=b"")
    trashed = server.drive.add("old.pdf", [server.folder("elsewhere")], data=b"", trashed=True)
    shortcut(server, "in the trash.pdf", folder, trashed)
    for name, mime in (("gone.pdf", "application/pdf"), ("not shared", FOLDER)):
        server.drive.add(name, [folder], mime=SHORTCUT, shortcutDetails={"targetId": f"x{name}", "targetMimeType": mime})
    assert names(storage) == ["there.pdf"]
    assert {name.rpartition("/")[2]: type(error) for name, error in told.items()} == {
        "in the trash.pdf": ObjectNotFound,
        "gone.pdf": ObjectNotFound,
        "not shared": StorageDenied,
    }
    assert "not shared with the account" in str(told[next(iter(told))])


def test_resource_keys_are_sent_with_what_needs_them(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    target = server.drive.add("by link.pdf", [server.folder("elsewhere")], data=b"x", resourceKey="0-key")
    details = {"targetId": target, "targetMimeType": "application/pdf", "targetResourceKey": "0-key"}
    server.drive.add("to it.pdf", [folder], mime=SHORTCUT, shortcutDetails=details)
    server.drive.keys[target] = "0-key"  # without it, the file is not found
    assert names(storage) == ["to it.pdf"]
    assert storage.read("to it.pdf") == b"x"
