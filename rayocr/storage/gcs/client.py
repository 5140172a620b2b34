"""Creates a Google Cloud Storage client for one access configuration: credentials, billed project, and address."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rayocr.config import AccessConfig
from rayocr.storage.gcs.errors import NOT_CREDENTIALS, no_credentials, unreadable_credentials
from rayocr.storage.google_session import authorized_session

if TYPE_CHECKING:
    from google.cloud.storage import Client

_SCOPES = ["https://www.googleapis.com/auth/devstorage.read_write"]


def open_client(access: AccessConfig) -> Client:
    """Creates the client without a request. Raises CredentialsError."""
    # Without this, the client requests the bucket's metadata in the background, which needs a request and a permission.
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    from google.cloud.storage import Client

    credentials = _credentials(access)
    options = {"api_endpoint": access.endpoint} if access.endpoint else None
    return Client(project=None, credentials=credentials, _http=authorized_session(credentials), client_options=options)


def _credentials(access: AccessConfig) -> Any:
    from google.auth.credentials import AnonymousCredentials

    if access.anonymous or (access.endpoint and not access.credentials):  # an emulator needs no credentials
        return AnonymousCredentials()
    return find_credentials(access.credentials, _SCOPES)


def find_credentials(path: str | None, scopes: Sequence[str]) -> Any:
    """Returns the credentials in a key file, or those that Google's libraries find. Raises CredentialsError."""
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        return credentials_from(Path(path), scopes) if path else google.auth.default(scopes=scopes)[0]
    except (GoogleAuthError, ValueError) as error:
        raise no_credentials(error) from error
    except OSError as error:
        raise unreadable_credentials(error, path) from error
    except (AttributeError, TypeError, LookupError) as error:  # google-auth expects an object in the file
        raise no_credentials(ValueError(NOT_CREDENTIALS)) from error


def credentials_from(path: Path, scopes: Sequence[str]) -> Any:
    """Returns the credentials of a key file, by its `type` field. Raises OSError, ValueError, GoogleAuthError."""
    content = json.loads(path.read_text(encoding="utf-8"))
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "service_account":
        from google.oauth2.service_account import Credentials

        return Credentials.from_service_account_info(content, scopes=scopes)
    if kind == "authorized_user":
        from google.oauth2.credentials import Credentials as UserCredentials

        return UserCredentials.from_authorized_user_info(content, scopes=scopes)
    raise ValueError(
        f"{path} is neither a service account's key nor an authorized user"
        + (f" ({kind}: set GOOGLE_APPLICATION_CREDENTIALS to it instead)" if kind else "")
    )
