"""Damages billed answers on their way to the client."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

from benchmarks.gemini_simulator.outages import Outage


async def damaged(
    request: web.Request, event: Outage, answer: dict[str, Any], *, wait: Callable[[float], Awaitable[None]]
) -> web.StreamResponse:
    """Sends a damaged answer. `wait` is called with simulated seconds."""
    if event.what in ("finish", "no_candidate", "blocked"):
        return web.json_response(_without_text(answer, event))
    if event.what == "edited":
        return web.json_response(_edited(answer, event.put))
    data = json.dumps(answer).encode()
    if event.what == "half_json":
        return web.Response(body=data[: len(data) // 2], content_type="application/json")
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(data))})
    await response.prepare(request)
    if event.what == "reset":
        await response.write(data[:1])
        abort(request)
        return response
    with suppress(ConnectionError):  # the client gave up
        for byte in data:
            await response.write(bytes([byte]))
            await wait(event.every_s)
    return response


def abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _without_text(answer: dict[str, Any], event: Outage) -> dict[str, Any]:
    (candidate,) = answer["candidates"]
    text = "".join(part["text"] for part in candidate["content"]["parts"])
    parts = [{"text": text[: len(text) // 2]}] if event.finish == "MAX_TOKENS" else []
    ended = candidate | {"content": {"role": "model", "parts": parts}, "finishReason": event.finish}
    without = {name: value for name, value in answer.items() if name != "candidates"}
    if event.what == "blocked":
        return without | {"promptFeedback": {"blockReason": event.finish}}
    return without if event.what == "no_candidate" else without | {"candidates": [ended]}


def _edited(answer: dict[str, Any], put: dict[str, Any]) -> dict[str, Any]:
    for path, value in put.items():
        *parents, last = path.split(".")
        place: Any = answer
        for name in parents:
            place = place[int(name)] if name.isdecimal() else place.setdefault(name, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return answer
