"""Implements `rayocr view OUT`: opens the results of a destination in a browser and runs until Ctrl-C. Does not start Ray."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
import webbrowser
from collections.abc import Sequence
from dataclasses import replace

from rayocr.api.review.reread import options_of_reading
from rayocr.api.review.reviewer import new_reviewer
from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import check_results, existing_state
from rayocr.errors import OutsideError
from rayocr.gateway.pictures import Pictures
from rayocr.gateway.server import StatusPage, address_of, check_gateway, listen, port_of
from rayocr.masking import hide
from rayocr.storage.base import Storage
from rayocr.storage.factory import open_storage
from rayocr.storage.uri import parse_uri
from rayocr.view.index import ResultsIndex, cache_path
from rayocr.view.reread import Rereader, missing_engines
from rayocr.view.results import Results


def show_results(config: RayocrConfig, keys: Secrets, *, given: Sequence[str] = (), after: StatusPage | None = None) -> int:
    """Shows the results until Ctrl-C and then returns exit code 0. `given`: options of the command line; those of engines and
    rendering apply to pages that are read again. `after`: the status page of the run that has just ended, whose address and token
    are used again, so that an open page then shows the results. Raises UsageError and StorageError."""
    check_gateway(config.gateway, keys.api_token)
    terminal = ConsoleTerminal(config.progress)
    state = existing_state(config)
    if after is None:
        check_results(config, state)
    dest = open_storage(str(parse_uri(config.dest)), config.storage.dest)
    token = after.token if after else keys.api_token or secrets.token_urlsafe(24)
    hide([token])
    results = open_results_view(config, keys, dest=dest, state=state)
    results.rereader.overrides = reading_options(given)
    results.rereader.missing = missing_engines(config, keys, given)
    try:
        listening = listen(replace(config.gateway, port=port_of(after.address)) if after else config.gateway)
    except OSError as error:
        raise OutsideError(
            f"Cannot start the results view on {config.gateway.host}:{config.gateway.port}: {error.strerror}.",
            hint="Set gateway.port=0 to use any free port.",
        ) from error
    address = f"{address_of(listening, config.gateway)}/#token={token}"
    stop = threading.Event()
    updating = threading.Thread(target=results.keep_updated, args=(stop,), name="index", daemon=True)
    updating.start()
    terminal.say(f"Results of {results.place}; press Ctrl-C to stop.")
    print(f"  {address}", flush=True)  # includes the token, which is masked everywhere else
    if config.login.browser == "auto" and after is None:
        webbrowser.open(address)
    try:
        serve(results, listening, token=token, title=results.place)
    except KeyboardInterrupt:
        pass
    finally:
        stop.set()
        results.reviewer.rewriter.locks.close()
    return 0


def reading_options(given: Sequence[str]) -> list[str]:
    """Returns the options of the command line for reading a page, except the chain, since a person chooses the engine."""
    return [option for option in options_of_reading(given) if not option.startswith(("engine=", "engine.chain="))]


def open_results_view(config: RayocrConfig, keys: Secrets, *, dest: Storage, state: Storage) -> Results:
    """Opens everything that the view needs, without a server."""
    reviewer = new_reviewer(config, keys, dest=dest, state=state)
    return Results(
        place=parse_uri(config.dest).display,
        dest=dest,
        state=state,
        index=ResultsIndex(cache_path(state.uri), dest, state),
        reviewer=reviewer,
        pictures=Pictures(reviewer.rewriter.drawing),
        rereader=Rereader(reviewer),
    )


def serve(results: Results, listening: socket.socket, *, token: str | None, title: str) -> None:
    """Serves the view. Blocks until interrupted."""
    from rayocr.gateway.connections import bounded_server
    from rayocr.view.app import create_view

    server = bounded_server(create_view(results, token=token, title=title))
    with listening:
        asyncio.run(server.serve(sockets=[listening]))
