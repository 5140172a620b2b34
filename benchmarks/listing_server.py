"""A server of a bucket that supports only listing, at the speed of a large bucket: the cost of a page does not depend on the
number of objects.

fake-gcs-server scans the whole bucket for every page, which takes half an hour for 200,000 objects. This server supports the same
part of the JSON API (prefix, startOffset, endOffset, maxResults, pageToken) and rejects unknown parameters.
"""

from __future__ import annotations

import bisect
import json
import multiprocessing
import urllib.parse
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_KNOWN = {"prefix", "startOffset", "endOffset", "maxResults", "pageToken", "fields", "projection", "prettyPrint", "alt"}


class ListingServer:
    """`buckets`: the sorted names of their objects; every object has this `generation`. Runs in a separate process."""

    def __init__(self, buckets: Mapping[str, Sequence[str]], *, generation: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._requests = context.Value("i", 0)
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(dict(buckets), generation, self._requests, theirs), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{ours.recv()}"

    @property
    def requests(self) -> int:
        return int(self._requests.value)

    def forget(self) -> None:
        self._requests.value = 0

    def close(self) -> None:
        self._process.kill()
        self._process.join()


def _serve(buckets: dict[str, Sequence[str]], generation: str, requests: Any, pipe: Any) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            with requests.get_lock():
                requests.value += 1
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            bucket = url.path.removeprefix("/storage/v1/b/").removesuffix("/o")
            known = bucket in buckets and not set(query) - _KNOWN
            data = json.dumps(page_of_listing(buckets[bucket], query, generation) if known else {"error": {"code": 400}}).encode()
            self.send_response_only(200 if known else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_address[1])
    server.serve_forever()


def page_of_listing(names: Sequence[str], query: Mapping[str, str], generation: str) -> dict[str, object]:
    prefix, token = query.get("prefix", ""), query.get("pageToken", "")
    start = bisect.bisect_left(names, max(prefix, query.get("startOffset", ""), token))
    end = bisect.bisect_left(names, query["endOffset"]) if "endOffset" in query else len(names)
    if prefix:
        end = min(end, bisect.bisect_left(names, prefix + "\U0010ffff"))
    stop = min(end, start + int(query.get("maxResults", "1000")))
    item = {"size": "1", "generation": generation, "updated": "2026-01-01T00:00:00.000Z"}
    found: dict[str, object] = {"items": [{"name": name, **item} for name in names[start:stop]]}
    if stop < end:
        found["nextPageToken"] = names[stop]
    return found
