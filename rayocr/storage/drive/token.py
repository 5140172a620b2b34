"""Stores a user's sign-in to Google Drive in a JSON file that only its owner can read and that is replaced atomically. Several
processes share the file. Before one of them fetches a token, it checks whether another has fetched one meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.oauth2.credentials import Credentials

_KEPT = ("client_id", "client_secret", "refresh_token", "token_uri")
_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


def default_token_path() -> Path:
    """Returns where `mode=login drive` stores the sign-in."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "rayocr" / "drive-token.json"


class DriveToken(Credentials):  # type: ignore[misc]
    """Google's credentials of a user, which save their new tokens. Thread-safe."""

    def __init__(self, *args: Any, file: Path | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file = file
        self.token: str | None
        self.expiry: datetime | None
        self._refreshing = threading.Lock()

    @classmethod
    def load(cls, file: Path) -> DriveToken:
        """Loads the sign-in. Raises OSError, and ValueError if the file is not a user's sign-in."""
        content = _content(file)
        return cls(
            content.get("token"),
            refresh_token=content["refresh_token"],
            token_uri=content.get("token_uri") or _TOKEN_URI,
            client_id=content["client_id"],
            client_secret=content["client_secret"],
            scopes=content.get("scopes"),
            expiry=_expiry(content),
            file=file,
        )

    def refresh(self, request: Any) -> None:
        """Gets a new access token, from the file if another process renewed it, or from Google. Raises google.auth's errors."""
        before = self.token
        with self._refreshing:
            if self.token != before and self.valid:
                return  # another thread has refreshed the token
            if self._adopt():
                return
            super().refresh(request)
            with contextlib.suppress(OSError):  # the file is mounted read-only, so each process renews its own token
                self.save()

    def save(self) -> None:
        """Saves the sign-in. Raises OSError."""
        assert self._file is not None
        content = {name: getattr(self, name) for name in _KEPT} | {
            "type": "authorized_user",
            "token": self.token,
            "expiry": self.expiry.replace(tzinfo=UTC).isoformat() if self.expiry else None,
            "scopes": list(self.scopes or ()),
        }
        write_private(self._file, json.dumps(content, indent=1).encode())

    def _adopt(self) -> bool:
        """Uses the file's token if it is newer and still valid. Returns whether it did."""
        if self._file is None:
            return False
        try:
            content = _content(self._file)
        except (OSError, ValueError):
            return False
        token, expiry = content.get("token"), _expiry(content)
        if not token or token == self.token or expiry is None or content["client_id"] != self.client_id:
            return False
        if (expiry - datetime.now(UTC).replace(tzinfo=None)).total_seconds() < 300:
            return False
        self.token, self.expiry, self._refresh_token = token, expiry, content["refresh_token"]
        return True


def write_private(file: Path, data: bytes) -> None:
    """Writes a file atomically, with mode 0600 from the start. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temp = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temp.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            temp.unlink()
        raise


def _content(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file} is not a JSON file") from error
    missing = [name for name in _KEPT[:3] if not (isinstance(content, dict) and content.get(name))]
    if missing:
        raise ValueError(f"{file} is not a sign-in: it lacks {', '.join(missing)}")
    return content  # type: ignore[no-any-return]


def _expiry(content: dict[str, Any]) -> datetime | None:
    """Returns the expiry in google-auth's format, naive UTC."""
    try:
        expiry = datetime.fromisoformat(content.get("expiry") or "")
    except (TypeError, ValueError):
        return None
    return expiry.astimezone(UTC).replace(tzinfo=None) if expiry.tzinfo else expiry
