"""Creates the FastAPI application of the HTTP API: health, metrics, status, documents, control, and the status page."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from rayocr import __version__
from rayocr.errors import ObjectNotFound, RayocrError, RecordCorrupt, UnsafeName
from rayocr.gateway.guard import Guard
from rayocr.gateway.run_api import RunApi, line_of
from rayocr.ledger.manifest import Manifest
from rayocr.messages import DocumentOutcome
from rayocr.observe.metrics import exposition
from rayocr.untrusted_json import parse_object

T = TypeVar("T")

STATIC = Path(__file__).with_name("static")
_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_STREAMS = 64  # number of concurrent event streams
_CHECKS = 8  # number of concurrent readiness requests, which anyone may send; more could keep every connection busy
_STREAM_STEPS = 10  # number of checks per second for the end of the run
FILES = {path.name: _TYPES[path.suffix] for path in sorted(STATIC.iterdir()) if path.suffix in _TYPES}

DocumentId = Annotated[str, InPath(pattern="^[0-9a-f]{32}$", description="32 hex digits")]
PageNumber = Annotated[int, InPath(ge=1, le=1_000_000)]


class AsciiJson(JSONResponse):
    """A response with JSON in ASCII, since file names may contain bytes that are not text, which UTF-8 cannot encode."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode("ascii")


class Accepted(BaseModel):
    accepted: bool = True
    document_id: str | None = None


class Problem(BaseModel):
    detail: Any


class WhatToRetry(BaseModel):
    reason: str | None = Field(default=None, max_length=100, description="A class of errors, for example Refused")
    q: str | None = Field(default=None, max_length=200, description="Part of the documents' names")


class Retried(BaseModel):
    documents: int


class FileToProcess(BaseModel):
    name: str = Field(min_length=1, max_length=4096, description="A document's name below source=, for example 2024/a.pdf")


class PushMessage(BaseModel):
    data: str = Field(default="", max_length=60_000)
    attributes: dict[str, str] = Field(default_factory=dict)


class PushEnvelope(BaseModel):
    """A Pub/Sub push of a Cloud Storage notification."""

    message: PushMessage
    subscription: str = ""


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
    _add_documents(app, api)
    _add_control(app, api, verify_push)

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


