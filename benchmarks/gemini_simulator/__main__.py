from __future__ import annotations

import argparse
import asyncio
import contextlib
from dataclasses import fields

from benchmarks.gemini_simulator.server import serve
from benchmarks.gemini_simulator.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description="A Gemini-shaped server on loopback.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    for field in fields(Settings):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    arguments = vars(parser.parse_args())
    host, port = arguments.pop("host"), arguments.pop("port")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(Settings(**arguments), host=host, port=port))


main()
