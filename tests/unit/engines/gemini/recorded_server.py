"""A server that answers as recorded, and records what it was asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.gemini.engine import GeminiEngine
from rayocr.messages import PageText
from tests.unit.engines.servers import FakePage

MODEL = "gemini-3.1-flash-lite"


KEY = Secrets(gemini_api_key="a-key-of-the-test")


STOP: dict[str, Any] = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "# A"}, {"text": " page"}]}, "finishReason": "STOP"}],
    "usageMetadata": {
        "promptTokenCount": 600,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 12,
        "cachedContentTokenCount": 100,
        "totalTokenCount": 642,
    },
    "modelVersion": "gemini-3.1-flash-lite-001",
}


async def ask(url: str, page: FakePage | None = None, *, model: str = MODEL, **settings: Any) -> PageText:
    engine = GeminiEngine(GeminiConfig(base_url=url, model=model, **settings), prompt="Read it.", secrets=KEY)
    engine.open()
    try:
        return await engine.recognize_async(page or FakePage(), model)
    finally:
        await engine.aclose()


class Recorded:
    """Answers every request with `body`, and records the requests."""

    def __init__(self, body: Any = STOP, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.keys: list[str | None] = []
        self._body, self._status, self._headers = body, status, headers

    async def __call__(self, request: web.Request) -> web.Response:
        text = await request.text()
        self.requests.append((request.path, json.loads(text) if text else {}))
        self.keys.append(request.headers.get("x-goog-api-key"))
        if isinstance(self._body, str):
            return web.Response(text=self._body, status=self._status, headers=self._headers, content_type="text/html")
        return web.json_response(self._body, status=self._status, headers=self._headers)


def service_account(folder: Path, token_uri: str) -> Path:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "t@p.iam.gserviceaccount.com",
        "token_uri": token_uri,
        "project_id": "p",
    }
    path = folder / "account.json"
    path.write_text(json.dumps(account | {"private_key": key.decode(), "private_key_id": "1"}))
    return path
