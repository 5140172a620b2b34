from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.config import EngineConfig, GeminiConfig, Secrets
from rayocr.driver.monitor.readiness import Readiness
from rayocr.driver.scheduling.progress import Progress
from rayocr.engines.registry import parse_chain
from rayocr.errors import LocksUnavailable, StorageUnavailable
from rayocr.messages import LimiterState


def raising(error: Exception | None) -> Any:
    def check(*_: Any) -> None:
        if error is not None:
            raise error

    return check


def readiness(*, source: Exception | None = None, locks: Exception | None = None, chain: str = "textlayer") -> Readiness:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
    plan: Any = SimpleNamespace(
        source=SimpleNamespace(check_readable=raising(source)),
        dest=SimpleNamespace(check_readable=raising(None)),
        links=parse_chain([chain]),
        prompts={chain: "Read."},
    )
    engine = EngineConfig(gemini=GeminiConfig(base_url=nobody))
    lock: Any = SimpleNamespace(check=raising(locks))
    return Readiness(plan, engine, Secrets(gemini_api_key="a-key-of-gemini"), lock, Progress())


def test_what_cannot_be_reached_is_named_with_its_reason_and_without_its_password() -> None:
    assert readiness().wrong() == {}
    wrong = readiness(source=StorageUnavailable("503"), locks=LocksUnavailable("redis://u:hunter22@h is away")).wrong()
    assert wrong == {"source": "503", "locks": "redis://***@h is away"}
    late = readiness()
    late.progress.limiter = LimiterState(unavailable_s=60.0)
    assert set(late.wrong()) == {"limits"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_server_that_does_not_answer_is_reported_and_is_not_asked_each_time() -> None:
    ready = readiness(chain="gemini")
    now = [0.0]
    ready.clock = lambda: now[0]
    assert "No answer from 127.0.0.1" in ready.wrong()["engine"]
    ready.engine = EngineConfig(probe=False)
    assert "engine" in ready.wrong(), "as it was"
    now[0] = 100.0
    assert ready.wrong() == {}
