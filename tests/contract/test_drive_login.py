"""User sign-in with Google's flow against a test token server: in the browser, or with a pasted URL."""

from __future__ import annotations

import json
import queue
import stat
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rayocr.errors import CredentialsError
from rayocr.storage.drive.login import sign_in
from rayocr.storage.drive.token import DriveToken
from tests.servers.oauth import TokenServer


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the token server of the test has no TLS
    server = TokenServer()
    yield server
    server.close()


@pytest.fixture
def client(tmp_path: Path, tokens: TokenServer) -> Path:
    path = tmp_path / "client.json"
    content = {"client_id": "id", "client_secret": "shh", "auth_uri": "https://accounts.example/auth", "token_uri": tokens.url}
    path.write_text(json.dumps({"installed": content}))
    return path


class Person:
    """Opens the displayed URL and calls `does` with it."""

    def __init__(self, does: Callable[[Person, dict[str, str]], None]) -> None:
        self._does = does
        self._typed: queue.Queue[str] = queue.Queue()
        self.page = ""

    def show(self, url: str) -> None:
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        assert asked["access_type"] == "offline"
        assert asked["code_challenge_method"] == "S256"
        assert asked["scope"] == "https://www.googleapis.com/auth/drive"
        threading.Thread(target=self._does, args=(self, asked), daemon=True).start()

    def types(self, line: str) -> None:
        self._typed.put(line + "\n")

    def visits(self, url: str) -> None:
        with urllib.request.urlopen(url, timeout=60) as page:
            self.page = page.read().decode()

    def read_line(self) -> str:
        return self._typed.get()


def signed_in(client: Path, token: Path, person: Person) -> DriveToken:
    return sign_in(client, token, port=0, timeout_s=60, show=person.show, read_line=person.read_line)


def back(asked: dict[str, str], **answer: str) -> str:
    return asked["redirect_uri"] + "/?" + urllib.parse.urlencode({"state": asked["state"]} | answer)


def test_the_browser_brings_the_code_and_the_sign_in_is_kept_for_its_owner_alone(
    client: Path, tokens: TokenServer, tmp_path: Path
) -> None:
    person = Person(lambda me, asked: me.visits(back(asked, code="the code")))
    file = tmp_path / "config" / "token.json"
    signed_in(client, file, person)
    kept = json.loads(file.read_text())
    assert (kept["token"], kept["refresh_token"], kept["client_id"], kept["type"]) == (
        "token-1",
        "refresh",
        "id",
        "authorized_user",
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (grant,) = tokens.grants
    assert (grant["code"], grant["grant_type"]) == ("the code", "authorization_code")
    assert grant["code_verifier"]
    assert DriveToken.load(file).valid


def test_without_a_browser_here_the_address_of_the_page_is_pasted(client: Path, tokens: TokenServer, tmp_path: Path) -> None:
    def pastes(me: Person, asked: dict[str, str]) -> None:
        me.types("what is this?")
        me.types("  " + back(asked, code="pasted", scope="https://www.googleapis.com/auth/drive") + "  ")

    signed_in(client, tmp_path / "token.json", Person(pastes))
    assert tokens.grants[0]["code"] == "pasted"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"error": "access_denied"}, "did not sign you in: access_denied"),
        ({"code": "x", "state": "of somebody else"}, "another sign-in"),
    ],
)
def test_an_invalid_sign_in_is_reported_and_not_stored(
    client: Path, tokens: TokenServer, tmp_path: Path, answer: dict[str, str], words: str
) -> None:
    person = Person(lambda me, asked: me.types(back(asked, **answer)))
    with pytest.raises(CredentialsError, match=words) as raised:
        signed_in(client, tmp_path / "token.json", person)
    assert "rayocr login drive" in str(raised.value.hint)
    assert not tokens.grants
    assert not (tmp_path / "token.json").exists()


def test_a_code_that_google_does_not_take_is_reported(client: Path, tokens: TokenServer, tmp_path: Path) -> None:
    tokens.answer = (400, "invalid_grant")
    with pytest.raises(CredentialsError, match="invalid_grant"):
        signed_in(client, tmp_path / "token.json", Person(lambda me, asked: me.types(back(asked, code="old"))))


def test_a_sign_in_that_is_never_completed_times_out(client: Path, tmp_path: Path) -> None:
    person = Person(lambda me, asked: None)
    with pytest.raises(CredentialsError, match="No sign-in within"):
        sign_in(client, tmp_path / "token.json", port=0, timeout_s=0.1, show=person.show, read_line=lambda: "")


@pytest.mark.parametrize("content", [None, "", "{}", '{"type": "service_account"}', '{"installed": {"client_id": "id"}}'])
def test_a_file_without_an_oauth_client_says_where_to_get_one(tmp_path: Path, content: str | None) -> None:
    client = tmp_path / "client.json"
    if content is not None:
        client.write_text(content)
    with pytest.raises(CredentialsError) as raised:
        signed_in(client, tmp_path / "token.json", Person(lambda me, asked: None))
    assert "\n" not in str(raised.value)
    assert "Desktop app" in str(raised.value.hint)
