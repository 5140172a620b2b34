"""Google Drive faults: the result of each fault, and the number of requests."""

from __future__ import annotations

import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from rayocr.config import AccessConfig
from rayocr.errors import (
    CredentialsError,
    DayQuotaExhausted,
    ObjectNotFound,
    RayocrError,
    StorageDenied,
    StorageFull,
    StorageUnavailable,
    VersionChanged,
)
from rayocr.retry import RetryPolicy, call
from rayocr.storage.drive.storage import DriveStorage
from tests.servers.drive import DriveServer
from tests.servers.gcs import service_account
from tests.servers.oauth import TokenServer

POLICY = RetryPolicy(max_attempts=3, base_s=0.0, cap_s=0.0)


@pytest.fixture
def server(drive_server: DriveServer) -> DriveServer:
    drive_server.calm()
    drive_server.drive.full = drive_server.drive.undeletable = False
    return drive_server


@pytest.fixture
def folder(server: DriveServer) -> str:
    return server.folder()


@pytest.fixture
def storage(server: DriveServer, folder: str) -> DriveStorage:
    return DriveStorage(folder, access=AccessConfig(endpoint=server.url), policy=POLICY)


PASSING = [
    {"status": 403, "reason": "userRateLimitExceeded"},
    {"status": 403, "reason": "rateLimitExceeded"},
    {"status": 403, "reason": "sharingRateLimitExceeded"},
    {"status": 429, "reason": "rateLimitExceeded"},
    {"status": 500, "reason": "backendError"},
    {"status": 502},
    {"status": 503},
    {"status": 408},
    {"reset": True},
    {"cut": True},
]


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_what_passes_is_tried_again_as_often_as_the_policy_says(
    server: DriveServer, storage: DriveStorage, fault: dict[str, Any]
) -> None:
    storage.write("a", b"some text")
    for match, kind, work in [
        ("alt=media", "GET media", lambda: storage.read("a")),
        ("GET /drive/v3/files?", "GET files", lambda: storage.stat("a").size_bytes),
        ("POST /upload", "POST upload", lambda: storage.write("b", b"some text").size_bytes),
        ("PATCH /upload", "PATCH upload", lambda: storage.write("b", b"some text").size_bytes),
        ("DELETE", "DELETE files/id", lambda: storage.delete("b")),
    ]:
        server.calm()
        server.script(match=match, times=2, **fault)
        assert call(work, policy=POLICY) in (b"some text", 9, None)
        if not (fault.get("cut") and kind == "POST upload"):  # the answer is lost; the next attempt detects it
            assert server.requests[kind] == (1 if fault.get("cut") and kind == "DELETE files/id" else 3), kind
    server.calm()
    server.script(match="alt=media", times=3, **fault)
    with pytest.raises(StorageUnavailable) as raised:
        call(lambda: storage.read("a"), policy=POLICY)
    assert "\n" not in str(raised.value)
    assert storage.read("a") == b"some text"  # the fourth request is the first of the next call


REFUSED = [
    ("storageQuotaExceeded", StorageFull, "shared drive"),
    ("teamDriveFileLimitExceeded", StorageFull, "space"),
    ("numChildrenInNonRootLimitExceeded", StorageFull, "space"),
    ("dailyLimitExceeded", DayQuotaExhausted, "tomorrow"),
    ("insufficientFilePermissions", StorageDenied, "Share the folder"),
    ("appNotAuthorizedToFile", StorageDenied, "Share the folder"),
    ("insufficientPermissions", StorageDenied, "scope"),
    ("accessNotConfigured", StorageDenied, "Enable it"),
]


@pytest.mark.parametrize(("reason", "error", "hint"), REFUSED, ids=[reason for reason, _, _ in REFUSED])
def test_what_does_not_pass_is_not_asked_for_again(
    server: DriveServer, storage: DriveStorage, reason: str, error: type[RayocrError], hint: str
) -> None:
    server.script(match="POST /upload", times=5, status=403, reason=reason, message="said by the server")
    with pytest.raises(error, match="said by the server") as raised:
        call(lambda: storage.write("a", b"x"), policy=POLICY)
    assert server.requests["POST upload"] == 1
    assert hint in str(raised.value.hint)
    assert raised.value.exit_code == 3


