"""Runs in the process of the HTTP API: `python -m rayocr.gateway.child CHANNEL_FD LISTENING_FD`, started by
rayocr.gateway.process. The process answers from the last snapshot and from storage, and forwards commands to the run over the
channel. It ends with the run.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import signal
import socket
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from rayocr.errors import StorageUnavailable
from rayocr.gateway.channel import Answer, Channel, Setup, Snapshot
from rayocr.gateway.pictures import Pictures
from rayocr.gateway.run_api import Commands, RunApi
from rayocr.gateway.server import GatewayServer
from rayocr.ledger.manifest import Manifest
from rayocr.masking import hide, hide_environment
from rayocr.storage.factory import open_storage

_ANSWER_S = 60.0
_LAST_WORDS_S = 1.0


class Run:
    """This process's proxy of the run. Calls block, on any thread. Raises RayocrError."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Any]] = {}

    def ask(self, command: str, argument: str | None = None) -> Any:
        number = next(self._numbers)
        future: Future[Any] = Future()
        self._waiting[number] = future
        try:
            self.tell(number=number, command=command, argument=argument)
            return future.result(_ANSWER_S)
        except (OSError, TimeoutError) as error:
            raise StorageUnavailable("The run does not answer.") from error
        finally:
            self._waiting.pop(number, None)

    def tell(self, **message: Any) -> None:
        self._channel.send(json.dumps(message).encode())

    def answered(self, answer: Answer) -> None:
        future = self._waiting.get(answer.number)
        if future is None:
            return
        if answer.error is not None:
            future.set_exception(answer.error)
        else:
            future.set_result(answer.value)

    def commands(self) -> Commands:
        return Commands(
            pause=lambda: self.ask("pause"),
            resume=lambda: self.ask("resume"),
            drain=lambda: self.ask("drain"),
            cancel=lambda document_id: self.ask("cancel", document_id),
            retry=self._retry,
            add=lambda name: self.ask("add", name),
            notice=lambda name: self.ask("notice", name),
        )

    def _retry(self, manifest: Manifest) -> None:
        self.ask("retry", manifest.to_json().decode("utf-8", "surrogatepass"))


class _Problems(logging.Handler):
    def __init__(self, run: Run) -> None:
        super().__init__(logging.WARNING)
        self._run = run

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._run.tell(problem=self.format(record)[-2000:])
        except (OSError, ValueError):
            pass


def api_of(setup: Setup, run: Run) -> RunApi:
    (source, dest, state) = (open_storage(uri, access) for uri, access in (setup.source, setup.dest, setup.state))
    return RunApi(
        source=source,
        dest=dest,
        state=state,
        commands=run.commands(),
        config=setup.config,
        logs=Path(setup.logs),
        draw=Pictures(setup.drawing).draw,
        readiness=lambda: run.ask("ready"),
    )


def main(channel_fd: int, listening_fd: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=channel_fd))
    listening = socket.socket(fileno=listening_fd)
    setup: Setup = channel.receive_object()
    hide_environment()
    hide([setup.token])
    run = Run(channel)
    logging.getLogger().addHandler(_Problems(run))
    api = api_of(setup, run)
    GatewayServer(api, setup.gateway, token=setup.token).start(listening)
    try:
        while True:
            message = channel.receive_object()
            if isinstance(message, Snapshot):
                api.push(message.snapshot)
            elif isinstance(message, Answer):
                run.answered(message)
    except OSError:
        pass  # the run has ended
    finally:
        until = time.monotonic() + _LAST_WORDS_S
        while api.streams and time.monotonic() < until:  # open pages receive the last snapshot
            time.sleep(0.02)
        os._exit(0)  # exits even if a thread still waits


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
