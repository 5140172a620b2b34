"""Runs rayocr's rate limiter and its worker client, with nothing else between a slot and its request. This module is run as a
program.

Four actors on a local Ray send one small page repeatedly, each request when its slot begins, without the SDK: at 30,000 per
minute the SDK alone would need a core, and this benchmark only measures whether the slots keep to the quota.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from typing import Any

from benchmarks.bare_gemini import small_page

_SENDERS = 4
_MODEL = "gemini-3.1-flash-lite"


class Sender:
    def __init__(self, name: str, limiter: Any) -> None:
        self._name = name
        self._limiter = limiter

    async def send(self, seconds: float, in_flight: int) -> None:
        import aiohttp

        from rayocr.actors.page_worker.slot_client import SlotClient
        from rayocr.actors.remote import Remote
        from rayocr.errors import EngineRateLimited

        slots = SlotClient(Remote(self._limiter), worker=self._name)  # type: ignore[arg-type]
        url = f"{os.environ['GOOGLE_GEMINI_BASE_URL']}/v1beta/models/{_MODEL}:generateContent"
        page = {"inlineData": {"mimeType": "application/pdf", "data": base64.b64encode(small_page()).decode()}}
        body = json.dumps({"contents": [{"parts": [page]}]}).encode()
        headers = {"x-goog-api-key": os.environ["GEMINI_API_KEY"], "content-type": "application/json"}
        until = asyncio.get_running_loop().time() + seconds
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:

            async def one_after_the_other() -> None:
                while asyncio.get_running_loop().time() < until:
                    try:
                        async with slots.slot(_MODEL), session.post(url, data=body) as answer:
                            await answer.read()
                            if answer.status == 429:
                                raise EngineRateLimited("429")
                            slots.used(_MODEL, input_tokens=600, cost_usd=0.0)
                    except EngineRateLimited:
                        continue

            await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))


def main(rpm: float, seconds: float) -> None:
    import ray

    from rayocr.actors.rate_limiter.rules import LimiterRules
    from rayocr.actors.spawn import spawn_limiter
    from rayocr.config import LimitsConfig, Secrets
    from rayocr.limits.prices import PriceTable

    ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    rules = LimiterRules(limits=LimitsConfig(rpm=rpm), prices=PriceTable(models={}))
    limiter = spawn_limiter("benchmark", rules, Secrets())
    sender = ray.remote(Sender).options(num_cpus=0, max_concurrency=4)
    in_flight = int(rpm / 60 * 10 / _SENDERS)
    ray.get([sender.remote(f"s{n}", limiter).send.remote(seconds, in_flight) for n in range(_SENDERS)])
    ray.shutdown()


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