def test_the_newer_shape_of_an_error_is_understood_too(server: DriveServer, storage: DriveStorage) -> None:
    from googleapiclient.errors import HttpError
    from httplib2 import Response

    from rayocr.storage.drive.errors import translate

    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]
    content = json.dumps({"error": {"code": 403, "message": "is off", "status": "PERMISSION_DENIED", "details": details}})
    error = HttpError(Response({"status": 403}), content.encode())
    assert "Enable it" in str(translate(error, "x", doing="read").hint)
    page = HttpError(Response({"status": 502}), b"<html>Bad Gateway</html>")
    assert isinstance(translate(page, "x", doing="read"), StorageUnavailable)


def test_a_page_of_some_proxy_in_the_place_of_an_answer_passes(server: DriveServer, storage: DriveStorage) -> None:
    storage.write("a", b"text")
    for match, work in [
        ("GET /drive/v3/files?", lambda: storage.stat("a").size_bytes),
        ("PATCH /upload", lambda: storage.write("a", b"text").size_bytes),
        ("POST /upload", lambda: storage.write("b", b"text", if_absent=True).size_bytes),
        ("POST /drive/v3/files?", lambda: storage.write("folder/c", b"text", if_absent=True).size_bytes),
        ("GET /drive/v3/changes", lambda: 4 if storage.changes_since(None) else None),
    ]:
        server.script(match=match, corrupt=True)
        assert call(work, policy=POLICY) == 4


def test_the_servers_own_delay_is_handed_on(server: DriveServer, storage: DriveStorage) -> None:
    storage.write("a", b"x")
    server.script(match="alt=media", status=429, retry_after="11")
    with pytest.raises(StorageUnavailable) as raised:
        storage.read("a")
    assert raised.value.retry_after_s == 11


