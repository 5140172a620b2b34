"""Verifies that a push comes from Pub/Sub: its OIDC token is signed by Google, for the configured audience and account."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rayocr.config import GatewayConfig

_CERTIFICATES_S = 3600.0  # Google rotates its keys every few days and publishes the next ones in advance


def push_verifier(config: GatewayConfig) -> Callable[[str], None] | None:
    """Returns the verifier; None without `gateway.push_audience`. The verifier takes the Authorization header, blocks, and raises
    ValueError."""
    if config.push_audience is None:
        return None
    ask = _Remembering()

    def verify(authorization: str) -> None:
        from google.auth.exceptions import GoogleAuthError
        from google.oauth2 import id_token

        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ValueError("The request has no token.")
        try:
            claims = id_token.verify_oauth2_token(token.strip(), ask, config.push_audience)
        except GoogleAuthError as error:
            raise ValueError(str(error)) from error
        if not config.push_account or claims.get("email") != config.push_account or not claims.get("email_verified"):
            raise ValueError(f"The token belongs to {claims.get('email')}, not to {config.push_account}.")

    return verify


class _Remembering:
    """A google-auth transport that caches Google's certificates between pushes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: dict[str, tuple[float, Any]] = {}

    def __call__(self, url: str, method: str = "GET", **more: Any) -> Any:
        from google.auth.transport.requests import Request

        kept = self._answers.get(url)
        if kept is not None and method == "GET" and self._clock() - kept[0] < _CERTIFICATES_S:
            return kept[1]
        answer = Request()(url, method=method, **more)
        if answer.status == 200:
            self._answers[url] = (self._clock(), answer)
        return answer
