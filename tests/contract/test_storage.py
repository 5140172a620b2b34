"""The storage port: one suite for all adapters. A new adapter adds one entry to ADAPTERS: a function that opens a new
instance."""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rayocr.config import AccessConfig
from rayocr.errors import ObjectNotFound, ObjectTooLarge, PreconditionFailed, StorageError, UnsafeName, VersionChanged
from rayocr.storage.base import Storage
from rayocr.storage.factory import open_storage
from tests.servers.drive import DriveServer
from tests.servers.gcs import GcsServer

Opener = Callable[[], Storage]


def _local(tmp_path: Path) -> Opener:
    return lambda: open_storage(str(tmp_path / "root"), create=True)


def _memory(_: Path) -> Opener:
    uri = f"memory://{uuid.uuid4().hex}"
    return lambda: open_storage(uri)


def _gcs(server: GcsServer) -> Opener:
    bucket = f"b-{uuid.uuid4().hex}"
    server.make_bucket(bucket)
    access = AccessConfig(endpoint=server.url)
    return lambda: open_storage(f"gs://{bucket}/a prefix", access)


def _gdrive(server: DriveServer) -> Opener:
    folder = server.folder()
    access = AccessConfig(endpoint=server.url)
    return lambda: open_storage(f"gdrive://{folder}/a folder", access)


ADAPTERS: dict[str, Callable[[Path], Opener]] = {"local": _local, "memory": _memory}
SERVERS = {"gs": (_gcs, "gcs_server"), "gdrive": (_gdrive, "drive_server")}


@pytest.fixture(scope="module")
def gcs_server() -> Iterator[GcsServer]:
    server = GcsServer()
    yield server
    server.close()


@pytest.fixture(params=[*ADAPTERS, *SERVERS])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    if request.param in ADAPTERS:
        return ADAPTERS[request.param](tmp_path)
    open_on, fixture = SERVERS[request.param]
    return open_on(request.getfixturevalue(fixture))


@pytest.fixture
def storage(opener: Opener) -> Storage:
    return opener()


def names(storage: Storage, prefix: str = "") -> list[str]:
    return [entry.name for entry in storage.list(prefix)]


# -- writing and reading ------------------------------------------------------------------------------------------------------


def test_what_was_written_is_read_and_described(storage: Storage) -> None:
    written = storage.write("reports/2024/a.md", b"text")
    assert storage.read("reports/2024/a.md") == b"text"
    assert storage.stat("reports/2024/a.md") == written
    assert (written.name, written.size_bytes) == ("reports/2024/a.md", 4)
    assert written.modified_at > 1_600_000_000


def test_another_client_of_the_same_root_sees_it_at_once(opener: Opener) -> None:
    opener().write("a.md", b"text")
    assert opener().read("a.md") == b"text"
    assert opener().uri == opener().uri


def test_empty_objects_are_objects(storage: Storage) -> None:
    storage.write("empty", b"")
    assert storage.read("empty") == b""
    assert storage.stat("empty").size_bytes == 0


def test_a_file_object_is_read_from_its_position_to_its_end(storage: Storage) -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    assert storage.write("a", file).size_bytes == 6
    assert storage.read("a") == b"456789"


def test_twenty_megabytes_go_in_and_come_back(storage: Storage) -> None:
    data = bytes(range(256)) * (20 * 4096)
    storage.write("big.bin", io.BytesIO(data))
    assert storage.read("big.bin") == data


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [(0, 3, b"012"), (3, 4, b"3456"), (8, 5, b"89"), (10, 5, b""), (25, 5, b""), (4, None, b"456789"), (3, 0, b"")],
)
def test_a_range_ends_where_the_object_ends(storage: Storage, start: int, length: int | None, expected: bytes) -> None:
    storage.write("a", b"0123456789")
    assert storage.read("a", start=start, length=length) == expected


