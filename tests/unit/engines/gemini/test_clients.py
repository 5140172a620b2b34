"""Clients of the SDK share what takes time to make."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest

from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.gemini import engine


def test_certificates_are_read_once_for_all_clients_and_again_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.pem"
    own.write_bytes(Path(certifi.where()).read_bytes())
    engine.new_client(GeminiConfig(), Secrets(gemini_api_key="k"), 1000)  # what is imported for the first one reads some, too
    read: list[object] = []
    make = ssl.create_default_context

    def counted(*arguments: Any, cafile: str | None = None, **rest: Any) -> ssl.SSLContext:
        read.append(cafile)
        return make(*arguments, cafile=cafile, **rest)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    engine._tls_context.cache_clear()
    for _ in range(3):
        engine.new_client(GeminiConfig(), Secrets(gemini_api_key="k"), 1000)
    assert read == [certifi.where()]
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    for _ in range(2):
        engine.new_client(GeminiConfig(), Secrets(gemini_api_key="k"), 1000)
    assert read == [certifi.where(), str(own)]
