"""Implements mode=login: signs in to Google Drive interactively, and stores the sign-in for later runs."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from rayocr.config import AccessConfig, RayocrConfig
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.errors import CredentialsError, RayocrError, UsageError
from rayocr.extras import require
from rayocr.storage.uri import local_path


def sign_in_to_drive(config: RayocrConfig) -> int:
    """Signs in and returns exit code 0. Raises UsageError and CredentialsError."""
    require("drive", "rayocr login drive")
    from rayocr.storage.drive.login import sign_in
    from rayocr.storage.drive.token import default_token_path

    settings, terminal = config.login, ConsoleTerminal(config.progress)
    if settings.client is None:
        raise UsageError(
            "login.client= is missing: the JSON of an OAuth client, as downloaded from the Google Cloud console (Credentials,"
            " OAuth client ID, Desktop app).",
            hint="You can also set GOOGLE_DRIVE_CREDENTIALS to its path.",
        )
    token_file = local_path(settings.token) if settings.token else default_token_path()

    def show(url: str) -> None:
        terminal.say("Open this address in a browser, and allow rayocr to use Google Drive:")
        print(f"\n  {url}\n", flush=True)  # the terminal class would wrap the line
        terminal.say("If your browser is on another machine, the page after the sign-in does not open: paste its address here.")
        if settings.browser == "auto" and _has_browser():
            import webbrowser

            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(url)

    try:
        sign_in(
            local_path(settings.client),
            token_file,
            port=settings.port,
            timeout_s=settings.timeout_s,
            show=show,
            read_line=_read_line,
        )
    except OSError as error:
        raise CredentialsError(
            f"Cannot store the sign-in in {token_file}: {error.strerror}.", hint="Set another file: login.token="
        ) from error
    terminal.say(f"Signed in{_who(config, token_file)}. The sign-in is stored in {token_file}, which only you can read.")
    if settings.token:
        terminal.say(
            f"To use it in runs, set GOOGLE_DRIVE_CREDENTIALS={token_file}, or storage.source.credentials= and"
            " storage.dest.credentials=."
        )
    return 0


def _read_line() -> str:
    """Reads from the terminal, bypassing Python's own buffer, since a thread that waits in it at exit crashes the interpreter."""
    line = b""
    with contextlib.suppress(OSError):
        while not line.endswith(b"\n") and (piece := os.read(0, 65_536)):
            line += piece
    return line.decode(errors="replace")


def _has_browser() -> bool:
    """Returns whether a graphical browser is available. A text-mode browser in this terminal would hide the prompt for the line
    to paste."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _who(config: RayocrConfig, token_file: Path) -> str:
    """Returns the account that is signed in, if Drive reports it."""
    from rayocr.storage.drive.client import DriveClient

    access = AccessConfig(credentials=str(token_file), endpoint=config.storage.source.endpoint)
    try:
        return f" as {DriveClient(access).account()}"
    except RayocrError as error:
        return f" (but Drive is not available yet: {error})"