def test_reading_a_version_that_was_replaced_is_refused(storage: Storage) -> None:
    first = storage.write("a", b"one")
    assert storage.read("a", version=first.version) == b"one"
    second = storage.write("a", b"two")
    assert second.version != first.version
    with pytest.raises(VersionChanged):
        storage.read("a", version=first.version)
    assert storage.read("a", version=second.version, start=1, length=1) == b"w"


def test_writes_of_equal_size_in_quick_succession_have_versions_of_their_own(storage: Storage) -> None:
    versions = [storage.write("a", b"%03d" % i).version for i in range(200)]
    assert len(set(versions)) == 200


def test_a_missing_object_is_not_found(storage: Storage) -> None:
    storage.write("a/b", b"")
    for name in ("missing", "a", "a/c", "a/b/c", "missing/x"):
        with pytest.raises(ObjectNotFound):
            storage.stat(name)
        with pytest.raises(ObjectNotFound):
            storage.read(name)
        with pytest.raises(ObjectNotFound):
            storage.delete(name)


def test_a_reader_never_sees_a_mix_of_two_writes(storage: Storage) -> None:
    contents = [bytes([65 + i]) * 300_000 for i in range(8)]
    storage.write("a", contents[0])
    done = threading.Event()
    mixed: list[bytes] = []

    def read() -> None:
        while not done.is_set():
            data = storage.read("a")
            if data not in contents:
                mixed.append(data)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for i in range(60):
        storage.write("a", contents[i % 8])
    done.set()
    for reader in readers:
        reader.join()
    assert not mixed


# -- preconditions ------------------------------------------------------------------------------------------------------------


def test_if_absent_refuses_an_object_that_is_there(storage: Storage) -> None:
    storage.write("a", b"one", if_absent=True)
    with pytest.raises(PreconditionFailed):
        storage.write("a", b"two", if_absent=True)
    assert storage.read("a") == b"one"


def test_if_version_replaces_that_version_only(storage: Storage) -> None:
    with pytest.raises(PreconditionFailed):
        storage.write("a", b"zero", if_version="1-1")
    first = storage.write("a", b"one")
    second = storage.write("a", b"two", if_version=first.version)
    with pytest.raises(PreconditionFailed):
        storage.write("a", b"three", if_version=first.version)
    with pytest.raises(PreconditionFailed):
        storage.delete("a", if_version=first.version)
    assert storage.read("a") == b"two"
    storage.delete("a", if_version=second.version)
    assert names(storage) == []


def race(opener: Opener, work: Callable[[Storage, int], object]) -> tuple[list[int], list[Exception]]:
    """The successful writer and the errors of the others, for 16 threads with one storage each."""
    barrier = threading.Barrier(16)

    def run(number: int) -> int | Exception:
        storage = opener()
        barrier.wait()
        try:
            work(storage, number)
        except Exception as error:
            return error
        return number

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(run, range(16)))
    return [r for r in results if isinstance(r, int)], [r for r in results if isinstance(r, Exception)]


@pytest.mark.parametrize("attempt", range(5))
def test_sixteen_writers_racing_to_create_have_one_winner(opener: Opener, attempt: int) -> None:
    winners, losers = race(opener, lambda s, n: s.write("new/a", b"%d" % n * 1000, if_absent=True))
    assert len(winners) == 1
    assert all(type(error) is PreconditionFailed for error in losers)
    assert opener().read("new/a") == b"%d" % winners[0] * 1000


@pytest.mark.parametrize("attempt", range(5))
def test_sixteen_writers_racing_to_replace_a_version_have_one_winner(opener: Opener, attempt: int) -> None:
    version = opener().write("a", b"first").version
    winners, losers = race(opener, lambda s, n: s.write("a", b"%d" % n, if_version=version))
    assert len(winners) == 1
    assert all(type(error) is PreconditionFailed for error in losers)
    assert opener().read("a") == b"%d" % winners[0]


# -- deleting -----------------------------------------------------------------------------------------------------------------


