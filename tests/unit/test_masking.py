from __future__ import annotations

import json
import logging
import pickle
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rayocr import masking
from rayocr.errors import CredentialsError, LocksUnavailable
from rayocr.masking import for_terminal, hide, hide_environment, masked, masked_data
from rayocr.observe.logs import attach, configure_logs, log_event

PLANTED = 'p4nt"ed/s3cret+word'


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_known", None)
    monkeypatch.setattr(masking, "_values", set())


KEYS = {
    "hf_": "hf_AbCdEfGhIjKlMnOpQrStUv",
    "ghp_": "ghp_AbCdEfGhIjKlMnOpQrStUv",
    "AIza": "AIzaSyA-1234567890abcdefghijklmnopqrstu",
    "AQ.": "AQ.Ab8RN6K-1234567890abcdefghijklmnopq",
    "ya29.": "ya29.a0AfH6SMBx-abcdefghijklmnop",
    "1//0": "1//0gabcdefghijklmnopqrstuvwxyz",
    "sk-": "sk-proj-Abcdefghijklmnopqrstuvwxyz012345",
    "sb_": "sb_secret_abcdefghijklmnop",
    "sbp_": "sbp_abcdefghijklmnopqrstuvwx",
    "eyJ": "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZSJ9.c2lnbmF0dXJl",
    "-----BEGIN": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
}


@pytest.mark.parametrize("beginning", masking._SHAPES_BY_BEGINNING)
def test_what_is_shaped_like_a_key_is_masked_wherever_it_comes_from(beginning: str) -> None:
    """Tests each prefix alone, since any known prefix triggers the search for all formats."""
    assert masked(f"refused: {KEYS[beginning]}, try again") == "refused: ***, try again"


def test_credentials_in_addresses_headers_and_queries_are_masked_and_the_rest_stays() -> None:
    assert masked("redis://user:pass@host:6379/0 is away") == "redis://***@host:6379/0 is away"
    assert masked("https://h/v1?key=abcdef&alt=json") == "https://h/v1?key=***&alt=json"
    assert masked("Authorization: Bearer abcdef0123456789") == "Authorization: Bearer ***"
    assert masked("authorization: BASIC abcdef0123456789=") == "authorization: BASIC ***"
    names = ("gs://bucket/a@b.pdf", "reports/2024/a.pdf", "source=gs://b/x", "sk-zmluva-2024-podpisana.pdf")
    for harmless in (*names, "page 3 of 9", "the key is missing"):
        assert masked(harmless) == harmless


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://h/o?X-Goog-Algorithm=RSA&X-Goog-Credential=robot&X-Goog-Signature=0123abcd", "X-Goog-Algorithm=RSA"),
        ("https://h/c?sv=2024&sig=Ab%2Bcd%3D&se=2026", "se=2026"),
        ("http://127.0.0.1:4711/?state=x&code=4/0AbCdEfGh&scope=drive", "scope=drive"),
        ("Server=db;uid=me;pwd=hunter22;db=x", "db=x"),
        ("password=hunter22, host=h", "host=h"),
        ("x-api-key: abcdef012345", "x-api-key: "),
        ("{'X-Api-Key': 'abcdef012345', 'Accept': '*/*'}", "'Accept': '*/*'"),
        ("Authorization: Token abcdef012345", "Authorization: Token "),
        ("'authorization': 'abcdef012345'", "'authorization': '"),
        ("Set-Cookie: session=abcdef012345; Path=/", "Path=/"),
    ],
)
def test_signed_addresses_sign_ins_and_headers_are_masked(text: str, kept: str) -> None:
    shown = masked(text)
    assert "***" in shown
    assert kept in shown
    for secret in ("0123abcd", "Ab%2B", "0AbCdEfGh", "hunter22", "abcdef012345"):
        assert secret not in shown


def test_names_of_headers_hide_their_values() -> None:
    assert masked_data({"X-Api-Key": "v", "Authorization": "w", "Accept": "*/*"}) == {
        "X-Api-Key": "***",
        "Authorization": "***",
        "Accept": "*/*",
    }


def test_a_terminal_gets_no_escape_sequences() -> None:
    text = "a\x1b[2Jb\x9b31mc\r\x07\u202egpj.pdf\nline\tनमस्ते \u200d🙂"
    assert for_terminal(text) == "a\\x1b[2Jb\\x9b31mc\\r\\x07\\u202egpj.pdf\nline\tनमस्ते \u200d🙂"


def test_known_values_are_masked_also_as_they_look_in_urls_and_json() -> None:
    hide([PLANTED, None, "short"])
    for text in (PLANTED, json.dumps({"a": PLANTED}), "p4nt%22ed%2Fs3cret%2Bword"):
        assert "s3cret" not in masked(text)
    assert masked("a short text") == "a short text"