def _add_documents(app: FastAPI, api: RunApi) -> None:
    @app.get("/documents")
    async def documents(
        outcome: DocumentOutcome | None = None,
        q: Annotated[str | None, Query(max_length=200)] = None,
        reason: Annotated[str | None, Query(max_length=100)] = None,
        cursor: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Returns the documents in progress, and a page of the finished ones."""
        found, after = await run_in_threadpool(
            api.documents, outcome=outcome.value if outcome else None, q=q, reason=reason, cursor=cursor, limit=limit
        )
        return {"in_progress": api.in_progress(), "documents": found, "cursor": after}

    @app.get("/documents/{document_id}")
    async def document(document_id: DocumentId) -> dict[str, Any]:
        manifest = await _manifest(api, document_id)
        return line_of(manifest) | {
            "pages": {kind.value: runs for kind, runs in manifest.pages.items()},
            "notes": [note.model_dump(mode="json") for note in manifest.notes],
            "outputs": [output.model_dump(mode="json") for output in manifest.outputs],
            "source_uri": manifest.source_uri,
            "message": manifest.message,
        }

    @app.get("/documents/{document_id}/pages/{page_number}")
    async def page_text(document_id: DocumentId, page_number: PageNumber) -> dict[str, Any]:
        manifest = await _manifest(api, document_id)
        found = await run_in_threadpool(api.page, manifest, page_number)
        if found is None:
            raise HTTPException(404, "There is no such page.")
        return found

    @app.get("/documents/{document_id}/pages/{page_number}/image", response_class=Response)
    async def page_image(document_id: DocumentId, page_number: PageNumber) -> Response:
        manifest = await _manifest(api, document_id)
        if page_number > manifest.page_count:
            raise HTTPException(404, "There is no such page.")
        picture = await run_in_threadpool(api.picture, manifest, page_number)
        if picture is None:
            raise HTTPException(404, "This page has no picture.")
        return Response(picture, media_type="image/jpeg")


def _add_control(app: FastAPI, api: RunApi, verify_push: Any) -> None:
    @app.post("/documents/retry", status_code=202)
    async def retry_all(which: WhatToRetry) -> Retried:
        """Retries every matching failed document in this run: its failed pages, or all pages of a rejected document."""
        return Retried(documents=await run_in_threadpool(api.retry_all, reason=which.reason, q=which.q))

    @app.post("/documents/{document_id}/retry", status_code=202)
    async def retry(document_id: DocumentId) -> Accepted:
        """Retries the document's failed pages in this run."""
        manifest = await _manifest(api, document_id)
        if manifest.outcome is DocumentOutcome.COMPLETE:
            raise HTTPException(400, "The document is complete.")
        if not api.can_retry(manifest):
            raise HTTPException(400, "The document belongs to another source than this run's.")
        api.commands.retry(manifest)
        return Accepted(document_id=document_id)

    @app.post("/documents/{document_id}/cancel", status_code=202)
    async def cancel(document_id: DocumentId) -> Accepted:
        """Cancels the document: every run on the destination stops processing it and writes no outputs for it."""
        if await run_in_threadpool(api.manifest, document_id) is not None:
            raise HTTPException(400, "The document is already finished.")
        await run_in_threadpool(api.commands.cancel, document_id)
        return Accepted(document_id=document_id)

    @app.post("/process-file", status_code=202)
    async def process_file(file: FileToProcess) -> Accepted:
        return Accepted(document_id=await _added(api.commands.add, file.name))

    @app.post("/gcs-event", status_code=202)
    async def gcs_event(envelope: PushEnvelope, request: Request) -> Accepted:
        """Accepts a notification of Cloud Storage. The run reads the object if it is below the source."""
        if verify_push is not None:
            try:
                await run_in_threadpool(verify_push, request.headers.get("authorization", ""))
            except ValueError as error:
                raise HTTPException(403, "The push is not from Pub/Sub.") from error
        name = _name_in_event(api, envelope.message)
        document_id = await _added(api.commands.notice, name) if name else None
        return Accepted(accepted=document_id is not None, document_id=document_id)

    @app.post("/pause", status_code=202)
    async def pause() -> Accepted:
        """Sends no further pages until /resume."""
        api.commands.pause()
        return Accepted()

    @app.post("/resume", status_code=202)
    async def resume() -> Accepted:
        api.commands.resume()
        return Accepted()

    @app.post("/drain", status_code=202)
    async def drain() -> Accepted:
        """Drains the run, like SIGTERM: finishes pages in progress, then ends the run."""
        api.commands.drain()
        return Accepted()


async def _manifest(api: RunApi, document_id: str) -> Manifest:
    manifest = await run_in_threadpool(api.manifest, document_id)
    if manifest is None:
        raise HTTPException(404, "No finished document has this id.")
    return manifest


async def _added(add: Callable[[str], T], name: str) -> T:
    try:
        if not name.lower().endswith(".pdf") or name.startswith(".rayocr/"):
            raise ObjectNotFound(name)
        return await run_in_threadpool(add, name)
    except (ObjectNotFound, UnsafeName) as error:
        raise HTTPException(404, f"The source has no document with this name: {name!r}") from error
    except RayocrError as error:
        raise HTTPException(503, " ".join(filter(None, (str(error), error.hint)))) from error


def _name_in_event(api: RunApi, message: PushMessage) -> str | None:
    attributes = message.attributes
    if not attributes.get("objectId") and message.data:
        try:
            decoded = parse_object(base64.b64decode(message.data, validate=True), name="The message")
            attributes = {"bucketId": str(decoded["bucket"]), "objectId": str(decoded["name"]), **attributes}
        except (ValueError, KeyError, RecordCorrupt) as error:
            raise HTTPException(400, "The message is not a Cloud Storage notification.") from error
    if attributes.get("eventType", "OBJECT_FINALIZE") != "OBJECT_FINALIZE":
        return None
    uri = f"gs://{attributes.get('bucketId', '')}/{attributes.get('objectId', '')}"
    prefix = api.source.uri + "/"
    name = uri[len(prefix) :] if uri.startswith(prefix) else None
    return name if name and name.lower().endswith(".pdf") else None


def _json(text: str) -> dict[str, Any] | None:
    try:
        return parse_object(text, name="line")
    except RecordCorrupt:
        return None
