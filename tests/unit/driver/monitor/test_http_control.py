from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rayocr.config import LimitsConfig, OpenAIConfig, RayocrConfig
from rayocr.driver.monitor.http_control import shown_config
from rayocr.gateway.pictures import Pictures
from rayocr.messages import DocumentOutcome
from rayocr.outputs.report.pages import Drawing
from tests.unit.gateway.run_apis import DONE, manifest


def test_pictures_are_drawn_two_at_a_time_and_the_last_ones_are_kept() -> None:
    drawn: list[int] = []
    at_once = most = 0
    lock, both = threading.Lock(), threading.Barrier(2)

    def draw(_: Any, number: int, __: Drawing) -> bytes:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
            drawn.append(number)
        both.wait(60)
        with lock:
            at_once -= 1
        return str(number).encode()

    pictures = Pictures(Drawing(dpi=80, limits=LimitsConfig()), draw)
    document = manifest(DONE, "a.pdf", DocumentOutcome.COMPLETE)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: pictures.draw(document, n), range(1, 9))) == [str(n).encode() for n in range(1, 9)]
    assert most == 2
    assert pictures.draw(document, 3) == b"3"
    assert len(drawn) == 8


def test_the_configuration_is_shown_without_credentials() -> None:
    config = RayocrConfig()
    config.engine.openai = OpenAIConfig(base_url="https://somebody:hunter22@h/v1", extra_body={"api_key": "k", "top_p": 1})
    shown = shown_config(config)
    assert shown["engine"]["openai"]["base_url"] == "https://***@h/v1"
    assert shown["engine"]["openai"]["extra_body"] == {"api_key": "***", "top_p": 1}
    assert shown["engine"]["gemini"]["max_output_tokens"] == 16384