def test_names_in_the_environment_show_what_is_secret() -> None:
    hide_environment(
        {
            "MY_API_KEY": "value-of-a-key",
            "MAX_TOKENS": "100000",
            "GOOGLE_APPLICATION_CREDENTIALS": "/keys/account.json",
            "DB": "postgres://u:pass%20word1@h/d",
            "HOME": "/home/somebody",
        }
    )
    assert masked("value-of-a-key 100000 /keys/account.json /home/somebody") == "*** 100000 /keys/account.json /home/somebody"
    assert masked("'pass word1'") == "'***'"


def test_errors_never_hold_a_secret_also_on_the_other_side_of_a_pickle() -> None:
    error = LocksUnavailable("redis://u:hunter22@h is away", hint="Look at redis://u:hunter22@h")
    for same in (error, pickle.loads(pickle.dumps(error))):
        assert "hunter22" not in f"{same} {same.hint} {same!r}"
    assert str(CredentialsError("plain")) == "plain"


def test_data_is_masked_by_its_names_too() -> None:
    shown = masked_data({"extra": {"api_key": "x", "steps": 3}, "urls": ["http://u:p@h"], "credentials": "/keys/a.json"})
    assert shown == {"extra": {"api_key": "***", "steps": 3}, "urls": ["http://***@h"], "credentials": "/keys/a.json"}


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    configure_logs(tmp_path, run_id="run-1", retention_days=3)
    yield tmp_path / "json"
    attach(logging.NullHandler())


def test_whatever_a_line_is_made_of_it_is_masked(logs: Path) -> None:
    hide([PLANTED])
    log = logging.getLogger("rayocr.test")
    log_event(log, "tried", "Tried.", url=f"redis://:{PLANTED}@h", nested={"a": [PLANTED]}, error=ValueError(PLANTED))
    try:
        raise ValueError(f"no: {PLANTED}")
    except ValueError:
        log.exception("failed with %s", PLANTED)
    logging.getLogger("some.library").warning("retrying with %s", PLANTED)
    logging.getLogger("some.library").info("chatter")
    (file,) = logs.glob("*.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["logger"] for line in lines] == ["rayocr.test", "rayocr.test", "some.library"]
    assert all(line["run_id"] == "run-1" and line["action"] for line in lines)
    assert "s3cret" not in file.read_text()


def test_a_masked_line_is_still_json_whatever_was_masked(logs: Path) -> None:
    log = logging.getLogger("rayocr.test")
    for text in (
        'see "http://h/?key=abcdefgh" there',
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ",
        'Bearer abcdef0123456789"',
        "http://a\\b:c@h",
    ):
        log_event(log, "tried", "Tried.", reason=text)
    (file,) = logs.glob("*.jsonl")
    reasons = [json.loads(line)["reason"] for line in file.read_text().splitlines()]
    assert reasons[:3] == ['see "http://h/?key=***" there', "***", 'Bearer ***"']
    assert "c@h" not in reasons[3]


@pytest.mark.parametrize("piece", ["-eyJabcdefgh", "-sk-abc", "a-", "&a", "set-", "?a-", "eyJaaaaaaaaa.", "x_"])
def test_masking_takes_linear_time(piece: str) -> None:
    def seconds(length: int) -> float:
        text = "cookie bearer = AIza :// " + piece * (length // len(piece))
        started = time.thread_time()
        masked(text)
        return time.thread_time() - started

    short = max(min(seconds(10_000) for _ in range(3)), 1e-3)
    assert min(seconds(160_000) for _ in range(3)) < 80 * short  # 16 for linear time, 256 for quadratic


@pytest.mark.parametrize(
    "text",
    [
        "api_key=%s",
        '{"api_key": "%s"}',
        "{'api_key': '%s'}",
        "OPENAI_API_KEY=%s",
        "GEMINI_API_KEY: %s",
        '{"access_token":"%s"}',
        '{"refresh_token": "%s", "expires_in": 3599}',
        '{"client_secret":"%s"}',
        "client_secret=%s",
        "token=%s",
        "#token=%s",
        "X-Vault-Token: %s",
        "password: %s",
        "{'password': '%s'}",
        'Authorization: Digest username="a", realm="b", response="%s"',
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=%s",
        "fatal: hf_%sabcdefghijklmnopqrstuv",
        "remote: ghp_%sabcdefghijklmnopqrstuvwx",
    ],
)
def test_a_value_whose_name_tells_that_it_is_secret_is_masked(text: str) -> None:
    assert "s3cretValue99" not in masked(text % "s3cretValue99")


@pytest.mark.parametrize(
    "text",
    [
        '{"fencing_token": 1764211234567, "input_tokens": 123456}',
        "fencing_token=1764211234567",
        "max_tokens=100000",
        "password: required",
        "The key: it is not accepted.",
        "token: null",
        "monkey=banana2000",
        "limits.tpm=1000000 tokens",
    ],
)
def test_a_number_or_a_word_beside_such_a_name_stays(text: str) -> None:
    assert masked(text) == text
