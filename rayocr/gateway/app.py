"""Creates the FastAPI application of the HTTP API, with health, metrics, status, and the status page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from rayocr import __version__
from rayocr.errors import RayocrError, RecordCorrupt
from rayocr.gateway.control_routes import add_control_routes
from rayocr.gateway.document_routes import add_document_routes
from rayocr.gateway.guard import Guard
from rayocr.gateway.run_api import RunApi
from rayocr.observe.metrics import exposition
from rayocr.untrusted_json import parse_object

STATIC = Path(__file__).with_name("static")
_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_STREAMS = 64  # number of concurrent event streams
_CHECKS = 8  # number of concurrent readiness requests, which anyone may send; more could keep every connection busy
_STREAM_STEPS = 10  # number of checks per second for the end of the run
FILES = {path.name: _TYPES[path.suffix] for path in sorted(STATIC.iterdir()) if path.suffix in _TYPES}


class AsciiJson(JSONResponse):
    """A response with JSON in ASCII, since file names may contain bytes that are not text, which UTF-8 cannot encode."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode("ascii")


class Problem(BaseModel):
    detail: Any


_GENERAL: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (400, 401, 403, 404, 413, 429, 503)}


def create_app(api: RunApi, *, token: str | None, verify_push: Any = None) -> FastAPI:
    """Creates the application. `verify_push(authorization)` raises ValueError for a push that is not from Pub/Sub; None: pushes
    need the API's token."""
    app = FastAPI(
        title="rayocr",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        responses=_GENERAL,
        default_response_class=AsciiJson,
    )
    # Pub/Sub sends a token of Google's, which the handler verifies.
    app.add_middleware(Guard, token=token, open_paths=frozenset({"/gcs-event"} if verify_push else ()))
    _add_health(app, api)
    _add_reading(app, api)
    add_document_routes(app, api)
    add_control_routes(app, api, verify_push)

    @app.exception_handler(RayocrError)
    async def storage_error(_: Request, error: RayocrError) -> Response:
        return AsciiJson({"detail": str(error)}, status_code=503)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        """Reports invalid input without its content, which may contain anything."""
        problems = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()[:10]]
        return AsciiJson({"detail": problems}, status_code=422)

    return app


def _add_health(app: FastAPI, api: RunApi) -> None:
    @app.get("/health")
    async def health() -> dict[str, str]:
        """Reports whether the run is alive: its loop pushed a snapshot within the last ten seconds."""
        if not api.lives:
            raise HTTPException(503, "The run does not answer.")
        return {"status": "ok"}

    checks = 0

    @app.get("/ready")
    async def ready() -> dict[str, str]:
        """Reports whether the run is ready: storage, locks and limits can be reached."""
        nonlocal checks
        if checks >= _CHECKS:
            raise HTTPException(503, "The services are being checked.")
        checks += 1
        try:
            wrong = await run_in_threadpool(api.readiness)
        finally:
            checks -= 1
        if wrong:
            raise HTTPException(503, wrong)
        return {"status": "ready"}

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return await static("index.html")

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str) -> Response:
        if name not in FILES:  # files come from a fixed list, since no path may be built from the request
            raise HTTPException(404, "There is no such file.")
        return Response((STATIC / name).read_bytes(), media_type=FILES[name])

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> Response:
        return Response(status_code=204)


def _add_reading(app: FastAPI, api: RunApi) -> None:
    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        data, content_type = exposition(api.snapshot)
        return Response(data, media_type=content_type)

    @app.get("/status")
    async def status() -> dict[str, Any]:
        return dict(api.snapshot)

    @app.get("/history")
    async def history() -> dict[str, Any]:
        """Returns pages and cost over the last minutes and over the run."""
        return api.history.as_dict()

    @app.get("/config")
    async def config() -> dict[str, Any]:
        return dict(api.config)

    @app.get("/logs")
    async def logs(lines: Annotated[int, Query(ge=1, le=1000)] = 200) -> list[dict[str, Any]]:
        found = await run_in_threadpool(api.log_lines, lines)
        return [line for text in found if (line := _json(text)) is not None]

    @app.get("/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
    async def events() -> StreamingResponse:
        """Sends the status as server-sent events every second until the run has ended."""
        if api.streams >= _STREAMS:
            raise HTTPException(503, f"Too many event streams (limit {_STREAMS}).")
        api.streams += 1

        async def stream() -> AsyncIterator[str]:
            try:
                while True:
                    shown = api.snapshot
                    yield f"data: {json.dumps(dict(shown))}\n\n"
                    if shown.get("ended"):
                        return
                    for _ in range(_STREAM_STEPS):
                        await asyncio.sleep(1.0 / _STREAM_STEPS)
                        if api.snapshot.get("ended"):
                            break
            finally:
                api.streams -= 1

        return StreamingResponse(stream(), media_type="text/event-stream")


def _json(text: str) -> dict[str, Any] | None:
    try:
        return parse_object(text, name="line")
    except RecordCorrupt:
        return None
