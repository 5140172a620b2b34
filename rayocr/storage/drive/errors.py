"""Translates the errors of Google Drive, its client and its credentials into rayocr's. rayocr.errors.next_steps has the hints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rayocr.errors import (
    CredentialsError,
    DayQuotaExhausted,
    ObjectNotFound,
    PreconditionFailed,
    RayocrError,
    StorageDenied,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from rayocr.errors.next_steps import next_step
from rayocr.errors.retry_after import seconds_of
from rayocr.storage.os_errors import printable
from rayocr.untrusted_json import parse_value

_SLOW_DOWN = {"userRateLimitExceeded", "rateLimitExceeded", "sharingRateLimitExceeded", "quotaExceeded", "backendError"}
_OF_THE_DAY = {"dailyLimitExceeded", "dailyLimitExceededUnreg"}
_FULL = {
    "storageQuotaExceeded",
    "teamDriveFileLimitExceeded",
    "numChildrenInNonRootLimitExceeded",
    "activeItemCreationLimitExceeded",
}
_SCOPE = {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
_SWITCHED_OFF = {"accessNotConfigured", "SERVICE_DISABLED"}
_NOT_DOWNLOADED = {"cannotDownloadAbusiveFile", "cannotDownloadFile", "fileNotDownloadable", "downloadQuotaExceeded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """The content of an HTTP error."""

    status: int
    reason: str
    message: str
    retry_after_s: float | None


def translate(error: Exception, place: str, *, doing: str) -> RayocrError:
    """Translates an error. `place`: the file or folder; `doing`: read, write, delete or list. An unknown error is retryable: the
    connection broke, the server was busy, or the bytes did not match their checksum."""
    from google.auth import exceptions as auth
    from googleapiclient.errors import HttpError

    shown = printable(place)
    if isinstance(error, HttpError):
        return _of_status(_answer(error), shown, doing)
    if isinstance(error, auth.TransportError) or (isinstance(error, auth.RefreshError) and error.retryable):
        return StorageUnavailable(f"{shown}: the token server does not answer.")
    if isinstance(error, auth.GoogleAuthError):
        return refused(error, shown)
    return StorageUnavailable(f"{shown}: Google Drive could not {doing} it ({_message(error)}).")


def refused(error: Exception, place: str) -> CredentialsError:
    """Returns the error for a refusal of the token server."""
    said, hint = _message(error), next_step("drive", 401, str(error))
    if "invalid_grant" in str(error):
        return CredentialsError(f"{place}: the sign-in is no longer valid, or the key was deleted ({said}).", hint=hint)
    if "unauthorized_client" in str(error) or "access_denied" in str(error):
        return CredentialsError(f"{place}: the account may not act for this user ({said}).", hint=hint)
    return CredentialsError(f"{place}: the credentials are not accepted ({said}).", hint=hint)


def no_credentials(error: Exception | str) -> CredentialsError:
    said = error if isinstance(error, str) else _message(error)
    return CredentialsError(f"There are no usable credentials for Google Drive: {said}.", hint=next_step("drive", 401))


def _of_status(answer: _Answer, shown: str, doing: str) -> RayocrError:
    said, hint = answer.message, next_step("drive", answer.status, f"{answer.reason} {answer.message}")
    if answer.status == 404:
        return ObjectNotFound(f"{shown} does not exist, or the account has no access to it.", hint=hint)
    if answer.status == 401:
        return CredentialsError(f"{shown}: the credentials are not accepted ({said}).", hint=hint)
    if answer.status == 403:
        return _of_forbidden(answer, shown, doing, hint)
    if answer.status in (409, 412):
        return PreconditionFailed(f"{shown} already exists or has changed.")
    if answer.status in (408, 416, 429) or answer.status >= 500:
        return StorageUnavailable(
            f"{shown}: Google Drive could not {doing} it ({answer.status}: {said}).", retry_after_s=answer.retry_after_s
        )
    return StorageError(f"Google Drive refuses to {doing} {shown} ({answer.status}: {said}).")


def _of_forbidden(answer: _Answer, shown: str, doing: str, hint: str | None) -> RayocrError:
    said, reason = answer.message, answer.reason
    if reason in _FULL or (reason == "quotaExceeded" and "storage" in said.lower()):
        return StorageFull(f"{shown}: no space is left in Google Drive ({said}).", hint=hint)
    if reason in _OF_THE_DAY:
        return DayQuotaExhausted(f"{shown}: the project's quota of Google Drive for this day is used up ({said}).", hint=hint)
    if reason in _SLOW_DOWN:
        return StorageUnavailable(f"{shown}: Google Drive limits the request rate ({said}).", retry_after_s=answer.retry_after_s)
    if reason in _SWITCHED_OFF:
        return StorageDenied(f"{shown}: the Google Drive API is not enabled in the credentials' project ({said}).", hint=hint)
    if reason in _SCOPE:
        return StorageDenied(f"{shown}: the credentials do not include access to Google Drive ({said}).", hint=hint)
    if reason in _NOT_DOWNLOADED:
        return StorageDenied(f"{shown}: Google Drive does not allow downloading this file ({said}).", hint=hint)
    return StorageDenied(f"No permission to {doing} {shown}: {said}.", hint=hint)


def status_of(error: BaseException | None) -> int:
    """Returns the HTTP status of an error of the client; 0 for any other error."""
    from googleapiclient.errors import HttpError

    return int(error.resp.status) if isinstance(error, HttpError) else 0


def _answer(error: Any) -> _Answer:
    status = int(error.resp.status)
    reason, message = "", str(error.resp.reason or status)
    try:
        told = parse_value(error.content)["error"]
        message = str(told.get("message") or message)
        details = [d for d in told.get("details", ()) if isinstance(d, dict) and d.get("reason")]
        errors = told.get("errors") or details
        reason = str(errors[0].get("reason") or "") if errors else ""
        if details and reason in ("forbidden", "insufficientPermissions"):
            reason = str(details[0]["reason"])  # the newer format is more specific
    except (ValueError, LookupError, TypeError, AttributeError):
        pass  # a proxy's error page
    return _Answer(
        status=status,
        reason=reason,
        message=(message.strip().splitlines() or [str(status)])[0].rstrip(".")[:300],
        retry_after_s=seconds_of(error.resp.get("retry-after")),
    )


def _message(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    if isinstance(text, Exception):  # requests wraps urllib3's errors
        text = type(text).__name__
    # The hint of rayocr replaces this advice of the client.
    lines = str(text).strip().partition(" To set up Application Default Credentials")[0].splitlines()
    return (lines[0].rstrip(".")[:300] if lines else "") or type(error).__name__
