"""A server that presents a folder as one bucket: listing and downloads, each answered after a fixed latency.

It serves benchmarks that read many small objects, since fake-gcs-server scans the whole bucket for every page of a listing.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import urllib.parse
from pathlib import Path
from typing import Any

from benchmarks.listing_server import page_of_listing

_GENERATION = "1"


class FolderBucket:
    """Serves the same folder under every bucket name, in a separate process. The folder must not change meanwhile."""

    def __init__(self, folder: Path, *, latency_s: float = 0.0) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(str(folder), latency_s, theirs), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{ours.recv()}"

    def close(self) -> None:
        self._process.kill()
        self._process.join()


def _serve(folder: str, latency_s: float, pipe: Any) -> None:
    names = sorted(os.path.relpath(os.path.join(parent, file), folder) for parent, _, files in os.walk(folder) for file in files)

    def answered(path: str) -> tuple[int, str, bytes]:
        url = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(url.query))
        _, found, name = url.path.partition("/o/")
        if not found:
            return 200, "application/json", json.dumps(page_of_listing(names, query, _GENERATION)).encode()
        try:
            data = Path(folder, urllib.parse.unquote(name)).read_bytes()
        except FileNotFoundError:
            return 404, "text/plain", b"No such object"
        if query.get("alt") == "media":
            return 200, "application/octet-stream", data
        item = {"name": name, "size": str(len(data)), "generation": _GENERATION, "updated": "2026-01-01T00:00:00.000Z"}
        return 200, "application/json", json.dumps(item).encode()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readline():
            while (await reader.readline()).strip():
                pass
            await asyncio.sleep(latency_s)
            code, kind, data = answered(request.split()[1].decode())
            headers = f"Content-Type: {kind}\r\nContent-Length: {len(data)}\r\nx-goog-generation: {_GENERATION}\r\n"
            writer.write(f"HTTP/1.1 {code} x\r\n{headers}\r\n".encode() + data)
            await writer.drain()
        writer.close()

    async def serving() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serving())
