"""Signs a user in to Google Drive in the browser: the OAuth flow for installed applications, with PKCE.

Google redirects the browser to an address of this machine. If the browser runs on another machine, that page does not load there,
and the user pastes its address here instead. Both ways work at the same time.
"""

from __future__ import annotations

import os
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rayocr.errors import CredentialsError, StorageUnavailable
from rayocr.storage.drive.credentials import SCOPES, client_of, read_json
from rayocr.storage.drive.token import DriveToken

_CLIENT_HINT = (
    "Create one in the Google Cloud console (APIs & Services, Credentials, OAuth client ID, Desktop app), download its JSON, and"
    " name it: login.client=FILE, or GOOGLE_DRIVE_CREDENTIALS."
)
_AGAIN = "Start rayocr login drive again."
_DONE = b"<!doctype html><title>rayocr</title><p>Signed in. This window can be closed."
_FAILED = b"<!doctype html><title>rayocr</title><p>Not signed in: see the terminal."


@dataclass(slots=True)
class _Answer:
    """The parameters of Google's redirect."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    came: threading.Event = field(default_factory=threading.Event)

    def give(self, query: str) -> bool:
        """Stores the parameters if they are Google's answer, and returns whether they are."""
        parameters = dict(urllib.parse.parse_qsl(query))
        if not self.came.is_set() and ("code" in parameters or "error" in parameters):
            self.parameters = parameters
            self.came.set()
        return "code" in parameters


def sign_in(
    client_file: Path,
    token_file: Path,
    *,
    port: int,
    timeout_s: float,
    show: Callable[[str], None],
    read_line: Callable[[], str],
) -> DriveToken:
    """Signs the user in and stores the sign-in in `token_file`. `show(url)` shows the address to open. `read_line()` blocks until
    the user pastes an address, and returns "" if there is no input. Raises CredentialsError, StorageUnavailable, OSError."""
    from google_auth_oauthlib.flow import Flow

    client = _client(client_file)
    flow = Flow.from_client_config({"installed": dict(client)}, scopes=SCOPES, autogenerate_code_verifier=True)
    answer = _Answer()
    server = _listen(port, answer)
    try:
        flow.redirect_uri = f"http://127.0.0.1:{server.server_address[1]}"
        url, state = flow.authorization_url(access_type="offline", prompt="consent")
        threading.Thread(target=_take_pasted, args=(read_line, answer), name="pasted-address", daemon=True).start()
        show(url)
        if not answer.came.wait(timeout_s):
            raise CredentialsError(f"No sign-in within {timeout_s:g} s.", hint=_AGAIN)
    finally:
        server.shutdown()
        server.server_close()
    return _keep(flow, _code(answer.parameters, state), client, token_file)


def _client(file: Path) -> Mapping[str, Any]:
    try:
        client = client_of(read_json(file), file)
    except OSError as error:
        raise CredentialsError(f"The OAuth client {file} cannot be read: {error.strerror}.", hint=_CLIENT_HINT) from error
    except ValueError as error:
        raise CredentialsError(f"{error}.", hint=_CLIENT_HINT) from error
    missing = [name for name in ("client_secret", "auth_uri", "token_uri") if not client.get(name)]
    if missing:
        raise CredentialsError(f"The OAuth client {file} lacks {', '.join(missing)}.", hint=_CLIENT_HINT)
    return client


def _listen(port: int, answer: _Answer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            good = answer.give(urllib.parse.urlsplit(self.path).query)
            page = _DONE if good else _FAILED
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise CredentialsError(f"Cannot listen on login.port={port}: {error.strerror}.", hint="Omit login.port=.") from error
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sign-in", daemon=True).start()
    return server


def _take_pasted(read_line: Callable[[], str], answer: _Answer) -> None:
    while line := read_line():
        answer.give(urllib.parse.urlsplit(line.strip()).query or line.strip())


def _code(parameters: Mapping[str, str], state: str) -> str:
    if "error" in parameters:
        raise CredentialsError(f"Google did not sign you in: {parameters['error']}.", hint=_AGAIN)
    if parameters.get("state") != state:
        raise CredentialsError("This answer belongs to another sign-in.", hint=f"{_AGAIN} Paste the whole address of the page.")
    return parameters["code"]


def _keep(flow: Any, code: str, client: Mapping[str, Any], token_file: Path) -> DriveToken:
    from google.auth.exceptions import GoogleAuthError
    from oauthlib.oauth2 import OAuth2Error
    from requests.exceptions import RequestException

    os.environ.setdefault("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")  # Google may return the scopes in another order
    try:
        flow.fetch_token(code=code)
    except RequestException as error:
        raise StorageUnavailable(f"{client['token_uri']} does not answer: {type(error).__name__}.", hint=_AGAIN) from error
    except (OAuth2Error, GoogleAuthError, ValueError) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise CredentialsError(f"Google returned no token: {said[0]}.", hint=_AGAIN) from error
    found = flow.credentials
    if not found.refresh_token:
        raise CredentialsError(
            "Google returned no refresh token.",
            hint=f"Remove the app's access at https://myaccount.google.com/connections. {_AGAIN}",
        )
    token = DriveToken(
        found.token,
        refresh_token=found.refresh_token,
        token_uri=client["token_uri"],
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        scopes=SCOPES,
        expiry=found.expiry,
        file=token_file,
    )
    token.save()
    return token