def test_a_deleted_object_is_gone_and_can_be_created_again(storage: Storage) -> None:
    storage.write("a/b", b"")
    storage.delete("a/b")
    assert names(storage) == []
    storage.write("a/b", b"", if_absent=True)
    assert names(storage) == ["a/b"]


def test_deleting_and_writing_in_a_folder_of_the_state_at_once_loses_nothing(opener: Opener) -> None:
    def work(storage: Storage, number: int) -> None:
        for i in range(20):
            name = f".rayocr/ledger/run/{number}-{i}"
            storage.write(name, b"x", if_absent=True)
            storage.delete(name)

    winners, losers = race(opener, work)
    assert losers == []
    assert len(winners) == 16
    assert names(opener(), ".rayocr/") == []


# -- listing ------------------------------------------------------------------------------------------------------------------


def test_a_listing_is_in_the_order_of_the_full_names(storage: Storage) -> None:
    unordered = ["b.pdf", "a/2.pdf", "a-1.pdf", "a.pdf", "a/1.pdf", "a/b/c.pdf", "A.pdf", "é.pdf", "z/1.pdf"]
    for name in unordered:
        storage.write(name, b"x")
    assert names(storage) == sorted(unordered) == names(storage)


def test_a_prefix_is_a_folder(storage: Storage) -> None:
    for name in ("a/1", "a/b/2", "ab/3", "4"):
        storage.write(name, b"x")
    assert names(storage, "a/") == ["a/1", "a/b/2"]
    assert names(storage, "a/b/") == ["a/b/2"]
    assert names(storage, "nothing/here/") == []


def test_the_state_is_listed_only_when_asked_for(storage: Storage) -> None:
    storage.write("a.pdf", b"x")
    storage.write(".rayocr/documents/ab/x.json", b"{}")
    storage.write("sub/.rayocr/y", b"an outer source has its own rules")
    assert names(storage) == ["a.pdf", "sub/.rayocr/y"]
    assert names(storage, ".rayocr/documents/") == [".rayocr/documents/ab/x.json"]
    assert names(storage, ".rayocr/") == [".rayocr/documents/ab/x.json"]


def test_entries_of_a_listing_are_those_of_stat(storage: Storage) -> None:
    storage.write("a/b", b"12345")
    assert list(storage.list()) == [storage.stat("a/b")]


def test_objects_on_several_pages_of_a_listing_are_listed_once_each(storage: Storage, request: pytest.FixtureRequest) -> None:
    """Cloud Storage and Drive answer with at most 1,000 objects at a time."""
    expected = {f"{i % 2 * i % 7}/{i:05d}.pdf" for i in range(2100)}
    if storage.uri.startswith("gdrive:"):  # a write through the client takes milliseconds, so fill the server directly
        storage.write("0/first.pdf", b"x")
        put_into_drive(request.getfixturevalue("drive_server"), storage.uri, expected)
        storage.delete("0/first.pdf")
    elif storage.uri.startswith("gs:"):
        bucket, folder = storage.uri.removeprefix("gs://").split("/", 1)
        request.getfixturevalue("gcs_server").put(bucket, (f"{folder.rstrip('/')}/{name}" for name in expected))
    elif storage.uri.startswith("file:"):  # a write through the storage is durable, so it takes a millisecond
        for name in expected:
            path = request.getfixturevalue("tmp_path") / "root" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"x")
    else:
        for name in expected:
            storage.write(name, b"x")
    assert names(storage) == sorted(expected)


def put_into_drive(server: DriveServer, uri: str, names: set[str]) -> None:
    root = server.drive.path(uri.split("/")[2], uri.split("/")[3])
    folders: dict[str, str] = {"0": server.drive.path(root, "0")}
    for name in names:
        folder, file = name.split("/")
        if folder not in folders:
            folders[folder] = server.drive.add(folder, [root])
        server.drive.add(file, [folders[folder]], data=b"x")


