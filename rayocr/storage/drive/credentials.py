"""Finds credentials for Google Drive: a service account (for itself or for a user), a signed-in user, or the machine's account.

The order: `storage.*.credentials` (or GOOGLE_DRIVE_CREDENTIALS, which sets it), the sign-in of `mode=login drive`, and
Google's default credentials (GOOGLE_APPLICATION_CREDENTIALS, gcloud, the metadata server).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rayocr.config import AccessConfig
from rayocr.errors import CredentialsError
from rayocr.errors.next_steps import next_step
from rayocr.storage.drive.errors import no_credentials
from rayocr.storage.drive.token import DriveToken, default_token_path

SCOPES = ["https://www.googleapis.com/auth/drive"]


def drive_credentials(access: AccessConfig) -> Any:
    """Finds the credentials without a request. Raises CredentialsError."""
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError

    if access.anonymous or (access.endpoint and not access.credentials):  # an emulator needs no credentials
        return AnonymousCredentials()
    try:
        if access.credentials:
            return _of_file(Path(access.credentials), access.subject)
        if (signed_in := default_token_path()).is_file() and not access.subject:
            return DriveToken.load(signed_in)
        found = google.auth.default(scopes=SCOPES)[0]
    except (GoogleAuthError, ValueError) as error:
        raise no_credentials(error) from error
    except OSError as error:
        raise CredentialsError(f"{error.filename} cannot be read: {error.strerror}.", hint=next_step("drive", 401)) from error
    except (AttributeError, TypeError, LookupError) as error:  # google-auth expects an object in the file
        raise no_credentials("the file that GOOGLE_APPLICATION_CREDENTIALS names contains no credentials") from error
    return _for(found, access.subject)


def _of_file(path: Path, subject: str | None) -> Any:
    """Returns the credentials in a file, by its type. Raises OSError, ValueError, GoogleAuthError, CredentialsError."""
    content = read_json(path)
    if "installed" in content or "web" in content:
        return _of_client(path, client_of(content, path))
    kind = content.get("type")
    if kind == "service_account":
        from google.oauth2.service_account import Credentials

        return _for(Credentials.from_service_account_info(content, scopes=SCOPES), subject)
    if kind == "authorized_user":
        return DriveToken.load(path)
    raise ValueError(
        f"{path} is neither a service account's key, nor an OAuth client, nor a sign-in"
        + (f" ({kind}: set GOOGLE_APPLICATION_CREDENTIALS to it instead)" if kind else "")
    )


def _of_client(path: Path, client: Mapping[str, Any]) -> DriveToken:
    """Returns the sign-in that belongs to this OAuth client."""
    stored = default_token_path()
    again = f"Sign in with: rayocr login drive login.client={path}"
    if not stored.is_file():
        raise CredentialsError(f"{path} is an OAuth client without a sign-in.", hint=again)
    token = DriveToken.load(stored)
    if token.client_id != client.get("client_id"):
        raise CredentialsError(f"The sign-in in {stored} was made with another OAuth client than {path}.", hint=again)
    return token


def _for(credentials: Any, subject: str | None) -> Any:
    if not subject:
        return credentials
    if not hasattr(credentials, "with_subject"):
        raise CredentialsError(
            f"storage.*.subject={subject} needs a service account's JSON file.",
            hint="Name it in GOOGLE_DRIVE_CREDENTIALS or storage.*.credentials=.",
        )
    return credentials.with_subject(subject)


def client_of(content: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Returns the OAuth client in a file from the Google Cloud console. Raises ValueError."""
    client = content.get("installed") or content.get("web")
    if not isinstance(client, Mapping) or not client.get("client_id"):
        raise ValueError(f"{path} is not an OAuth client")
    return client


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON file. Raises OSError and ValueError."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not a JSON file") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} contains no credentials")
    return content