def test_a_page_of_a_listing_is_asked_for_again_and_not_the_listing(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    for number in range(1500):
        server.drive.add(f"{number:04}", [folder], data=b"")
    server.script(match="pageToken=page-1000", times=2, status=503)
    assert len(list(storage.list())) == 1500
    assert server.requests["GET files"] == 2 + 2
    server.script(match="pageToken=page-1000", times=3, status=503)
    with pytest.raises(StorageUnavailable):
        list(storage.list())


def test_requests_about_the_folders_of_a_listing_are_repeated_too(server: DriveServer, folder: str) -> None:
    inner = server.drive.add("inner", [folder])
    server.drive.add("a", [inner], data=b"x")
    for work in (
        lambda there: [entry.name for entry in there.list("inner/")] == ["inner/a"],
        lambda there: there.path_to(DriveStorage(inner, access=AccessConfig(endpoint=server.url))) == "inner",
        lambda there: there.changes_since(None).token,
    ):
        for match in (f"files/{folder}?", f"files/{inner}?", "+name+%3D+"):
            server.calm()
            server.script(match=match, times=2, status=502)
            assert work(DriveStorage(folder, access=AccessConfig(endpoint=server.url), policy=POLICY)), match


def test_a_server_that_says_nothing_is_given_up_and_asked_again(server: DriveServer, folder: str) -> None:
    impatient = DriveStorage(folder, access=AccessConfig(endpoint=server.url, timeout_s=0.5), policy=POLICY)
    impatient.write("a", b"text")
    server.script(match="alt=media", times=1, stall_s=3)
    with pytest.raises(StorageUnavailable):
        impatient.read("a")
    server.script(match="alt=media", times=1, stall_s=3)
    assert call(lambda: impatient.read("a"), policy=POLICY) == b"text"


def test_an_address_without_a_server_is_storage_unavailable(folder: str) -> None:
    nobody = DriveStorage(folder, access=AccessConfig(endpoint="http://127.0.0.1:9"), policy=POLICY)
    with pytest.raises(StorageUnavailable):
        nobody.check_readable()


# -- bytes --------------------------------------------------------------------------------------------------------------------


def test_bytes_that_are_not_those_of_their_checksum_are_not_taken(server: DriveServer, storage: DriveStorage) -> None:
    storage.write("sum", b"the right bytes")
    server.script(match="alt=media", times=1, corrupt=True)
    with pytest.raises(StorageUnavailable, match="checksum"):
        storage.read("sum")
    server.script(match="alt=media", times=1, corrupt=True)
    assert call(lambda: storage.read("sum"), policy=POLICY) == b"the right bytes"


def test_other_bytes_than_were_sent_do_not_stay(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    def spoil() -> None:
        server.drive.fill(server.drive.path(folder, "a"), b"spoilt")

    server.script(match="GET /drive/v3/files?", skip=1, act=spoil)  # between the upload, whose answer is lost, and the next check
    server.script(match="POST /upload", reset=True, late=True)
    with pytest.raises(StorageUnavailable):
        storage.write("a", b"right", if_absent=True)
    with pytest.raises(RayocrError):
        storage.write("a", b"right", if_absent=True)  # differs from the sent file, so another writer may have created it


def test_bytes_that_arrived_wrongly_do_not_stay(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    def spoil() -> None:
        server.drive.spoil = b"spoilt"

    server.script(match="POST /upload", act=spoil)
    with pytest.raises(StorageUnavailable, match="uploaded bytes do not match"):
        storage.write("a", b"right", if_absent=True)
    assert list(storage.list()) == []
    server.script(match="POST /upload", act=spoil)
    assert call(lambda: storage.write("a", b"right", if_absent=True), policy=POLICY).size_bytes == 5
    server.script(match="PATCH /upload", act=spoil)
    assert call(lambda: storage.write("a", b"newer"), policy=POLICY).size_bytes == 5
    assert storage.read("a") == b"newer"


def test_a_creation_that_is_gone_again_takes_another_id(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    server.script(match="POST /upload", reset=True, late=True)
    with pytest.raises(StorageUnavailable):
        storage.write("a", b"x", if_absent=True)
    server.drive.files[server.drive.path(folder, "a")]["trashed"] = True
    assert call(lambda: storage.write("a", b"x", if_absent=True), policy=POLICY).size_bytes == 1


def test_a_creation_whose_answer_was_lost_is_found_out_and_not_done_twice(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    server.script(match="POST /upload", times=2, reset=True, late=True)
    assert call(lambda: storage.write("once", b"text", if_absent=True), policy=POLICY).size_bytes == 4
    server.script(match="POST /upload", times=1, reset=True, late=True)
    # Also if the listing does not show it yet: the id is in use, by this writer.
    server.script(match="name+%3D+%27hidden%27", times=2, act=lambda: hide(True))

    def hide(hidden: bool) -> None:
        for file in server.drive.files.values():
            if file["name"] == "hidden":
                file["trashed"] = hidden

    server.script(match="POST /upload", skip=0, act=lambda: hide(False))
    assert call(lambda: storage.write("hidden", b"text"), policy=POLICY).size_bytes == 4
    assert sorted(f["name"] for f in server.drive.files.values() if folder in f["parents"]) == ["hidden", "once"]


@pytest.mark.parametrize("fault", [{"status": 503}, {"reset": True}, {"reset": True, "late": True}], ids=str)
def test_a_chunk_of_a_large_upload_that_fails_is_asked_about_and_sent_again(
    server: DriveServer, storage: DriveStorage, folder: str, fault: dict[str, Any]
) -> None:
    data = bytes(range(256)) * 4096 * 20
    server.script(match="PUT /upload", skip=1, times=1, **fault)
    server.script(match="PUT /resumable", skip=1, times=1, **fault)
    storage.write("large", io.BytesIO(data))
    assert server.requests["POST upload"] == 1
    assert server.requests["PUT upload"] <= 3 + 2  # the failed chunk, and the request for the number of received bytes
    assert storage.read("large") == data
    assert len(server.drive.children[folder]) == 1


def test_a_large_upload_that_breaks_off_leaves_nothing_and_can_be_repeated(server: DriveServer, storage: DriveStorage) -> None:
    data = bytes(range(256)) * 4096 * 12
    server.script(match="uploadType=resumable", times=1, status=503)
    with pytest.raises(StorageUnavailable):
        storage.write("large", io.BytesIO(data))
    server.script(match="upload_id", skip=1, times=20, status=503)
    with pytest.raises(StorageUnavailable):
        storage.write("large", io.BytesIO(data))
    assert list(storage.list()) == []
    server.calm()
    server.script(match="upload_id", skip=1, times=1, status=404)  # the session has expired: starts from the beginning
    assert call(lambda: storage.write("large", io.BytesIO(data)), policy=POLICY).size_bytes == len(data)
    assert storage.read("large") == data


def test_a_large_download_resumes_where_it_broke_off(server: DriveServer, storage: DriveStorage, folder: str) -> None:
    data = os.urandom(40 << 20)
    server.drive.add("large", [folder], data=data)
    server.script(match="alt=media", skip=1, times=2, cut=True)
    assert storage.read("large") == data
    assert server.requests["GET media"] == 3 + 2


def test_a_file_that_was_replaced_or_deleted_since_it_was_listed_is_distinguished(
    server: DriveServer, storage: DriveStorage, folder: str
) -> None:
    identifier = server.drive.add("a", [folder], data=b"one")
    (entry,) = storage.list()
    server.drive.fill(identifier, b"two")
    with pytest.raises(VersionChanged):
        storage.read("a", version=entry.version)
    (entry,) = storage.list()
    server.script(match="alt=media", act=lambda: server.drive.fill(identifier, b"three"))  # between the check and the download
    with pytest.raises(VersionChanged):
        storage.read("a", version=entry.version)
    server.script(match="alt=media", act=lambda: server.drive.fill(identifier, b"x"))
    assert storage.read("a") == b"x"  # any content, if no version was requested
    storage.delete("a")
    with pytest.raises(ObjectNotFound):
        storage.read("a", version=entry.version)


def test_where_nothing_may_be_deleted_for_good_it_goes_into_the_trash(server: DriveServer, storage: DriveStorage) -> None:
    storage.write("a", b"x")
    storage.write("b", b"x")
    server.drive.undeletable = True
    storage.delete("a")
    storage.delete("b")
    assert list(storage.list()) == []
    assert server.requests["DELETE files/id"] == 1  # it is not requested again


# -- credentials --------------------------------------------------------------------------------------------------------------


def with_account(server: DriveServer, tokens: TokenServer, folder: str, home: Path, **more: Any) -> DriveStorage:
    access = AccessConfig(credentials=str(service_account(home, tokens.url)), endpoint=server.url, **more)
    return DriveStorage(folder, access=access, policy=POLICY)


def test_a_service_account_gets_its_tokens_and_new_ones_without_a_word(
    server: DriveServer, tokens: TokenServer, folder: str, tmp_path: Path
) -> None:
    storage = with_account(server, tokens, folder, tmp_path)
    server.tokens = {"token-1"}
    storage.write("a", b"text")
    server.tokens = {"token-2", "token-3"}
    assert storage.read("a") == b"text"
    assert tokens.issued == ["token-1", "token-2"]
    server.script(match="alt=media", times=1, status=401, reason="authError")  # once, for an unknown reason
    assert storage.read("a") == b"text"


def test_a_service_account_acts_for_a_person(server: DriveServer, tokens: TokenServer, folder: str, tmp_path: Path) -> None:
    import base64

    with_account(server, tokens, folder, tmp_path, subject="person@example.org").check_readable()
    claims = tokens.grants[0]["assertion"].split(".")[1]
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert (told["sub"], told["scope"]) == ("person@example.org", "https://www.googleapis.com/auth/drive")
    tokens.answer = (401, "unauthorized_client")
    with pytest.raises(CredentialsError) as raised:
        with_account(server, tokens, folder, tmp_path, subject="other@example.org").check_readable()
    assert "domain-wide delegation" in str(raised.value.hint)


def test_credentials_that_were_revoked_stop_at_once(
    server: DriveServer, tokens: TokenServer, folder: str, tmp_path: Path
) -> None:
    storage = with_account(server, tokens, folder, tmp_path)
    storage.write("a", b"text")
    server.tokens, tokens.answer = set(), (400, "invalid_grant")
    with pytest.raises(CredentialsError, match="no longer valid") as raised:
        call(lambda: storage.read("a"), policy=POLICY)
    assert "rayocr login drive" in str(raised.value.hint)
    assert "PRIVATE KEY" not in f"{raised.value!r} {raised.value} {raised.value.hint}"


def test_a_token_server_that_is_unavailable_is_waited_for(
    server: DriveServer, tokens: TokenServer, folder: str, tmp_path: Path
) -> None:
    storage = with_account(server, tokens, folder, tmp_path)
    tokens.answer = (503, "unavailable")

    def comes_back(_: float) -> None:
        tokens.answer = None

    assert call(lambda: storage.write("b", b"x"), policy=POLICY, sleep=comes_back).size_bytes == 1


def sign_in_file(path: Path, tokens: TokenServer, **more: Any) -> Path:
    content = {"type": "authorized_user", "client_id": "id", "client_secret": "shh", "refresh_token": "r0"}
    path.write_text(json.dumps(content | {"token_uri": tokens.url} | more))
    return path


def test_the_sign_in_of_a_person_is_renewed_and_written_back_for_the_others(
    server: DriveServer, tokens: TokenServer, folder: str, tmp_path: Path
) -> None:
    file = sign_in_file(tmp_path / "token.json", tokens)
    file.chmod(0o644)
    access = AccessConfig(credentials=str(file), endpoint=server.url)
    server.tokens = {"token-1"}
    DriveStorage(folder, access=access, policy=POLICY).write("a", b"text")
    kept = json.loads(file.read_text())
    assert (kept["token"], kept["refresh_token"], kept["type"]) == ("token-1", "refresh", "authorized_user")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert DriveStorage(folder, access=access, policy=POLICY).read("a") == b"text"  # with the existing token
    assert [grant["grant_type"] for grant in tokens.grants] == ["refresh_token"]
    first, second = (DriveStorage(folder, access=access, policy=POLICY) for _ in range(2))
    assert first.read("a") == second.read("a") == b"text"
    server.tokens = {"token-2"}
    assert first.read("a") == second.read("a") == b"text"  # the second call uses the first call's token
    assert len(tokens.grants) == 2
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "content", ["", "{}", "not json", "[]", '{"type": "authorized_user"}', '{"type": "external_account"}', None]
)
def test_an_invalid_credentials_file_is_one_line(server: DriveServer, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CredentialsError) as raised:
        DriveStorage("x", access=AccessConfig(credentials=str(path), endpoint=server.url))
    assert "\n" not in str(raised.value)
    assert "rayocr login drive" in str(raised.value.hint)


def test_an_oauth_client_without_a_sign_in_says_how_to_sign_in(
    server: DriveServer, tokens: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    client = tmp_path / "client.json"
    client.write_text(json.dumps({"installed": {"client_id": "id", "client_secret": "shh"}}))
    access = AccessConfig(credentials=str(client), endpoint=server.url)
    with pytest.raises(CredentialsError, match="without a sign-in") as raised:
        DriveStorage("x", access=access)
    assert f"rayocr login drive login.client={client}" in str(raised.value.hint)
    (tmp_path / "config" / "rayocr").mkdir(parents=True)
    stored = tmp_path / "config" / "rayocr" / "drive-token.json"
    sign_in_file(stored, tokens, client_id="another")
    with pytest.raises(CredentialsError, match="another OAuth client"):
        DriveStorage("x", access=access)
    sign_in_file(stored, tokens)
    DriveStorage(server.folder(), access=access).check_readable()
    DriveStorage(server.folder(), access=AccessConfig(credentials=str(client), endpoint=server.url)).check_readable()