def test_a_listing_continues_when_objects_disappear_under_it(storage: Storage) -> None:
    for i in range(50):
        storage.write(f"{i // 10}/{i:02d}", b"x")
    listing = storage.list()
    first = next(listing).name
    for i in range(20, 40):
        storage.delete(f"{i // 10}/{i:02d}")
    rest = [entry.name for entry in listing]
    gone = {f"{i // 10}/{i:02d}" for i in range(20, 40)}  # a server may have listed them already
    assert [name for name in (first, *rest) if name not in gone] == [f"{i // 10}/{i:02d}" for i in [*range(20), *range(40, 50)]]


# -- names --------------------------------------------------------------------------------------------------------------------

ODD_NAMES = [
    "with space.pdf",
    " leading and trailing ",
    "new\nline.pdf",
    "tab\t'quote\"\\back.pdf",
    "हिन्दी मराठी.pdf",
    "emoji 📄🏳️‍🌈.pdf",
    "combining e\u0301.pdf",
    "percent%20%2F.pdf",
    "#?&;*[x]{y}.pdf",
    "-rf",
    "...",
    ".hidden",
    "CON",
    "a:b",
    "x" * 251 + ".pdf",
    "é" * 127,
    "folder with space/sub\nfolder/a.pdf",
    "x.pdf/is a folder.pdf",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_make_the_round_trip(storage: Storage, name: str) -> None:
    if storage.uri.startswith("gs:") and "\n" in name:
        with pytest.raises(UnsafeName):
            storage.write(name, b"Google takes no line breaks")
        return
    storage.write(name, name.encode(), if_absent=True)
    # Google Drive may not support control characters. They are replaced by look-alikes, and both forms find the file.
    listed = name.translate({9: "␉", 10: "␊"}) if storage.uri.startswith("gdrive:") else name
    assert names(storage) == [listed]
    assert storage.read(listed) == storage.read(name, version=storage.stat(name).version) == name.encode()
    storage.delete(name)
    assert names(storage) == []


@pytest.mark.parametrize("name", ["", "..", ".", "/etc/passwd", "../a", "a/../../b", "a//b", "a/", "a/./b", "nul\0", "a/.."])
def test_a_name_that_could_leave_the_root_is_refused(storage: Storage, name: str) -> None:
    for operation in (storage.stat, storage.read, storage.delete, lambda n: storage.write(n, b"x")):
        with pytest.raises(UnsafeName):
            operation(name)


@pytest.mark.parametrize("prefix", ["../", "a/../b/", "/etc/", ".."])
def test_a_prefix_that_could_leave_the_root_is_refused(storage: Storage, prefix: str) -> None:
    with pytest.raises(UnsafeName):
        names(storage, prefix)


def test_check_writable_leaves_nothing_behind(storage: Storage) -> None:
    storage.check_writable()
    assert names(storage) == names(storage, ".rayocr/") == []


def test_if_absent_and_if_version_together_make_no_sense(storage: Storage) -> None:
    with pytest.raises(ValueError, match="exclude"):
        storage.write("a", b"", if_absent=True, if_version="1")


def test_an_error_while_the_data_is_read_leaves_nothing_behind(storage: Storage) -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise OSError(5, "Input/output error")
            return super().read(3)

    with pytest.raises((StorageError, OSError)):
        storage.write("a", Torn(b"123456"))
    assert names(storage) == names(storage, ".rayocr/") == []


def test_no_more_than_the_reader_takes_is_read(storage: Storage) -> None:
    storage.write("a", b"x" * 100)
    assert storage.read("a", max_bytes=100) == b"x" * 100
    assert storage.read("a", start=90, length=50, max_bytes=10) == b"x" * 10
    with pytest.raises(ObjectTooLarge):
        storage.read("a", max_bytes=99)
    with pytest.raises(ObjectTooLarge):
        storage.read("a", start=50, length=50, max_bytes=10)
