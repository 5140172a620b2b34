"""What ends a run while Ray is still starting."""

from __future__ import annotations

import asyncio
import threading

import pytest

from rayocr.config import RayocrConfig
from rayocr.driver import connecting
from rayocr.driver.signals import Shutdown
from rayocr.errors import CredentialsError, Interrupted


def starts_forever(config: RayocrConfig, cancelled: threading.Event) -> None:
    cancelled.wait()
    raise Interrupted("Interrupted while connecting to Ray.")


async def connect_with(probing: asyncio.Task[None], *, signal: bool = False) -> object:
    shutdown = Shutdown(on_first=lambda why: None, on_second=lambda: None)
    if signal:
        shutdown.request("SIGINT")
    return await connecting._connect(RayocrConfig(), shutdown, probing)


def test_a_wrong_key_ends_the_run_before_ray_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "connect", starts_forever)

    async def main() -> None:
        async def refused() -> None:
            raise CredentialsError("Gemini does not accept the key.")

        await connect_with(asyncio.create_task(refused()))

    with pytest.raises(CredentialsError):
        asyncio.run(main())


def test_a_signal_ends_the_run_before_ray_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "connect", starts_forever)

    async def main() -> None:
        await connect_with(asyncio.create_task(asyncio.sleep(3600)), signal=True)

    with pytest.raises(Interrupted):
        asyncio.run(main())


@pytest.mark.parametrize("accepted_first", [True, False])
def test_a_run_continues_with_or_before_the_answer_of_the_server(monkeypatch: pytest.MonkeyPatch, accepted_first: bool) -> None:
    async def main() -> object:
        answered = threading.Event()
        monkeypatch.setattr(connecting, "connect", lambda config, cancelled: (accepted_first and answered.wait()) or "connection")

        async def accepted() -> None:
            if not accepted_first:
                await asyncio.sleep(3600)
            answered.set()

        return await connect_with(asyncio.create_task(accepted()))

    assert asyncio.run(main()) in (True, "connection")
