"""Google Cloud Storage faults: the result of each fault, and the number of attempts."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rayocr.config import AccessConfig
from rayocr.errors import (
    CredentialsError,
    ObjectNotFound,
    ObjectTooLarge,
    ObjectUnreadable,
    PreconditionFailed,
    StorageDenied,
    StorageError,
    StorageUnavailable,
    VersionChanged,
)
from rayocr.retry import RetryPolicy, call
from rayocr.storage.drive.storage import DriveStorage
from rayocr.storage.gcs.client import find_credentials
from rayocr.storage.gcs.storage import GcsStorage
from tests.servers.gcs import GcsServer, service_account
from tests.servers.oauth import TokenServer

POLICY = RetryPolicy(max_attempts=3, base_s=0.0, cap_s=0.0)
BUCKET = "bucket"


@pytest.fixture(scope="module")
def running() -> Iterator[GcsServer]:
    server = GcsServer()
    server.make_bucket(BUCKET)
    yield server
    server.close()


@pytest.fixture
def server(running: GcsServer) -> GcsServer:
    running.faults.clear()
    running.requests.clear()
    running.tokens = None
    return running


@pytest.fixture
def storage(server: GcsServer) -> GcsStorage:
    return GcsStorage(BUCKET, "p", access=AccessConfig(endpoint=server.url), policy=POLICY)


FAULTS = [
    {"status": 429, "reason": "rateLimitExceeded"},
    {"status": 403, "reason": "userRateLimitExceeded"},
    {"status": 500},
    {"status": 503},
    {"status": 408},
    {"reset": True},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_what_passes_is_tried_again_as_often_as_the_policy_says(
    server: GcsServer, storage: GcsStorage, fault: dict[str, object]
) -> None:
    storage.write("a", b"text")
    server.requests.clear()
    for match, work in {
        "alt=media": lambda: storage.read("a"),
        "GET /storage": lambda: storage.stat("a").size_bytes,
        "POST /upload": lambda: storage.write("b", b"text").size_bytes,
        "DELETE": lambda: storage.delete("b"),
    }.items():
        server.script(match=match, times=2, **fault)
        assert call(work, policy=POLICY) in (b"text", 4, None)
    assert set(server.requests.values()) == {3}
    server.script(match="alt=media", times=3, **fault)
    with pytest.raises(StorageUnavailable) as raised:
        call(lambda: storage.read("a"), policy=POLICY)
    assert "\n" not in str(raised.value)
    assert storage.read("a") == b"text"  # the fourth request is the first of the next call


def test_a_page_of_a_listing_is_asked_for_again_and_not_the_listing(server: GcsServer, storage: GcsStorage) -> None:
    storage.write("listed/a", b"")
    server.script(match="GET /storage/v1/b/bucket/o?", times=2, status=503)
    assert [entry.name for entry in storage.list("listed/")] == ["listed/a"]
    server.script(match="GET /storage/v1/b/bucket/o?", times=3, status=503)
    with pytest.raises(StorageUnavailable):
        list(storage.list("listed/"))


def test_bytes_that_are_not_those_of_their_checksum_are_not_taken(server: GcsServer, storage: GcsStorage) -> None:
    storage.write("sum", b"the right bytes")
    server.script(match="alt=media", times=1, corrupt=True)
    with pytest.raises(StorageUnavailable):
        storage.read("sum")
    server.script(match="alt=media", times=1, corrupt=True)
    assert call(lambda: storage.read("sum"), policy=POLICY) == b"the right bytes"


def test_an_upload_whose_answer_was_lost_is_not_done_twice(server: GcsServer, storage: GcsStorage) -> None:
    def lost() -> None:
        storage.write("once", b"by the try whose answer was lost")

    server.script(match="POST /upload", times=1, act=lost, reset=True)
    with pytest.raises(PreconditionFailed):
        call(lambda: storage.write("once", b"again", if_absent=True), policy=POLICY)
    assert storage.read("once") == b"by the try whose answer was lost"


def test_a_large_upload_that_breaks_off_leaves_nothing_and_can_be_repeated(server: GcsServer, storage: GcsStorage) -> None:
    data = bytes(range(256)) * 4096 * 12
    server.script(match="uploadType=resumable", times=1, reset=True)
    server.script(match="PUT /upload", times=1, status=503)
    with pytest.raises(StorageUnavailable):
        storage.write("large", io.BytesIO(data))
    with pytest.raises(StorageUnavailable):
        storage.write("large", io.BytesIO(data))
    assert list(storage.list("large")) == []
    storage.write("large", io.BytesIO(data))
    assert storage.read("large") == data


def test_a_chunk_of_a_large_upload_that_fails_is_sent_again_and_not_those_before_it(
    server: GcsServer, storage: GcsStorage
) -> None:
    data = bytes(range(256)) * 4096 * 40
    for fault in ({"status": 503}, {"reset": True}):
        server.requests.clear()
        server.script(match="PUT /upload", skip=1, times=2, **fault)
        storage.write("chunks", io.BytesIO(data))
        assert (server.requests["POST upload"], server.requests["PUT upload"]) == (1, 3 + 2)
    assert storage.read("chunks") == data
    server.script(match="PUT /upload", skip=1, times=3, status=503)
    with pytest.raises(StorageUnavailable):
        storage.write("chunks", io.BytesIO(data))


def test_a_server_that_says_nothing_is_given_up_and_asked_again(server: GcsServer) -> None:
    impatient = GcsStorage(BUCKET, "p", access=AccessConfig(endpoint=server.url, timeout_s=0.5), policy=POLICY)
    call(lambda: impatient.write("slow", b"text"), policy=POLICY)
    server.script(match="alt=media", times=1, stall_s=5)
    with pytest.raises(StorageUnavailable):
        impatient.read("slow")
    server.script(match="alt=media", times=1, stall_s=5)
    assert call(lambda: impatient.read("slow"), policy=POLICY) == b"text"


def test_the_servers_own_delay_is_handed_on(server: GcsServer, storage: GcsStorage) -> None:
    server.script(match="alt=media", status=429, reason="rateLimitExceeded", retry_after="7")
    with pytest.raises(StorageUnavailable) as raised:
        storage.read("any")
    assert raised.value.retry_after_s == 7


def test_a_bucket_whose_readers_pay_is_reported_by_name_and_paid_for_by_the_named_project(server: GcsServer) -> None:
    words = "Bucket is a requester pays bucket but no user project provided."
    server.script(match="GET /storage", status=400, reason="required", message=words)
    with pytest.raises(StorageDenied, match="requester-pays") as raised:
        GcsStorage(BUCKET, access=AccessConfig(endpoint=server.url), policy=POLICY).check_readable()
    assert "user_project" in str(raised.value.hint)
    server.log.clear()
    payer = GcsStorage(BUCKET, access=AccessConfig(endpoint=server.url, user_project="payer"), policy=POLICY)
    payer.write("paid", b"x")
    assert payer.read("paid") == b"x"
    payer.check_readable()
    assert len(server.log) == 3
    assert all("userProject=payer" in line for line in server.log)


def test_an_object_that_was_replaced_or_deleted_since_it_was_listed_is_distinguished(storage: GcsStorage) -> None:
    (entry,) = [storage.write("changing", b"one")]
    storage.write("changing", b"two")
    with pytest.raises(VersionChanged):
        storage.read("changing", version=entry.version)
    storage.delete("changing")
    with pytest.raises(ObjectNotFound):
        storage.read("changing", version=entry.version)


@pytest.mark.parametrize(("status", "words"), [(403, "No permission to write"), (401, "not accepted")])
def test_what_is_not_allowed_is_not_asked_for_again(server: GcsServer, storage: GcsStorage, status: int, words: str) -> None:
    server.script(match="POST /upload", times=5, status=status, reason="forbidden", message="robot has no storage.objects.create")
    with pytest.raises(StorageDenied if status == 403 else CredentialsError, match=words) as raised:
        call(storage.check_writable, policy=POLICY)
    assert raised.value.hint
    assert server.requests["POST upload"] == 1  # without credentials there is nothing to renew


def test_a_bucket_that_is_not_there_is_reported_by_name(server: GcsServer) -> None:
    missing = GcsStorage("no-such-bucket", access=AccessConfig(endpoint=server.url), policy=POLICY)
    with pytest.raises(StorageError, match="no-such-bucket"):
        missing.check_readable()
    with pytest.raises(StorageError, match="no-such-bucket"):
        missing.check_writable()


# -- credentials --------------------------------------------------------------------------------------------------------------


def with_account(server: GcsServer, tokens: TokenServer, folder: Path) -> GcsStorage:
    account = service_account(folder, tokens.url)
    return GcsStorage(BUCKET, "p", access=AccessConfig(credentials=str(account), endpoint=server.url), policy=POLICY)


def test_a_token_that_expired_is_renewed_without_a_word(server: GcsServer, tokens: TokenServer, tmp_path: Path) -> None:
    storage = with_account(server, tokens, tmp_path)
    server.tokens = {"token-1"}
    storage.write("a", b"text")
    server.tokens = {"token-2"}
    assert storage.read("a") == b"text"
    assert tokens.issued == ["token-1", "token-2"]
    assert {grant["grant_type"] for grant in tokens.grants} == {"urn:ietf:params:oauth:grant-type:jwt-bearer"}


def test_the_connection_of_a_refused_read_is_used_again(server: GcsServer, tokens: TokenServer, tmp_path: Path) -> None:
    storage = with_account(server, tokens, tmp_path)
    before = server.connections
    storage.write("a", b"text")
    server.tokens = {"token-2"}
    assert storage.read("a") == b"text"
    assert server.connections == before + 1


def test_credentials_that_were_revoked_stop_at_once(server: GcsServer, tokens: TokenServer, tmp_path: Path) -> None:
    storage = with_account(server, tokens, tmp_path)
    storage.write("a", b"text")
    server.tokens, tokens.answer = set(), (400, "invalid_grant")
    with pytest.raises(CredentialsError, match="not accepted") as raised:
        call(lambda: storage.read("a"), policy=POLICY)
    assert raised.value.exit_code == 3
    assert "PRIVATE KEY" not in f"{raised.value!r} {raised.value} {raised.value.hint}"


def test_a_token_server_that_is_unavailable_is_waited_for(server: GcsServer, tokens: TokenServer, tmp_path: Path) -> None:
    storage = with_account(server, tokens, tmp_path)
    tokens.answer = (503, "unavailable")

    def comes_back(_: float) -> None:
        tokens.answer = None

    assert call(lambda: storage.write("b", b"x"), policy=POLICY, sleep=comes_back).size_bytes == 1


@pytest.mark.parametrize("content", ["", "{}", "not json", None])
def test_an_invalid_key_file_is_one_line(server: GcsServer, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CredentialsError) as raised:
        GcsStorage(BUCKET, access=AccessConfig(credentials=str(path), endpoint=server.url))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", ["[]", "{}", "7", "not json", '{"type": "service_account"}', "FOLDER"])
def test_an_invalid_default_key_file_is_one_line_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    path = tmp_path / "key.json"
    if content == "FOLDER":
        path.mkdir()
    else:
        path.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))  # no sign-in to Google Drive
    for open_place in (
        lambda: GcsStorage(BUCKET, access=AccessConfig()),
        lambda: DriveStorage("folder", access=AccessConfig()),
        lambda: find_credentials(None, []),
    ):
        with pytest.raises(CredentialsError) as raised:
            open_place()
        assert "\n" not in str(raised.value)
        assert not str(raised.value).startswith("None")
        assert raised.value.hint


def zeros_as_gzip(size: int) -> bytes:
    compressor = zlib.compressobj(9, wbits=31)
    return b"".join(compressor.compress(bytes(1 << 20)) for _ in range(size >> 20)) + compressor.flush()


def put_compressed(server: GcsServer, storage: GcsStorage, name: str, data: bytes, encoding: str = "gzip") -> None:
    """Stored with this Content-Encoding, regardless of the bytes."""
    blob = storage._bucket.blob(f"p/{name}")
    blob.content_encoding = encoding
    blob.upload_from_string(data, retry=None)


BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: zeros_as_gzip(64 << 20),
    "deflate": lambda: zlib.compress(bytes(64 << 20), 9),
    "gzip, gzip": lambda: gzip.compress(zeros_as_gzip(64 << 20)),
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_compressed_object_counts_inflated_and_is_not_loaded(server: GcsServer, storage: GcsStorage, encoding: str) -> None:
    put_compressed(server, storage, "bomb.pdf", BOMBS[encoding](), encoding)
    tracemalloc.start()
    try:
        with pytest.raises(ObjectTooLarge, match=r"bomb\.pdf"):
            storage.read("bomb.pdf", max_bytes=1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_an_object_mislabeled_as_compressed_is_a_fault_of_that_object(server: GcsServer, storage: GcsStorage) -> None:
    put_compressed(server, storage, "a.pdf", b"%PDF-1.7 not compressed")
    with pytest.raises(ObjectUnreadable, match=r"a\.pdf") as raised:
        storage.read("a.pdf")
    assert "clear-content-encoding" in str(raised.value.hint)


def test_an_object_with_a_key_of_its_customer_is_a_fault_of_that_object(server: GcsServer, storage: GcsStorage) -> None:
    storage.write("a.pdf", b"x")
    message = "The target object is encrypted by a customer-supplied encryption key."
    server.script(match="alt=media", status=400, reason="resourceIsEncryptedWithCustomerEncryptionKey", message=message, times=1)
    with pytest.raises(ObjectUnreadable, match="customer-supplied encryption key"):
        storage.read("a.pdf")


def test_outputs_alone_are_checked_without_leaving_anything(server: GcsServer, storage: GcsStorage) -> None:
    storage.check_writable(outputs_only=True)
    assert [entry.name for entry in storage.list(".rayocr/")] == []
    assert not any(request.startswith("DELETE /storage") for request in server.log[-5:])


def test_a_bucket_that_retains_its_objects_is_refused_for_the_state_before_anything_is_written(
    server: GcsServer, storage: GcsStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(storage._bucket), "retention_period", 3600)
    server.requests.clear()
    with pytest.raises(StorageDenied, match="with a retention policy") as raised:
        storage.check_writable()
    assert "state=" in str(raised.value.hint)
    assert server.requests["POST upload"] == 0
    storage.check_writable(outputs_only=True)


@pytest.mark.parametrize(
    ("reason", "message", "hint"),
    [
        ("forbidden", "robot@p does not have storage.objects.get access to the object.", "storage.objects.get"),
        ("forbidden", "robot@p does not have storage.objects.list access to the bucket.", "storage.objects.list"),
        ("retentionPolicyNotMet", "Object is subject to bucket's retention policy.", "state="),
        ("accountDisabled", "The billing account for the owning project is disabled.", "billing"),
        ("vpcServiceControls", "Request is prohibited by organization's policy.", "perimeter"),
        ("forbidden", "Permission denied on Cloud KMS key.", "a usable key"),
        ("somethingNew", "No.", "Storage Object User"),
    ],
)
def test_a_refusal_says_what_to_do_next(server: GcsServer, storage: GcsStorage, reason: str, message: str, hint: str) -> None:
    storage.write("a.pdf", b"x")
    server.script(match="alt=media", status=403, reason=reason, message=message, times=1)
    with pytest.raises(StorageDenied, match="No permission to read") as raised:
        storage.read("a.pdf")
    assert message.rstrip(".") in str(raised.value), "the server's own sentence"
    assert "https://" not in str(raised.value) and hint in str(raised.value.hint)
