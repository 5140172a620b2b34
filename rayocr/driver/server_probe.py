"""Sends one request to each server while Ray starts, to check key, permission, model and network. A wrong key then costs one call
and one message within seconds, instead of a refusal of every page in flight.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from urllib.parse import urlsplit

from rayocr.config import EngineConfig, Secrets
from rayocr.engines.base import WaitingEngine
from rayocr.engines.registry import ChainLink, build_engine
from rayocr.errors import EngineConnectionLost, EngineError, EngineUnavailable, ServerUnreachable
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_TRIES = 2  # number of connection attempts, one second apart, because a sleeping network may lose the first packet
_PAUSE_S = 1.0


def probe_servers(links: Iterable[ChainLink], config: EngineConfig, prompts: Mapping[str, str], secrets: Secrets) -> None:
    """Probes the servers. Blocks and uses its own event loop. Raises CredentialsError, UnknownModel and ServerUnreachable. Passes
    if the server is only busy or does not support the request."""
    for link in links if config.probe else ():
        if link.kind != "wait":
            continue
        engine = build_engine(link.name, config, prompt=prompts.get(link.name, ""), secrets=secrets)
        assert isinstance(engine, WaitingEngine)
        for model in engine.models:
            asyncio.run(probe(engine, model, base_url=getattr(config, link.name).base_url))


async def probe(
    engine: WaitingEngine, model: str, *, base_url: str | None, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            return await engine.probe(model)
        except EngineUnavailable:
            raise
        except EngineConnectionLost as error:
            if attempt == _TRIES:
                raise ServerUnreachable(
                    f"No answer from {_place(engine, base_url)}: {error}",
                    hint=_hint(engine.name),
                ) from error
        # The server is busy, slow or does not support this request; reading a page detects a real problem.
        except EngineError as error:
            log_event(log, "probe_skipped", "The server did not answer the probe.", engine=engine.name, error=error.reason)
            return None
        await sleep(_PAUSE_S)
    return None


def _hint(engine: str) -> str:
    if engine == "openai":
        return "Set engine.openai.base_url= (or OPENAI_BASE_URL) to the server's address, or use the local engines: engine=local"
    return "Check the network, or use the local engines: engine=local"


def _place(engine: WaitingEngine, base_url: str | None) -> str:
    return urlsplit(base_url).netloc.rpartition("@")[2] or base_url if base_url else f"{engine.name}'s server"
