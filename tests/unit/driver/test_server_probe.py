from __future__ import annotations

import asyncio

import pytest

from rayocr.config import Secrets
from rayocr.config.engines import OpenAIConfig
from rayocr.driver.server_probe import probe
from rayocr.engines.openai.engine import OpenAIEngine
from rayocr.errors import EngineConnectionLost, ServerUnreachable


def test_without_a_server_the_hint_names_the_option_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object) -> None:
        raise EngineConnectionLost("refused")

    async def pause(_: float) -> None: ...

    engine = OpenAIEngine(OpenAIConfig(model="m"), prompt="", secrets=Secrets())
    monkeypatch.setattr(engine, "probe", refused)
    with pytest.raises(ServerUnreachable) as raised:
        asyncio.run(probe(engine, "m", base_url=None, sleep=pause))
    assert "engine.openai.base_url= (or OPENAI_BASE_URL)" in (raised.value.hint or "")
