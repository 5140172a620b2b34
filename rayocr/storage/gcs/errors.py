"""Translates errors of Google Cloud Storage, its client and its credentials into rayocr's errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from rayocr.errors import (
    CredentialsError,
    ObjectNotFound,
    ObjectUnreadable,
    PreconditionFailed,
    RayocrError,
    StorageDenied,
    StorageUnavailable,
    UnsafeName,
)
from rayocr.errors.next_steps import next_step
from rayocr.errors.retry_after import seconds_of
from rayocr.storage.os_errors import printable

T = TypeVar("T")

NOT_CREDENTIALS = "the file that GOOGLE_APPLICATION_CREDENTIALS names contains no credentials"

_IN_JSON = re.compile(r'"message":\s*"((?:[^"\\]|\\.)+)"')
_SLOW_DOWN = re.compile(r"\b(?:rateLimitExceeded|userRateLimitExceeded)\b")
_REQUEST = re.compile(r"^[A-Z]+ https?://\S+: ")  # the client's prefix of the server's message


def translate(error: Exception, place: str, *, doing: str, name: str = "") -> RayocrError:
    """Translates an error. `place`: the object or bucket; `doing`: read, write, delete or list; `name`: name of the object, ""
    for the bucket. An unknown error is retryable: the connection broke, the server was busy, or the bytes did not match their
    checksum."""
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth
    from requests.exceptions import ContentDecodingError
    from urllib3.exceptions import DecodeError

    shown = printable(place)
    if isinstance(error, api.NotFound):
        if "bucket" in str(error.message).lower():  # a missing bucket and a missing object have the same status
            return ObjectNotFound(f"The bucket of {shown} does not exist.", hint=next_step("gcs", 404, "bucket"))
        return ObjectNotFound(f"There is no object {shown}.")
    if isinstance(error, api.PreconditionFailed):
        return PreconditionFailed(f"{shown} already exists, or its version has changed.")
    if isinstance(error, api.Unauthorized):
        return CredentialsError(f"{shown}: the credentials are not accepted ({_message(error)}).", hint=next_step("gcs", 401))
    if isinstance(error, api.Forbidden) and not _SLOW_DOWN.search(_said(error)):  # else the project sends too many requests
        return StorageDenied(f"No permission to {doing} {shown}: {_message(error)}.", hint=next_step("gcs", 403, _said(error)))
    if isinstance(error, ContentDecodingError | DecodeError):
        return ObjectUnreadable(
            f"{shown} is marked as compressed (Content-Encoding), but its bytes cannot be decompressed.",
            hint=next_step("gcs", said="content-encoding", place=shown),
        )
    if isinstance(error, api.BadRequest):
        if "project" in str(error).lower() and "requester" in str(error).lower():
            return StorageDenied(f"{shown} is in a requester-pays bucket.", hint=next_step("gcs", 400, "requester"))
        if name and doing == "read":
            return ObjectUnreadable(
                f"Google Cloud Storage refuses to read {shown}: {_message(error)}.", hint=next_step("gcs", 400)
            )
        return UnsafeName(f"Google Cloud Storage refuses to {doing} {shown}: {_message(error)}.")
    if isinstance(error, auth.TransportError):  # the token server is briefly unavailable
        return StorageUnavailable(f"{shown}: cannot get an access token (temporary).")
    if isinstance(error, auth.RefreshError) and error.retryable:
        return StorageUnavailable(f"{shown}: cannot get an access token (temporary).")
    if isinstance(error, auth.GoogleAuthError):
        return CredentialsError(f"{shown}: the credentials are not accepted ({_message(error)}).", hint=next_step("gcs", 401))
    return StorageUnavailable(
        f"{shown}: Google Cloud Storage cannot {doing} it (temporary error: {_message(error)}).",
        retry_after_s=_retry_after_s(error),
    )


def passing(send: Callable[[], T]) -> T:
    """Returns the result of `send`. Raises StorageUnavailable for temporary errors, and any other error unchanged."""
    from google.cloud.storage.exceptions import InvalidResponse
    from requests.exceptions import ConnectionError, Timeout

    try:
        return send()
    except (ConnectionError, Timeout) as error:
        raise StorageUnavailable(f"The connection to Google Cloud Storage broke ({_message(error)}).") from error
    except InvalidResponse as error:
        if error.response.status_code in (408, 429) or error.response.status_code >= 500:
            raise StorageUnavailable(f"Google Cloud Storage is busy ({error.response.status_code}).") from error
        raise


def _said(error: Any) -> str:
    reasons = " ".join(str(detail.get("reason", "")) for detail in error.errors if isinstance(detail, dict))
    return f"{reasons} {_REQUEST.sub('', str(error.message))}"  # the address contains names of fields, such as eventBasedHold


def _retry_after_s(error: Exception) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    return seconds_of(headers.get("Retry-After"))


def no_credentials(error: Exception) -> CredentialsError:
    return CredentialsError(
        f"There are no usable credentials for Google Cloud Storage: {_message(error)}.", hint=next_step("gcs", 401)
    )


def unreadable_credentials(error: OSError, path: str | None) -> CredentialsError:
    return CredentialsError(f"{error.filename or path} cannot be read: {error.strerror}.", hint=next_step("gcs", 401))


def _message(error: Exception) -> str:
    text = getattr(error, "message", None) or (error.args[0] if error.args else "")
    if isinstance(text, Exception):  # requests wraps urllib3's errors
        text = type(text).__name__
    # The hint of rayocr replaces this advice of the client.
    own = _REQUEST.sub("", str(text).strip()).partition(" To set up Application Default Credentials")[0]
    if own.startswith("{") and (said := _IN_JSON.search(own)):  # an upload's error has the whole body of the answer
        own = said[1].replace('\\"', '"')
    lines = own.splitlines()
    return (lines[0].rstrip(".")[:300] if lines else "") or type(error).__name__
